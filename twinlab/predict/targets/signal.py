"""A variable of the history as a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.protocol.state import State
from twinlab.predict.protocol.target import Kind

__all__ = ["SignalTarget", "cell_values"]


@dataclass(frozen=True)
class SignalTarget:
    """A variable of the history, such as ``"temperature_mean"``: the cell that ends at issue time + lead time.

    Parameters
    ----------
    name : str
        Variable of the history.
    units : str
        Its canonical unit.
    """

    name: str
    units: str
    kind: Kind = "quantiles"

    @property
    def attrs(self) -> Mapping[str, str]:
        """What `truth_of` needs."""
        return {"truth": "signal"}

    def series(self, state: State, span: np.timedelta64) -> xr.DataArray:
        """Return the values of the cells in a span before the issue time, dims ``time, asset``."""
        data = state.history[self.name].transpose("time", "asset")
        return data.isel(time=slice(int(np.searchsorted(data["time"].values, state.issue_time - span)), None))

    def truth(
        self, state: State, issue_times: Sequence[np.datetime64], lead_times: Sequence[np.timedelta64]
    ) -> xr.DataArray:
        """Return true values with dims ``issue_time, lead_time, asset``; NaN where a state doesn't know them."""
        issued = np.array(issue_times, "datetime64[ns]")
        leads = np.array(lead_times, "timedelta64[ns]")
        values = cell_values(state.history[self.name], issued[:, None] + leads[None, :], step=state.step)
        coords = {"issue_time": issued, "lead_time": leads, "asset": state.history["asset"].values}
        attrs = {"units": self.units, "kind": self.kind}
        return xr.DataArray(
            values, dims=("issue_time", "lead_time", "asset"), coords=coords, name=self.name, attrs=attrs
        )


def cell_values(data: xr.DataArray, ends: np.ndarray, *, step: np.timedelta64) -> np.ndarray:
    """Return the values of the cells that end at some instants.

    Parameters
    ----------
    data : DataArray (time, asset)
        Regular.
    ends : array of datetime64, any shape
    step : timedelta64
        Width of a cell.

    Returns
    -------
    array (..., asset)
        NaN outside the data.

    Raises
    ------
    SchemaError
        If an instant isn't the end of a cell.
    """
    values, times = data.transpose("time", "asset").values, data["time"].values
    if times.size == 0:
        return np.full((*ends.shape, values.shape[1]), np.nan)
    place, rest = np.divmod((ends - step - times[0]).astype("int64"), step.astype("int64"))
    if bool(rest.any()):
        msg = f"expected instants at which a cell of {step.astype('timedelta64[s]')} ends, got {ends[rest != 0].ravel()[0]}"
        raise SchemaError(msg)
    inside = (place >= 0) & (place < times.size)
    out = values[np.where(inside, place, 0)].astype(float)
    out[~inside] = np.nan
    return out
