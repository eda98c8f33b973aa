"""Where carriers are in a simulated future: on the straight line of their trips, by the share of the time that has passed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

__all__ = ["STEP", "carrier_positions"]

Floats = npt.NDArray[np.float64]

#: From one position to the next.
STEP = np.timedelta64(5, "m")


def carrier_positions(
    trips: pd.DataFrame,
    places: Mapping[str, tuple[float, float]],
    *,
    signals: tuple[str, str],
    span: tuple[np.datetime64, np.datetime64],
) -> xr.Dataset:
    """Return latitude and longitude of the carriers every five minutes of a span, dims ``time, asset``.

    A carrier is at the destination of its last trip until it leaves again. Where a trip hasn't ended by the end of the span, it goes on
    as fast as planned.

    Parameters
    ----------
    trips : DataFrame
        Event table of trips: ``asset, origin, destination, start, end, planned_start, planned_end``.
    places : mapping of str to (float, float)
        Latitude and longitude of the places, degrees.
    signals : (str, str)
        Names of both signals.
    span : (datetime64, datetime64)
        Half-open.
    """
    begin, stop = (each.astype("M8[ns]") for each in span)
    times = begin + STEP * np.arange(int(np.ceil((stop - begin) / STEP)))
    left = trips[
        trips["start"].notna()
        & trips["asset"].notna()
        & trips["origin"].isin(places)
        & trips["destination"].isin(places)
    ]
    assets = sorted(map(str, left["asset"].unique()))
    found = np.full((2, len(times), len(assets)), np.nan)
    of_asset = dict(list(left.sort_values("start").groupby("asset")))
    for column, name in enumerate(assets):
        found[:, :, column] = _along(of_asset[name], places, times)
    attrs = {"units": "degree", "kind": "gauge", "cell_methods": "time: point"}
    data = {name: (("time", "asset"), one, attrs) for name, one in zip(signals, found, strict=True)}
    return xr.Dataset(data, coords={"time": times, "asset": np.array(assets, dtype=object)})


def _along(trips: pd.DataFrame, places: Mapping[str, tuple[float, float]], times: npt.NDArray[np.datetime64]) -> Floats:
    """Return latitude and longitude of one carrier at some times, shape ``(2, time)``."""
    start = trips["start"].to_numpy(dtype="M8[ns]")
    planned = (trips["planned_end"] - trips["planned_start"]).to_numpy(dtype="m8[ns]")
    end = trips["end"].to_numpy(dtype="M8[ns]")
    end = np.where(np.isnat(end), start + planned, end)
    first, last = (np.array([places[name] for name in trips[key]]) for key in ("origin", "destination"))
    at = np.searchsorted(start, times, side="right") - 1
    trip = np.maximum(at, 0)
    share = np.clip((times - start[trip]) / np.maximum(end[trip] - start[trip], np.timedelta64(1, "s")), 0.0, 1.0)
    # Before its first trip it is where that begins.
    share = np.where(at < 0, 0.0, share)[:, None]
    return np.asarray((first[trip] * (1 - share) + last[trip] * share).T, dtype=np.float64)
