"""Times of assets that a question names: delivered late, the time from one to another, how many each day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.ask.plans.plan import Elapsed, Later

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame

__all__ = ["elapsed_of", "later_of", "promise_of", "times_of"]

#: Names of properties that say by when something has to be done.
_PROMISES = ("promised", "due", "deadline", "planned", "expected", "target")


def times_of(frame: Frame, on: str) -> list[tuple[int, str]]:
    """Return the times of an asset type that are named, with their places."""
    properties = frame.model.asset_types[on].properties
    return [
        (place, one.name) for place, meanings in frame.items.unused("property") for one in meanings
        if one.of == on and properties[one.name].dtype == "time"
    ]  # fmt: skip


def promise_of(frame: Frame) -> tuple[str, str, str] | None:
    """Return the asset type, the time and the promise that "delivered late" is about; None if it is about events."""
    if not frame.items.has("late", "on_time", "early"):
        return None
    for on in frame.asset_types or [one.of for _, found in frame.assets for one in found]:
        promise = next((name for name in frame.model.asset_types[on].properties if name in _PROMISES), None)
        named = [name for _, name in times_of(frame, on) if name != promise]
        if promise is not None and len(named) == 1:
            return on, named[0], promise
    return None


def later_of(frame: Frame, on: str) -> Later | None:
    """Use a comparison of two times: "delivered after the promised time", "delivered on time"."""
    promised = promise_of(frame)
    if promised is not None and promised[0] == on:
        place = times_of(frame, on)[0][0]
        symbol = frame.items.take("late", "on_time", "early")
        if frame.items.take("not"):
            symbol = {"late": "on_time", "on_time": "late"}.get(str(symbol), "late")
        frame.items.use(place)
        frame.note("late_time", than=promised[2])
        sign = {"late": ">", "on_time": "<=", "early": "<"}[str(symbol)]
        return Later(column=promised[1], sign=sign, than=promised[2])
    times = times_of(frame, on)
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, "after", "before")
        before = [one for one in times if one[0] < place]
        after = [one for one in times if one[0] > place]
        if symbol and before and after:
            frame.items.use(before[-1][0], place, after[0][0])
            return Later(column=before[-1][1], sign=">" if symbol == "after" else "<", than=after[0][1])
    return None


def elapsed_of(frame: Frame, on: str) -> Elapsed | None:
    """Use the time between two times: "how long from handing in to delivery"; with one named, from the first that the type has."""
    items = frame.items
    if not items.has("how_long", "duration") and not (items.has("mean", "median") and _named_time(frame, on)):
        return None
    named = list(dict.fromkeys(name for _, name in times_of(frame, on)))
    properties = frame.model.asset_types[on].properties
    every = [name for name, one in properties.items() if one.dtype == "time" and name not in _PROMISES]
    if len(named) == 1 and every and named[0] != every[0]:
        frame.note("elapsed", since=every[0], until=named[0])
        named = [every[0], named[0]]
    if len(named) != 2:
        return None
    items.use(*(place for place, _ in times_of(frame, on)))
    while items.take("how_long", "duration", "until", "since"):
        pass
    if every.index(named[0]) > every.index(named[1]) if set(named) <= set(every) else False:
        named.reverse()
    return Elapsed(since=named[0], until=named[1])


def _named_time(frame: Frame, on: str) -> bool:
    """Return whether a statistic is asked of a time: "average delivery time"."""
    return bool(times_of(frame, on))
