"""Compare the signals of a twin with tables of their true values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.kpis.settled import signal_watermark, sources_of
from twinlab.history.layout.cells import cells_of_rows
from twinlab.history.lineage.arrivals import arrivals
from twinlab.history.read.datasets import instant_ns
from twinlab.model.terms import nearest
from twinlab.quality.fidelity import arrival_delays, signal_fidelity

if TYPE_CHECKING:
    import xarray as xr

    from twinlab.history import HistoryReader
    from twinlab.model.asset_types import AssetType
    from twinlab.model.signal import Signal

__all__ = ["compare_with_truth"]

#: Columns of a table of truth that aren't signals.
_OTHERS = ("time", "asset", "recorded")


def compare_with_truth(
    reader: HistoryReader,
    truth: Mapping[str, pd.DataFrame],
    *,
    span: tuple[object, object] = (None, None),
    assets: Sequence[str] | None = None,
    tolerances: Mapping[str, float] | None = None,
    by_asset: bool = False,
) -> pd.DataFrame:
    """Return the fidelity of signals; see `Twin.fidelity`."""
    found = []
    stated = dict(tolerances or {})
    start, stop = (None if one is None else np.datetime64(instant_ns(one), "ns") for one in span)
    _check_names(truth, stated, assets)
    for asset_type, given in truth.items():
        rows = _checked(reader, asset_type, given, assets)
        kinds = reader.model.asset_types[asset_type].signals
        signals = {
            name: kinds[name]
            for name in rows.columns
            if name not in _OTHERS and sources_of(reader.mappings, asset_type, name)
        }
        by_cadence = sorted(signals, key=lambda name: signals[name].cadence_ns)
        for cadence, names in groupby(by_cadence, key=lambda name: signals[name].cadence_ns):
            one = {name: signals[name] for name in names}
            cells = _true_cells(rows, one, reader.model.origin_ns, (start, stop))
            own = {name: stated[name] for name in one if name in stated}
            table = signal_fidelity(
                _history(reader, asset_type, cells, cadence), cells, tolerances=own, by_asset=by_asset
            )
            delays = _delays(reader, asset_type, cells, rows, cadence, by_asset=by_asset).reindex(table.index)
            found.append(pd.concat({asset_type: pd.concat([table, delays], axis=1)}, names=["asset_type"]))
    if not found:
        msg = f"fidelity: expected true values of a signal that a mapping has, got tables of {sorted(truth)}"
        raise SchemaError(msg)
    # Sorted, so that pandas finds the rows of a signal quickly.
    return pd.concat(found).sort_index()


def _check_names(
    truth: Mapping[str, pd.DataFrame], tolerances: Mapping[str, float], assets: Sequence[str] | None
) -> None:
    """Refuse tolerances of signals, and assets, that no table of the truth has."""
    columns = {str(name) for table in truth.values() for name in table.columns}
    for name in tolerances:
        if name not in columns:
            msg = f"fidelity: expected tolerances of signals in the truth, got {name!r}{nearest(name, columns)}"
            raise UnknownTermError(msg)
    known = {str(name) for table in truth.values() if "asset" in table for name in table["asset"].unique()}
    for asset in assets or ():
        if asset not in known:
            msg = f"fidelity: the truth has no asset {asset!r}{nearest(asset, known)}"
            raise UnknownTermError(msg)


def _checked(reader: HistoryReader, asset_type: str, given: pd.DataFrame, assets: Sequence[str] | None) -> pd.DataFrame:
    """Return the rows of a table of truth that are compared, times as naive UTC."""
    if asset_type not in reader.model.asset_types:
        msg = f"fidelity: unknown asset type {asset_type!r}{nearest(asset_type, reader.model.asset_types)}"
        raise UnknownTermError(msg)
    kind: AssetType = reader.model.asset_types[asset_type]
    for name in ("time", "asset"):
        if name not in given:
            msg = f"fidelity: expected a column {name!r} in the truth of {asset_type!r}, got {[*given.columns]}"
            raise SchemaError(msg)
    for name in given.columns:
        if name not in _OTHERS and name not in kind.signals:
            msg = f"fidelity: {asset_type!r} has no signal {name!r}{nearest(str(name), kind.signals)}"
            raise UnknownTermError(msg)
    times = pd.to_datetime(given["time"], utc=True).dt.tz_localize(None).astype("datetime64[ns]")
    rows = given.assign(time=times, asset=given["asset"].astype(str))
    if "recorded" in rows:
        rows["recorded"] = pd.to_datetime(rows["recorded"], utc=True).dt.tz_localize(None).astype("datetime64[ns]")
    found = rows if assets is None else rows[rows["asset"].isin(list(assets))]
    found.attrs.update(given.attrs)
    return found


def _true_cells(
    rows: pd.DataFrame, signals: Mapping[str, Signal], origin_ns: int, span: tuple[np.datetime64 | None, np.datetime64 | None]
) -> xr.Dataset:  # fmt: skip
    """Return the whole cells of a span, of signals of one cadence, with the units that the table states."""
    cells = cells_of_rows(rows, signals, origin_ns=origin_ns)
    step = np.timedelta64(next(iter(signals.values())).cadence_ns, "ns")
    kept = np.ones(cells.sizes["time"], dtype=bool)
    kept &= True if span[0] is None else cells.time.values >= span[0]
    kept &= True if span[1] is None else cells.time.values + step <= span[1]
    for name, unit in rows.attrs.get("units", {}).items():
        if name in cells:
            cells[name].attrs["units"] = unit
    return cells.isel(time=kept)


def _history(reader: HistoryReader, asset_type: str, cells: xr.Dataset, cadence: int) -> xr.Dataset:
    """Return the twin's cells of the span of some true ones, without values where later rows of a cell may still come."""
    names = [str(name) for name in cells.data_vars]
    if not cells.sizes["time"]:
        return reader.history(asset_type, signals=names).isel(time=slice(0))
    first, last = cells.time.values[[0, -1]]
    found = reader.history(asset_type, signals=names, start=first, stop=last + np.timedelta64(1, "ns"))
    ends = found.time + np.timedelta64(cadence, "ns")
    for name in names:
        mark = signal_watermark(reader, asset_type, name)
        if mark is not None:
            found[name] = found[name].where(ends <= np.datetime64(mark, "ns"))
    return found


def _delays(
    reader: HistoryReader, asset_type: str, cells: xr.Dataset, rows: pd.DataFrame, cadence: int, *, by_asset: bool
) -> pd.DataFrame:
    """Return the median and the 99th percentile of the delays of each signal, or of each asset of a signal."""
    keys = ["signal", "asset"] if by_asset else ["signal"]
    columns = ["latency_p50", "latency_p99"]
    if not cells.sizes["time"]:
        return pd.DataFrame(columns=columns, dtype="float64")
    step = np.timedelta64(cadence, "ns")
    stop = cells.time.values[-1] + step
    seen = arrivals(reader, asset_type, start=cells.time.values[0], stop=stop)
    seen = seen[seen["signal"].isin([str(name) for name in cells.data_vars])]
    delays = arrival_delays(seen, rows, within=step).groupby(keys)["delay"]
    return pd.DataFrame({"latency_p50": delays.quantile(0.5), "latency_p99": delays.quantile(0.99)})[columns]
