"""True values of predictions, as a twin knows them now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.known.knowledge import ByEventTime
from twinlab.predict.known.reading import read_state
from twinlab.predict.predictions.schema import places_of
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.targets.counts import CountTarget
from twinlab.predict.targets.delay import true_delays
from twinlab.predict.targets.event import EventTarget
from twinlab.predict.targets.signal import SignalTarget

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["truth_of"]


def truth_of(twin: TwinReader, data: xr.Dataset) -> xr.DataArray:
    """Return the true values of predictions of a variable of the history, of events that begin, or of delays, as the twin knows them now.

    Parameters
    ----------
    twin : TwinReader
    data : Dataset
        Predictions of a `SignalTarget`, an `EventTarget` or a `CountTarget`, or of delays of planned events.

    Returns
    -------
    DataArray
        Dims ``issue_time, lead_time, asset``, or ``case``, and coordinates of ``data``; NaN where the twin has no value (yet).

    Raises
    ------
    SchemaError
        If the predictions are of something else.
    """
    if data.attrs.get("truth") == "delay":
        return true_delays(twin, data)
    if places_of(data) == ("case",) or data.attrs.get("truth") not in ("signal", "event", "count"):
        msg = f"the true values of {data.attrs.get('target')!r} aren't a signal, events that begin or a delay; pass truth="
        raise SchemaError(msg)
    target, step = str(data.attrs["target"]), str(data.attrs["step"])
    kind = str(data.attrs["asset_type"])
    issued, leads = data["issue_time"].values, data["lead_time"].values
    # The end of a cell.
    width = duration(step, what="step")
    until = issued[-1] + leads[-1]
    until += (-int(until.astype("int64")) % int(width.astype("int64"))) * np.timedelta64(1, "ns")
    span = until - issued[0] + width
    found: SignalTarget | EventTarget | CountTarget
    if data.attrs["truth"] == "signal":
        inputs = Inputs(asset_type=kind, variables=(target,), step=step)
        found = SignalTarget(target, str(data[target].attrs["units"]))
    else:
        kind_of = EventTarget if data.attrs["truth"] == "event" else CountTarget
        found = kind_of(str(data.attrs["event_type"]), link=str(data.attrs["link"]))
        inputs = Inputs(asset_type=kind, step=step, events=(found.event_type,))
    state = read_state(twin, inputs, until, knowledge=ByEventTime(), span=span)
    true = found.truth(state, list(issued), list(leads))
    if data.attrs["truth"] != "signal":
        # A span that isn't over by the newest event of the twin has no outcome yet.
        kind_of_event = str(data.attrs["event_type"])
        later = twin.events(kind_of_event, start=until)["start"]
        newest = pd.concat([state.events[kind_of_event]["start"], later]).max()
        last = _newest(twin, kind, newest)
        true = true.where((issued[:, None] + leads[None, :] <= last)[..., None])
    return true.reindex(asset=data["asset"].values)


def _newest(twin: TwinReader, asset_type: str, newest: object) -> np.datetime64:
    """Return the latest instant of which the twin knows something: of the type's history, else of its events."""
    history = twin.history(asset_type)["time"].values if twin.model.asset_types[asset_type].signals else np.empty(0)
    stamp = np.datetime64(str(newest), "ns")
    return max(stamp, history[-1]) if len(history) and not np.isnat(stamp) else history[-1] if len(history) else stamp
