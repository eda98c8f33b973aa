"""Buffers, orders, breakdowns, timetables and weather, on networks small enough to follow by hand."""

import numpy as np
import pandas as pd
import pytest

from twinlab.simulate import Network, NetworkModel

START = np.datetime64("2026-01-05T00:00:00", "ns")
HOUR = np.timedelta64(1, "h")


def advanced(hours: int = 1, **parts):
    model = NetworkModel(Network(name="line", **parts))
    return model.advance(model.initial_state(start=START), until=START + hours * HOUR, step=hours * HOUR, trace=True)


def line(first: dict, second: dict, **demand):
    return {
        "nodes": {"a": {"type": "station", **first}, "b": {"type": "station", **second}},
        "links": [{"from": "a", "to": "b"}],
        "demand": {"jobs": {"at": "a", "interval": "1 min", "route": ["b"], **demand}},
    }


def minutes(times: pd.Series) -> list[float]:
    return ((times - pd.Timestamp(START)) / pd.Timedelta("1min")).tolist()


def test_a_full_buffer_blocks_the_server_before_it():
    done = advanced(**line({"service": "1 min"}, {"service": "5 min", "buffer": 1}))
    station = done.results["station_blocked"].isel(time=0)
    # From the third job on, the first station waits four of five minutes for room.
    assert station.sel(station="a").item() == pytest.approx(0.74, abs=0.03)
    assert done.results["station_queue"].sel(station="b").item() == pytest.approx(0.9, abs=0.06)
    visits = done.events["visit"]
    ends = minutes(visits.loc[visits["asset"] == "b", "end"])
    assert ends == [7.0 + 5 * k for k in range(len(ends))]
    # The output is that of the slow station, nothing is lost.
    assert float(done.results["delivered"]) == 11
    assert float(done.results["rejected"]) == 0


def test_a_full_buffer_that_rejects_loses_entities():
    done = advanced(**line({"service": "0 s"}, {"service": "5 min", "buffer": 1, "when_full": "reject"}))
    results = done.results
    inside = int((done.state["entity_stage"] > 0).sum())
    assert float(results["arrived"]) == float(results["delivered"]) + float(results["rejected"]) + inside
    assert float(results["rejected"]) == pytest.approx(59 * 0.8 - 2, abs=2)


@pytest.mark.parametrize(("order", "first"), [("fifo", "low"), ("priority", "high"), ("due", "urgent")])
def test_the_order_of_a_queue(order, first):
    names = {
        "low": {"priority": 0, "due": "3 h"},
        "high": {"priority": 2, "due": "2 h"},
        "urgent": {"priority": 1, "due": "1 h"},
    }
    demand = {name: {"at": "a", "interval": "30 min", "batch": 3, **more} for name, more in names.items()}
    done = advanced(nodes={"a": {"type": "station", "service": "3 min", "order": order}}, demand=demand)
    visits = done.events["visit"]
    # Nine arrive at once; the first one finds the server free.
    served = [name.split("/")[0] for name in visits["entity"]]
    alone = served[0]
    expected = {
        "fifo": sorted(served, key=list(dict.fromkeys(served)).index),
        "priority": [alone, *sorted(served[1:], key=["high", "urgent", "low"].index)],
        "due": [alone, *sorted(served[1:], key=["urgent", "high", "low"].index)],
    }
    assert served == expected[order]
    assert len(served) == 9
    numbers = [int(name.split("/")[1]) for name in visits["entity"] if name.startswith("high")]
    # Of equal ones, who came first.
    assert numbers == sorted(numbers)
    assert first in served


def test_a_breakdown_interrupts_the_service_and_closes_the_node():
    station = {"type": "station", "service": "4 min", "breakdowns": {"uptime": "10 min", "repair": "7 min"}}
    done = advanced(nodes={"a": station}, demand={"jobs": {"at": "a", "interval": "9 min"}})
    visits = done.events["visit"]
    # Arrivals at 9, 18, 27 …; down from 10 to 17, from 27 to 34, from 44 to 51.
    assert minutes(visits["end"])[:3] == [20.0, 24.0, 38.0]
    assert done.results["station_down"].item() == pytest.approx(21 / 60)
    assert minutes(done.events["breakdown"]["start"]) == [10.0, 27.0, 44.0]
    assert minutes(done.events["breakdown"]["end"]) == [17.0, 34.0, 51.0]


def shuttle(**group):
    return {
        "nodes": {"a": {"type": "hub"}, "b": {"type": "hub"}},
        "links": [{"from": "a", "to": "b", "both_ways": True, "travel": "20 min", "distance": "10 km"}],
        "transporters": {"truck": {"type": "truck", "route": ["a", "b"], "capacity": 3, **group}},
        "demand": {"jobs": {"at": "a", "interval": "10 min", "to": {"b": 1}}},
    }


def test_a_transporter_leaves_at_once_or_with_enough_entities_or_after_a_longest_wait():
    at_once = advanced(4, **shuttle())
    assert minutes(at_once.events["trip"]["start"])[:3] == [0.0, 20.0, 40.0]
    enough = advanced(4, **shuttle(dispatch={"at_least": 3, "wait_at_most": "5 h"}))
    trips = enough.events["trip"]
    assert minutes(trips["start"])[:1] == [30.0]
    assert trips["load"].iloc[0] == 3
    waited = advanced(4, **shuttle(dispatch={"at_least": 3, "wait_at_most": "15 min"}))
    assert minutes(waited.events["trip"]["start"])[:3] == [15.0, 50.0, 70.0]
    assert waited.events["trip"]["load"].tolist()[:3] == [1, 0, 3]


def test_a_timetable_and_regular_departures():
    table = {"zone": "Europe/Berlin", "departures": {"a": ["01:30", "02:30", "03:15"]}}
    done = advanced(4, **shuttle(count=2, dispatch={"timetable": table}))
    trips = done.events["trip"]
    out = trips[trips["origin"] == "a"]
    # Each departure takes one truck; Berlin is an hour ahead.
    assert minutes(out["start"]) == [30.0, 90.0, 135.0]
    assert out["asset"].tolist() == ["truck/1", "truck/2", "truck/1"]
    every = advanced(4, **shuttle(dispatch={"every": "50 min"}))
    assert minutes(every.events["trip"]["start"]) == [0.0, 50.0, 100.0, 150.0, 200.0]


def test_weather_slows_trips_that_begin_in_it():
    storm = [{"from": "30 min", "to": "2026-01-05T02:00", "travel_factor": 2.0}]
    with pytest.raises(ValueError, match="expected two instants or two times since the start"):
        advanced(weather=storm, **shuttle())
    storm = [{"from": "30 min", "to": "90 min", "travel_factor": 2.0, "transporters": ["truck"]}]
    done = advanced(3, weather=storm, **shuttle())
    assert minutes(done.events["trip"]["end"]) == [20.0, 40.0, 80.0, 120.0, 140.0, 160.0]
    assert float(done.results["distance"]) == 70.0


def test_a_transporter_under_repair_arrives_later():
    done = advanced(3, **shuttle(breakdowns={"uptime": "50 min", "repair": "30 min"}))
    assert minutes(done.events["trip"]["end"])[:4] == [20.0, 40.0, 90.0, 110.0]
    assert done.results["truck_down"].item() == pytest.approx(60 / 180)


def test_energy_is_that_of_working_servers_and_of_distance():
    parts = shuttle(energy_per_distance="1.2 kWh/km")
    parts["nodes"]["a"] = {"type": "hub", "service": "5 min", "power": "3 kW"}
    done = advanced(4, **parts)
    assert done.results["hub_energy"].sel(hub="a").item() == pytest.approx(3 * 23 * 5 / 60, rel=0.02)
    assert done.results["truck_energy"].item() == pytest.approx(1.2 * 120)
    total = float(done.results["hub_energy"].sum() + done.results["truck_energy"].sum())
    assert float(done.results["energy"]) == pytest.approx(total)


def test_routes_and_transitions():
    nodes = {name: {"type": "station"} for name in "abc"}
    links = [{"from": x, "to": y} for x, y in (("a", "b"), ("a", "c"), ("b", "a"))]
    source = {"at": "a", "interval": "1 s"}
    done = advanced(
        nodes=nodes, links=links, demand={"jobs": source}, transitions={"a": {"b": 0.5, "c": 0.25}, "b": {"a": 1.0}}
    )
    arrivals = done.results["station_arrivals"].isel(time=0)
    # a sees each entity 1 / (1 - 0.5) times on average.
    assert arrivals.sel(station="a").item() / 3600 == pytest.approx(2, rel=0.05)
    assert arrivals.sel(station="c").item() / 3600 == pytest.approx(0.5, rel=0.1)
    there = advanced(nodes=nodes, links=links, demand={"jobs": {**source, "route": ["b", "a", "c"]}})
    assert there.results["station_arrivals"].isel(time=0).values.tolist() == [7198.0, 3599.0, 3599.0]
