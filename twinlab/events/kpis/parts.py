"""What one window of a KPI is made of: the assets, signals and events whose values are in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinlab.events.kpis.definitions import definition_of
from twinlab.events.kpis.groups import group_of_events, group_path, memberships
from twinlab.events.kpis.over_events.results import event_table, times_of
from twinlab.events.kpis.over_time.results import assets_of, signals_in
from twinlab.events.reading import instant_ns
from twinlab.model.basics import parse_duration
from twinlab.model.kpis.formulas import TimeAggregate
from twinlab.model.kpis.subjects import Subjects

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader

__all__ = ["KpiParts", "kpi_parts"]

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class KpiParts:
    """What one window of one group of a KPI is made of."""

    name: str
    definition: Kpi
    formula: str
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
    key, found = definition_of(twin.model, name, on)
    formula = found.bound(twin.model)
    width = every or found.period
    size = parse_duration(width)
    start = instant_ns(at) // size * size
    span = start, start + size
    subjects = Subjects(twin.model)
    signals: dict[str, tuple[str, ...]] = {}
    assets: dict[str, tuple[str, ...]] = {}
    events: dict[str, pd.DataFrame] = {}
    for one in formula.aggregates:
        kind = one.asset_type if isinstance(one, TimeAggregate) else one.event_type
        if kind in assets or kind in events:
            continue
        path = group_path(subjects, kind, by, found.groups)
        if isinstance(one, TimeAggregate):
            mine = [each for each in formula.aggregates if isinstance(each, TimeAggregate) and each.asset_type == kind]
            signals[kind] = tuple(signals_in(mine))
            known = assets_of(twin, kind, signals[kind])
            wanted = np.ones(len(known), dtype=np.bool_)
            if group is not None and by is not None:
                members = memberships(twin, kind, path, known, [group])
                during = (members.since < span[1]) & (members.until > span[0])
                wanted = np.isin(np.arange(len(known)), members.asset[during])
            assets[kind] = tuple(np.array(known, dtype=object)[wanted].tolist())
            continue
        table = event_table(twin, kind)
        times = times_of(table, found.at or "planned_start")
        rows = np.flatnonzero((times >= span[0]) & (times < span[1]) & (times != _NEVER))
        table = table.iloc[rows].reset_index(drop=True)
        if group is not None and by is not None:
            labels = group_of_events(twin, kind, path, table, times[rows])
            table = table[(labels == group).to_numpy()].reset_index(drop=True)
        events[kind] = table
    edges = [np.datetime64(edge, "ns") for edge in span]
    return KpiParts(key, found, formula.text, edges[0], edges[1], width, signals, assets, events)
