"""True delays of planned events, as a twin knows them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from twinlab.predict.protocol.durations import duration

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["true_delays"]


def true_delays(twin: TwinReader, data: xr.Dataset) -> xr.DataArray:
    """Return the delays of predicted events against the plan that the predictions were made with.

    Parameters
    ----------
    twin : TwinReader
    data : Dataset
        Predictions of events with the coordinates ``planned_start, planned_end`` and the attributes ``event_type, of, late``.

    Returns
    -------
    DataArray
        Dim ``case``, with ``issue_time`` and ``event_id``: minutes, or of a probability 1 from ``late`` on and 0 below; NaN where the event hasn't
        begun or ended (yet).
    """
    of = str(data.attrs["of"])
    planned = data[f"planned_{of}"].values
    coords = {name: ("case", data[name].values) for name in ("issue_time", "event_id")}
    if not planned.size:
        return xr.DataArray(np.empty(0), dims="case", coords=coords)
    day = np.timedelta64(1, "D")
    table = twin.events(
        str(data.attrs["event_type"]),
        start=data["planned_start"].values.min() - day,
        stop=data["planned_end"].values.max() + day,
    ).set_index("event_id")
    actual = table[of].reindex(data["event_id"].values).to_numpy("datetime64[ns]")
    minutes = (actual - planned) / np.timedelta64(1, "m")
    if data[str(data.attrs["target"])].attrs["kind"] == "probability":
        late = duration(str(data.attrs["late"]), what="late") / np.timedelta64(1, "m")
        minutes = np.where(np.isnan(minutes), np.nan, minutes >= late)
    return xr.DataArray(minutes, dims="case", coords=coords)
