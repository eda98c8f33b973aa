"""Events begin and end with hysteresis; limits come from a budget and from verdicts."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.errors import SchemaError
from twinlab.predict.anomaly import Hysteresis, find_events, limit_within, retuned


def scores(index: list[list[float]] | np.ndarray) -> xr.Dataset:
    values = np.asarray(index, dtype=float)
    shares = np.full((*values.shape, 2), np.nan)
    shares[values >= 1] = [0.95, 0.05]
    return xr.Dataset(
        {"index": (("time", "asset"), values), "contribution": (("time", "asset", "signal"), shares)},
        {
            "time": (np.arange(len(values)) * 60).astype("M8[m]"),
            "asset": [f"A{one}" for one in range(values.shape[1])],
            "signal": ["current", "voltage"],
        },
    )


def test_an_event_begins_after_some_rows_beyond_and_ends_after_some_below_the_release() -> None:
    index = [0.1, 2.0, 3.0, 0.9, 0.9, 0.5, 0.5, 0.1, 2.0, 0.1]
    found = find_events(scores([[one] for one in index]), Hysteresis(begin=2, end=2, release=0.8))
    assert found.to_dict("records") == [
        {
            "asset": "A0",
            "start": np.datetime64("1970-01-01T02:00"),
            "end": np.datetime64("1970-01-01T06:00"),
            "peak": 3.0,
            "peak_time": np.datetime64("1970-01-01T02:00"),
            "sustained": 2.0,
            "signals": "current 95%",
        }
    ]


def test_an_event_that_has_not_ended_has_no_end() -> None:
    found = find_events(scores([[0.1, 2.0]] * 5), Hysteresis(begin=1, end=1))
    assert found["asset"].tolist() == ["A1"]
    assert found["end"].isna().all()


@given(
    index=st.lists(st.one_of(st.floats(0, 3), st.just(float("nan"))), min_size=1, max_size=60),
    cut=st.integers(0, 60), begin=st.integers(1, 4), end=st.integers(1, 4),
)  # fmt: skip
def test_hysteresis_doesnt_depend_on_batches_and_missing_rows_change_nothing(
    index: list[float], cut: int, begin: int, end: int
) -> None:
    rule, values = Hysteresis(begin=begin, end=end), np.array(index)[:, None]
    whole, last = rule.active(values)
    first, state = rule.active(values[:cut])
    second, state = rule.active(values[cut:], state)
    assert np.array_equal(np.concatenate([first, second]), whole)
    assert np.array_equal(state.rows, last.rows)
    known = np.isfinite(values[:, 0])
    assert np.array_equal(rule.active(values[known])[0], whole[known])


@given(seed=st.integers(0, 50), budget=st.sampled_from([0.0, 5.0, 50.0]))
def test_the_lowest_limit_within_a_budget_keeps_it(seed: int, budget: float) -> None:
    quiet = scores(np.random.default_rng(seed).gamma(2, 0.3, (24 * 14, 20)))
    rule = Hysteresis(begin=1, end=3)
    found = limit_within(quiet, per_100_asset_weeks=budget, hysteresis=rule)
    assert found.asset_weeks == pytest.approx(40)
    assert found.alarms <= found.allowed == pytest.approx(budget * 0.4)
    active, _ = rule.active(quiet["index"].values / found.limit)
    again = (np.diff(active.astype(int), axis=0, prepend=0) > 0).sum()
    assert again == found.alarms
    assert found.proven == (budget == 50.0)


def test_a_span_in_which_nothing_departs_has_the_limit_as_learnt() -> None:
    assert limit_within(scores(np.zeros((50, 2))), per_100_asset_weeks=1).limit == 1.0


def test_a_limit_just_lower_would_break_the_budget() -> None:
    quiet = scores(np.random.default_rng(4).gamma(2, 0.3, (24 * 14, 20)))
    rule = Hysteresis(begin=1, end=3)
    found = limit_within(quiet, per_100_asset_weeks=25, hysteresis=rule)
    below = quiet["index"].values
    lower = below[below < found.limit * (1 - 1e-6)].max()
    active, _ = rule.active(below / lower)
    assert (np.diff(active.astype(int), axis=0, prepend=0) > 0).sum() > found.allowed


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected at least two rows"):
        limit_within(scores([[np.nan], [np.nan]]), per_100_asset_weeks=1)
    with pytest.raises(SchemaError, match="a budget of at least 0"):
        limit_within(scores([[1.0], [2.0]]), per_100_asset_weeks=-1)


def test_rejections_raise_the_limit_above_them_and_keep_what_was_accepted() -> None:
    assert retuned(2.0, [1.1, 1.3, 2.0], [False, False, True]) == pytest.approx(2.0 * 1.65)
    assert retuned(2.0, [1.1, 1.3], [True, True]) == 2.0
    assert retuned(1.0, [1.1, 1.3], [False, False]) > 1.3
    # They overlap: one that was rejected is found again, never one lost that was accepted.
    assert 1.1 < retuned(1.0, [1.1, 1.5, 1.4], [False, False, True]) < 1.4
    assert retuned(1.0, [], []) == 1.0


def test_verdicts_have_to_fit_the_events() -> None:
    with pytest.raises(SchemaError, match="2 peaks and 1 verdicts"):
        retuned(1.0, [1.0, 2.0], [True])


@pytest.mark.parametrize("wrong", [{"begin": 0}, {"end": 0}, {"release": 0.0}, {"release": 1.5}])
def test_hysteresis_that_never_changes_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SchemaError, match="Hysteresis: expected"):
        Hysteresis(**wrong)  # type: ignore[arg-type]
