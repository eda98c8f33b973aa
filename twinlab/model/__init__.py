"""DEFINE: asset types, signals, units, flags, mappings, schemas, and the protocol for reading a twin.

In: ``twin.yaml`` and ``mapping/*.yaml``. Out: frozen objects that all rooms share.
Read in order: `twinmodel`, `asset_types`, `signal`, `expressions`, `rules`, `kpis`, `mapping`, `schema`, `flags`, `units`, `quantities`, `load`, `check`,
`questions`, `reader`, `calibration`, `commands`, `privacy`, `edits`; `registry` and `extensions` (what other packages add).
Never: data read or written, a unit guessed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AssetType": "twinmodel",
        "Calibration": "calibration.pieces",
        "Calibrations": "calibration.pieces",
        "CommandSpec": "commands.spec",
        "Difference": "extensions.options",
        "EventType": "twinmodel",
        "Flag": "flags",
        "Kpi": "kpis.definition",
        "KpiKind": "extensions.kpi_kind",
        "Mapping": "mapping",
        "Options": "extensions.options",
        "PropertySpec": "twinmodel",
        "QualityTest": "extensions.quality_test",
        "Quantity": "extensions.options",
        "RelationshipType": "twinmodel",
        "Rule": "rules",
        "RuleKind": "extensions.rule_kind",
        "Signal": "twinmodel",
        "TwinModel": "twinmodel",
        "TwinReader": "reader",
        "calibrated": "calibration.apply",
        "canonical_unit": "units",
        "check_mapping": "load",
        "conversion": "units",
        "convert": "units",
        "dump_calibrations": "calibration.text",
        "dump_mapping": "load",
        "dump_model": "load",
        "flags": ":flags",
        "json_schema": "load",
        "load_calibrations": "calibration.text",
        "load_mapping": "load",
        "load_model": "load",
        "mapping": ":mapping",
        "parse_calibrations": "calibration.text",
        "parse_mapping": "load",
        "parse_model": "load",
        "schema": ":schema",
        "units": ":units",
        "write_schemas": "load",
    },
)
