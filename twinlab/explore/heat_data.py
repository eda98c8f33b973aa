"""What a heat map reads for a window: one signal of all assets in a few hundred bins, with the flags beneath."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.explore.reading import Plan, Window, coarsen, plan_reading
from twinlab.explore.scale import pretty_unit
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import Signal

__all__ = ["FLAGS", "HeatAsk", "HeatCells", "heat_dataset", "heat_plan", "measures", "read_heat"]

#: Bins across a heat map: at least so many if a rollup has them, and at most so many.
MIN_BINS, MAX_BINS = 240, 500
#: Flags in the order of the rollups' counts.
FLAGS: tuple[Flag, ...] = tuple(Flag)
_NAMES = tuple(flag.name.lower() for flag in FLAGS)


@dataclass(frozen=True)
class HeatAsk:
    """What a heat map is asked to show: one signal of some assets (None: all) in a window."""

    asset_type: str
    signal: str
    window: Window
    # Statistic of a cell: see `measures`.
    measure: str
    assets: tuple[str, ...] | None = None


@dataclass(frozen=True)
class HeatCells:
    """A value and the number of samples of each flag, for each asset and bin."""

    ask: HeatAsk
    plan: Plan
    # Starts of the bins, UTC; all of one width.
    time: NDArray[np.datetime64]
    assets: tuple[str, ...]
    # (asset, bin); NaN where no sample counts.
    value: NDArray[np.float64]
    # (flag, asset, bin), in the order of `FLAGS`.
    counts: NDArray[np.int64]
    unit: str = ""

    @property
    def width(self) -> np.timedelta64:
        """Width of a bin."""
        return np.timedelta64(self.plan.cell_ns * self.plan.factor, "ns")


def measures(signal: Signal) -> dict[str, str]:
    """Return label -> measure of what a cell of a signal's heat map can show, the usual one first.

    >>> from twinlab.model.twinmodel import Signal
    >>> measures(Signal(unit="degC", resolution=0.1))
    {'mean': 'mean', 'smallest': 'min', 'largest': 'max'}
    """
    if signal.kind == "state":
        # Share of the time in one of the states; the last named is usually the active one.
        return {f"share of time: {name}": name for name in reversed(list((signal.states or {}).values()))}
    if signal.kind == "counter":
        return {"increase": "increase"}
    return {"mean": "mean", "smallest": "min", "largest": "max"}


def heat_plan(twin: TwinReader, ask: HeatAsk) -> Plan:
    """Choose what is read: raw samples when close, else the coarsest rollup with bins enough, merged to `MAX_BINS`."""
    spec = twin.model.asset_types[ask.asset_type].signals[ask.signal]
    span = int((ask.window[1] - ask.window[0]).astype("timedelta64[ns]").astype("int64"))
    return plan_reading(
        span,
        cadence_ns=spec.cadence_ns,
        steps=twin.steps(ask.asset_type, ask.signal),
        merge_raw=spec.kind == "gauge",
        bins=MIN_BINS,
        limit=MAX_BINS,
    )


def whole_bins(window: Window, width: np.timedelta64) -> Window:
    """Return the span of whole bins that a window touches; bins start at multiples of their width since 1970.

    >>> hour = np.timedelta64(3600 * 10**9, "ns")
    >>> [str(t)[11:16] for t in whole_bins((np.datetime64("2026-01-01T00:30"), np.datetime64("2026-01-01T02:10")), hour)]
    ['00:00', '03:00']
    """
    epoch = np.datetime64(0, "ns")
    start, stop = (t.astype("datetime64[ns]") - epoch for t in window)
    return epoch + start // width * width, epoch + -(-stop // width) * width


def heat_dataset(twin: TwinReader, ask: HeatAsk, plan: Plan) -> xr.Dataset:
    """Return what is drawn as the twin's own arrays, dims ``time, asset``: raw samples or a rollup's variables."""
    start, stop = whole_bins(ask.window, np.timedelta64(plan.cell_ns * plan.factor, "ns"))
    assets = None if ask.assets is None else list(ask.assets)
    data = twin.history(
        ask.asset_type, signals=[ask.signal], assets=assets, start=start, stop=stop, step=plan.step
    ).compute()
    return data if plan.factor == 1 else coarsen(data, ask.signal, factor=plan.factor, cell_ns=plan.cell_ns)


def read_heat(twin: TwinReader, ask: HeatAsk) -> HeatCells:
    """Read what a heat map shows.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type, an asset or the signal.
    """
    spec = twin.model.asset_types[ask.asset_type].signals[ask.signal]
    plan = heat_plan(twin, ask)
    data = heat_dataset(twin, ask, plan)
    unit = "% of time" if spec.kind == "state" else pretty_unit(spec.unit)
    return heat_cells(data, ask, plan, unit=unit)


def heat_cells(data: xr.Dataset, ask: HeatAsk, plan: Plan, *, unit: str = "") -> HeatCells:
    """Return values and counts (asset, bin) of raw samples or a rollup, in equal bins without a gap in time."""
    name = ask.signal
    if f"{name}_qc" in data:
        flags = data[f"{name}_qc"].values
        counts = np.stack([(flags == flag).astype("int64") for flag in FLAGS])
        value = _raw_value(data, ask, good=np.isin(flags, (Flag.PASS, Flag.SUSPECT)))
    else:
        counts = np.stack([np.asarray(data[f"{name}_{flag}"].values, "int64") for flag in _NAMES])
        value = _rolled_value(data, ask)
    cells = value.T, counts.transpose(0, 2, 1)
    time = data.time.values.astype("datetime64[ns]")
    assets = tuple(str(a) for a in data.asset.values)
    return _regular(HeatCells(ask, plan, time, assets, *cells, unit=unit))


def _raw_value(data: xr.Dataset, ask: HeatAsk, *, good: NDArray[np.bool_]) -> NDArray[np.float64]:
    found = data[ask.signal]
    value = np.asarray(found.values, float)
    meanings = str(found.attrs.get("flag_meanings", "")).split()
    codes = dict(zip(meanings, np.atleast_1d(found.attrs.get("flag_values", [])), strict=False))
    code = codes.get(ask.measure.replace(" ", "_"))
    if code is not None:
        value = np.where(np.isnan(value), np.nan, np.where(value == float(code), 100.0, 0.0))
    return np.where(good, value, np.nan)


def _rolled_value(data: xr.Dataset, ask: HeatAsk) -> NDArray[np.float64]:
    name = ask.signal
    if f"{name}_share" in data:
        share: Any = data[f"{name}_share"].sel({f"{name}_state": ask.measure}).values
        seen = np.stack([data[f"{name}_{flag}"].values for flag in ("pass", "suspect")]).sum(axis=0) > 0
        return np.where(seen, 100.0 * share, np.nan)
    return np.asarray(data[f"{name}_{ask.measure}"].values, float)


def _regular(cells: HeatCells) -> HeatCells:
    """Put the bins on a regular grid over the window: bins that weren't read hold nothing."""
    start, stop = whole_bins(cells.ask.window, cells.width)
    bins = int((stop - start) // cells.width)
    place = ((cells.time - start) // cells.width).astype("int64")
    if bins == len(place) and (place == np.arange(bins)).all():
        return cells
    inside = (place >= 0) & (place < bins)
    value = np.full((len(cells.assets), bins), np.nan)
    counts = np.zeros((len(FLAGS), len(cells.assets), bins), "int64")
    value[:, place[inside]] = cells.value[:, inside]
    counts[:, :, place[inside]] = cells.counts[:, :, inside]
    time = start + np.arange(bins) * cells.width
    return HeatCells(cells.ask, cells.plan, time, cells.assets, value, counts, unit=cells.unit)


def asset_groups(keys: Sequence[object]) -> tuple[list[object], NDArray[np.int64]]:
    """Return the distinct keys in order of appearance, and the place of each key among them.

    >>> names, place = asset_groups(["b", "a", "b"])
    >>> names, place.tolist()
    (['b', 'a'], [0, 1, 0])
    """
    names = list(dict.fromkeys(keys))
    places = {name: place for place, name in enumerate(names)}
    return names, np.array([places[key] for key in keys], "int64")
