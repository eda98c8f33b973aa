"""Positions of carriers under way: how much of the way they have behind them, and what that says about their arrival."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.events.present_state.whereabouts import distance_km
from twinlab.model.reader import TwinReader
from twinlab.simulate.timetable.names import Names
from twinlab.simulate.timetable.positions import PositionFits

__all__ = ["Covered", "covered_at", "fit_positions"]

Floats = npt.NDArray[np.float64]

#: So much of the window before its end is read: positions are many.
_READ = np.timedelta64(14, "D")
#: Trips, and records of them, that the fit needs at least.
_FEWEST = 100
_EDGES = np.array([0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1.0])
_QUANTILES = 101
#: A record that is older than this isn't the present position, seconds.
_OLDEST = 3600.0
#: A trip's way is longer than this, km.
_SHORTEST = 5.0


@dataclass(frozen=True)
class Covered:
    """Trips under way at an instant, one entry for each trip; NaN where the position isn't known."""

    share: Floats
    """Share of the way that was covered at the last record."""
    seen: Floats
    """When that was, seconds since 1970."""


def fit_positions(
    twin: TwinReader, names: Names, trips: pd.DataFrame, *, usual: Floats, stop: np.datetime64
) -> PositionFits | None:
    """Fit the rest of a trip to the share of the way that is covered, from the last two weeks of the window.

    Parameters
    ----------
    twin : TwinReader
    names : Names
    trips : DataFrame
        Trips of the window: ``carrier, origin, destination, start, end`` (seconds since 1970).
    usual : ndarray
        Usual time of each trip, seconds.
    stop : datetime64
        End of the window.

    Returns
    -------
    PositionFits or None
        None if carriers have no positions in their history, or places none as properties.
    """
    since = float((stop - _READ).astype("M8[s]").astype(np.int64))
    chosen = (trips["start"] >= since) & trips["end"].notna() & trips["carrier"].notna()
    recent, lasting = trips[chosen], usual[chosen.to_numpy()]
    if len(recent) < _FEWEST:
        return None
    records = _records(twin, names, recent, start=stop - _READ, stop=stop)
    if records is None or records["trip"].nunique() < _FEWEST:
        return None
    left = recent["end"].to_numpy()[records["trip"]] - records["time"].to_numpy()
    expected = np.maximum((1 - records["share"]) * lasting[records["trip"]], 60.0)
    bins = np.clip(np.searchsorted(_EDGES, records["share"], side="right") - 1, 0, len(_EDGES) - 2)
    ratio = pd.Series((left / expected).to_numpy()).groupby(bins)
    if len(ratio) < len(_EDGES) - 1:
        return None
    table = np.stack([np.quantile(part, np.linspace(0, 1, _QUANTILES)) for _, part in ratio])
    return PositionFits(_EDGES, table, int(records["trip"].nunique()))


def covered_at(twin: TwinReader, names: Names, trips: pd.DataFrame, instant: np.datetime64) -> Covered:
    """Return the share of the way that trips under way had behind them at their last record before an instant.

    Parameters
    ----------
    trips : DataFrame
        Trips: ``carrier, origin, destination, start, end``; those without a start, or with an end, aren't under way.
    """
    share, seen = np.full(len(trips), np.nan), np.full(len(trips), np.nan)
    under_way = (trips["start"].notna() & trips["end"].isna() & trips["carrier"].notna()).to_numpy()
    place = np.flatnonzero(under_way)
    if len(place):
        begin = instant - np.timedelta64(round(_OLDEST), "s")
        records = _records(twin, names, trips.iloc[place].assign(end=np.inf), start=begin, stop=instant)
        if records is not None:
            last = records.groupby("trip").last()
            share[place[last.index]], seen[place[last.index]] = last["share"], last["time"]
    return Covered(share, seen)


def _records(
    twin: TwinReader, names: Names, trips: pd.DataFrame, *, start: np.datetime64, stop: np.datetime64
) -> pd.DataFrame | None:
    """Return the positions of carriers during trips: ``trip`` (its place), ``time``, ``share``; None without any."""
    spec, hubs = twin.model.asset_types[names.carrier], twin.model.asset_types[names.hub].position
    places = twin.assets(names.hub)
    if (
        spec.position is None
        or not set(spec.position) <= set(spec.signals)
        or hubs is None
        or not set(hubs) <= set(places)
    ):
        return None
    assets = sorted(set(map(str, trips["carrier"])))
    data = twin.history(names.carrier, signals=list(spec.position), assets=assets, start=start, stop=stop)
    latitude, longitude = (data[name].transpose("time", "asset").to_numpy() for name in spec.position)
    times = data["time"].to_numpy().astype("M8[ns]").astype(np.int64) / 1e9
    at = {name: number for number, name in enumerate(data["asset"].to_numpy().tolist())}
    where = {
        str(name): (float(a), float(b))
        for name, a, b in zip(places.index, *places[list(hubs)].to_numpy(dtype=float).T, strict=True)
    }
    found = []
    columns = (trips[name].to_numpy() for name in ("carrier", "origin", "destination", "start", "end"))
    for trip, (carrier, origin, destination, begin, end) in enumerate(zip(*columns, strict=True)):
        column = at.get(str(carrier))
        ends = where.get(str(origin)), where.get(str(destination))
        if column is None or ends[0] is None or ends[1] is None:
            continue
        low, high = np.searchsorted(times, [begin, end])
        known = np.flatnonzero(~np.isnan(latitude[low:high, column] + longitude[low:high, column])) + low
        point = latitude[known, column], longitude[known, column]
        done, left = distance_km(*point, to=ends[0]), distance_km(*point, to=ends[1])
        if len(known) and (done + left).min() > _SHORTEST:
            found.append(pd.DataFrame({"trip": trip, "time": times[known], "share": done / (done + left)}))
    return pd.concat(found, ignore_index=True) if found else None
