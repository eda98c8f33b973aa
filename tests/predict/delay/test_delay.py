"""Delays of planned events: the chain, what was known, intervals, refusals and reasons, on a shuttle with a known rule."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.delay.chains import Chain
from twinlab.predict.delay.plan import MINUTE, NEVER, Plan, Sums
from twinlab.predict.delay.predictor import DelayPredictor
from twinlab.predict.delay.settings import DelaySettings
from twinlab.predict.protocol.estimator import CallableEstimator
from twinlab.predict.protocol.state import LeakError, State

START = np.datetime64("2026-01-01", "ns")


def design(x, columns):
    """The minutes by which the bus is ready too late, the delay of the start so far, whether it has begun, and 1."""
    ready, *others = np.nan_to_num(x[:, columns]).T
    return np.column_stack([np.maximum(-ready, 0), *others, np.ones(len(x))])


def least_squares(x, y, names):
    columns = [names.index(name) for name in ("ready before planned start", "start delay so far", "begun")]
    weights = np.linalg.lstsq(design(x, columns), y, rcond=None)[0]
    return columns, weights, np.quantile(y - design(x, columns) @ weights, [0.05, 0.5, 0.95])


def line(model, x):
    columns, weights, levels = model
    return (design(x, columns) @ weights)[:, None] + levels


def mean(x, y, names):
    return y.mean()


def same(share, x):
    return np.full(len(x), share)


QUANTILES = CallableEstimator("line", least_squares, line, (0.05, 0.5, 0.95))
CHANCE = CallableEstimator("share", mean, same, ())
SETTINGS = DelaySettings("trip", "bus", places=("origin", "destination"), links=("origin", "destination"))
PREDICTOR = DelayPredictor(SETTINGS, (QUANTILES,), (CHANCE,), calibration="10d", least_cases=40)


def trips(days: int, *, seed: int = 1) -> pd.DataFrame:
    """Two buses that go to and fro each 2 h; a bus that comes late leaves late."""
    rng = np.random.default_rng(seed)
    rows = []
    for bus in "AB":
        for day in range(days):
            ready = np.datetime64("1970-01-01", "ns")
            for trip in range(6):
                planned = START + np.timedelta64(day * 24 + 6 + 2 * trip, "h")
                begin = max(planned, ready) + np.timedelta64(int(rng.integers(0, 3)), "m")
                late = int(rng.integers(0, 5)) + (60 if rng.random() < 0.1 else 0)
                until = begin + np.timedelta64(90 + late, "m")
                ready = until + np.timedelta64(10, "m")
                rows.append(
                    {
                        "event_id": f"{bus}/{day}/{trip}",
                        "type": "trip",
                        "asset": bus,
                        "start": begin,
                        "end": until,
                        "planned_start": planned,
                        "planned_end": planned + np.timedelta64(90, "m"),
                        "origin": "NS"[trip % 2],
                        "destination": "SN"[trip % 2],
                    }
                )
    return pd.DataFrame(rows)


def state_of(table: pd.DataFrame, at: str, settings: DelaySettings = SETTINGS) -> State:
    empty = xr.Dataset(coords={"time": np.empty(0, "datetime64[ns]"), "asset": np.array(["A", "B"], object)})
    last = np.datetime64("2027-01-01", "ns")
    whole = State(last, empty, np.timedelta64(1, "h"), events={"trip": table}, columns=settings.inputs.columns)
    return whole.at(np.datetime64(at, "ns"), window=np.timedelta64(1, "D"))


@pytest.fixture(scope="module")
def fitted():
    return PREDICTOR.fit(state_of(trips(60), "2026-02-20"))


def test_the_event_before_is_the_latest_one_of_the_asset_that_was_planned_to_end():
    table = trips(2)
    chain = Chain.of(Plan.of(table, what="trip"), "asset", ("origin", "destination"))
    before = [table["event_id"][row] if row >= 0 else "" for row in chain.before]
    assert before[:7] == ["", "A/0/0", "A/0/1", "A/0/2", "A/0/3", "A/0/4", "A/0/5"]
    assert before[12] == ""
    # The first trip of a day begins where the last one ended.
    assert (chain.travel == 0).all()


def test_events_without_an_asset_are_no_chain():
    table = trips(2).assign(asset=lambda one: one["asset"].where(one["asset"] != "A"))
    chain = Chain.of(Plan.of(table, what="trip"), "asset", None)
    assert (chain.before[:12] == -1).all()
    assert (chain.before[13:18] >= 12).all()


def test_a_delay_goes_along_the_chain_from_what_was_known():
    table = trips(1).iloc[:3].copy()
    table["start"] = table["planned_start"] + pd.Timedelta("50min")
    table["end"] = table["planned_end"] + pd.Timedelta("60min")
    plan = Plan.of(table, what="trip")
    chain, rows = Chain.of(plan, "asset", None), np.array([2])

    def ready(minutes: int) -> float:
        found = chain.propagate(rows, np.array([plan.planned_start[0] + minutes * MINUTE]), turnaround=10 * MINUTE)
        return (found.ready[0] - plan.planned_start[2]) / MINUTE

    # On time as far as is known; overdue by 40 min; begun 50 min late; ended 60 min late: each link has 20 min of slack.
    assert [ready(-60), ready(40), ready(55), ready(155)] == [-20, 0, 10, 20]


def test_sums_hold_what_is_known_and_no_more():
    rng = np.random.default_rng(2)
    codes, times, values = rng.integers(-1, 4, 300), rng.integers(0, 10**12, 300), rng.integers(-50, 50, 300)
    times[:20] = NEVER
    asked, when = rng.integers(-1, 6, 200), rng.integers(-(10**11), 2 * 10**12, 200) // 10**6 * 10**6
    sums, counts = Sums(codes, times, values).until(asked, when)
    known = (codes == asked[:, None]) & (times <= when[:, None])
    assert np.array_equal(counts, known.sum(axis=1))
    assert np.array_equal(sums, (known * values).sum(axis=1))


def test_delays_are_expected_from_the_bus_before_and_the_interval_holds(fitted):
    state = state_of(trips(60), "2026-03-01")
    past = fitted.past(state, since=np.datetime64("2026-02-21"))
    assert set(past["phase"]) == {"before the planned start", "overdue", "under way"}
    inside = ((past["low"] <= past["actual"]) & (past["actual"] <= past["high"])).mean()
    assert 0.84 < inside < 0.97
    under_way = past[past["phase"] == "under way"]
    usual = (under_way["actual"] - under_way["actual"].median()).abs().mean()
    assert (under_way["expected"] - under_way["actual"]).abs().mean() < 0.8 * usual


def test_what_comes_later_changes_nothing(fitted):
    table, at = trips(60), "2026-02-22T11:10"
    later = table.copy()
    after = later["start"] > np.datetime64(at)
    later.loc[after, ["start", "end"]] += pd.Timedelta("7h")
    later.loc[(later["end"] > np.datetime64(at)) & ~after, "end"] += pd.Timedelta("3h")
    xr.testing.assert_identical(fitted.predict(state_of(table, at)), fitted.predict(state_of(later, at)))


def test_a_table_for_a_person_has_times_reasons_and_phases(fitted):
    table = trips(60)
    late = (table["event_id"] == "A/52/2").to_numpy()
    table.loc[late, ["start", "end"]] += pd.Timedelta("3h")
    found = fitted.table(state_of(table, "2026-02-22T11:40")).set_index("event_id")
    assert found.loc["A/52/2", "phase"] == "overdue"
    assert "A/52/0" not in found.index
    told = found[found["cant_tell"] == ""]
    assert ((told["low"] <= told["expected"]) & (told["expected"] <= told["high"])).all()
    # Overdue by 100 min with 30 min of slack: ready 70 min after the planned start, plus the usual turnaround.
    assert found.loc["A/52/3", "earliest"] > found.loc["A/52/3", "planned_start"] + pd.Timedelta("70min")
    assert "event before (A/52/2)" in found.loc["A/52/3", "reason"]
    assert found.loc["A/52/3", "reason"] != found.loc["B/52/4", "reason"]


def test_what_changes_from_a_late_bus_has_probably_missed_the_next_one():
    rides = trips(60).assign(bus=lambda table: table["asset"], asset=lambda table: table["event_id"])
    # On the last day two parcels change, half an hour after they are planned to arrive: from a bus whose trip before was an hour late, and from the one on time.
    day, minute = START + np.timedelta64(59, "D"), np.timedelta64(1, "m")
    never = np.datetime64("NaT", "ns")
    rides = rides[rides["planned_start"] < day]
    legs = [
        ("Q/1", "A", 360, 360, 510, "SN"), ("L/1", "A", 480, 520, None, "NS"), ("L/2", "B", 600, None, None, "SN"),
        ("P/1", "B", 480, 480, None, "NS"), ("P/2", "A", 600, None, None, "SN"),
    ]  # fmt: skip
    planted = pd.DataFrame(
        [
            {
                "event_id": name, "type": "trip", "asset": name[0], "bus": bus,
                "start": never if begin is None else day + begin * minute, "end": never if until is None else day + until * minute,
                "planned_start": day + planned * minute, "planned_end": day + (planned + 90) * minute,
                "origin": way[0], "destination": way[1],
            }
            for name, bus, planned, begin, until, way in legs
        ]
    )  # fmt: skip
    settings = replace(SETTINGS, asset_type="parcel", chain="bus", links=("origin", "destination", "bus"))
    fitted = replace(PREDICTOR, settings=settings).fit(state_of(rides, str(day), settings))
    table = pd.concat([rides, planted], ignore_index=True)
    now = fitted.table(state_of(table, str(day + 555 * minute), settings)).set_index("event_id")
    assert "connection probably missed: L/1 ends at 10:1" in now.loc["L/2", "reason"]
    assert "connection" not in now.loc["P/2", "reason"]
    assert "connection" not in now.loc["L/1", "reason"]


def test_one_that_never_begins_cant_be_told(fitted):
    table = trips(60)
    gone = (table["event_id"] == "A/52/0").to_numpy()
    table.loc[gone, ["start", "end"]] = pd.NaT
    found = fitted.predict(state_of(table, "2026-02-22T12:40"))
    place = int(np.flatnonzero(found["event_id"].values == "A/52/0")[0])
    assert np.isnan(found["end_delay"].values[place]).all()
    assert "may be cancelled" in found["cant_tell"].attrs["reasons"][int(found["cant_tell"].values[place])]


def test_too_few_events_and_other_misuse_are_refused():
    with pytest.raises(SchemaError, match="at least 40 training cases"):
        PREDICTOR.fit(state_of(trips(1), "2026-01-01T12:00"))
    with pytest.raises(SchemaError, match="before the calibration span"):
        PREDICTOR.fit(state_of(trips(9), "2026-01-10"))
    with pytest.raises(SchemaError, match="isn't one of the links"):
        DelaySettings("trip", "bus", surroundings={"origin": ("hub", ("wind",))})


def test_a_plan_that_becomes_known_late_is_a_leak():
    table = trips(60)
    state = state_of(table, "2026-02-20")
    columns = {"trip": replace(SETTINGS.inputs.columns["trip"], ahead="5min")}
    with pytest.raises(LeakError, match="isn't known at its issue time"):
        PREDICTOR.fit(replace(state, columns=columns))
