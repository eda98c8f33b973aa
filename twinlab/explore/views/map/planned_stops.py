"""Planned stops of an asset: the places that its coming events link."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.explore.views.map.routes import place_links, places_of
from twinlab.explore.views.map.track import Stop
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType

__all__ = ["planned_stops"]

#: Largest number of stops.
MOST_STOPS = 4


def planned_stops(
    twin: TwinReader,
    key: tuple[str, str],
    *,
    at: np.datetime64,
    ahead: str = "1d",
    events_of: Callable[[str], pd.DataFrame] | None = None,
) -> tuple[Stop, ...]:
    """Return the planned stops of an asset, in order of their planned times.

    Includes events of the asset, and events with a single link to its type that names it, planned within ``ahead``
    after ``at``. The first link to a place is where an event begins, the last where it ends.

    Parameters
    ----------
    twin : TwinReader
    key : (asset type, asset)
    at : instant, UTC
    events_of : callable, optional
        Returns the events of a type, such as a cache; by default ``twin.events``.
    """
    found: list[Stop] = []
    window = (at, at + np.timedelta64(parse_duration(ahead), "ns"))
    for name, spec in twin.model.event_types.items():
        columns = _own_columns(spec, key[0])
        places = [link for link in place_links(twin.model, spec) if link not in columns]
        if not columns or not places:
            continue
        table = (events_of or twin.events)(name)
        own = np.logical_or.reduce(
            [(table[column] == key[1]).to_numpy(dtype=bool, na_value=False) for column in columns]
        )
        found += _stops(twin, table[own], spec, link=places[0], time="planned_start", window=window)
        found += _stops(twin, table[own], spec, link=places[-1], time="planned_end", window=window)
    found.sort(key=lambda one: one.planned)
    # Merge an end and the next start at the same place.
    stops = [one for k, one in enumerate(found) if not k or (one.asset_type, one.asset) != _place(found[k - 1])]
    return tuple(stops[:MOST_STOPS])


def _place(stop: Stop) -> tuple[str, str]:
    return stop.asset_type, stop.asset


def _own_columns(spec: EventType, asset_type: str) -> list[str]:
    own = ["asset"] if spec.asset == asset_type else []
    links = [name for name, kind in spec.links.items() if kind == asset_type]
    # With two links of the same type the event doesn't state which of them moves.
    return own + (links if len(links) == 1 else [])


def _stops(
    twin: TwinReader,
    table: pd.DataFrame,
    spec: EventType,
    *,
    link: str,
    time: str,
    window: Window,
) -> list[Stop]:
    planned = table[time].to_numpy(dtype="datetime64[ns]")
    actual = table[time.removeprefix("planned_")].to_numpy(dtype="datetime64[ns]")
    at, last = window
    # Without events that have taken place by then.
    pending = (np.isnat(actual) | (actual > at)) & (planned > at) & (planned <= last)
    kind = spec.links[link]
    places = places_of(twin, kind) if pending.any() else None
    out = []
    for when, asset in zip(planned[pending], table[link][pending], strict=True):
        if places is not None and asset in places.index:
            latitude, longitude = places.loc[asset]
            out.append(Stop(str(asset), kind, str(asset), float(latitude), float(longitude), when))
    return out
