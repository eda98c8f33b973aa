"""A twin as it would be after a removal, without removing anything: for measuring what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from twinlab.history.layout.encoding import decode, encode
from twinlab.history.layout.grid import Axis, floor_midnight
from twinlab.history.read.direct import computed
from twinlab.history.store.catalog import EXTREMES_FROM
from twinlab.history.write.removal import Removal, changed_cells, kept_mask
from twinlab.model.basics import parse_duration
from twinlab.model.flags import Flag
from twinlab.model.reader import DelegatingReader
from twinlab.quality.cells import margins

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import Signal

__all__ = ["ReducedReader"]


@dataclass(frozen=True)
class ReducedReader(DelegatingReader):
    """Reads what another reader does, with the cells that a removal leaves."""

    source: TwinReader
    removal: Removal
    # Start of the first cell that is stored.
    since_ns: int

    @property
    def _source(self) -> TwinReader:
        return self.source

    @property
    def mappings(self) -> object:
        """The mappings of the sources, if the twin has any."""
        return getattr(self.source, "mappings", None)

    @property
    def watermarks(self) -> object:
        """The method that returns how far each source is complete, if the twin has one."""
        return getattr(self.source, "watermarks", None)

    def margin(self, asset_type: str, signal: Signal) -> int:
        """Return how many cells before the cut stay, since flags of cells after it depend on them."""
        every = self.model.asset_types[asset_type].signals.values()
        return max(margins(one)[0] for one in every if one.cadence_ns == signal.cadence_ns)

    def history(
        self,
        asset_type: str,
        *,
        signals: Sequence[str] | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        step: str | None = None,
    ) -> xr.Dataset:
        """Return the history of one asset type; with ``step``, rollups as they are stored, and extremes of cells where they aren't."""
        data = self.source.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        times = (
            data["time"].values.astype("datetime64[ns]").astype("int64") if "time" in data else np.empty(0, np.int64)
        )
        if not len(times):
            return data
        if step is not None:
            return self._with_extremes(asset_type, data, times, parse_duration(step), assets)
        import dask.array as da  # noqa: PLC0415  (loads only with a plan)
        from dask.delayed import delayed  # noqa: PLC0415

        data = data.copy()
        for name, signal in self.model.asset_types[asset_type].signals.items():
            if signal.kind != "gauge" or name not in data:
                continue
            # Read when they are needed: KPIs ask for the assets and the end of a whole history.
            found = _Reduced(self, asset_type, signal, data[[name, f"{name}_qc"]].transpose("time", "asset"))
            for key, read, kind in ((name, found.values, "float64"), (f"{name}_qc", found.flags, "uint8")):
                lazy = da.from_delayed(delayed(read)(), shape=found.shape, dtype=kind)
                data[key] = ("time", "asset"), lazy, data[key].attrs
        if self.removal.older == "rollups":
            for key, at in (("removed_since", self.since_ns), ("removed_before", self.removal.cut.time_ns)):
                data.attrs[key] = str(np.datetime64(at, "ns").astype("datetime64[s]")) + "Z"
        return data

    def _with_extremes(
        self,
        asset_type: str,
        data: xr.Dataset,
        times: NDArray[np.int64],
        width_ns: int,
        assets: Sequence[str] | None,
    ) -> xr.Dataset:
        """Return windows with extremes from the cells that are left, if they are too short to be stored; none if a cell is removed."""
        signals = self.model.asset_types[asset_type].signals
        names = [name for name in signals if f"{name}_max" in data and signals[name].kind == "gauge"]
        names = [name for name in names if width_ns // signals[name].cadence_ns < EXTREMES_FROM]
        start, stop = (np.datetime64(int(one), "ns") for one in (times[0], times[-1] + width_ns))
        if not names or times[0] >= self.removal.cut.time_ns:
            return data
        data = computed(data).copy()
        for name in names:
            cells = self.history(asset_type, signals=[name], assets=assets, start=start, stop=stop)
            edges = np.searchsorted(cells["time"].values.astype("datetime64[ns]").astype("int64"), times)
            value = cells[name].transpose("time", "asset").values
            flag = cells[f"{name}_qc"].transpose("time", "asset").values
            good = np.isfinite(value) & ((flag == Flag.PASS) | (flag == Flag.SUSPECT))
            whole = data[f"{name}_count"].transpose("time", "asset").values
            # A last row, so that windows after the last cell begin somewhere; they have no value.
            left = np.add.reduceat(np.vstack([good, np.zeros_like(good[:1])]).astype(np.int64), edges)
            known = (left == whole) & (whole > 0)
            for what, fold, nothing in (("min", np.minimum, np.inf), ("max", np.maximum, -np.inf)):
                usable = np.vstack([np.where(good, value, nothing), np.full_like(value[:1], nothing)])
                found = np.where(known, fold.reduceat(usable, edges), np.nan)
                data[f"{name}_{what}"] = ("time", "asset"), found, data[f"{name}_{what}"].attrs
        return data


@dataclass(frozen=True)
class _Reduced:
    """The cells of one gauge that a removal leaves, read once for values and flags."""

    reader: ReducedReader
    asset_type: str
    signal: Signal
    # Its values and flags with all cells, (time, asset).
    data: xr.Dataset

    @property
    def shape(self) -> tuple[int, int]:
        return self.data.sizes["time"], self.data.sizes["asset"]

    @cached_property
    def _cells(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        values, flags = (one.values for one in computed(self.data).data_vars.values())
        removal = self.reader.removal
        axis = Axis(floor_midnight(self.reader.model.origin_ns), self.signal.cadence_ns)
        first = axis.cell(int(self.data["time"].values[0].astype("datetime64[ns]").astype("int64")))
        ids = [str(one) for one in self.data["asset"].values]
        kept = kept_mask(removal.kept.get(self.asset_type), ids, axis, (first, first + len(values)))
        kept[max(0, axis.cell(removal.cut.time_ns) - self.reader.margin(self.asset_type, self.signal) - first) :] = True
        integers = encode(np.ascontiguousarray(values), self.signal)[0]
        _, cells, marks = changed_cells(integers, flags, kept, removal)
        return decode(cells, self.signal), marks

    def values(self) -> NDArray[np.float64]:
        return self._cells[0]

    def flags(self) -> NDArray[np.uint8]:
        return self._cells[1]
