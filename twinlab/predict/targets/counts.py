"""The number of events of each cell as a target, such as parcels by hub and hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.predict.protocol.events import starts_by_asset
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.target import Kind
from twinlab.predict.targets.signal import cell_values

__all__ = ["CountTarget"]


@dataclass(frozen=True)
class CountTarget:
    """How many events of a type begin in the cell that ends at issue time + lead time, by asset.

    Parameters
    ----------
    event_type : str
    link : str
        Column of its table with the asset, such as ``"origin"``.
    """

    event_type: str
    link: str = "asset"
    units: str = "1"
    kind: Kind = "quantiles"

    @property
    def name(self) -> str:
        """The event type, and what it is counted by."""
        return f"{self.event_type}_count"

    @property
    def attrs(self) -> Mapping[str, str]:
        """What `truth_of` needs."""
        return {"truth": "count", "event_type": self.event_type, "link": self.link}

    def series(self, state: State, span: np.timedelta64) -> xr.DataArray:
        """Return the counts of the cells in a span before the issue time, dims ``time, asset``; NaN before the first event that is known."""
        stop = state.issue_time - -(-state.latency // state.step) * state.step
        counts = self._counts(state, np.arange(stop - (span // state.step) * state.step, stop, state.step))
        begun = np.maximum.accumulate((counts > 0).any("asset").values)
        return counts.where(xr.DataArray(begun, dims="time"))

    def _counts(self, state: State, times: NDArray[np.datetime64]) -> xr.DataArray:
        """Return the counts of cells by their starts."""
        ids = state.asset_ids
        out = np.zeros((len(times), len(ids)))
        edges = np.append(times, times[-1:] + state.step).astype("int64")
        starts = starts_by_asset(state.events, self.event_type, self.link, ids, what=f"the target {self.name!r}")
        for place, found in enumerate(starts):
            out[:, place] = np.diff(np.searchsorted(found, edges))
        coords = {"time": times, "asset": np.array(ids, object)}
        return xr.DataArray(out, dims=("time", "asset"), coords=coords, name=self.name, attrs={"units": self.units})

    def truth(
        self, state: State, issue_times: Sequence[np.datetime64], lead_times: Sequence[np.timedelta64]
    ) -> xr.DataArray:
        """Return counts with dims ``issue_time, lead_time, asset``; NaN where the cell isn't over yet."""
        issued = np.array(issue_times, "datetime64[ns]")
        leads = np.array(lead_times, "timedelta64[ns]")
        until = issued[:, None] + leads[None, :]
        times = np.arange(until.min() - state.step, until.max(), state.step)
        values = cell_values(self._counts(state, times), until, step=state.step)
        values[until > state.issue_time - state.latency] = np.nan
        coords = {"issue_time": issued, "lead_time": leads, "asset": np.array(state.asset_ids, object)}
        attrs = {"units": self.units, "kind": self.kind}
        return xr.DataArray(
            values, dims=("issue_time", "lead_time", "asset"), coords=coords, name=self.name, attrs=attrs
        )
