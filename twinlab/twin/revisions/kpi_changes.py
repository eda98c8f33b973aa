"""Which KPIs a revision changes: their values and bounds before and after, window by window."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.kpis.compute import kpi, subjects_of
from twinlab.events.kpis.over_time.results import signals_in
from twinlab.model.basics import parse_duration
from twinlab.model.kpis.formulas import TimeAggregate

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.twinmodel import TwinModel

__all__ = ["KPI_CHANGE_COLUMNS", "Changed", "kpi_changes", "kpi_means", "no_kpi_changes"]

_VALUES = ("value", "low", "high", "coverage")
#: Columns of `kpi_changes` and their types.
KPI_CHANGE_COLUMNS: dict[str, str] = {
    "kpi": "str",
    "start": "datetime64[ns]",
    "end": "datetime64[ns]",
    **{f"{name}_{when}": "float64" for name in _VALUES for when in ("before", "after")},
    "unit_before": "str",
    "unit_after": "str",
}


@dataclass(frozen=True)
class Changed:
    """What differs between two states of a twin."""

    signals: Collection[tuple[str, str]]
    """Asset type and signal of changed cells."""
    first: np.datetime64 | None
    """Start of the first changed cell; None without any."""
    event_types: Collection[str]
    """Types with changed events."""
    tables: bool
    """Whether properties of assets or relationships differ."""


def kpi_changes(
    readers: tuple[HistoryReader, HistoryReader], changed: Changed, span: tuple[int | None, int | None]
) -> pd.DataFrame:
    """Compare the KPIs of two states of a twin that depend on what differs, each in windows of its period.

    Parameters
    ----------
    readers : (HistoryReader, HistoryReader)
        Readers of both states, before and after, each with its own definitions.
    changed : Changed
    span : (int or None, int or None)
        Compare only windows that overlap ``[start, stop)``, ns since 1970.

    Returns
    -------
    DataFrame
        Columns as `KPI_CHANGE_COLUMNS`: a row for each window in which the value, a bound or the coverage differs; NaN where a
        state doesn't have the KPI, or its value isn't known.
    """
    old, new = (one.model for one in readers)
    parts = []
    for name in dict.fromkeys([*old.kpis, *new.kpis]):
        anywhere = changed.tables or _redefined(name, old, new)
        if not anywhere and not _depends(new.kpis[name], new, changed):
            continue
        first = None if anywhere or not _of_cells(new.kpis[name], new) else changed.first
        times = _window(readers, name, first, span)
        if times is not None:
            parts.append(_compared(readers, name, times))
    if not parts:
        return no_kpi_changes()
    return pd.concat(parts, ignore_index=True)[list(KPI_CHANGE_COLUMNS)].astype(KPI_CHANGE_COLUMNS)


def no_kpi_changes() -> pd.DataFrame:
    """Return the table of `kpi_changes` without a row."""
    return pd.DataFrame(columns=list(KPI_CHANGE_COLUMNS)).astype(KPI_CHANGE_COLUMNS)


def kpi_means(changes: pd.DataFrame) -> pd.DataFrame:
    """Return a row a KPI: ``kpi, windows, value_before, value_after, unit_before, unit_after, first, last``.

    The values are means over the windows that `kpi_changes` lists.

    >>> day = pd.Timestamp("2026-03-01")
    >>> one = {"kpi": "uptime", "start": day, "end": day + pd.Timedelta("1D"), "unit_before": "%", "unit_after": "%"}
    >>> kpi_means(pd.DataFrame([{**one, "value_before": 90.0, "value_after": 95.0}]))[["kpi", "windows"]].values.tolist()
    [['uptime', 1]]
    """
    return changes.groupby("kpi", sort=False, as_index=False).agg(
        windows=("start", "size"),
        value_before=("value_before", "mean"),
        value_after=("value_after", "mean"),
        unit_before=("unit_before", "first"),
        unit_after=("unit_after", "first"),
        first=("start", "min"),
        last=("end", "max"),
    )


def _redefined(name: str, old: TwinModel, new: TwinModel) -> bool:
    """Return whether the KPI differs, or what its asset types and event types are: a sensor's span is in the bounds."""
    if old.kpis.get(name) != new.kpis.get(name):
        return True
    kinds = {
        part.asset_type if isinstance(part, TimeAggregate) else part.event_type
        for part in new.kpis[name].bound(new).aggregates
    }
    tables = [(one.asset_types, one.event_types, one.relationships) for one in (old, new)]
    return any(was.get(kind) != now.get(kind) for kind in kinds for was, now in zip(*tables, strict=True))


def _of_cells(one: Kpi, model: TwinModel) -> bool:
    return all(isinstance(part, TimeAggregate) for part in one.bound(model).aggregates)


def _depends(one: Kpi, model: TwinModel, changed: Changed) -> bool:
    return any(
        any((part.asset_type, name) in changed.signals for name in signals_in([part]))
        if isinstance(part, TimeAggregate)
        else part.event_type in changed.event_types
        for part in one.bound(model).aggregates
    )


def _window(
    readers: tuple[HistoryReader, HistoryReader],
    name: str,
    first: np.datetime64 | None,
    span: tuple[int | None, int | None],
) -> tuple[int, int] | None:
    """Return the span of whole windows to compare: from the first change on, since nothing depends on later cells."""
    having = [one for one in readers if name in one.model.kpis]
    extents = [found for one in having if (found := subjects_of(one, name, on=None, by=None)[1].extent()) is not None]
    if not extents:
        return None
    low, high = min(one for one, _ in extents), max(one for _, one in extents)
    day = 86_400 * 10**9
    origin = low // day * day
    width = parse_duration(having[-1].model.kpis[name].period)
    starts = [] if first is None else [int(first.astype("datetime64[ns]").astype(np.int64))]
    starts += [] if span[0] is None else [span[0]]
    # Windows of several days begin at the start: they are those that twin.kpi has without one.
    low = max(low, *(origin + (at - origin) // width * width for at in starts)) if starts else low
    high = high if span[1] is None else min(high, span[1])
    return (low, high) if low < high else None


def _compared(readers: tuple[HistoryReader, HistoryReader], name: str, times: tuple[int, int]) -> pd.DataFrame:
    start, stop = (np.datetime64(at, "ns") for at in times)
    tables, units, widths = [], [], []
    for reader in readers:
        if name not in reader.model.kpis:
            tables.append(pd.DataFrame(columns=list(_VALUES), index=pd.DatetimeIndex([]), dtype=float))
            units.append("")
            continue
        data = kpi(reader, name, start=start, stop=stop)
        tables.append(
            pd.DataFrame({one: data[one].values for one in _VALUES}, index=pd.DatetimeIndex(data["time"].values))
        )
        units.append(str(data.attrs["units"]))
        widths.append(parse_duration(data.attrs["every"]))
    before, after = tables
    found = before.add_suffix("_before").join(after.add_suffix("_after"), how="outer")
    same = np.ones(len(found), dtype=bool)
    for one in _VALUES:
        was, now = found[f"{one}_before"].to_numpy(), found[f"{one}_after"].to_numpy()
        same &= (was == now) | (np.isnan(was) & np.isnan(now))
    found = found.loc[~same]
    return found.assign(
        kpi=name,
        start=found.index,
        end=found.index + pd.Timedelta(widths[-1], "ns"),
        unit_before=units[0],
        unit_after=units[1],
    )
