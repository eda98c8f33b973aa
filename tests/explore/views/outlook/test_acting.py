"""What if we act: a change that fits the asset, and What-if opens with it."""

import numpy as np
import pytest

import twinlab as tl
from twinlab.demos import ParcelSize
from twinlab.explore import Link, Workspace
from twinlab.explore.views.outlook.acting import what_if_link
from twinlab.simulate.scenarios.reading import parse_scenarios
from twinlab.testing import FakeTwin

AT = np.datetime64("2026-01-28T12:00", "ns")


@pytest.fixture(scope="module")
def twin():
    return tl.demo("parcel", size=ParcelSize(hubs=5, trucks=20, cold_rooms=1, forklifts=1, parcels_a_week=500, weeks=4))


def test_a_truck_in_the_workshop_drives_a_trip_fewer_where_it_drives_most(twin):
    trips = twin.events("trip", start=AT - np.timedelta64(7, "D"), stop=AT + np.timedelta64(7, "D"))
    truck = str(trips["asset"].iloc[0])
    link = what_if_link(twin, "truck", truck, at=AT)
    (change,) = parse_scenarios(link.scenarios)[0].changes
    mine = trips[trips["asset"] == truck].groupby(["origin", "destination"], observed=True).size()
    assert (change.kind, change.add) == ("transporters", -1)
    assert mine[tuple(change.transporters.split("-"))] == mine.max()


def test_a_cold_rooms_place_is_closed_and_what_if_opens_with_it(twin):
    room = str(twin.assets("cold_room").index[0])
    link = what_if_link(twin, "cold_room", room, at=AT)
    workspace = Workspace(twin, link=Link(page="outlook"))
    workspace.current._ask_what_if(link)
    assert workspace.page == "what_if"
    plan = workspace.current.plan
    assert plan.start == AT
    assert plan.scenarios[0].name == "act"
    assert "is closed" in plan.changes[0][1]
    # The page is there already, and gets another plan.
    workspace.page = "outlook"
    truck = str(twin.events("trip")["asset"].iloc[0])
    workspace.current._ask_what_if(what_if_link(twin, "truck", truck, at=AT))
    assert "fewer" in workspace.current.plan.changes[0][1]


def test_a_twin_without_trips_has_no_what_if(pumps):
    assert what_if_link(pumps, "pump", "P1", at=AT) is None
    assert what_if_link(FakeTwin(pumps.model), "pump", "P1", at=AT) is None
