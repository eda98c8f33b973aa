"""Yards with pools for the tests: small enough to follow by hand."""

import numpy as np

from twinlab.simulate import Network, NetworkModel

START = np.datetime64("2026-01-05T00:00:00", "ns")
HOUR = np.timedelta64(1, "h")
MANY = {"type": "spot", "servers": 1000}


def yard(**parts) -> Network:
    """Three spots in a line, ten minutes from one to the next, and forklifts that carry between the first two."""
    group = {"type": "forklift", "links": [["a", "b"]], "capacity": 1, **parts.pop("lifts", {})}
    base = {
        "name": "yard",
        "nodes": {"a": MANY, "b": MANY, "c": MANY},
        "links": [
            {"from": "a", "to": "b", "travel": "10 min", "distance": "1 km"},
            {"from": "b", "to": "c", "travel": "10 min", "distance": "1 km"},
        ],
        "transporters": {"lifts": group},
        "demand": {"jobs": {"at": "a", "interval": "1 h", "route": ["b"]}},
    }
    return Network(**base | parts)


def advanced(network: Network, hours: int = 4, *, trace: bool = True):
    model = NetworkModel(network)
    return model.advance(model.initial_state(start=START), until=START + hours * HOUR, step=hours * HOUR, trace=trace)


def minutes(times) -> list[float]:
    return [round(float((time - START) / np.timedelta64(1, "m")), 6) for time in times.to_numpy("datetime64[ns]")]


def trips(done) -> list[tuple[str, str, float, float, int]]:
    """Return origin, destination, start and end in minutes, and load of each trip, in order of start."""
    table = done.events["trip"].sort_values("start", kind="stable")
    columns = table["origin"], table["destination"], minutes(table["start"]), minutes(table["end"]), table["load"]
    return list(zip(*(list(column) for column in columns), strict=True))
