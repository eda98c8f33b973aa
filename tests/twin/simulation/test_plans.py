"""Trips of a plan that are taken out, diverted or added by scenarios."""

import numpy as np
import pandas as pd
import pytest

from twinlab.simulate.calibration.start_state import start_state
from twinlab.simulate.scenarios import Scenario
from twinlab.twin.simulation.scenarios import in_scenarios

START = "2026-01-28T06:00"
WINDOW = {"start": "1h", "stop": "26h"}


@pytest.fixture(scope="module")
def found(parcel, calibrated):
    return start_state(parcel, calibrated, START, horizon="2d").state


def planned(calibrated, state, *changes):
    """The model and the state of a scenario with these changes."""
    models, states = in_scenarios(Scenario("s", changes=list(changes)), calibrated, state, horizon="2d")
    return models["s"], states["s"]


def trips(state, origin, destination, *, kept=True):
    """Which trips are on a pair of places, are planned in the window, and aren't cancelled."""
    hubs = state["hub"].to_numpy()
    start = state["trip_planned_start"].to_numpy()
    on = (hubs[state["trip_origin"].to_numpy()] == origin) & (hubs[state["trip_destination"].to_numpy()] == destination)
    on &= (start >= 3600) & (start < 26 * 3600)
    return on & ~state["trip_known_cancelled"].to_numpy() if kept else on


def test_fewer_trucks_take_out_the_trips_with_the_least_booked_on_them(calibrated, found):
    change = {"kind": "transporters", "transporters": "BER-MUC", "add": -1, **WINDOW}
    _, state = planned(calibrated, found, change)
    booked = np.bincount(found["leg_trip"].to_numpy(), minlength=found.sizes["trip"])
    day = (found["trip_planned_start"].to_numpy() + 6 * 3600) // 86_400
    gone = 0
    for pair in (("BER", "MUC"), ("MUC", "BER")):
        before, after = trips(found, *pair), trips(state, *pair)
        for one in np.unique(day[before]):
            here = before & (day == one)
            left = here & after
            assert left.sum() == here.sum() - 1
            if left.any():
                assert booked[here & ~after].max() <= booked[left].min()
            gone += 1
    assert gone > 0
    # Nothing else changes.
    assert (trips(found, "BER", "FRA") == trips(state, "BER", "FRA")).all()


def test_another_timetable_takes_the_place_of_the_planned_trips(calibrated, found):
    table = {"zone": "Europe/Berlin", "departures": {"BER": ["20:00", "23:30"]}}
    change = {"kind": "timetable", "transporters": "BER-MUC", "timetable": table, **WINDOW}
    model, state = planned(calibrated, found, change)
    new = trips(state, "BER", "MUC")
    at = pd.Timestamp(START) + pd.to_timedelta(state["trip_planned_start"].to_numpy()[new], unit="s")
    assert sorted(map(str, at)) == ["2026-01-28 19:00:00", "2026-01-28 22:30:00"]
    assert all(name.startswith("BER-MUC/") for name in state["trip"].to_numpy()[new])
    # The way back has no departures in the table: it stays.
    assert trips(state, "MUC", "BER").sum() == trips(found, "MUC", "BER").sum()
    advanced = model.advance(state, until=np.datetime64("2026-01-30T06:00"), step=np.timedelta64(1, "h"), trace=True)
    run = advanced.events["trip"]
    added = run[run["event_id"].str.startswith("BER-MUC/")]
    assert len(added) == 2
    assert added["start"].notna().all()
    legs = advanced.events["leg"]
    assert set(zip(legs["origin"], legs["destination"], strict=True)) <= set(
        zip(run["origin"], run["destination"], strict=True)
    )


def test_departures_every_hour_are_at_multiples_of_it(calibrated, found):
    change = {"kind": "timetable", "transporters": "BER-MUC", "every": "90 min", **WINDOW}
    _, state = planned(calibrated, found, change)
    start = state["trip_planned_start"].to_numpy()[trips(state, "BER", "MUC")]
    assert (np.diff(np.sort(start)) == 5400).all()
    assert len(start) == 17


def test_added_trips_leave_the_random_numbers_of_the_others(calibrated, found):
    change = {"kind": "timetable", "transporters": "BER-MUC", "every": "6 h", **WINDOW}
    model, state = planned(calibrated, found, change)
    until, step = np.datetime64("2026-01-29T06:00"), np.timedelta64(1, "h")
    base = calibrated.model.advance(found, until=until, step=step, trace=True).events["trip"].set_index("event_id")
    other = model.advance(state, until=until, step=step, trace=True).events["trip"].set_index("event_id")
    same = base[(base["origin"] == "FRA") & (base["destination"] == "HAM")]
    assert len(same)
    pd.testing.assert_frame_equal(same, other.loc[same.index])


def test_a_closed_hub_works_at_another_one(parcel, calibrated, found):
    change = {"kind": "close", "node": "FRA", "instead": "CGN", "stop": "48h"}
    model, state = planned(calibrated, found, change)
    hubs = state["hub"].to_numpy().tolist()
    free = np.isnan(found["trip_known_start"].to_numpy())
    inside = free & (found["trip_planned_start"].to_numpy() < 48 * 3600) & (found["trip_planned_start"].to_numpy() >= 0)
    assert not (state["trip_origin"].to_numpy()[inside] == hubs.index("FRA")).any()
    cancelled = state["trip_known_cancelled"].to_numpy()
    between = inside & (state["trip_origin"].to_numpy() == state["trip_destination"].to_numpy())
    assert cancelled[between].all()
    until, step = np.datetime64("2026-01-30T06:00"), np.timedelta64(1, "h")
    base = calibrated.model.advance(found, until=until, step=step).results
    other = model.advance(state, until=until, step=step).results
    assert float(other["hub_departures"].sel(hub="FRA").sum()) == 0
    assert float(other["hub_departures"].sel(hub="CGN").sum()) > float(base["hub_departures"].sel(hub="CGN").sum())
    # New parcels and those on their way go by the other hub; what is at the closed one waits there.
    assert 0.6 * float(base["delivered"]) < float(other["delivered"]) <= float(base["delivered"])
    assert float(other["hub_waiting"].min()) >= 0
    waiting = other["hub_waiting"].sel(hub="FRA")
    assert float(waiting.isel(time=-1)) > 0
