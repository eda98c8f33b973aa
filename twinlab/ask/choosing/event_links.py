"""The links of events that a question names: from Newark, with United, of truck T001, Delta or JetBlue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.ask.parsing.frame import FIRST_ENDS, LAST_ENDS

if TYPE_CHECKING:
    from twinlab.ask.parsing.frame import Frame
    from twinlab.ask.parsing.vocabulary import Meaning
    from twinlab.model.asset_types import EventType

__all__ = ["compared_groups", "end_at", "event_links", "links_to", "through_events"]


def links_to(kind: EventType, asset_type: str) -> list[str]:
    """Return the links of an event type that are assets of a type; ``asset`` if the events are theirs."""
    found = [name for name, target in kind.links.items() if target == asset_type]
    return [*found, "asset"] if kind.asset == asset_type else found


def _ending(links: list[str]) -> str:
    return next((name for name in links if name in LAST_ENDS), links[-1])


def end_at(frame: Frame, place: int, links: list[str]) -> str:
    """Return the link that is meant: "to which airport", "which airports did Delta fly to"."""
    items = frame.items
    before = place - 1
    while before >= 0 and items[before].symbol("filler", "which", "highest", "lowest", "distinct", "count"):
        if items[before].symbol("to"):
            break
        before -= 1
    if before >= 0 and items[before].symbol("to"):
        return _ending(links)
    if frame.items.has("at_end") or any(_ends(frame, one) for one in range(place + 1, len(items))):
        return _ending(links)
    return links[0]


def _ends(frame: Frame, place: int) -> bool:
    """Return whether there is a "to" that no asset follows: "which airports did Delta fly to in May"."""
    after = place + 1
    while after < len(frame.items) and frame.items[after].symbol("filler"):
        after += 1
    return frame.items[place].symbol("to") is not None and not (
        after < len(frame.items) and (frame.items[after].of_kind("asset") or frame.items[after].symbol("unit "))
    )


def event_links(frame: Frame, on: str, *, about_start: bool | None) -> dict[str, str]:
    """Use the links that an event needs, and return them."""
    kind = frame.model.event_types[on]
    found: dict[str, str] = {}
    for place, meanings in frame.assets:
        for one in _likely_first(frame, place, meanings, kind):
            if _beside_another(frame, place, one.of):
                # "JFK and LGA": the second has the same link.
                continue
            links = [name for name in links_to(kind, one.of) if name not in found]
            if not links:
                continue
            chosen, sure = _chosen(frame, place, links, about_start=about_start)
            if not sure:
                frame.note("link", name=chosen, text=frame.items[place].text)
            found[chosen] = one.name
            frame.items.use(place)
            frame.take_asset_type(one.of)
            break
    for name in found:
        for place, meanings in frame.items.unused("link"):
            if any(one.name == name and one.of == on for one in meanings):
                frame.items.use(place)
    return found


def _likely_first(frame: Frame, place: int, meanings: list[Meaning], kind: EventType) -> list[Meaning]:
    """Return the meanings of a name with the likely ones first: "from" and "to" are followed by a place, others are who does it."""
    at_place = frame.preceded_by(place, "from", "to", "between", "at")
    return sorted(meanings, key=lambda one: (len(links_to(kind, one.of)) > 1) != at_place)


def _chosen(frame: Frame, place: int, links: list[str], *, about_start: bool | None) -> tuple[str, bool]:
    """Return the link of an asset, and whether the words say it."""
    if frame.preceded_by(place, "from", "between"):
        if frame.preceded_by(place, "between"):
            frame.items.take("between")
        return next((name for name in links if name in FIRST_ENDS), links[0]), True
    if frame.preceded_by(place, "to"):
        return _ending(links), True
    if len(links) > 1 and about_start is not None:
        return (links[0] if about_start else _ending(links)), True
    return links[0], len(links) == 1


def _beside_another(frame: Frame, place: int, asset_type: str) -> bool:
    """Return whether an asset is the second of two of a type: "JFK and LGA", not "between JFK and LAX"."""
    items = frame.items
    before = place - 1
    # "EWR, JFK and LGA": a comma leaves nothing between them.
    joined = before >= 0 and bool(items[before].of_kind("asset"))
    while before >= 0 and items[before].symbol("and", "versus", "filler", "at", "from"):
        joined = joined or items[before].symbol("and", "versus") is not None
        before -= 1
    if before < 0 or not joined or not any(one.of == asset_type for one in items[before].of_kind("asset")):
        return False
    while before >= 0 and not items[before].symbol("between"):
        before -= 1
    return before < 0


def compared_groups(frame: Frame, on: str, links: dict[str, str]) -> tuple[str | None, list[str] | None]:
    """Return the link whose assets are compared, and them: "Delta or JetBlue", "T001 and T002"."""
    kind = frame.model.event_types[on]
    for link, first in list(links.items()):
        target = kind.asset if link == "asset" else kind.links[link]
        others = [
            (place, one) for place, found in frame.assets for one in found if one.of == target and one.name != first
        ]
        if others:
            frame.items.use(*(place for place, _ in others))
            frame.items.take("versus")
            del links[link]
            return link, [first, *dict.fromkeys(one.name for _, one in others)]
    return None, None


def through_events(frame: Frame) -> str | None:
    """Return the event type through which what is asked for belongs to an asset that is named: the airlines that fly from LGA.

    None where a relationship says it: the trucks of a hub.
    """
    if frame.signals() or (not frame.items.has("count", "which", "list", "distinct") and not _begins_with_type(frame)):
        return None
    model = frame.model
    owners = {one.of for _, found in frame.assets for one in found}
    if not owners:
        return None
    # What comes first is asked for: "how many parcels were at the Berlin hub" isn't about hubs.
    first = next(iter(frame.items.unused("asset_type", "link")), (0, []))[1]
    wanted = {one.name for one in first if one.kind == "asset_type"}
    linked = {
        (one.of, one.name) for one in first if one.kind == "link" and model.event_types[one.of].links[one.name] not in owners
    }  # fmt: skip
    fitting = []
    for name, kind in model.event_types.items():
        named = any(links_to(kind, one) for one in owners)
        asked = [one for one in wanted if links_to(kind, one) and not (one in owners and len(links_to(kind, one)) < 2)]
        if named and (asked or any(of == name for of, _ in linked)):
            related = any(
                {one, owner} == {link.source, link.target} for one in asked for owner in owners for link in model.relationships.values()
            )  # fmt: skip
            if not related:
                fitting.append(name)
    if len(fitting) != 1 or frame.items.has("property") or list(frame.items.unused("property", "kpi")):
        return None
    frame.through = True
    return fitting[0]


def _begins_with_type(frame: Frame) -> bool:
    """Return whether a question begins with what it asks for: "airlines flying from LGA"."""
    return bool(len(frame.items)) and bool(frame.items[0].of_kind("asset_type", "link"))
