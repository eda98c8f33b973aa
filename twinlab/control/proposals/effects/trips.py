"""A truck with another share of its usual speed: when it arrives, and which connections what it brings then misses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.control.proposals.effects.outcome import Change, Effect, Unknown, Verdict
from twinlab.model.basics import parse_duration
from twinlab.model.commands.effects import TripEffect

__all__ = ["UNSURE", "Connection", "Trip", "trip_effect"]

_MINUTE = 60.0
#: How much more than its share of the way a delay may grow by breaks and jams.
UNSURE = 0.25
_TITLE = "arrival and connections"


@dataclass(frozen=True)
class Connection:
    """What departs where the trip ends, with something that the truck brings, or the truck itself."""

    name: str
    """What would miss it, for people."""
    departs: float
    """Seconds from now."""


@dataclass(frozen=True)
class Trip:
    """A trip under way, or none."""

    destination: str
    arrives: float
    """Seconds from now, at the present share of the usual speed; negative if it is overdue."""
    connections: tuple[Connection, ...] = ()


def trip_effect(trip: Trip | Unknown | None, before: float, after: float, options: TripEffect) -> Effect:
    """Compare arrival and connections of a trip under way at two shares of the usual speed.

    What is left of the way takes longer in proportion. A truck that isn't under way changes nothing yet.

    Parameters
    ----------
    trip : Trip, None if the truck isn't under way, or why it isn't known
    before, after : float
        Share of the usual speed without and with the command, above 0.
    options : TripEffect
    """
    if isinstance(trip, Unknown):
        return trip.effect("trip", _TITLE)
    if trip is None:
        return Effect("trip", _TITLE, "min", "safe", "the truck isn't under way: nothing arrives later")
    if min(before, after) <= 0:
        return Unknown(f"expected shares above 0, got {before:g} and {after:g}").effect("trip", _TITLE)
    if trip.arrives < 0:
        said = f"the truck should have been in {trip.destination} {-trip.arrives / _MINUTE:.0f} min ago: where it is isn't known"
        return Unknown(said).effect("trip", _TITLE)
    arrives = trip.arrives * before / after
    transfer = parse_duration(options.transfer) / 1e9
    missed = [one for one in trip.connections if trip.arrives + transfer > one.departs]
    then = [one for one in trip.connections if arrives + transfer > one.departs]
    later = (arrives - trip.arrives) / _MINUTE
    latest = parse_duration(options.latest) / 1e9 / _MINUTE
    more = len(then) - len(missed)
    names = ", ".join(one.name for one in then if one not in missed)
    reason = (
        f"in {trip.destination} in {arrives / _MINUTE:.0f} min instead of {trip.arrives / _MINUTE:.0f} min; misses {len(then)} of "
        f"{len(trip.connections)} connections, {len(missed)} without the command{f' (also {names[:200]})' if names else ''}"
    )
    verdict: Verdict = "unsafe" if more > options.most_missed or later > latest else "safe"
    if later > latest:
        reason += f"; {later:.0f} min later, at most {latest:.0f} min are allowed"
    elif verdict == "safe" and later * (1 + UNSURE) > latest:
        verdict = "can't tell"
        reason += (
            f"; {later:.0f} min later, too near to the {latest:.0f} min that are allowed: breaks and jams aren't known"
        )
    ends = np.array([0.0, trip.arrives, arrives]) / _MINUTE
    return Effect(
        "trip", _TITLE, "%", verdict, reason,
        minutes=tuple(np.sort(ends).tolist()),
        before=tuple(np.interp(np.sort(ends), [0, max(ends[1], 1e-9)], [0.0, 100.0]).tolist()),
        after=tuple(np.interp(np.sort(ends), [0, max(ends[2], 1e-9)], [0.0, 100.0]).tolist()),
        kpis={
            "arrival from now": Change(trip.arrives / _MINUTE, arrives / _MINUTE, "min"),
            "missed connections": Change(float(len(missed)), float(len(then)), ""),
        },
    )  # fmt: skip
