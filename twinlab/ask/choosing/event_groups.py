"""Choose what recorded events are grouped by, of what they have different ones, and the number of each that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.ask.choosing.event_links import end_at, links_to

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.model.asset_types import EventType

__all__ = ["distinct_of", "event_group", "hinted_column", "number_column"]


def event_group(frame: Frame, on: str, kind: EventType) -> tuple[str | None, str | None]:
    """Return what the events are grouped by, and the number that they are ordered by: "the longest flight by distance"."""
    for place, one in frame.take_group():
        if one.kind == "link" and one.of == on:
            frame.items.use(place)
            if one.name in kind.links:
                frame.take_asset_type(kind.links[one.name])
            return one.name, None
        numeric = one.kind == "property" and one.of == on and kind.properties[one.name].dtype in ("number", "integer")
        by = frame.preceded_by(place, "by")
        if numeric and by and frame.items.has("highest", "lowest"):
            frame.items.use(place)
            frame.items.take("by")
            return None, one.name
        if one.kind == "property" and one.of == on and not (numeric and not by):
            frame.items.use(place)
            frame.items.take("common")
            return one.name, None
        if one.kind != "asset_type":
            continue
        links = links_to(kind, one.name)
        if links:
            frame.items.use(place)
            chosen = end_at(frame, place, links)
            if len(links) > 1:
                frame.note("link", name=chosen, text=frame.items[place].text)
            return chosen, None
    return None, None


def distinct_of(frame: Frame, on: str) -> str | None:
    """Use "how many different destinations", and return the link or property."""
    for place in range(len(frame.items) - 1):
        if not frame.items.is_symbol(place, "distinct", "count") or not frame.items.free(place + 1):
            continue
        for one in frame.items[place + 1].of_kind("link", "property"):
            if one.of == on and (one.kind == "link" or frame.items[place].symbol("distinct")):
                frame.items.use(place, place + 1)
                return one.name
        for one in frame.items[place + 1].of_kind("asset_type"):
            names = links_to(frame.model.event_types[on], one.name)
            if names:
                frame.items.use(place, place + 1)
                return end_at(frame, place + 1, names)
    return _through(frame, on)


def _through(frame: Frame, on: str) -> str | None:
    """Use the asset type or link whose assets are asked for, if no event is named: "how many airports did Delta fly to"."""
    if not frame.through:
        return None
    for place, found in frame.items.unused("asset_type", "link"):
        for one in found:
            names = (
                [one.name] if one.kind == "link" and one.of == on else links_to(frame.model.event_types[on], one.name)
            )
            if names:
                frame.items.use(place)
                frame.items.take("distinct")
                chosen = end_at(frame, place, names)
                if len(names) > 1:
                    frame.note("link", name=chosen, text=frame.items[place].text)
                return chosen
    return None


def number_column(frame: Frame, on: str, kind: EventType) -> str | None:
    """Use the number of each event that is named: "distance"."""
    for place, found in frame.items.unused("property"):
        for one in found:
            if one.of == on and kind.properties[one.name].dtype in ("number", "integer"):
                frame.items.use(place)
                return one.name
    return None


def hinted_column(frame: Frame, kind: EventType) -> str | None:
    """Return the number that a word such as "furthest" implies."""
    for place in range(len(frame.items)):
        symbol = frame.items.is_symbol(place, "highest ", "lowest ")
        name = symbol.split()[1] if symbol else ""
        if name in kind.properties and kind.properties[name].dtype in ("number", "integer"):
            return name
    return None
