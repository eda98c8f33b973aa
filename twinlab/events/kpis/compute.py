"""`kpi`: the one function that charts, tables, alerts, exports and notebooks take a KPI from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.events.kpis.bounded import Bounded
from twinlab.events.kpis.definitions import definition_of
from twinlab.events.kpis.groups import (
    ALL,
    Path,
    group_labels,
    group_of_events,
    group_path,
    labels_of_assets,
    memberships,
)
from twinlab.events.kpis.intervals import Interval, Leaves, value_bounds
from twinlab.events.kpis.over_events.results import WindowEvents, event_table, over_events, times_of
from twinlab.events.kpis.over_time.aggregates import Folded
from twinlab.events.kpis.over_time.parts import results_on
from twinlab.events.kpis.over_time.results import Results, ResultsHere, TimeInput, assets_of, over_time, signals_in
from twinlab.events.kpis.settled import last_actual, settled_watermark
from twinlab.events.kpis.windows import Windows, windows
from twinlab.events.reading import instant_ns
from twinlab.history.read.datasets import natural_order
from twinlab.model.basics import parse_duration
from twinlab.model.kpis.formulas import EventAggregate, Formula, TimeAggregate
from twinlab.model.kpis.subjects import Subjects
from twinlab.model.units import conversion, convert

if TYPE_CHECKING:
    import xarray as xr
    from distributed import Client

    from twinlab.model.kpis.definition import Kpi
    from twinlab.model.reader import TwinReader

__all__ = ["KpiSubjects", "first_time", "kpi", "subjects_of"]

_NEVER = np.iinfo(np.int64).min


def kpi(
    twin: TwinReader,
    name: str | Kpi,
    *,
    on: str | None = None,
    by: str | None = None,
    every: str | None = None,
    start: object = None,
    stop: object = None,
    client: Client | None = None,
) -> xr.Dataset:
    """Return a KPI by window, and by group if asked for, with bounds; see `twinlab.Twin.kpi`."""
    key, found = definition_of(twin.model, name, on)
    subjects = KpiSubjects.of(twin, found, found.bound(twin.model), by)
    formula = subjects.formula
    width = every or found.period
    spanned = _span(subjects, start, stop, key)
    chosen = windows(*spanned, parse_duration(width), every=width)
    with results_on(client, twin) as computing:
        results = subjects.results(chosen, computing)
    result = _outer(formula, results)
    unit = found.unit or formula.unit
    result = result.scaled(*conversion(formula.unit, unit))
    kind = found.kind
    if kind is not None and kind.limits is not None:
        result = result.limited(*convert(kind.limits, kind.unit, unit))
    result = result.clipped()
    return _dataset(key, found, formula, unit, by, width, chosen, subjects, results, result)


def subjects_of(twin: TwinReader, name: str | Kpi, *, on: str | None, by: str | None) -> tuple[Kpi, KpiSubjects]:
    """Return the definition of a KPI, and what it is about; arguments and errors as for `kpi`."""
    _, found = definition_of(twin.model, name, on)
    return found, KpiSubjects.of(twin, found, found.bound(twin.model), by)


def first_time(twin: TwinReader, name: str | Kpi, *, on: str | None = None) -> np.datetime64 | None:
    """Return the midnight (UTC) before the first data of a KPI, where its windows begin; None without data."""
    extent = subjects_of(twin, name, on=on, by=None)[1].extent()
    return None if extent is None else np.datetime64(extent[0], "ns").astype("datetime64[D]").astype("datetime64[ns]")


@dataclass
class KpiSubjects:
    """What a formula's aggregates are about: assets of types and events of types, and how they are grouped."""

    twin: TwinReader
    kpi: Kpi
    formula: Formula
    by: str | None
    paths: dict[str, Path]
    assets: dict[str, list[str]]
    tables: dict[str, pd.DataFrame]
    labels: list[str]

    @classmethod
    def of(cls, twin: TwinReader, found: Kpi, formula: Formula, by: str | None) -> KpiSubjects:
        """Return the assets and events of a formula's aggregates, read from a twin."""
        kinds = dict.fromkeys(
            one.asset_type if isinstance(one, TimeAggregate) else one.event_type for one in formula.aggregates
        )
        paths = {kind: group_path(Subjects(twin.model), kind, by, found.groups) for kind in kinds}
        out = cls(twin, found, formula, by, paths, {}, {}, [])
        for kind in kinds:
            if kind in twin.model.asset_types:
                out.assets[kind] = assets_of(twin, kind, signals_in(out.of_type(kind)))
            else:
                out.tables[kind] = event_table(twin, kind)
        return out

    def of_type(self, kind: str) -> list[TimeAggregate]:
        """Return the aggregates of an asset type."""
        return [one for one in self.formula.aggregates if isinstance(one, TimeAggregate) and one.asset_type == kind]

    def of_events(self, kind: str) -> list[EventAggregate]:
        """Return the aggregates of an event type."""
        return [one for one in self.formula.aggregates if isinstance(one, EventAggregate) and one.event_type == kind]

    @property
    def at(self) -> str:
        """Which time puts an event into a window."""
        return self.kpi.at or "planned_start"

    def extent(self) -> tuple[int, int] | None:
        """Return the span in which there is something of the type that the KPI is on; of any type if there is nothing."""
        first = [self.kpi.on] if self.kpi.on in self.paths else []
        for kind in [*first, *self.paths]:
            if kind in self.tables:
                times = times_of(self.tables[kind], self.at)
                times = times[times != _NEVER]
                if len(times):
                    return int(times.min()), int(times.max()) + 1
                continue
            spec = self.twin.model.asset_types[kind]
            signals = signals_in(self.of_type(kind))
            axes = [self.twin.history(kind, signals=[name])["time"].values for name in signals]
            ends = [
                (int(axis[0].astype("int64")), int(axis[-1].astype("int64")) + spec.signals[name].cadence_ns)
                for name, axis in zip(signals, (one.astype("datetime64[ns]") for one in axes), strict=True)
                if len(axis)
            ]
            if ends:
                return min(low for low, _ in ends), max(high for _, high in ends)
        return None

    def settled_ns(self) -> int:
        """Return the earliest time up to which all that the formula needs is complete; the least int64 if nothing is."""
        marks: list[int] = []
        for kind in self.assets:
            for name in signals_in(self.of_type(kind)):
                mark = settled_watermark(self.twin, kind, name)
                if mark is None:
                    axis = self.twin.history(kind, signals=[name])["time"].values.astype("datetime64[ns]")
                    mark = int(axis[-1].astype("int64")) if len(axis) else None
                cadence, origin = self.twin.model.asset_types[kind].signals[name].cadence_ns, self.twin.model.origin_ns
                # The cell that a report is in has its value: to the end of the cell all is known.
                marks.append(_NEVER if mark is None else mark - (mark - origin) % cadence + cadence)
        for table in self.tables.values():
            last = last_actual(table)
            marks.append(_NEVER if last is None else last)
        return min(marks)

    def results(self, chosen: Windows, computing: Results | None = None) -> list[Folded]:
        """Return the aggregates by window and group, in the order of the formula; computed here by default."""
        computing = computing or ResultsHere(self.twin)
        events = {kind: self.events_in(kind, chosen) for kind in self.tables}
        labels = [label for kind, assets in self.assets.items() for label in self._labels(kind, assets)]
        labels += [label for _, _, found in events.values() for label in group_labels(found.unique().tolist())]
        once = list(dict.fromkeys(labels))
        # Without groups there is one, whether it has an event or not.
        self.labels = [ALL] if self.by is None else [once[place] for place in natural_order(once)] if once else []
        found: dict[TimeAggregate | EventAggregate, Folded] = {}
        for kind, assets in self.assets.items():
            mine = self.of_type(kind)
            groups = memberships(self.twin, kind, self.paths[kind], assets, self.labels)
            given = TimeInput(tuple(mine), tuple(assets), groups, len(self.labels))
            found |= dict(zip(mine, over_time(self.twin, given, chosen, computing), strict=True))
        for kind, (table, place, label) in events.items():
            group = pd.Index(self.labels, dtype=object).get_indexer(
                pd.Index(label.to_numpy(dtype=object), dtype=object)
            )
            settled = self._settled_share(kind, chosen)
            spec = Subjects(self.twin.model).event_types[kind]
            of_windows = WindowEvents(table, spec, place, group.astype(np.int64), len(self.labels), settled)
            mine_too = self.of_events(kind)
            found |= dict(zip(mine_too, over_events(of_windows, mine_too, chosen), strict=True))
        return [found[one] for one in self.formula.aggregates]

    def _labels(self, kind: str, assets: list[str]) -> list[str]:
        return labels_of_assets(self.twin, kind, self.paths[kind], assets)

    def events_in(self, kind: str, chosen: Windows) -> tuple[pd.DataFrame, NDArray[np.int64], pd.Series]:
        """Return the events of the windows, the window of each, and the label of its group."""
        table = self.tables[kind]
        times = times_of(table, self.at)
        place = chosen.of(times)
        keep = np.flatnonzero((place >= 0) & (times != _NEVER))
        rows = table.iloc[keep].reset_index(drop=True)
        return rows, place[keep], group_of_events(self.twin, kind, self.paths[kind], rows, times[keep])

    def _settled_share(self, kind: str, chosen: Windows) -> NDArray[np.float64]:
        last = last_actual(self.tables[kind])
        if last is None:
            return np.zeros(len(chosen))
        return np.clip((last - chosen.edges[:-1]) / chosen.width_ns, 0.0, 1.0)


@dataclass(frozen=True)
class _ResultLeaves:
    """The aggregates of a formula by their names: ``#0``, ``#1`` and so on."""

    results: list[Interval]

    cadence_ns = None

    def column(self, name: str) -> Interval:
        """Return an aggregate."""
        return self.results[int(name[1:])]

    def signal(self, name: str) -> Interval:
        """Raise an error: a formula's names are aggregates."""
        raise NotImplementedError(name)

    reports = property = text = calculated = signal


def _leaves(results: list[Interval]) -> Leaves:
    return cast("Leaves", _ResultLeaves(results))


def _outer(formula: Formula, results: list[Folded]) -> Bounded:
    """Return the formula of its aggregates."""
    best = [Interval.exact(one.result.value) for one in results]
    ends = [Interval(one.result.low, one.result.high) for one in results]
    value = value_bounds(formula.value, _leaves(best))
    found = value_bounds(formula.value, _leaves(ends))
    return Bounded(value.low, found.low, found.high)


def _span(subjects: KpiSubjects, start: object, stop: object, name: str) -> tuple[int, int]:
    """Return the span asked for; where it is open, that of the data."""
    extent = None if start is not None and stop is not None else subjects.extent()
    if (start is None or stop is None) and extent is None:
        msg = f"the KPI {name!r} has no data yet; give start and stop, or ingest data first"
        raise SchemaError(msg)
    low = instant_ns(start) if start is not None else cast("tuple[int, int]", extent)[0]
    high = instant_ns(stop) if stop is not None else cast("tuple[int, int]", extent)[1]
    return low, high


def _dataset(  # noqa: PLR0917
    name: str,
    found: Kpi,
    formula: Formula,
    unit: str,
    by: str | None,
    width: str,
    chosen: Windows,
    subjects: KpiSubjects,
    results: list[Folded],
    result: Bounded,
) -> xr.Dataset:
    import xarray as xr  # noqa: PLC0415  (xarray is imported when needed)

    with np.errstate(invalid="ignore", divide="ignore"):
        coverage = np.min([one.sure / one.expected for one in results], axis=0)
    samples = np.sum([one.samples for one in results], axis=0)
    settled = subjects.settled_ns()
    title = found.title or name
    about = {"units": unit, "long_name": title}
    variables = {
        "value": (result.value, about | {"ancillary_variables": "low high coverage samples settled_until"}),
        "low": (result.low, {"units": unit, "long_name": f"{title}: least that it can be"}),
        "high": (result.high, {"units": unit, "long_name": f"{title}: greatest that it can be"}),
        "coverage": (coverage, {"units": "1", "long_name": "share of what it is made of that is known"}),
        "samples": (samples.astype(np.int64), {"units": "1", "long_name": "cells or events with a value"}),
    }
    dims: tuple[str, ...] = ("time",) if by is None else ("time", by)
    data: dict[str, object] = {
        key: (dims, array if by is not None else array[:, 0], attributes)
        for key, (array, attributes) in variables.items()
    }
    nothing = settled == _NEVER
    until = np.datetime64("NaT", "ns") if nothing else np.datetime64(settled, "ns")
    data["settled_until"] = ((), until, {"long_name": "time up to which nothing more is expected"})
    coords: dict[str, object] = {
        "time": ("time", chosen.starts, {"standard_name": "time", "long_name": "start of window", "axis": "T"})
    }
    if by is not None:
        coords[by] = (by, np.array(subjects.labels, dtype=object), {"long_name": by.replace("_", " ")})
    aim = found.model_copy(update={"unit": unit}).aim()
    attributes = {
        "Conventions": "CF-1.11",
        "title": title,
        "kpi": name,
        "on": found.on,
        "owner": found.owner,
        "definition": found.definition,
        "formula": formula.text,
        "units": unit,
        "every": width,
        "target": found.target,
        "target_value": aim.value if aim else None,
        "target_operator": aim.operator if aim else None,
    }
    return xr.Dataset(data, coords, {key: value for key, value in attributes.items() if value is not None})
