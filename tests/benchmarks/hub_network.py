"""A network of 12 hubs with shifts and 300 trucks that moves 121,000 parcels a week, for benchmarks."""

from __future__ import annotations

import numpy as np

from twinlab.simulate import Network, NetworkModel

HUBS = 12


def hub_network(*, trucks: int = 300, rate: float = 60.0, name: str = "hubs") -> NetworkModel:
    """Return the network; parcels go by the super hubs 0 to 2 of their origin and their destination."""
    places = np.random.default_rng(7).random((HUBS, 2)) * 400
    names = [f"hub_{number}" for number in range(HUBS)]
    hops: dict[str, dict[str, str]] = {}
    legs = set()
    for origin in range(HUBS):
        for target in range(HUBS):
            way = list(dict.fromkeys([origin, origin % 3, target % 3, target]))
            for here, there in zip(way[:-1], way[1:], strict=True):
                # Routes of one destination must agree at a hub: from a super hub of another third, on to that of the target.
                hops.setdefault(names[here], {})[names[target]] = names[there]
                legs.add((min(here, there), max(here, there)))
    pairs = sorted(legs)
    shift = {
        number: {
            "zone": "UTC",
            "shifts": [
                {"from": "00:00", "to": "16:00", "servers": day},
                {"from": "16:00", "to": "24:00", "servers": night},
            ],
        }
        for number, day, night in ((0, 24, 16), (1, 10, 6))
    }
    kilometres = {pair: float(np.hypot(*(places[pair[0]] - places[pair[1]]))) for pair in pairs}
    counts = {pair: trucks // len(pairs) + (place < trucks % len(pairs)) for place, pair in enumerate(pairs)}
    return NetworkModel(
        Network.model_validate(
            {
                "name": name,
                "calendars": {"large": shift[0], "small": shift[1]},
                "nodes": {
                    one: {
                        "type": "hub",
                        "servers": "large" if place < 3 else "small",
                        "service": {"kind": "exponential", "mean": "2 min"},
                    }
                    for place, one in enumerate(names)
                },
                "links": [
                    {
                        "from": names[a],
                        "to": names[b],
                        "both_ways": True,
                        "travel": {"kind": "lognormal", "mean": f"{0.5 + kilometres[a, b] / 75:.4f} h", "cv": 0.307},
                    }
                    for a, b in pairs
                ],
                "transporters": {
                    f"line_{a}_{b}": {
                        "type": "truck",
                        "count": counts[a, b],
                        "route": [names[a], names[b]],
                        "capacity": 80,
                        "turnaround": {"kind": "uniform", "low": "15 min", "high": "45 min"},
                        "first_ready": {"kind": "uniform", "low": "0 h", "high": "2 h"},
                    }
                    for a, b in pairs
                    if counts[a, b]
                },
                "demand": {
                    f"from_{one}": {
                        "kind": "parcel",
                        "at": one,
                        "rate": f"{rate} /h",
                        "to": {other: 1 / (HUBS - 1) for other in names if other != one},
                    }
                    for one in names
                },
                "next_hops": hops,
            }
        )
    )
