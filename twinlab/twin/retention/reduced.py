"""A twin as it would be after a removal, without removing anything: for measuring what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from twinlab.history.layout.encoding import decode, encode
from twinlab.history.layout.grid import Axis, floor_midnight
from twinlab.history.read.direct import computed
from twinlab.history.write.removal import Removal, changed_cells, kept_mask
from twinlab.model.reader import DelegatingReader
from twinlab.quality.cells import margins

if TYPE_CHECKING:
    import xarray as xr

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

    def _margin(self, asset_type: str, signal: Signal) -> int:
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
        """Return the history of one asset type; with ``step``, rollups as they are stored.

        Extremes of rollups that are computed from cells, those of short windows, are as with all cells.
        """
        data = self.source.history(asset_type, signals=signals, assets=assets, start=start, stop=stop, step=step)
        times = (
            data["time"].values.astype("datetime64[ns]").astype("int64") if "time" in data else np.empty(0, np.int64)
        )
        if step is not None or not len(times):
            return data
        data = computed(data).copy()
        names = [name for name, signal in self.model.asset_types[asset_type].signals.items() if name in data]
        ids = [str(one) for one in data["asset"].values]
        for name in names:
            signal = self.model.asset_types[asset_type].signals[name]
            if signal.kind != "gauge":
                continue
            axis = Axis(floor_midnight(self.model.origin_ns), signal.cadence_ns)
            first = axis.cell(int(times[0]))
            kept = kept_mask(self.removal.kept.get(asset_type), ids, axis, (first, first + len(times)))
            kept[max(0, axis.cell(self.removal.cut.time_ns) - self._margin(asset_type, signal) - first) :] = True
            flags = data[f"{name}_qc"]
            values = encode(np.ascontiguousarray(data[name].transpose("time", "asset").values), signal)[0]
            _, cells, marks = changed_cells(values, flags.transpose("time", "asset").values, kept, self.removal)
            data[name] = ("time", "asset"), decode(cells, signal), data[name].attrs
            data[f"{name}_qc"] = ("time", "asset"), marks, flags.attrs
        if self.removal.older == "rollups":
            for key, at in (("removed_since", self.since_ns), ("removed_before", self.removal.cut.time_ns)):
                data.attrs[key] = str(np.datetime64(at, "ns").astype("datetime64[s]")) + "Z"
        return data
