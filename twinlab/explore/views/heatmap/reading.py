"""Reading for a heat map: one signal of all assets in a few hundred bins, with counts of flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.explore.charts.reading import Plan, Window, coarsen, plan_reading
from twinlab.explore.charts.scale import pretty_unit
from twinlab.history.read.direct import computed
from twinlab.languages import tr
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import Signal

__all__ = ["FLAGS", "HeatCells", "HeatRequest", "heat_dataset", "heat_plan", "measures", "read_heat"]

#: Smallest number of bins for which a rollup is read, and largest number of bins.
MIN_BINS, MAX_BINS = 240, 500
#: Flags in the order of the counts.
FLAGS: tuple[Flag, ...] = tuple(Flag)
_NAMES = tuple(flag.name.lower() for flag in FLAGS)
#: How windows are merged, in the order of `twinlab.history.layout.fold_kernels.merge_windows`.
_HOW = ("sum", "min", "max")


@dataclass(frozen=True)
class HeatRequest:
    """Content of a heat map: one signal of some assets (None: all) in a window."""

    asset_type: str
    signal: str
    window: Window
    # Statistic of a cell: see `measures`.
    measure: str
    assets: tuple[str, ...] | None = None


@dataclass(frozen=True)
class HeatCells:
    """Value and number of samples by flag, for each asset and bin."""

    request: HeatRequest
    plan: Plan
    # Starts of the bins, UTC, equally spaced.
    time: NDArray[np.datetime64]
    assets: tuple[str, ...]
    # (asset, bin); NaN without good or suspect samples.
    value: NDArray[np.float64]
    # (flag, asset, bin), in the order of `FLAGS`.
    counts: NDArray[np.int32]
    unit: str = ""

    @property
    def width(self) -> np.timedelta64:
        """Width of a bin."""
        return np.timedelta64(self.plan.cell_ns * self.plan.factor, "ns")


def measures(signal: Signal) -> dict[str, str]:
    """Return label -> statistic that a cell can show, the default first.

    >>> from twinlab.model.twinmodel import Signal
    >>> measures(Signal(unit="degC", resolution=0.1))
    {'mean': 'mean', 'smallest': 'min', 'largest': 'max'}
    """
    if signal.kind == "state":
        # Share of the time in one of the states; the last one is usually the active one.
        return {tr("share of time: {name}", name=name): name for name in reversed(list((signal.states or {}).values()))}
    if signal.kind == "counter":
        return {"increase": "increase"}
    return {tr("mean"): "mean", tr("smallest"): "min", tr("largest"): "max"}


def heat_plan(twin: TwinReader, request: HeatRequest) -> Plan:
    """Return the plan: raw samples for a short window, else the coarsest sufficient rollup, merged to `MAX_BINS`."""
    spec = twin.model.asset_types[request.asset_type].signals[request.signal]
    span = int((request.window[1] - request.window[0]).astype("timedelta64[ns]").astype("int64"))
    return plan_reading(
        span,
        cadence_ns=spec.cadence_ns,
        steps=twin.steps(request.asset_type, request.signal),
        merge_raw=spec.kind == "gauge",
        bins=MIN_BINS,
        limit=MAX_BINS,
    )


def whole_bins(window: Window, width: np.timedelta64) -> Window:
    """Return the span of whole bins that overlap a window; bins start at multiples of their width since 1970.

    >>> hour = np.timedelta64(3600 * 10**9, "ns")
    >>> [str(t)[11:16] for t in whole_bins((np.datetime64("2026-01-01T00:30"), np.datetime64("2026-01-01T02:10")), hour)]
    ['00:00', '03:00']
    """
    epoch = np.datetime64(0, "ns")
    start, stop = (t.astype("datetime64[ns]") - epoch for t in window)
    return epoch + start // width * width, epoch + -(-stop // width) * width


def heat_dataset(twin: TwinReader, request: HeatRequest, plan: Plan) -> xr.Dataset:
    """Return the drawn data as the twin's arrays, dims ``time, asset``: raw samples or variables of a rollup."""
    data = computed(_history(twin, request, plan))
    return data if plan.factor == 1 else coarsen(data, request.signal, factor=plan.factor, cell_ns=plan.cell_ns)


def read_heat(twin: TwinReader, request: HeatRequest) -> HeatCells:
    """Read the data of a heat map, only the arrays that are drawn.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type, an asset or the signal.
    """
    spec = twin.model.asset_types[request.asset_type].signals[request.signal]
    plan = heat_plan(twin, request)
    data = _history(twin, request, plan)
    data = computed(data[[name for name in _wanted(request, plan) if name in data]])
    time, place = _places(data, plan)
    raw = f"{request.signal}_qc" in data
    value, counts = _of_samples(data, request, spec, place) if raw else _of_rollup(data, request, place)
    unit = tr("% of time") if spec.kind == "state" else pretty_unit(spec.unit)
    return _regular(HeatCells(request, plan, time, tuple(map(str, data.asset.values)), value, counts, unit=unit))


def _history(twin: TwinReader, request: HeatRequest, plan: Plan) -> xr.Dataset:
    start, stop = whole_bins(request.window, np.timedelta64(plan.cell_ns * plan.factor, "ns"))
    assets = None if request.assets is None else list(request.assets)
    return twin.history(
        request.asset_type, signals=[request.signal], assets=assets, start=start, stop=stop, step=plan.step
    )


def _wanted(request: HeatRequest, plan: Plan) -> list[str]:
    """Return the names of the variables that cells are computed from."""
    name = request.signal
    if plan.step is None:
        return [name, f"{name}_qc"]
    parts: tuple[str, ...] = {"min": ("min",), "max": ("max",), "increase": ("increase",)}.get(
        request.measure, ("share",)
    )
    if request.measure == "mean":
        parts = ("mean",) if plan.factor == 1 else ("sum", "count")
    return [f"{name}_{part}" for part in (*parts, *_NAMES)]


def _places(data: xr.Dataset, plan: Plan) -> tuple[NDArray[np.datetime64], NDArray[np.int64]]:
    """Return the starts of the bins with data, and the number of the bin of each cell."""
    width = plan.cell_ns * plan.factor
    bins, place = np.unique(data.time.values.astype("datetime64[ns]").astype("int64") // width, return_inverse=True)
    return (bins * width).astype("datetime64[ns]"), place.astype("int64")


def _of_samples(
    data: xr.Dataset, request: HeatRequest, spec: Signal, place: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Aggregate raw samples in one pass."""
    from twinlab.history.layout.fold_kernels import fold_samples  # noqa: PLC0415  (numba is loaded when needed)

    values = np.ascontiguousarray(_shown(data[request.signal].values, request, spec).T, dtype="float64")
    flags = np.ascontiguousarray(data[f"{request.signal}_qc"].values.T)
    shape = (len(values), int(place.max(initial=-1)) + 1)
    total, low, high = np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    good, counts = np.zeros(shape, "int32"), np.zeros((len(FLAGS), *shape), "int32")
    fold_samples(values, flags, place, np.array(FLAGS, "int64"), total, low, high, good, counts)
    if request.measure in ("min", "max"):
        return (low if request.measure == "min" else high), counts
    return np.divide(total, good, out=np.full(shape, np.nan), where=good > 0), counts


def _shown(value: NDArray[np.float64], request: HeatRequest, spec: Signal) -> NDArray[np.float64]:
    """Return drawn values of samples: for a state, 100 where it is the requested one, else 0."""
    code = next((code for code, name in (spec.states or {}).items() if name == request.measure), None)
    return value if code is None else np.where(np.isnan(value), np.nan, np.where(value == code, 100.0, 0.0))


def _of_rollup(
    data: xr.Dataset, request: HeatRequest, place: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Aggregate the cells of a rollup."""
    from twinlab.history.layout.fold_kernels import merge_windows  # noqa: PLC0415  (numba is loaded when needed)

    name = request.signal
    first = np.flatnonzero(np.diff(place, prepend=-1))
    alone = len(first) == len(place)
    shape = (data.sizes["asset"], len(first))

    def part(what: str, how: str = "sum") -> NDArray[Any]:
        found = data[f"{name}_{what}"].values.T
        if alone:
            return found
        out = np.full(shape, np.nan)
        merge_windows(found, place, _HOW.index(how), out)
        return out

    counts = np.zeros((len(_NAMES), *shape), "int32")
    for place_of, flag in enumerate(_NAMES):
        found = data[f"{name}_{flag}"].values.T
        # Most flags are rare, and the counts are zero already.
        if found.any():
            merge_windows(found, place, _HOW.index("sum"), counts[place_of])
    seen = counts[FLAGS.index(Flag.PASS)] + counts[FLAGS.index(Flag.SUSPECT)] > 0
    if request.measure in ("min", "max"):
        return part(request.measure, request.measure), counts
    if request.measure == "increase":
        return part("increase"), counts
    if request.measure == "mean" and f"{name}_mean" in data:
        return part("mean"), counts
    if request.measure == "mean":
        total, count = part("sum"), part("count")
        return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), counts
    shares: NDArray[Any] = np.nan_to_num(data[f"{name}_share"].sel({f"{name}_state": request.measure}).values).T
    merged = shares if alone else np.add.reduceat(shares, first, axis=1) / np.diff(np.append(first, len(place)))
    return np.where(seen, 100.0 * merged, np.nan), counts


def _regular(cells: HeatCells) -> HeatCells:
    """Return the bins on a regular grid over the window; bins without data are empty."""
    start, stop = whole_bins(cells.request.window, cells.width)
    bins = int((stop - start) // cells.width)
    place = ((cells.time - start) // cells.width).astype("int64")
    if bins == len(place) and (place == np.arange(bins)).all():
        return cells
    inside = (place >= 0) & (place < bins)
    value = np.full((len(cells.assets), bins), np.nan)
    counts = np.zeros((len(FLAGS), len(cells.assets), bins), cells.counts.dtype)
    value[:, place[inside]] = cells.value[:, inside]
    counts[:, :, place[inside]] = cells.counts[:, :, inside]
    time = start + np.arange(bins) * cells.width
    return HeatCells(cells.request, cells.plan, time, cells.assets, value, counts, unit=cells.unit)


def asset_groups(keys: Sequence[object]) -> tuple[list[object], NDArray[np.int64]]:
    """Return the distinct keys in order of appearance, and the index of each key among them.

    >>> names, place = asset_groups(["b", "a", "b"])
    >>> names, place.tolist()
    (['b', 'a'], [0, 1, 0])
    """
    names = list(dict.fromkeys(keys))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[key] for key in keys], "int64")
