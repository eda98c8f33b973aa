"""What each event or span of time contributes to one number of a KPI: whether it counts for it, against it, or isn't known.

`window_contents` has only which assets, signals and events there are, without what they count as.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.kpis.compute import subjects_of
from twinlab.events.kpis.groups import ALL, memberships
from twinlab.events.kpis.intervals import Truth, condition_bounds
from twinlab.events.kpis.over_events.leaves import PossibleEvents
from twinlab.events.kpis.over_time.cells import read_type_cells
from twinlab.events.kpis.over_time.leaves import PossibleLeaves, look_back_ns
from twinlab.events.kpis.over_time.results import validity_ns
from twinlab.events.kpis.windows import Windows, window_at
from twinlab.events.reading import instant_ns
from twinlab.events.rules.runs import runs_of
from twinlab.model.basics import parse_duration
from twinlab.model.expressions.walk import signals_of
from twinlab.model.kpis.subjects import Subjects

if TYPE_CHECKING:
    from twinlab.events.kpis.compute import KpiSubjects
    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader

__all__ = ["COUNTS_AS", "kpi_contributions"]

#: What an event or a span is for a condition of the formula; what one looks for first comes first.
COUNTS_AS = ("not known", "no", "yes")


def kpi_contributions(
    twin: TwinReader,
    name: str | Kpi,
    *,
    at: object,
    on: str | None = None,
    by: str | None = None,
    group: str | None = None,
    every: str | None = None,
) -> dict[str, pd.DataFrame]:
    """Return what each event or span of time contributes to one number of a KPI.

    Parameters
    ----------
    name, on, by, every
        As for `twinlab.Twin.kpi`.
    at : instant
        In the window of the number; of several days, on its first day. Naive is UTC.
    group : str, optional
        With ``by``: of which group; of all by default. One that has nothing in the window gives empty tables.

    Returns
    -------
    dict of str to DataFrame
        By event type, the events of the window. By asset type, the spans in which a condition of the formula is true, is false or
        isn't known (``asset, start, end, duration, signals``); for values without a condition, the cells of each asset that are known
        (``asset, signals, cells, known``). ``counts_as`` says what an event or a span is for the formula: "yes", "no" or "not known".
        What isn't known comes first, then what is "no".

    Raises
    ------
    UnknownTermError
        If there is no such KPI, or nothing leads to ``by``.

    >>> from twinlab.model import Kpi
    >>> from twinlab.testing import FakeTwin
    >>> twin = FakeTwin.example(days=3, trips=50)
    >>> late = Kpi(on="trip", formula="share(end_delay <= 5 min)", unit="%")
    >>> sorted(set(kpi_contributions(twin, late, at="2026-01-02", every="1d")["trip"]["counts_as"]) - {"not known"})
    ['no', 'yes']
    """
    found, subjects = subjects_of(twin, name, on=on, by=by)
    width = every or found.period
    chosen = window_at(instant_ns(at), parse_duration(width), every=width)
    out: dict[str, pd.DataFrame] = {}
    for kind in dict.fromkeys([*subjects.tables, *subjects.assets]):
        table = (
            _events(subjects, kind, chosen, group)
            if kind in subjects.tables
            else _cells(subjects, kind, (int(chosen.edges[0]), int(chosen.edges[-1])), group)
        )
        if "counts_as" in table:
            rank = table["counts_as"].map({one: place for place, one in enumerate(COUNTS_AS)})
            table = table.iloc[np.argsort(rank.to_numpy(), kind="stable")].reset_index(drop=True)
        out[kind] = table
    return out


def _events(subjects: KpiSubjects, kind: str, window: Windows, group: str | None) -> pd.DataFrame:
    table, _, label = subjects.events_in(kind, window)
    if group is not None:
        # The events whose group nobody knows may be in this one.
        keep = (label.isna() | (label == group)).to_numpy()
        table = table[keep].reset_index(drop=True)
    spec = Subjects(subjects.twin.model).event_types[kind]
    for one in subjects.of_events(kind):
        for condition in (one.part, one.where) if one.function == "share" else (one.where,):
            if condition is not None:
                truth = condition_bounds(condition, PossibleEvents(table, spec))  # type: ignore[arg-type]
                return table.assign(counts_as=_said(truth, len(table)))
    return table


def _said(truth: Truth, size: int) -> NDArray[np.object_]:
    true, false = (np.broadcast_to(one, (size,)) for one in (truth.true, truth.false))
    return cast("NDArray[np.object_]", np.where(true, "yes", np.where(false, "no", "not known")).astype(object))


def _cells(subjects: KpiSubjects, kind: str, span: tuple[int, int], group: str | None) -> pd.DataFrame:
    """Return spans of conditions, or counts of cells, of the assets of a group while they belong to it."""
    twin, ids, aggregates = subjects.twin, subjects.assets[kind], subjects.of_type(kind)
    names = list(dict.fromkeys(name for one in aggregates for name in signals_of(one.part)))
    spec = twin.model.asset_types[kind]
    lead = max(validity_ns(spec.signals[name]) for name in names) + max(look_back_ns(one.part) for one in aggregates)
    cells = read_type_cells(twin, kind, names, assets=ids, start_ns=span[0] - lead, stop_ns=span[1])
    inside = cells.expected & (cells.times >= span[0])[:, None]
    if group is not None and group != ALL:
        inside &= _belongs(subjects, kind, group, cells.times)
    conditional = [one for one in aggregates if one.function in ("time_share", "time_total")]
    if not conditional:
        known = np.all([~np.isnan(cells.signals[name].sure()) for name in names], axis=0) & inside
        rows = pd.DataFrame(
            {"asset": ids, "signals": ", ".join(names), "cells": inside.sum(axis=0), "known": known.sum(axis=0)}
        )
        return rows[rows["cells"] > 0].reset_index(drop=True)
    parts = []
    for one in conditional:
        truth = condition_bounds(one.part, PossibleLeaves(twin, kind, cells))  # type: ignore[arg-type]
        true, false = (np.broadcast_to(side, inside.shape) & inside for side in (truth.true, truth.false))
        for said, mask in zip(COUNTS_AS, (inside & ~true & ~false, false, true), strict=True):
            parts.append(
                _spans(mask, cells.times, cells.cadence_ns, ids, said).assign(signals=", ".join(signals_of(one.part)))
            )
    return pd.concat(parts, ignore_index=True)


def _spans(mask: NDArray[np.bool_], times: NDArray[np.int64], cadence: int, ids: list[str], said: str) -> pd.DataFrame:
    runs = runs_of(mask)
    ends = np.append(times, times[-1] + cadence) if len(times) else times
    start, end = (ends[one].astype("datetime64[ns]") for one in (runs.first, runs.stop))
    names = np.array(ids, dtype=object)[runs.column] if len(runs.column) else np.empty(0, dtype=object)
    return pd.DataFrame({"asset": names, "start": start, "end": end, "duration": end - start, "counts_as": said})


def _belongs(subjects: KpiSubjects, kind: str, group: str, times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return when each asset belongs to a group, array (time, asset)."""
    ids = subjects.assets[kind]
    found = memberships(subjects.twin, kind, subjects.paths[kind], ids, [group])
    low, high = (np.searchsorted(times, one) for one in (found.since, found.until))
    edges = np.zeros((len(times) + 1, len(ids)), dtype=np.int64)
    np.add.at(edges, (low, found.asset), 1)
    np.add.at(edges, (high, found.asset), -1)
    return np.asarray(np.cumsum(edges, axis=0)[:-1] > 0)
