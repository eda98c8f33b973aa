"""A value for each day, week or month, medians, different assets and groups: against pandas on the same data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ask.running.test_run import _good
from twinlab.ask import ask
from twinlab.ask.running.windows import window_of, windows
from twinlab.testing import FakeTwin


def test_a_daily_mean_is_that_of_the_values_of_each_day(example: FakeTwin) -> None:
    answer = ask(example, "daily average temperature of NORTH last week")

    daily = _good(example, "station", "temperature")["NORTH"].resample("D").mean()
    assert answer.table.set_index("time")["value"].to_dict() == pytest.approx(daily.to_dict())
    assert answer.value is None
    assert answer.unit == "degC"


@pytest.mark.parametrize(
    ("question", "how"),
    [
        ("lowest temperature of NORTH per day last week", "min"),
        ("median temperature of NORTH per day last week", "median"),
    ],
)
def test_a_statistic_per_day_is_of_each_day(question: str, how: str, example: FakeTwin) -> None:
    answer = ask(example, question)

    daily = _good(example, "station", "temperature")["NORTH"].resample("D").agg(how)
    assert answer.table.set_index("time")["value"].to_dict() == pytest.approx(daily.to_dict())


def test_the_day_that_is_asked_for_is_the_value(example: FakeTwin) -> None:
    answer = ask(example, "on which day was the temperature of NORTH highest last week?")

    daily = _good(example, "station", "temperature")["NORTH"].resample("D").max()
    assert answer.value == daily.idxmax()
    assert f"{daily.idxmax():%Y-%m-%d}" in answer.sentence


def test_a_median_of_all_is_that_of_all_values(example: FakeTwin) -> None:
    answer = ask(example, "median temperature of stations last week")

    table = _good(example, "station", "temperature")
    assert answer.value == pytest.approx(np.nanmedian(table.to_numpy()))
    assert answer.table.set_index("asset")["value"].to_dict() == pytest.approx(table.median().dropna().to_dict())


def test_trips_per_week_are_all_trips(example: FakeTwin) -> None:
    weekly, total = ask(example, "number of trips per week"), ask(example, "number of trips")

    assert weekly.table["value"].sum() == total.value
    assert (weekly.table["time"].dt.day_of_week == 0).all()


def test_the_busiest_day_has_most_trips(example: FakeTwin) -> None:
    answer = ask(example, "which day had the most trips?")

    trips = example.events("trip")
    days = trips["planned_start"].fillna(trips["start"]).dt.floor("D").value_counts()
    assert answer.table["value"].iloc[0] == days.max()
    assert answer.value in set(days.index[days == days.max()])


def test_different_destinations_are_counted_once(example: FakeTwin) -> None:
    answer = ask(example, "how many different destinations do trips from NORTH have?")

    trips = example.events("trip")
    assert answer.value == trips.loc[trips["origin"] == "NORTH", "destination"].nunique()


def test_groups_have_the_numbers_of_their_events(example: FakeTwin) -> None:
    answer = ask(example, "average distance of trips by origin")

    expected = example.events("trip").groupby("origin")["distance"].mean()
    assert answer.table.set_index("origin")["value"].to_dict() == pytest.approx(expected.to_dict())


def test_a_mean_of_a_property_is_that_of_each_group(example: FakeTwin) -> None:
    answer = ask(example, "mean weight of parcels by station")

    links = example.relationships("stored_at")
    links = links[links["valid_until"].isna()]
    weights = example.assets("parcel")["weight"].reindex(links["source"])
    expected = weights.groupby(links["target"].to_numpy()).mean()
    assert answer.table.set_index("stored_at")["value"].to_dict() == pytest.approx(expected.to_dict())
    assert answer.unit == "kg"


@given(
    start=st.datetimes(pd.Timestamp("2020-01-01"), pd.Timestamp("2026-01-01")),
    hours=st.integers(1, 3_000),
    per=st.sampled_from(["day", "week", "month"]),
)
def test_windows_are_the_span_cut_where_a_window_begins(start: object, hours: int, per: str) -> None:
    low = pd.Timestamp(start).floor("h")  # type: ignore[arg-type]
    high = low + pd.Timedelta(hours=hours)
    found = list(windows(low, high, per))

    assert found[0][0] == low
    assert found[-1][1] == high
    assert all(before[1] == after[0] for before, after in zip(found, found[1:], strict=False))
    begins = window_of(pd.Series([first for first, _ in found]), per)
    assert begins.is_unique
    assert list(begins[1:]) == [first for first, _ in found[1:]]
