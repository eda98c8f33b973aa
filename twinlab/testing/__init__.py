"""Fakes, example twins and conformance checks for tests, of ours and of users.

In: nothing but arguments; for a check, what a package adds. Out: a twin in memory that reads like a real one; an
AssertionError that says what doesn't conform.
Read in order: `fake_twin`, `example_model`, `example_stations`, `example_moving`; then the checks:
`source_checks`, `quality_checks`, `rule_checks`, `kpi_checks`, `channel_checks`, `live_checks`, `model_checks`, `predictor_checks`, `format_checks`, `change_checks`, `page_checks`, `control/`.
Never: behaviour that a real twin doesn't have.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "FakeTwin": "fake_twin",
        "check_actuator": "control.actuator_checks",
        "check_carrier": "control.carrier_checks",
        "check_change": "change_checks",
        "check_channel": "channel_checks",
        "check_file_format": "source_checks",
        "check_intrusion_rule": "rule_checks",
        "check_kpi": "kpi_checks",
        "check_live_source": "live_checks",
        "check_model": "model_checks",
        "check_page": "page_checks",
        "check_predictor": "predictor_checks",
        "check_quality_test": "quality_checks",
        "check_rule": "rule_checks",
        "check_source": "source_checks",
        "check_stored_model": "format_checks",
    },
)
