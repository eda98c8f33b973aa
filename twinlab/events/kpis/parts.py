"""What one window of a KPI is made of: the assets, signals and events whose values are in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinlab.events.kpis.compute import subjects_of
from twinlab.events.kpis.groups import memberships
from twinlab.events.kpis.over_time.results import signals_in
from twinlab.events.kpis.windows import windows
from twinlab.events.reading import instant_ns
from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader

__all__ = ["KpiParts", "kpi_parts"]


@dataclass(frozen=True)
class KpiParts:
    """What one window of one group of a KPI is made of."""

    name: str
    definition: Kpi
    start: np.datetime64
    stop: np.datetime64
    every: str
    signals: dict[str, tuple[str, ...]]
    """By asset type."""
    assets: dict[str, tuple[str, ...]]
    """Assets that were in the group during the window, by type."""
    events: dict[str, pd.DataFrame]
    """Events of the window and the group, by type."""


def kpi_parts(
    twin: TwinReader,
    name: str | Kpi,
    at: object,
    *,
    on: str | None = None,
    by: str | None = None,
    group: str | None = None,
    every: str | None = None,
) -> KpiParts:
    """Return the assets, signals and events that the window around an instant is made of.

    Parameters
    ----------
    name, on, by, every
        As in `twinlab.events.kpi`.
    at : instant
        In the window. Naive is UTC.
    group : str, optional
        With ``by``: only of this group.

    Raises
    ------
    UnknownTermError
        If there is no such KPI or way to group it; shows the nearest.
    """
    found, subjects = subjects_of(twin, name, on=on, by=by)
    width = every or found.period
    size = parse_duration(width)
    start = instant_ns(at) // size * size
    span = start, start + size
    chosen = windows(start, start + 1, size, every=width)
    signals = {kind: tuple(signals_in(subjects.of_type(kind))) for kind in subjects.assets}
    assets = {kind: tuple(ids) for kind, ids in subjects.assets.items()}
    events: dict[str, pd.DataFrame] = {}
    if group is not None and by is not None:
        for kind, ids in subjects.assets.items():
            members = memberships(twin, kind, subjects.paths[kind], ids, [group])
            during = (members.since < span[1]) & (members.until > span[0])
            assets[kind] = tuple(ids[place] for place in np.unique(members.asset[during]).tolist())
    for kind in subjects.tables:
        table, _, label = subjects.events_in(kind, chosen)
        mine = (label == group).to_numpy() if group is not None and by is not None else slice(None)
        events[kind] = table[mine].reset_index(drop=True)
    key = name if isinstance(name, str) else "kpi"
    edges = [np.datetime64(edge, "ns") for edge in span]
    return KpiParts(key, found, edges[0], edges[1], width, signals, assets, events)
