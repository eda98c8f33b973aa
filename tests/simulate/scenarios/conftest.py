"""A small network of hubs with a detour."""

import pytest

from twinlab.simulate.network import Network

ROOM = {
    "ambient": "20 degC",
    "coldest": "-5 degC",
    "time_constant": "3 h",
    "switch_on": "5 degC",
    "switch_off": "3 degC",
}


@pytest.fixture
def hubs() -> Network:
    """Return three hubs in a row, with a slower way from the first to the last, and a workbench."""
    return Network(
        name="hubs",
        calendars={
            "day": {"shifts": [{"from": "06:00", "to": "14:00", "servers": 4}]},
            "long": {"shifts": [{"from": "06:00", "to": "22:00", "servers": 4}]},
        },
        nodes={
            "north": {"type": "hub", "servers": "day", "service": {"kind": "exponential", "mean": "2 min"}, "latitude": 41, "longitude": 2},
            "middle": {"type": "hub", "servers": 2, "docks": 2, "service": "1 min", "breakdowns": {"uptime": "50 h", "repair": "1 h"}, "latitude": 41, "longitude": 3},
            "south": {"type": "hub", "servers": 2, "latitude": 45, "longitude": 3},
            "bench": {"type": "workstation", "servers": 3, "service": {"job": "5 min"}, "buffer": 10},
            "cold": {"type": "cold_room", "climate": ROOM},
        },
        links=[
            {"from": "north", "to": "middle", "both_ways": True, "travel": "1 h"},
            {"from": "middle", "to": "south", "both_ways": True, "travel": "1 h"},
            {"from": "north", "to": "south", "travel": "5 h"},
            {"from": "south", "to": "bench"},
        ],
        transporters={
            "first": {"type": "truck", "count": 3, "route": ["north", "middle"], "capacity": 20},
            "second": {"type": "truck", "route": ["middle", "south"], "capacity": 20},
        },
        demand={
            "parcels": {"kind": "parcel", "at": "north", "rate": "60 /h", "to": {"middle": 0.5, "south": 0.5}},
            "jobs": {"kind": "job", "at": "south", "interval": "10 min", "route": ["bench"], "due": "2 h"},
        },
    )  # fmt: skip
