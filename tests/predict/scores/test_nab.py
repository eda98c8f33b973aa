"""The score of the Numenta Anomaly Benchmark, against a plain loop over thresholds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.predict.scores.nab import NabProfile, NabSeries, nab_score


def plain(series: list[NabSeries], weights: NabProfile) -> float:
    """Score each threshold by itself, as the benchmark's paper defines it."""

    def sigmoid(position: float) -> float:
        return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1

    windows = sum(len(one.windows) for one in series)
    best = -weights.missed * windows
    for threshold in np.unique(np.concatenate([one.scores for one in series])):
        total = 0.0
        for one in series:
            probation = int(0.15 * min(len(one.scores), 5000))
            alarms = [row for row in np.flatnonzero(one.scores >= threshold).tolist() if row >= probation]
            inside: set[int] = set()
            for first, last in one.windows:
                own = [row for row in alarms if first <= row <= last]
                inside |= set(own)
                width = last - first + 1
                values = [sigmoid(-(last - row + 1) / width) / sigmoid(-1.0) for row in own]
                total += weights.detected * max(values) if values else -weights.missed
            for row in set(alarms) - inside:
                before = [window for window in one.windows if window[1] < row]
                if not before:
                    total -= weights.false
                    continue
                first, last = max(before, key=lambda window: window[1])
                total += weights.false * sigmoid((row - last) / max(last - first, 1))
        best = max(best, total)
    least, most = -weights.missed * windows, weights.detected * windows
    return 100 * (best - least) / (most - least)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 3), levels=st.sampled_from([2, 5, 1000]))
def test_the_score_is_the_one_of_the_definition(seed: int, count: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    series = []
    for _ in range(count):
        rows = int(random.integers(30, 90))
        first = int(random.integers(0, rows - 20))
        windows = [(first, first + 6), (first + 10, first + 10 + int(random.integers(0, 9)))]
        series.append(NabSeries(random.integers(0, levels, rows) / levels, windows))
    weights = NabProfile(false=0.3)
    assert nab_score(series, profile=weights)[0] == pytest.approx(plain(series, weights), abs=1e-9)


def test_silence_is_zero_and_an_alarm_at_each_begin_is_one_hundred() -> None:
    silent = NabSeries(np.zeros(200), [(100, 119), (150, 169)])
    assert nab_score([NabSeries(np.where(np.arange(200) == 30, 1.0, 0.0), [(100, 199)])])[0] < 100
    perfect = np.zeros(200)
    perfect[[100, 150]] = 1
    assert nab_score([NabSeries(perfect, silent.windows)]) == (pytest.approx(100), 1.0)
    # One threshold for all: a detector that can't tell rows apart is best never alarming.
    assert nab_score([NabSeries(np.zeros(5000), [(4000, 4010)])]) == (0.0, float("inf"))


def test_windows_outside_of_a_series_are_refused() -> None:
    with pytest.raises(SchemaError, match="expected windows within the rows 0 to 9"):
        nab_score([NabSeries(np.zeros(10), [(8, 10)])])
    with pytest.raises(SchemaError, match="at least one labelled window"):
        nab_score([NabSeries(np.zeros(10), [])])
