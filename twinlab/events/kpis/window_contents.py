"""Which assets, signals and events the value of one window of a KPI is computed from; their rows are its lineage.

`contributions` says what each event or span counts as.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinlab.events.kpis.compute import subjects_of
from twinlab.events.kpis.groups import memberships
from twinlab.events.kpis.over_time.results import signals_in
from twinlab.events.kpis.windows import window_at
from twinlab.events.reading import instant_ns
from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader

__all__ = ["WindowContents", "window_contents"]


@dataclass(frozen=True)
class WindowContents:
    """Assets, signals and events of one window of one group of a KPI."""

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


def window_contents(
    twin: TwinReader,
    name: str | Kpi,
    at: object,
    *,
    on: str | None = None,
    by: str | None = None,
    group: str | None = None,
    every: str | None = None,
) -> WindowContents:
    """Return the assets, signals and events that the value of the window with an instant is computed from.

    Parameters
    ----------
    name, on, by, every
        As in `twinlab.events.kpi`.
    at : instant
        In the window; of several days, on its first day. Naive is UTC.
    group : str, optional
        With ``by``: only of this group.

    Raises
    ------
    UnknownTermError
        If there is no such KPI or way to group it; shows the nearest.
    """
    found, subjects = subjects_of(twin, name, on=on, by=by)
    width = every or found.period
    chosen = window_at(instant_ns(at), parse_duration(width), every=width)
    span = int(chosen.edges[0]), int(chosen.edges[1])
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
    return WindowContents(key, found, edges[0], edges[1], width, signals, assets, events)
