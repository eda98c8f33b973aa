"""A calibrated operation as a network: what the names in scenarios refer to, and a start for a model with servers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from twinlab.simulate.network.calendars import Profile
from twinlab.simulate.network.flows import Demand as Arrivals
from twinlab.simulate.network.flows import Link
from twinlab.simulate.network.network import Network
from twinlab.simulate.network.nodes import Node
from twinlab.simulate.network.transporters import Transporters
from twinlab.simulate.timetable.entities import Demand
from twinlab.simulate.timetable.names import Names

__all__ = ["network_of"]

#: Separates two places: a character that no name has.
_TO = "\x1f"


def network_of(
    name: str,
    names: Names,
    trips: pd.DataFrame,
    demand: Demand | None,
    *,
    hubs: tuple[str, ...],
    positions: Mapping[str, tuple[float, float]],
    largest_load: int,
) -> Network:
    """Return places, links with times of travel, a group of transporters for each pair of places, and demand by place.

    A group has as many transporters as trips leave on a usual day.

    Parameters
    ----------
    name : str
    names : Names
    trips : DataFrame
        Trips of the window: ``origin, destination, planned_start, start, end`` in seconds.
    demand : Demand or None
    hubs : tuple of str
    positions : mapping of hub to (latitude, longitude)
    largest_load : int
        Most entities that a trip carried in the window: what a transporter carries at least.
    """
    nodes = {
        hub: Node(
            type=names.hub,
            servers=100_000,
            latitude=positions.get(hub, (None, None))[0],
            longitude=positions.get(hub, (None, None))[1],
        )
        for hub in hubs
    }
    known = trips[(trips["end"] > trips["start"]) & (trips["origin"] != trips["destination"])]
    lasting = known["end"] - known["start"]
    links, pairs = [], set()
    for pair, times in lasting.groupby(known["origin"] + _TO + known["destination"]):
        origin, destination = str(pair).split(_TO)
        cv = min(max(float(np.nan_to_num(times.std())) / float(times.mean()), 0.001), 20.0)
        travel = {"kind": "lognormal", "mean": f"{times.mean():.6g} s", "cv": cv}
        links.append(Link.model_validate({"from": origin, "to": destination, "travel": travel}))
        pairs.add((origin, destination))
    often = _trips_a_day(trips)
    both = sorted(pair for pair in pairs if pair[0] < pair[1] and pair[::-1] in pairs)
    groups = {
        f"{one}-{other}": Transporters(
            type=names.carrier,
            route=(one, other),
            capacity=max(largest_load, 1),
            count=max(often[one, other], often[other, one]),
        )
        for one, other in both
    }
    arrivals, profiles = _arrivals(names, demand, hubs)
    return Network(name=name, nodes=nodes, links=tuple(links), transporters=groups, demand=arrivals, profiles=profiles)


def _trips_a_day(trips: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Return the usual number of trips on a day with any, by origin and destination."""
    day = trips["planned_start"] // 86_400
    usual = trips.groupby(["origin", "destination", day]).size().groupby(level=[0, 1]).median().reset_index(name="many")
    return {(str(a), str(b)): max(round(many), 1) for a, b, many in usual.itertuples(index=False)}


def _arrivals(
    names: Names, demand: Demand | None, hubs: tuple[str, ...]
) -> tuple[dict[str, Arrivals], dict[str, Profile]]:
    arrivals: dict[str, Arrivals] = {}
    profiles: dict[str, Profile] = {}
    if demand is None:
        return arrivals, profiles
    for number, hub in enumerate(hubs):
        rate = demand.rate[number]
        if not rate.any():
            continue
        profile = f"arrivals_{number + 1}"
        profiles[profile] = Profile(factors=tuple((rate / rate.mean()).tolist()))
        to = {other: float(share) for other, share in zip(hubs, demand.share[number], strict=True) if share > 0}
        arrivals[hub] = Arrivals(
            kind=names.entity or "entity", at=hub, rate=f"{rate.mean():.6g} /h", profile=profile, to=to
        )
    return arrivals, profiles
