"""Networks for the tests of the kernel."""

import numpy as np

from twinlab.simulate import Network, NetworkModel

START = np.datetime64("2026-01-05T07:10:00", "ns")
HOUR = np.timedelta64(1, "h")


def exponential(mean: str) -> dict[str, str]:
    return {"kind": "exponential", "mean": mean}


def queue(servers: int = 1, rate: str = "0.8 /s", service: object = None) -> NetworkModel:
    node = {"type": "counter", "servers": servers, "service": service or exponential("1 s")}
    return NetworkModel(Network(name="queue", nodes={"a": node}, demand={"d": {"at": "a", "rate": rate}}))


def parcels() -> NetworkModel:
    """Two hubs with shifts, a depot that is reached by itself, trucks that wait for a load."""
    shifts = [{"from": "06:00", "to": "22:00", "servers": 6}, {"from": "22:00", "to": "06:00", "servers": 3}]
    hub = {"type": "hub", "servers": "shifts", "service": {"kind": "gamma", "mean": "2 min", "cv": 0.5}}
    return NetworkModel(
        Network(
            name="parcels",
            calendars={"shifts": {"zone": "Europe/Berlin", "shifts": shifts}},
            profiles={"day": {"zone": "Europe/Berlin", "factors": [0.2] * 8 + [1.5] * 12 + [0.5] * 4}},
            nodes={
                "north": hub,
                "south": {**hub, "order": "due"},
                "depot": {"type": "depot", "servers": 2, "service": "1 min", "order": "priority", "buffer": 5},
            },
            links=[
                {"from": "north", "to": "south", "both_ways": True, "distance": "60 km"},
                {"from": "south", "to": "depot", "travel": {"kind": "lognormal", "mean": "20 min", "cv": 0.3}},
            ],
            transporters={
                "truck": {
                    "type": "truck",
                    "count": 6,
                    "route": ["north", "south"],
                    "capacity": 20,
                    "speed": "60 km/h",
                    "unloading": {"kind": "triangular", "low": "5 min", "mode": "8 min", "high": "20 min"},
                    "dispatch": {"at_least": 10, "wait_at_most": "1 h"},
                    "first_ready": {"kind": "uniform", "low": "0 s", "high": "1 h"},
                    "profile": "day",
                }
            },
            demand={
                "n": {"kind": "parcel", "at": "north", "rate": "60 /h", "profile": "day", "to": {"south": 0.4, "depot": 0.6}, "due": "4 h"},
                "s": {"kind": "parcel", "at": "south", "interval": "2 min", "to": {"north": 1}, "batch": 2, "priority": 1},
            },
        )
    )  # fmt: skip
