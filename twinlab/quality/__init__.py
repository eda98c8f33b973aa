"""JUDGE: one flag per value per test, QARTOD's numbers; never changes a value.

In: labelled arrays and limits. Out: flags of the same shape, lazy if the arrays were.
Read in order: `checks` (one function per test), `labelled` (any dimensions, lazy or not), `kernels` (numba), `aggregate`,
`cells` (as the history's build uses it); `registry`, `built_in` and `signal_tests` (tests that a signal names); `signals`,
`related` and `clocks` (further tests: of one signal, of several, of the clock); `limits` (limits learnt from data); `running`
(each test by itself, with those that the build doesn't run); `findings`; `drift`; `unit_faults`
(channels that write another unit than declared).
Never: a value changed, a test that fails on missing data.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "ConditionalSpan": "related.multivariate",
        "Drift": "drift.verdict",
        "Finding": "findings",
        "LearntLimits": "limits.learnt",
        "LearntRelation": "limits.relation",
        "MAX_LOOK_BACK": "cells",
        "NEIGHBOUR_REACH": "cells",
        "QUALITY_TESTS": "registry",
        "SeasonSpan": "signals.climatology",
        "affected_flags": "drift.affected",
        "aggregate_flags": "aggregate",
        "attenuated_flags": "signals.attenuated",
        "cadence_flags": "signals.arrival",
        "chatter_flags": "signals.states",
        "climatology_flags": "signals.climatology",
        "clock_drift": "clocks.findings",
        "clock_findings": "clocks.findings",
        "clock_flags": "clocks.shifts",
        "clock_shifts": "clocks.shifts",
        "completeness_flags": "signals.arrival",
        "conditional_flags": "related.multivariate",
        "consistency_flags": "related.consistency",
        "counter_flags": "checks",
        "departure_flags": "drift.departures",
        "drift_flags": "drift.flags",
        "drift_from_past": "drift.find",
        "drift_from_peers": "drift.find",
        "drift_from_redundancy": "drift.find",
        "drift_from_reference": "drift.reference",
        "drift_from_visits": "drift.resets",
        "find_drift": "drift.find",
        "find_visits": "drift.visits",
        "findings_frame": "findings",
        "fix_text": "unit_faults.fixes",
        "flag_cells": "cells",
        "flag_counts": "aggregate",
        "flat_line_flags": "checks",
        "gap_flags": "checks",
        "learn_limits": "limits.learn",
        "learn_relation": "limits.relation",
        "level_shift_flags": "drift.steps",
        "location_flags": "related.location",
        "margins": "cells",
        "missing_flags": "checks",
        "multivariate_flags": "related.multivariate",
        "peer_flags": "related.peers",
        "range_flags": "checks",
        "rate_flags": "checks",
        "reset_flags": "drift.resets",
        "response_flags": "related.consistency",
        "run_observation_tests": "running",
        "run_tests": "running",
        "signal_flags": "checks",
        "speed_flags": "related.location",
        "spike_flags": "checks",
        "state_flags": "checks",
        "status_flags": "signals.arrival",
        "summer_time_flags": "clocks.summer_time",
        "suspect_units": "unit_faults.suspects",
        "transition_flags": "signals.states",
        "untested": "cells",
        "variability_flags": "drift.departures",
        "visit_calibrations": "drift.resets",
        "visit_flags": "drift.visits",
    },
)
