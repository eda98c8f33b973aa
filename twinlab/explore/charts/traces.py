"""Traces of a chart from arrays: one per curve, with gaps, flagged samples and missing runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from twinlab.errors import SchemaError
from twinlab.explore.charts.scale import runs
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["Trace", "count_flags", "raw_traces", "rollup_traces", "without_short_gaps"]

_NO_TIMES: NDArray[np.datetime64] = np.empty(0, "datetime64[ns]")
_NO_VALUES: NDArray[np.float64] = np.empty(0)


@dataclass(frozen=True)
class Marks:
    """Samples with one flag: time, value (NaN if only their number is known) and number."""

    time: NDArray[np.datetime64] = field(default_factory=lambda: _NO_TIMES)
    value: NDArray[np.float64] = field(default_factory=lambda: _NO_VALUES)
    count: NDArray[np.float64] = field(default_factory=lambda: _NO_VALUES)


@dataclass(frozen=True)
class Trace:
    """One curve. NaN in ``value`` is a gap; ``missing`` are the gaps that are known to be missing data."""

    label: str
    # Number of the curve, which determines colour and dash.
    place: int
    time: NDArray[np.datetime64]
    value: NDArray[np.float64]
    # Smallest and largest sample of each cell; equal to ``value`` for raw samples.
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    # Samples in each cell.
    count: NDArray[np.float64]
    suspect: Marks
    fail: Marks
    # [start, stop) of runs of missing cells, shape (n, 2).
    missing: NDArray[np.datetime64]
    step: bool = False
    # Index of the asset.
    asset: int = 0
    # Number of the period, 0 for the shown one, and of its faint style.
    period: int = 0
    faint: int = 0
    # Instants of the cells of a comparison period; None for those of the time axis.
    own: NDArray[np.datetime64] | None = None

    @property
    def band(self) -> bool:
        """Whether cells have several samples."""
        return self.low is not self.value


def raw_traces(
    values: xr.DataArray, flags: xr.DataArray | None, *, labels: Mapping[str, str] | None = None, step: bool = False
) -> list[Trace]:
    """Return one trace per asset of raw samples.

    Parameters
    ----------
    values : DataArray, dims ``time`` and optionally ``asset``
        NaN is a gap.
    flags : DataArray like ``values``, optional
        QARTOD numbers. A failed sample is a mark, not part of the curve.

    Raises
    ------
    SchemaError
        If there is no ``time``, a dim other than ``asset``, or the flags have another shape.
    """
    values = _time_by_asset(values)
    grid = values.values.astype(float)
    flag_grid = np.full(grid.shape, Flag.PASS, "uint8") if flags is None else _time_by_asset(flags).values
    if flag_grid.shape != grid.shape:
        msg = f"flags must have the values' shape {grid.shape}, got {flag_grid.shape}; select both alike"
        raise SchemaError(msg)
    time = values.time.values.astype("datetime64[ns]")
    edges = _edges(time)
    out = []
    for place, asset in enumerate(map(str, values.asset.values)):
        value, flag = grid[:, place], flag_grid[:, place]
        failed = flag == Flag.FAIL
        line = np.where(failed, np.nan, value)
        out.append(
            Trace(
                label=(labels or {}).get(asset, asset),
                place=place,
                time=time,
                value=line,
                low=line,
                high=line,
                count=np.isfinite(line).astype(float),
                suspect=_marks(time, value, flag == Flag.SUSPECT),
                fail=_marks(time, value, failed),
                missing=_runs(edges, (flag == Flag.MISSING) & np.isnan(value)),
                step=step,
            )
        )
    return out


def rollup_traces(
    data: xr.Dataset,
    signal: str,
    *,
    failed: xr.DataArray | None = None,
    labels: Mapping[str, str] | None = None,
) -> list[Trace]:
    """Return the traces of a rollup: one per asset; for shares of states one per asset and state.

    Parameters
    ----------
    data : Dataset, dims ``time, asset``
        ``<signal>_mean/_min/_max/_count`` (gauge), ``_increase`` (counter) or ``_share`` (state), and counts per flag.
    failed : DataArray, dims ``time, asset``, optional
        Raw values of failed samples, NaN elsewhere. By default failed samples are known only by their cell.

    Raises
    ------
    SchemaError
        If ``data`` has no rollup of the signal.
    """
    parts = {part: data[f"{signal}_{part}"] for part in _PARTS if f"{signal}_{part}" in data}
    time = data["time"].values.astype("datetime64[ns]")
    names = [str(a) for a in np.atleast_1d(data["asset"].values)]
    if "share" in parts:
        curves = _share_curves(parts["share"], signal, names, labels or {})
    elif "mean" in parts or "increase" in parts:
        main = parts["mean"] if "mean" in parts else parts["increase"]
        curves = _plain_curves(main, parts.get("min", main), parts.get("max", main), names, labels or {})
    else:
        msg = f"expected {signal}_mean, {signal}_increase or {signal}_share, got {sorted(map(str, data.data_vars))}"
        raise SchemaError(msg)
    edges = _edges(time)
    out = []
    for label, place, value, low, high in curves:
        counts = {
            k: _column(parts[k], place).astype(float) for k in ("suspect", "fail", "missing", "pass") if k in parts
        }
        zero = np.zeros(time.size)
        samples = counts.get("pass", zero) + counts.get("suspect", zero)
        missing = (counts.get("missing", zero) > 0) & (samples == 0) & (counts.get("fail", zero) == 0)
        shown = np.where(samples > 0, value, np.nan) if "pass" in counts else value
        out.append(
            Trace(
                label=label,
                place=place,
                time=time,
                value=shown,
                low=low,
                high=high,
                count=samples,
                suspect=_cell_marks(time, shown, counts.get("suspect", zero)),
                fail=_fail_marks(time, counts.get("fail", zero), failed, names[place]),
                missing=_runs(edges, missing),
            )
        )
    return out


def without_short_gaps(traces: Sequence[Trace], shortest: np.timedelta64) -> list[Trace]:
    """Return traces without missing runs up to ``shortest``, which remain gaps of the curve."""
    return [replace(trace, missing=trace.missing[np.diff(trace.missing, axis=1)[:, 0] > shortest]) for trace in traces]


def count_flags(traces: list[Trace]) -> dict[Flag, int]:
    """Return the numbers of suspect and failed samples, and of missing runs."""
    return {
        Flag.SUSPECT: int(sum(np.nansum(t.suspect.count) for t in traces)),
        Flag.FAIL: int(sum(np.nansum(t.fail.count) for t in traces)),
        Flag.MISSING: sum(len(t.missing) for t in traces),
    }


_PARTS = ("mean", "min", "max", "increase", "share", "pass", "suspect", "fail", "missing")


def _time_by_asset(array: xr.DataArray) -> xr.DataArray:
    if "time" not in array.dims or not set(map(str, array.dims)) <= {"time", "asset"}:
        msg = f"expected the dims 'time' and optionally 'asset', got {array.dims}; select or rename first"
        raise SchemaError(msg)
    if "asset" not in array.dims:
        name = (
            str(array["asset"].values)
            if "asset" in array.coords
            else str("value" if array.name is None else array.name)
        )
        array = array.drop_vars("asset", errors="ignore").expand_dims(asset=[name])
    return array.transpose("time", "asset")


def _column(array: xr.DataArray, place: int) -> NDArray[np.float64]:
    # Usually no transposition is needed, and the values are used without another DataArray.
    ordered = array if array.dims == ("time", "asset") else _time_by_asset(array)
    column: NDArray[np.float64] = ordered.values[:, place]
    return column


def _edges(time: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """Return the starts of cells, and the end of the last one."""
    if time.size == 0:
        return time
    width = np.median(np.diff(time)) if time.size > 1 else np.timedelta64(60, "s")
    return np.append(time, time[-1] + width)


def _runs(edges: NDArray[np.datetime64], missing: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    spans = runs(missing)
    return edges[spans] if spans.size else np.empty((0, 2), "datetime64[ns]")


def _marks(time: NDArray[np.datetime64], value: NDArray[np.float64], where: NDArray[np.bool_]) -> Marks:
    return Marks(time[where], value[where], np.ones(int(where.sum())))


def _cell_marks(time: NDArray[np.datetime64], value: NDArray[np.float64], count: NDArray[np.float64]) -> Marks:
    where = count > 0
    return Marks(time[where], value[where], count[where])


def _fail_marks(
    time: NDArray[np.datetime64], count: NDArray[np.float64], failed: xr.DataArray | None, asset: str
) -> Marks:
    """Return marks at the failed samples if they were read, else at their cells, without a value."""
    if failed is None or asset not in failed["asset"].values:
        return _cell_marks(time, np.full(time.size, np.nan), count)
    column = failed.sel(asset=asset)
    values = column.values.astype(float)
    return _marks(column["time"].values.astype("datetime64[ns]"), values, np.isfinite(values))


_Curve = tuple[str, int, "NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]


def _plain_curves(
    main: xr.DataArray, low: xr.DataArray, high: xr.DataArray, names: list[str], labels: Mapping[str, str]
) -> list[_Curve]:
    return [
        (labels.get(name, name), place, _column(main, place), _column(low, place), _column(high, place))
        for place, name in enumerate(names)
    ]


def _share_curves(share: xr.DataArray, signal: str, names: list[str], labels: Mapping[str, str]) -> list[_Curve]:
    dim = f"{signal}_state"
    states = [str(state) for state in share[dim].values]
    # Of two states one is sufficient.
    shown = states[1:] if len(states) == 2 else states
    out = []
    for place, name in enumerate(names):
        for state in shown:
            value = 100 * share.transpose("time", "asset", dim).values[:, place, states.index(state)]
            out.append((f"{labels.get(name, name)}: {state}", place, value, value, value))
    return out
