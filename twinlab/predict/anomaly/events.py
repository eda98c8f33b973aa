"""Events from scores: they begin and end with hysteresis, and name the signals that contributed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.predict.anomaly.tracking import Hysteresis, TrackingState, event_rows, track

__all__ = ["event_table", "find_events"]

_TIMES = ("start", "end", "peak_time")


def find_events(scores: xr.Dataset, hysteresis: Hysteresis | None = None) -> pd.DataFrame:
    """Return the events in scores.

    Parameters
    ----------
    scores : Dataset
        As `AnomalyModel.score` returns them.
    hysteresis : Hysteresis, optional

    Returns
    -------
    DataFrame
        ``asset``, ``start`` (the row with which the event began), ``end`` (NaT while it is active), ``peak`` (the largest index),
        ``peak_time``, ``sustained`` (the largest index of as many rows in a row as begin an event), ``signals`` (those that contributed,
        most first, with their mean shares).
    """
    rule, assets = hysteresis or Hysteresis(), tuple(str(one) for one in scores["asset"].values)
    index = scores["index"].transpose("time", "asset").values
    shares = scores["contribution"].transpose("time", "asset", "signal").values
    times = scores["time"].values.astype("M8[ns]").astype(np.int64)
    state = TrackingState.start(len(assets), rule)
    ended, state = track(index, shares, times, rule, state) if len(times) else ([], state)
    return event_table(event_rows([*ended, *state.active], assets, tuple(str(one) for one in scores["signal"].values)))


def event_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of events, times as int64 ns, as a table."""
    columns = ["asset", "start", "end", "peak", "peak_time", "sustained", "signals"]
    given = list(rows)
    found = pd.DataFrame(given, columns=columns)
    nothing = np.iinfo(np.int64).min  # NaT
    for name in _TIMES:
        own = [nothing if one is None else one for one in (row[name] for row in given)]
        found[name] = np.array(own, dtype=np.int64).view("M8[ns]")
    return found
