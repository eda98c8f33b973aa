"""Drift of the inputs of models: false alarms and found shifts, against thresholds for independent values.

python -m pytest tests/benchmarks/test_model_drift_bench.py -n0 -s
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from twinlab.predict.models.drift import LARGE_SHIFT, Reference, drift_table, population_stability

from .test_ingest_bench import note

pytestmark = pytest.mark.benchmark

HOUR, DAY = 3600 * 10**9, 24
#: Days of training, correlation of neighbouring hours, inputs.
CASES = ((60, 0.9, 6), (120, 0.98, 6), (200, 0.95, 6), (60, 0.9, 20))
TRIALS = 100


def inputs(days: int, memory: float, count: int, seed: int) -> np.ndarray:
    """Hours with a daily course; the first input has a heavy tail."""
    noise = np.random.default_rng(seed).normal(size=(days * DAY, count))
    values = np.empty_like(noise)
    values[0] = noise[0]
    for row in range(1, len(values)):
        values[row] = memory * values[row - 1] + np.sqrt(1 - memory**2) * noise[row]
    values += np.sin(2 * np.pi * np.arange(len(values)) / DAY)[:, None]
    values[:, 0] = np.exp(2 * values[:, 0])
    return values


def test_drifts_are_found_and_others_are_not() -> None:
    totals = dict.fromkeys(("false", "expected", "found", "false_psi", "false_ks"), 0.0)
    for days, memory, count in CASES:
        for seed in range(TRIALS):
            values = inputs(days + 14, memory, count, 1000 + seed)
            before = values[: days * DAY]
            reference = Reference.of(tuple(map(str, range(count))), np.arange(len(before)) * HOUR, before)
            newest = values[days * DAY :][: reference.span // HOUR]
            totals["false"] += bool(drift_table(reference, newest)["drifted"].any())
            totals["expected"] += reference.false_alarms
            # Peers: the textbook's threshold, and Kolmogorov's and Smirnov's test at 1 % over all inputs (Bonferroni).
            pairs = list(zip(before.T, newest.T, strict=True))
            totals["false_psi"] += any(population_stability(*pair) >= LARGE_SHIFT for pair in pairs)
            totals["false_ks"] += any(stats.ks_2samp(*pair).pvalue < 0.01 / count for pair in pairs)
            shifted = newest + 4.0 * (np.arange(count) == 2)
            table = drift_table(reference, shifted)
            totals["found"] += table[table["drifted"]]["input"].tolist()[:1] == ["2"]
    number = len(CASES) * TRIALS
    note("drift of models' inputs", models=number, **totals)
    assert totals["false"] <= 3 * totals["expected"]
    assert totals["found"] >= 0.85 * number
