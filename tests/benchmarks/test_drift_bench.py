"""Planted drifts of 0.5 to 5 % of a sensor's span a month, over three months, among cold rooms whose sensors are right.

The rooms are generated (`tests/quality/drift/rooms.py`): weather that all share, a daily course, and of each room a wander
of five days, hourly noise, doors and gaps. TWINLAB_BENCH_OUT takes the figures as JSON.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from twinlab.quality.drift import drift_from_peers

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

_PLACE = Path(__file__).parents[1] / "quality" / "drift" / "rooms.py"
_SPEC = importlib.util.spec_from_file_location("rooms", _PLACE)
assert _SPEC is not None and _SPEC.loader is not None
rooms = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(rooms)

SEEDS = range(5)


def test_planted_drifts_of_five_seeds():
    errors, inside, suspected, clean, planted = [], 0, 0, 0, 0
    for seed in SEEDS:
        right = rooms.rooms(seed)
        values, truth = rooms.with_drifts(right, seed)
        planted += len(truth)
        for one in drift_from_peers(values):
            if one.asset not in truth:
                clean, suspected = clean + 1, suspected + (one.verdict == "drift")
            elif one.verdict == "drift":
                onset, slope = truth[one.asset]
                errors.append(abs((one.onset - values.time.values[0]) / np.timedelta64(1, "D") - onset))
                inside += one.slope_interval[0] <= slope <= one.slope_interval[1]
        for one in drift_from_peers(right):
            clean, suspected = clean + 1, suspected + (one.verdict == "drift")
    within = int(np.sum(np.array(errors) <= 7))
    note(
        "planted_drifts",
        planted=planted,
        found=len(errors),
        onset_within_a_week=within,
        median_onset_error_days=float(np.median(errors)),
        slope_inside=inside,
        clean=clean,
        suspected=suspected,
    )
    assert within >= 0.9 * planted
    assert inside >= 0.9 * planted
    assert suspected <= 0.02 * clean


def test_a_year_of_a_thousand_sensors():
    values = rooms.rooms(1, days=365, count=1000)
    began = time.process_time()
    found = drift_from_peers(values)
    took = time.process_time() - began
    suspected = sum(one.verdict == "drift" for one in found)
    note("thousand_sensors", seconds=took, suspected=suspected)
    assert suspected <= 20
