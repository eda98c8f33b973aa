"""A network of three hubs and a cold room, with trucks and forklifts."""

import pytest

from twinlab.simulate.network import Network

ROOM = {
    "ambient": "20 degC", "coldest": "-5 degC", "time_constant": "3 h", "switch_on": "5 degC", "switch_off": "3 degC"
}  # fmt: skip


@pytest.fixture(scope="session")
def yard() -> Network:
    hub = {"type": "hub", "service": "2 min"}
    return Network(
        name="yard",
        nodes={
            "lyon": {**hub, "servers": 6, "docks": 3, "latitude": 45.7, "longitude": 4.8},
            "paris": {**hub, "servers": 8, "docks": 4, "latitude": 48.8, "longitude": 2.3},
            "nice": {**hub, "servers": 4, "docks": 2, "latitude": 43.7, "longitude": 7.2},
            "store_1": {"type": "cold_room", "servers": 9, "climate": ROOM},
        },
        links=[
            {"from": "lyon", "to": "paris", "both_ways": True, "travel": "4 h"},
            {"from": "lyon", "to": "nice", "both_ways": True, "travel": "4 h"},
            {"from": "nice", "to": "paris", "both_ways": True, "travel": "9 h"},
            {"from": "lyon", "to": "store_1", "both_ways": True, "travel": "2 min"},
        ],
        transporters={
            "lp": {
                "type": "truck", "route": ["lyon", "paris"], "capacity": 100, "count": 4,
                "breakdowns": {"uptime": "10 d", "repair": "3 h"},
            },
            "ln": {"type": "truck", "route": ["lyon", "nice"], "capacity": 100, "count": 2},
            "lifts": {"type": "forklift", "links": [["lyon", "store_1"]], "capacity": 1, "count": 3},
        },
        demand={
            "pl": {"kind": "parcel", "at": "lyon", "rate": "60 /h", "to": {"paris": 0.5, "nice": 0.5}},
            "pp": {"kind": "parcel", "at": "paris", "rate": "60 /h", "to": {"lyon": 1}},
        },
    )  # fmt: skip
