"""A link to the page What-if with the change of a simulation that fits acting on an asset."""

from __future__ import annotations

from typing import Any

import numpy as np

from twinlab.errors import TwinlabError
from twinlab.explore.kit.link import Link
from twinlab.simulate.calibration.twin_names import find_names
from twinlab.simulate.scenarios.reading import scenarios_yaml
from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["what_if_link"]

_AHEAD = np.timedelta64(7, "D")


def what_if_link(twin: Any, asset_type: str, asset: str, *, at: np.datetime64) -> Link | None:
    """Return a link to What-if at an instant, with a change filled in where a kind fits; None if the twin has no trips to simulate.

    A vehicle in the workshop: one trip a day fewer between the places that it drives between most. An asset at a place: the place is closed
    for twelve hours of work. Else the plan has no change yet.
    """
    try:
        names = find_names(twin.model)
    except TwinlabError:
        return None
    change: dict[str, Any] | None = None
    if asset_type == names.carrier:
        trips = twin.events(names.trip, start=at - _AHEAD, stop=at + _AHEAD)
        mine = trips[_carriers(twin, names, trips) == asset].dropna(subset=["origin", "destination"])
        if len(mine):
            origin, destination = mine.groupby(["origin", "destination"], observed=True).size().idxmax()
            change = {"kind": "transporters", "transporters": f"{origin}-{destination}", "add": -1}
    else:
        place = _place(twin, names.hub, asset_type, asset, at)
        if place:
            change = {"kind": "close", "node": place, "start": "0h", "stop": "12h"}
    yaml = scenarios_yaml([Scenario("act", changes=(change,))]) if change else None  # type: ignore[arg-type]
    return Link(page="what_if", at=at, horizon="1d", scenarios=yaml)


def _carriers(twin: Any, names: Any, trips: Any) -> Any:
    """Return what drives each trip."""
    spec = twin.model.event_types[names.trip]
    column = (
        "asset" if spec.asset == names.carrier else next(k for k, kind in spec.links.items() if kind == names.carrier)
    )
    return trips[column].astype(str)


def _place(twin: Any, hub: str, asset_type: str, asset: str, at: np.datetime64) -> str:
    """Return the place that an asset is at; "" if none is known."""
    from twinlab.events.present_state.places import positions  # noqa: PLC0415

    via = str(positions(twin, asset_type, at=at - np.timedelta64(1, "s"), assets=[asset])["via"].iloc[0])
    for step in via.split(" > "):
        kind, _, name = step.partition("/")
        if kind == hub:
            return name
    return ""
