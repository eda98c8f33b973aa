"""Pareto and histogram of durations, against plain Python."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import TABLES, Row, has_time, table


def length(row: Row, now: int) -> int | None:
    if not has_time(Row("a", row.start, row.end)):
        return None
    return max(now if row.end is None else row.end, row.start) - row.start


def latest(rows: list[Row]) -> int:
    return max((at for row in rows for at in (row.start, row.end) if at is not None), default=0)


@settings(max_examples=40)
@given(TABLES, st.sampled_from([None, "duration", "place"]))
def test_a_pareto_has_all_weight_with_the_most_first(rows: list[Row], weight: str | None) -> None:
    found = tl.events.pareto(table(rows), "asset", weight=weight)
    counts, weights = Counter(row.asset for row in rows), Counter()
    for place, row in enumerate(rows):
        weights[row.asset] += {None: 1, "place": place, "duration": length(row, latest(rows)) or 0}[weight]
    got = found.reset_index()
    if weight == "duration":
        got["weight"] = got["weight"] / pd.Timedelta(minutes=1)
    assert {
        None if pd.isna(row.asset) else row.asset: (row.count, row.weight) for row in got.itertuples(index=False)
    } == {asset: (counts[asset], weights[asset]) for asset in counts}
    assert found["weight"].is_monotonic_decreasing
    total = sum(weights.values())
    if total:
        np.testing.assert_allclose(found["share"].sum(), 1)
        np.testing.assert_allclose(found["cumulative"], np.cumsum(found["share"]))
        assert found["cumulative"].iloc[-1] == 1


def test_a_weight_may_be_a_statistic_of_the_events() -> None:
    some = table([Row("a", 0, 1), Row("b", 0, 1), Row("a", 2, 3)])
    excess = pd.Series([1.5, 4.0, np.nan], index=some.index)
    found = tl.events.pareto(some, "asset", weight=excess)
    assert found["weight"].to_dict() == {"b": 4.0, "a": 1.5}
    assert found["count"].to_dict() == {"b": 1, "a": 2}


@settings(max_examples=40)
@given(TABLES, st.lists(st.integers(0, 12), min_size=1, max_size=4, unique=True).map(sorted))
def test_a_histogram_counts_each_event_with_a_time_once(rows: list[Row], edges: list[int]) -> None:
    found = tl.events.duration_histogram(table(rows), [f"{one}min" for one in edges])
    lengths = [(length(row, latest(rows)), row.end is None) for row in rows]
    bounds = [*edges, float("inf")]
    for place, one in enumerate(found.itertuples()):
        inside = [pair for pair in lengths if pair[0] is not None and bounds[place] <= pair[0] < bounds[place + 1]]
        assert one.count == len(inside)
        assert one.not_over == sum(open_ for _, open_ in inside)
        assert one.duration == pd.Timedelta(minutes=sum(minutes for minutes, _ in inside))
    assert pd.isna(found["high"].iloc[-1])


@settings(max_examples=40)
@given(TABLES, st.integers(1, 5))
def test_bins_of_equal_width_have_all_events(rows: list[Row], bins: int) -> None:
    found = tl.events.duration_histogram(table(rows), bins)
    assert len(found) == bins
    assert found["count"].sum() == sum(length(row, 0) is not None for row in rows)
    assert (found["high"] - found["low"]).nunique() == 1


def test_default_bins_are_durations_that_people_say_without_empty_ends() -> None:
    some = table([Row("a", 0, 3), Row("a", 0, 90), Row("a", 5, 9), Row(None, None, None)])
    found = tl.events.duration_histogram(some)
    assert (found["low"].iloc[0], found["high"].iloc[-1]) == (pd.Timedelta("2min"), pd.Timedelta("2h"))
    assert found["count"].tolist() == [2, 0, 0, 0, 0, 1]
    assert len(tl.events.duration_histogram(table([]))) == 17


@pytest.mark.parametrize("bins", [["1h", "1min"], [], ["1min", "1min"], 0, ["soon"]])
def test_bins_that_do_not_rise_are_refused(bins: object) -> None:
    with pytest.raises(tl.SchemaError, match="bin"):
        tl.events.duration_histogram(table([Row("a", 0, 1)]), bins)


@pytest.mark.parametrize(
    ("by", "weight", "error", "message"),
    [
        ("cuase", None, tl.UnknownTermError, "no column 'cuase'.*'cause'"),
        ("cause", "wieght", tl.UnknownTermError, "no column 'wieght'"),
        ("cause", "type", tl.SchemaError, "expected numbers or durations, got str in 'type'"),
        ("cause", "delay", tl.SchemaError, "expected no negative ones, got -1"),
        ("cause", pd.Series([1.0]), tl.SchemaError, "index of the events"),
    ],
)
def test_wrong_columns_are_refused_by_name(by: str, weight: object, error: type, message: str) -> None:
    some = table([Row("a", 0, 1), Row("a", 0, 1)]).assign(cause="door", delay=[-1, 2])
    with pytest.raises(error, match=message):
        tl.events.pareto(some, by, weight=weight)
