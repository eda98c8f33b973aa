"""The trip that a truck is on now, with what departs where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.control.proposals.effects.outcome import Unknown
from twinlab.control.proposals.effects.trips import Connection, Trip
from twinlab.events.present_state.places import positions
from twinlab.events.present_state.whereabouts import distance_km

if TYPE_CHECKING:
    from twinlab.model.commands.effects import TripEffect
    from twinlab.model.reader import TwinReader

__all__ = ["trip_now", "trip_under_way"]

#: A trip that began earlier isn't under way any more, whatever the table says.
_LONGEST = np.timedelta64(2, "D")
_MOMENT = np.timedelta64(1, "s")


def trip_now(
    twin: TwinReader, asset: str, options: TripEffect, *, share: float, now: np.datetime64
) -> Trip | Unknown | None:
    """Return the trip that a truck is on, None if it is on none, or why that isn't known.

    It arrives as late as it left, later if the share of the way that is left by its position says so, and later in proportion to how
    much slower than usual it is.

    Parameters
    ----------
    twin : TwinReader
    asset : str
    options : TripEffect
    share : float
        Reported share of the usual speed.
    now : datetime64
        Present, UTC.
    """
    until = now + np.timedelta64(int(options.seconds), "s")
    trips = twin.events(options.trips, start=now - _LONGEST, stop=until, assets=[asset])
    trip = _under_way(trips, now)
    if trip is None:
        begun, ended = (trips[name].to_numpy(dtype="M8[ns]") for name in ("start", "end"))
        planned, due = (trips[name].to_numpy(dtype="M8[ns]") for name in ("planned_start", "planned_end"))
        silent = trips[np.isnat(begun) & np.isnat(ended) & (planned <= now) & (due > now)]
        if len(silent):
            return Unknown(
                f"whether {asset} has left for {silent.iloc[-1][options.destination]}, as planned, isn't known"
            )
        return None
    if pd.isna(trip["planned_end"]) or pd.isna(trip["planned_start"]) or share <= 0:
        return Unknown(f"when the trip of {asset} should end isn't known")
    lasts = (trip["planned_end"] - trip["planned_start"]).total_seconds()
    left = (trip["start"] - pd.Timestamp(now)).total_seconds() + lasts
    # A truck that is further away than its plan says needs as much longer.
    way = _way_left(twin, asset, trip, options, now)
    arrives = (left if way is None else max(left, lasts * way)) / share
    place = str(trip[options.destination])
    found = [*_next_trip(trips, now), *_connections(twin, asset, place, options, now)]
    return Trip(place, arrives, tuple(found))


def trip_under_way(twin: TwinReader, asset: str, options: TripEffect, *, now: np.datetime64) -> pd.Series | None:
    """Return the trip that a truck was on at an instant, with its end if it has one; None if it was on none."""
    return _under_way(twin.events(options.trips, start=now - _LONGEST, stop=now + _MOMENT, assets=[asset]), now)


def _under_way(trips: pd.DataFrame, now: np.datetime64) -> pd.Series | None:
    begun, ended = (trips[name].to_numpy(dtype="M8[ns]") for name in ("start", "end"))
    found = trips[(begun <= now) & (np.isnat(ended) | (ended > now))]
    return None if found.empty else found.iloc[-1]


def _way_left(twin: TwinReader, asset: str, trip: pd.Series, options: TripEffect, now: np.datetime64) -> float | None:
    """Return the share of the way as the crow flies that is left; None if a position isn't known, or is old."""
    event = twin.model.event_types[options.trips]
    if event.asset is None or options.origin not in event.links:
        return None
    truck = positions(twin, event.asset, at=now, assets=[asset], within="30min").iloc[0]
    places = [
        positions(twin, event.links[name], at=now, assets=[str(trip[name])]).iloc[0]
        for name in (options.origin, options.destination)
    ]
    points = [(float(one["latitude"]), float(one["longitude"])) for one in (truck, *places)]
    if np.isnan(points).any():
        return None
    latitudes, longitudes = np.array(points[:2]).T
    left, whole = distance_km(latitudes, longitudes, to=points[2]).tolist()
    return float(left / whole) if whole > 1 else None


def _next_trip(trips: pd.DataFrame, now: np.datetime64) -> list[Connection]:
    """Return the next trip of the truck itself, which can't leave before it has arrived."""
    begun = trips["start"].to_numpy(dtype="M8[ns]")
    waiting = trips[(np.isnat(begun) | (begun > now)) & (trips["planned_start"] > pd.Timestamp(now)).to_numpy()]
    if waiting.empty:
        return []
    first = waiting.sort_values("planned_start").iloc[0]
    return [Connection(f"its next trip {first['event_id']}", _seconds(first["planned_start"], now))]


def _connections(twin: TwinReader, asset: str, place: str, options: TripEffect, now: np.datetime64) -> list[Connection]:
    """Return the next legs of what the truck has aboard, from where its trip ends."""
    until = now + np.timedelta64(int(options.seconds), "s")
    legs = twin.events(options.legs, start=now - _LONGEST, stop=until)
    begun, ended = (legs[name].to_numpy(dtype="M8[ns]") for name in ("start", "end"))
    aboard = legs[
        (legs[options.truck] == asset)
        & (legs[options.destination] == place)
        & (begun <= now)
        & (np.isnat(ended) | (ended > now))
    ]
    later = legs[
        legs["asset"].isin(aboard["asset"]) & (legs[options.origin] == place) & (np.isnat(begun) | (begun > now))
        & (legs["planned_start"].to_numpy(dtype="M8[ns]") >= now)
    ]  # fmt: skip
    return [
        Connection(f"{row['asset']}", _seconds(row["planned_start"], now))
        for _, row in later.sort_values("planned_start").drop_duplicates("asset").iterrows()
    ]


def _seconds(when: pd.Timestamp, now: np.datetime64) -> float:
    return float((when - pd.Timestamp(now)).total_seconds())
