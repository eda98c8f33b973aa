"""Scenarios on a twin's timetable: the kinds and words of those of a network."""

import numpy as np
import pytest

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.simulate.scenarios import Scenario

START = "2026-01-28T06:00"


@pytest.fixture(scope="module")
def busiest(parcel):
    legs = parcel.events("leg", start="2026-01-28T06:00", stop="2026-01-29T06:00")
    return legs["origin"].value_counts().index[0]


@pytest.fixture(scope="module")
def results(parcel, calibrated, busiest):
    return parcel.simulate(
        [
            Scenario("storm", changes=[{"kind": "storm", "factor": 1.5}]),
            Scenario("closed", changes=[{"kind": "close", "node": busiest, "entities": "reroute", "stop": "24h"}]),
            Scenario("waiting", changes=[{"kind": "close", "node": busiest, "stop": "20h"}]),
            Scenario("more", changes=[{"kind": "demand", "factor": 2.0}]),
            Scenario("slow", changes=[{"kind": "speed", "transporters": "truck", "factor": 0.5}]),
        ],
        start=START, horizon="2d", replications=6, trace=6, calibrated=calibrated, progress=False,
    )  # fmt: skip


def durations(results, scenario):
    trips = results.events("trip")
    trips = trips[(trips["scenario"] == scenario) & (trips["start"] >= START) & trips["end"].notna()]
    return ((trips["end"] - trips["start"]) / (trips["planned_end"] - trips["planned_start"])).median()


def test_a_storm_makes_trips_longer_and_half_the_speed_doubles_them(results):
    assert durations(results, "storm") == pytest.approx(1.5 * durations(results, "base"), rel=0.05)
    assert durations(results, "slow") == pytest.approx(2 * durations(results, "base"), rel=0.05)


def test_nothing_leaves_a_closed_hub(results, busiest):
    signal = results.history("hub")["departures"].sel(asset=busiest, scenario="closed")
    assert float(signal.sel(time=slice("2026-01-28T08:00", "2026-01-29T05:00")).sum()) == 0
    assert float(results.kpis["cancelled_share"].sel(scenario="closed").mean()) > 5


def test_trips_of_a_hub_that_closes_for_hours_leave_when_it_opens(results, busiest):
    signal = results.history("hub")["departures"].sel(asset=busiest)
    assert float(signal.sel(scenario="waiting", time=slice("2026-01-28T08:00", "2026-01-29T01:00")).sum()) == 0
    assert float(signal.sel(scenario="waiting").sum()) == pytest.approx(
        float(signal.sel(scenario="base").sum()), rel=0.1
    )


def test_more_demand_adds_parcels_and_keeps_the_same_trips(results):
    base, more = (results.history("hub").sel(scenario=name) for name in ("base", "more"))
    assert float(more["waiting"].isel(time=-1).sum()) > 1.2 * float(base["waiting"].isel(time=-1).sum())
    assert np.array_equal(base["departures"], more["departures"])


def test_scenarios_are_compared_with_a_verdict(results):
    found = results.compare("base", "slow", kpi="mean_arrival_delay")
    assert found.verdict == "worse"


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"kind": "close", "node": "XYZ", "stop": "6h"}, UnknownTermError, "there is no node 'XYZ'"),
        (
            {"kind": "servers", "node": "FRA", "add": 2},
            SchemaError,
            "'servers' isn't possible in a timetable: how long sorting takes",
        ),
        (
            {"kind": "transporters", "transporters": "BER-FRA", "add": 1},
            SchemaError,
            "other departures with the kind `timetable`",
        ),
        ({"kind": "transporters", "transporters": "BER-FRA", "add": -50}, SchemaError, "at most"),
        ({"kind": "reroute", "preferred": [["BER", "FRA"]]}, SchemaError, "add departures on the preferred one"),
        ({"kind": "storm", "factor": 1.5, "nodes": ["Fra"]}, UnknownTermError, "FRA"),
    ],
)
def test_changes_that_a_timetable_cannot_have_are_refused(parcel, calibrated, change, error, message):
    with pytest.raises(error, match=message):
        parcel.simulate(Scenario("odd", changes=[change]), start=START, calibrated=calibrated, replications=1)
