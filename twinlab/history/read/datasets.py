"""The history as labelled arrays: an xarray Dataset (time, asset), lazy, with CF attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.build.cuts import retention_attributes
from twinlab.history.layout.grid import DAY_NS, Axis, Group, duration_text, rollup_steps
from twinlab.history.layout.rollup import COUNTS
from twinlab.history.read.dask_arrays import as_dask
from twinlab.history.read.lazy import Lazy, LazyCells, LazyShares, LazyWindows, with_read_ahead
from twinlab.history.read.meter_changes import cells_of_changes, changes_of
from twinlab.history.read.span_reader import Block, SpanReader
from twinlab.history.store.view import View
from twinlab.model.flags import flag_attributes
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import Signal, TwinModel, parse_duration

__all__ = ["dataset", "instant_ns", "natural_order"]

_FLAG_DTYPE = "uint8"
_AGGREGATES = {"gauge": ("mean", "min", "max", "sum", "count"), "counter": ("min", "max", "count"), "state": ("count",)}
_METHODS = {"mean": "time: mean", "min": "time: minimum", "max": "time: maximum", "sum": "time: sum"}


def instant_ns(instant: object) -> int:
    """Return an instant (text, datetime, datetime64; naive means UTC) in nanoseconds since 1970.

    Raises
    ------
    SchemaError
        If it isn't an instant, or one before 1677 or after 2262.

    >>> instant_ns("1970-01-02T01:00+01:00")
    86400000000000
    """
    try:
        stamp = pd.Timestamp(instant)  # type: ignore[arg-type]  # any of its many kinds
    except (ValueError, TypeError) as error:
        msg = f"expected an instant such as '2013-01-01' or '2013-01-01T00:00Z', got {instant!r}"
        raise SchemaError(msg) from error
    if str(stamp) == "NaT":
        msg = f"expected an instant such as '2013-01-01', got {instant!r}"
        raise SchemaError(msg)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    try:
        return int(stamp.as_unit("ns").value)
    except pd.errors.OutOfBoundsDatetime as error:
        msg = f"expected an instant from 1677-09-22 to 2262-04-11, the range of 64-bit nanoseconds, got {instant!r}"
        raise SchemaError(msg) from error


def natural_order(ids: Sequence[str]) -> list[int]:
    """Return the indices that sort ids in natural order: ``truck/2`` before ``truck/10``.

    >>> natural_order(["b10", "b9", "a"])
    [2, 1, 0]
    """
    numbers = _numbers(ids)
    if numbers is not None:
        # Ids that differ only by a number, as those of hundreds of thousands of parcels.
        found: list[int] = np.lexsort((np.array(ids), numbers)).tolist()
        return found

    def key(place: int) -> tuple[list[tuple[int, int, str]], str]:
        parts = re.split(r"(\d+)", ids[place])
        return [(1, int(p), "") if p.isdecimal() else (2, 0, p.casefold()) for p in parts if p], ids[place]

    return sorted(range(len(ids)), key=key)


def _numbers(ids: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the numbers at the end of ids if everything before them is the same, else None."""
    if len(ids) < 2:
        return None
    # A common prefix of the first and the last id in sort order is common to all.
    low, high = min(ids), max(ids)
    same = next(
        (place for place, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high))
    )
    start = len(low[:same].rstrip("0123456789"))
    rests = [one[start:] for one in ids]
    longest, shortest = max(map(len, rests)), min(map(len, rests))
    text = "".join(rests)
    if not shortest or longest > 18 or not (text.isascii() and text.isdecimal()):
        return None
    return np.array(rests).astype(np.int64)


def _asset_ids(view: View, asset_type: str, asset_ids: Sequence[str] | None) -> list[str]:
    if asset_ids is not None:
        return list(asset_ids)
    noted = view.meta.get("assets")
    found = noted.get(asset_type) if isinstance(noted, dict) else None
    if found is None:
        msg = f"expected the ids of {asset_type!r} in the history's metadata; pass `asset_ids` in storage order"
        raise SchemaError(msg)
    return [str(one) for one in found]


def _choose_signals(model: TwinModel, asset_type: str, signals: Sequence[str] | None) -> dict[str, Signal]:
    if asset_type not in model.asset_types:
        msg = f"expected an asset type of this twin, got {asset_type!r}{nearest(asset_type, model.asset_types)}"
        raise UnknownTermError(msg)
    known = model.asset_types[asset_type].signals
    for name in signals or ():
        if name not in known:
            msg = f"expected a signal of {asset_type!r}, got {name!r}{nearest(name, known)}"
            raise UnknownTermError(msg)
    return dict(known) if signals is None else {name: known[name] for name in signals}


def _choose_assets(ids: list[str], assets: Sequence[str] | None, asset_type: str) -> NDArray[np.int64]:
    if assets is None:
        return np.array(natural_order(ids), dtype=np.int64)
    places = {one: place for place, one in enumerate(ids)}
    for one in assets:
        if one not in places:
            msg = f"expected an asset of type {asset_type!r}, got {one!r}{nearest(one, places)}"
            raise UnknownTermError(msg)
    return np.array([places[one] for one in assets], dtype=np.int64)


def _extent(view: View, group: Group, overlay: Sequence[Block]) -> tuple[int, int]:
    spans = [(b.k0, b.k0 + len(next(iter(b.values.values())))) for b in overlay if b.values]
    if group in view.catalog.groups and view.catalog.groups[group].extent is not None:
        spans.append(view.extent(group))
    return (min(a for a, _ in spans), max(b for _, b in spans)) if spans else (0, 0)


def dataset(
    view: View,
    model: TwinModel,
    asset_type: str,
    *,
    signals: Sequence[str] | None = None,
    assets: Sequence[str] | None = None,
    start: object = None,
    stop: object = None,
    step: str | None = None,
    overlay: Sequence[Block] | None = None,
    asset_ids: Sequence[str] | None = None,
    mappings: Mapping[str, SourceMapping] | None = None,
) -> xr.Dataset:
    """Return the history of one asset type as a lazy Dataset, dims ``time, asset`` (assets in natural order).

    A selection reads only what it selects, if time and asset are selected in one call: ``sel(asset="a", time="2013-07-01")``.
    A list of assets is selected after reading: use ``assets``.

    Parameters
    ----------
    view : View
        The state of the history.
    signals, assets : sequences of str, optional
        In this order; all by default.
    start, stop : instants, optional
        Half-open span, by default of all cells. With ``step`` all windows that overlap it are complete.
    step : str, optional
        Aggregate to windows aligned to UTC midnight: gauges to ``_mean _min _max _sum _count``, counters to
        ``_increase _min _max _count``, states to ``_share`` (each state's share of the known time), all with counts of
        cells per flag (``_pass _not_evaluated _suspect _fail _missing``). Statistics are of cells that pass or are
        suspect.
        By default: values at the signals' cadence (states are filled until their next observation) and flags ``_qc``.
    overlay : sequence of Block, optional
        Cells that replace stored ones: the tail.
    asset_ids : sequence of str, optional
        Ids in storage order; those of the history's metadata (``meta["assets"][asset_type]``) by default.
    mappings : dict of source to Mapping, optional
        State when a counter's meters were replaced.

    Raises
    ------
    SchemaError
        If the signals have several cadences and ``step`` isn't given, or ``step`` isn't a multiple of the cadence.
    UnknownTermError
        If type, signal or asset isn't known; shows the nearest.
    """
    chosen = _choose_signals(model, asset_type, signals)
    ids = _asset_ids(view, asset_type, asset_ids)
    columns = _choose_assets(ids, assets, asset_type)
    groups = sorted({Group(asset_type, signal.cadence) for signal in chosen.values()})
    if step is None and len(groups) > 1:
        cadences = ", ".join(group.cadence for group in groups)
        msg = f"expected signals of one cadence, got {cadences}; give `step=` (a common one), or fewer `signals=`"
        raise SchemaError(msg)
    labels = [ids[place] for place in columns]
    tail = list(overlay or ())
    extents = {g: _extent(view, g, [b for b in tail if b.group == g]) for g in groups}
    span = _span_ns(view, extents, start, stop)
    parts = []
    for group in groups:
        mine = {n: s for n, s in chosen.items() if s.cadence_ns == group.cadence_ns}
        blocks = tuple(b for b in tail if b.group == group)
        axis = Axis(view.origin_ns, group.cadence_ns)
        changes = {
            name: cells_of_changes(changes_of(mappings or {}, asset_type, name), ids, axis)
            for name, signal in mine.items()
            if signal.kind == "counter"
        }
        reader = SpanReader(view.path, view.snapshot, group, mine, columns, extents[group], blocks, changes)
        parts.append(_group_dataset(reader, axis, span, step, labels))
    if not parts:
        return xr.Dataset(coords={"asset": ("asset", np.array(labels, dtype=object))})
    out = parts[0] if len(parts) == 1 else xr.merge(parts, join="exact", compat="no_conflicts")
    order = [v for name in chosen for v in out.data_vars if _belongs(str(v), name, chosen)]
    about = {"Conventions": "CF-1.11", "asset_type": asset_type, "snapshot": view.snapshot}
    first_ns = min(Axis(view.origin_ns, group.cadence_ns).time(extents[group][0]) for group in groups)
    return out[order].assign_attrs(about | retention_attributes(view.meta, chosen.values(), first_ns))


def _belongs(variable: str, name: str, chosen: dict[str, Signal]) -> bool:
    best = max((n for n in chosen if variable == n or variable.startswith(n + "_")), key=len, default="")
    return best == name


def _span_ns(view: View, extents: dict[Group, tuple[int, int]], start: object, stop: object) -> tuple[int, int]:
    axes = [(Axis(view.origin_ns, g.cadence_ns), e) for g, e in extents.items() if e[0] < e[1]]
    low = min((axis.time(e[0]) for axis, e in axes), default=view.origin_ns)
    high = max((axis.time(e[1]) for axis, e in axes), default=view.origin_ns)
    first = low if start is None else instant_ns(start)
    end = high if stop is None else instant_ns(stop)
    return max(first, view.origin_ns), max(end, first, view.origin_ns)


def _group_dataset(
    reader: SpanReader, axis: Axis, span: tuple[int, int], step: str | None, labels: list[str]
) -> xr.Dataset:
    if step is None:
        return _cells(reader, axis, span, labels)
    size = parse_duration(step)
    if size % axis.cadence_ns or (DAY_NS % size and size % DAY_NS):
        msg = (
            f"expected a step of whole cells of {reader.group.cadence} that divides a day (or is whole days), got {step!r}; "
            f"stored ones: {', '.join(rollup_steps(axis.cadence_ns)) or 'none'}"
        )
        raise SchemaError(msg)
    if size == axis.cadence_ns:
        step = reader.group.cadence
    return _windows(reader, Axis(axis.origin_ns, size), span, duration_text(size), labels)


def _labels(dim: str, index: pd.Index, attributes: Mapping[str, object] | None = None) -> xr.Variable:
    """Return a coordinate; from pandas' index, since xarray loads pint to look at an array of numpy."""
    made: xr.Variable = xr.IndexVariable(dim, index, attributes)  # type: ignore[no-untyped-call]
    return made


def _coords(axis: Axis, first: int, stop: int, labels: list[str]) -> dict[str, xr.Variable]:
    times = _labels(
        "time",
        pd.DatetimeIndex(axis.times(first, stop)),
        {"standard_name": "time", "long_name": "start of cell", "axis": "T"},
    )
    names = _labels("asset", pd.Index(labels, dtype=object), {"cf_role": "timeseries_id", "long_name": "asset"})
    return {"time": times, "asset": names}


def _attributes(name: str, signal: Signal) -> dict[str, object]:
    out: dict[str, object] = {"long_name": signal.title or name.replace("_", " ")}
    if signal.role != "measurement":
        out["role"] = signal.role
    if signal.kind == "state":
        codes = sorted(signal.states or {})
        out["flag_values"] = np.array(codes, dtype="int16")
        out["flag_meanings"] = " ".join((signal.states or {})[code].replace(" ", "_") for code in codes)
    else:
        out["units"] = signal.unit
        out["resolution"] = signal.resolution
    if signal.definition:
        out["comment"] = signal.definition
    out["kind"] = signal.kind
    return out


def _cells(reader: SpanReader, axis: Axis, span: tuple[int, int], labels: list[str]) -> xr.Dataset:
    first, stop = axis.cell_ceil(span[0]), axis.cell_ceil(span[1])
    offset = first - axis.year_cells(axis.year(first))[0]
    found: dict[str, _Read] = {}
    for name, signal in reader.signals.items():
        lazy = LazyCells(reader, name, first, stop - first)
        combine = {"last": "point", "min": "minimum", "max": "maximum"}.get(signal.combine, signal.combine)
        about = _attributes(name, signal) | {"ancillary_variables": f"{name}_qc", "cell_methods": f"time: {combine}"}
        found[name] = _Read(lazy, about)
        found[f"{name}_qc"] = _Read(LazyCells(reader, name, first, stop - first, flags=True), flag_attributes(name))
    return xr.Dataset(_variables(found, offset), coords=_coords(axis, first, stop, labels))


class _Read(NamedTuple):
    """A variable to be: what is read, its attributes, and its dimensions."""

    lazy: Lazy
    attributes: Mapping[str, object]
    dims: tuple[str, ...] = ("time", "asset")


def _variables(found: Mapping[str, _Read], offset: int = 0) -> dict[str, xr.Variable]:
    """Return variables whose data aren't read yet, as Dask arrays."""
    lazies = with_read_ahead({name: one.lazy for name, one in found.items()})
    return {
        name: xr.Variable(one.dims, as_dask(lazies[name], offset=offset), one.attributes) for name, one in found.items()
    }


def _windows(reader: SpanReader, axis: Axis, span: tuple[int, int], step: str, labels: list[str]) -> xr.Dataset:
    first, stop = axis.cell(span[0]), axis.cell_ceil(span[1])
    found: dict[str, _Read] = {}
    coords: dict[str, xr.Variable] = _coords(axis, first, stop, labels)
    for name, signal in reader.signals.items():
        about = _attributes(name, signal)
        for what in (*_AGGREGATES[signal.kind], *(("increase",) if signal.kind == "counter" else ()), *COUNTS):
            lazy = LazyWindows(reader, name, first, stop - first, step=step, statistic=what)
            found[f"{name}_{what}"] = _Read(lazy, _aggregate_attributes(about, what, step))
        if signal.kind == "state":
            share = LazyShares(reader, name, first, stop - first, step=step)
            dim = f"{name}_state"
            attributes = {
                "long_name": f"share of known time in each state of {name}",
                "units": "1",
                "cell_methods": "time: mean",
            }
            found[f"{name}_share"] = _Read(share, attributes, ("time", "asset", dim))
            states = [(signal.states or {})[int(code)] for code in share.codes]
            coords[dim] = _labels(dim, pd.Index(states, dtype=object))
    return xr.Dataset(_variables(found), coords=coords)


def _aggregate_attributes(about: dict[str, object], what: str, step: str) -> dict[str, object]:
    if what in COUNTS or what == "count":
        kind = "cells that pass or are suspect" if what == "count" else f"cells flagged {what.replace('_', ' ')}"
        return {
            "long_name": f"{kind}: {about['long_name']}",
            "units": "1",
            "cell_methods": f"time: sum (interval: {step})",
        }
    title = {
        "long_name": f"{about['long_name']} ({what})",
        "cell_methods": f"{_METHODS.get(what, 'time: sum')} (interval: {step})",
    }
    return {k: v for k, v in about.items() if k not in ("flag_values", "flag_meanings")} | title
