"""Whether an event begins, as a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from twinlab.predict.protocol.events import starts_by_asset
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.target import Kind

__all__ = ["EventTarget"]


@dataclass(frozen=True)
class EventTarget:
    """Whether an event of a type begins after the issue time, and not after issue time + lead time.

    Parameters
    ----------
    event_type : str
    link : str
        Column of its table with the asset.
    """

    event_type: str
    link: str = "asset"
    units: str = "1"
    kind: Kind = "probability"

    @property
    def name(self) -> str:
        """The event type."""
        return self.event_type

    @property
    def attrs(self) -> Mapping[str, str]:
        """What `truth_of` needs."""
        return {"truth": "event", "event_type": self.event_type, "link": self.link}

    def truth(
        self, state: State, issue_times: Sequence[np.datetime64], lead_times: Sequence[np.timedelta64]
    ) -> xr.DataArray:
        """Return 1 and 0 with dims ``issue_time, lead_time, asset``; NaN where the span isn't over yet."""
        issued = np.array(issue_times, "datetime64[ns]")
        leads = np.array(lead_times, "timedelta64[ns]")
        until = issued[:, None] + leads[None, :]
        ids = state.asset_ids
        out = np.empty((*until.shape, len(ids)))
        starts = starts_by_asset(state.events, self.event_type, self.link, ids, what=f"the target {self.name!r}")
        for place, found in enumerate(starts):
            before = np.searchsorted(found, issued.astype("int64"), side="right")[:, None]
            out[..., place] = np.searchsorted(found, until.astype("int64"), side="right") > before
        out[until > state.issue_time] = np.nan
        coords = {"issue_time": issued, "lead_time": leads, "asset": state.history["asset"].values}
        return xr.DataArray(out, dims=("issue_time", "lead_time", "asset"), coords=coords, name=self.name)
