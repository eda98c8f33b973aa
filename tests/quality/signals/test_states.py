"""Tests of changes of state against slow oracles."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.model import Signal
from twinlab.quality import chatter_flags, flag_cells, transition_flags

SECOND = np.timedelta64(1, "s")
ALLOWED = {0: [1], 1: [0, 2], 2: [0], 5: [0]}


def _states(seed: int, series: int) -> tuple[np.ndarray, np.ndarray, xr.DataArray]:
    random = np.random.default_rng(seed)
    seconds = np.cumsum(random.integers(1, 9, 60))
    states = random.choice([0, 1, 1, 2, 2, 5, 7, 1.5, -1, 1e300, np.nan, np.nan], (60, series))
    times = np.datetime64("2026-01-01", "ns") + seconds * SECOND
    return states, seconds, xr.DataArray(states, {"time": times}, ("time", "asset"))


def _slow_transitions(states: np.ndarray, seconds: np.ndarray, within: int) -> list[int]:
    found, last, seen = [], None, -(10**9)
    for state, second in zip(states, seconds, strict=True):
        if np.isnan(state):
            found.append(9)
            continue
        known = state in {0, 1, 2, 3, 4, 5}
        if not known or last is None or second - seen > within:
            found.append(2)
        else:
            found.append(1 if state == last or state in ALLOWED.get(last, []) else 4)
        last, seen = state if known else None, second
    return found


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), within=st.integers(1, 30), series=st.integers(1, 3))
def test_a_state_fails_if_it_cant_follow_the_one_before(seed: int, within: int, series: int) -> None:
    states, seconds, array = _states(seed, series)
    expected = np.stack([_slow_transitions(column, seconds, within) for column in states.T], axis=1)
    options = {"allowed": ALLOWED, "within": f"{within}s"}
    assert (transition_flags(array, **options).to_numpy() == expected).all()
    assert (transition_flags(array.chunk(time=7), **options).to_numpy() == expected).all()


def _slow_chatter(states: np.ndarray, seconds: np.ndarray, window: int, most: int, within: int) -> list[int]:
    found, changes, last, seen = [], [], np.nan, -(10**9)
    for state, second in zip(states, seconds, strict=True):
        if np.isnan(state):
            found.append(9)
            continue
        known = not np.isnan(last) and second - seen <= within
        if known and state != last:
            changes.append(second)
        many = sum(change > second - window for change in changes) > most
        found.append(3 if many else 1 if known else 2)
        last, seen = state, second
    return found


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    window=st.integers(1, 60),
    most=st.integers(1, 5),
    within=st.integers(1, 30),
    series=st.integers(1, 3),
)
def test_more_changes_in_the_window_than_normal_are_suspect(
    seed: int, window: int, most: int, within: int, series: int
) -> None:
    states, seconds, array = _states(seed, series)
    expected = np.stack([_slow_chatter(column, seconds, window, most, within) for column in states.T], axis=1)
    options = {"window": f"{window}s", "most": most, "within": f"{within}s"}
    assert (chatter_flags(array, **options).to_numpy() == expected).all()
    assert (chatter_flags(array.chunk(time=7), **options).to_numpy() == expected).all()


def test_the_build_runs_them_on_states() -> None:
    tests = {"transition": {"allowed": {0: [1], 1: [0], 2: [0]}}, "chatter": {"window": "5min", "most": 2}}
    signal = Signal(kind="state", states={0: "shut", 1: "ajar", 2: "open"}, tests=tests)
    states = np.array([0.0, 1, 0, 1, 2, np.nan, 2])[:, None]
    assert flag_cells(states, signal=signal).ravel().tolist() == [1, 1, 1, 3, 4, 9, 3]
    with pytest.raises(ValueError, match="judges signals of kind state, got a gauge"):
        Signal(resolution=1, tests=tests)


@pytest.mark.parametrize("allowed", [{}, {0: [-1]}, {0: [5000]}])
def test_wrong_codes_are_refused(allowed: dict[int, list[int]]) -> None:
    array = xr.DataArray([1.0], {"time": [np.datetime64(0, "ns")]}, "time")
    with pytest.raises(SchemaError, match=r"state codes in 0\.\.4095"):
        transition_flags(array, allowed=allowed)
    with pytest.raises(SchemaError, match="most as a number"):
        chatter_flags(array, window="1min", most=0)
