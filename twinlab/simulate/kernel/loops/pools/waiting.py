"""Entities that wait at a link for a transporter: in which order, and which of them none has been called for."""

from __future__ import annotations

from typing import Final

from twinlab._compiled import njit

__all__ = ["first_without_call", "join_link", "oldest_without_call"]

_FIFO: Final = 0
_BY_PRIORITY: Final = 1


@njit(cache=True, nogil=True)
def _before(entities, order, a, b):
    """Whether an entity is carried before another that joined earlier."""
    if order == _FIFO:
        return False
    if order == _BY_PRIORITY:
        return entities[a].priority > entities[b].priority
    return entities[a].due < entities[b].due


@njit(cache=True, nogil=True)
def join_link(s, p, e, link):
    """Put an entity in the list of a link, at its end or before the first that is carried later."""
    way, order = s.links[link], p.links[link].order
    one = s.entities[e]
    one.next = -1
    if way.first < 0:
        way.first = e
        way.last = e
    elif not _before(s.entities, order, e, way.last):
        s.entities[way.last].next = e
        way.last = e
    else:
        before, other = -1, way.first
        while not _before(s.entities, order, e, other):
            before, other = other, s.entities[other].next
        one.next = other
        if before < 0:
            way.first = e
        else:
            s.entities[before].next = e
    way.waiting += 1
    way.joined += one.since


@njit(cache=True, nogil=True)
def first_without_call(s, link):
    """Return the first entity at a link for which no transporter is on its way; -1 for none."""
    way = s.links[link]
    if way.waiting <= way.coming:
        return -1
    e = way.first
    for _ in range(way.coming):
        e = s.entities[e].next
    return e


@njit(cache=True, nogil=True)
def oldest_without_call(s, e):
    """Return since when the one waits that has waited longest, of an entity and those behind it at its link."""
    since = s.entities[e].since
    while e >= 0:
        since = min(since, s.entities[e].since)
        e = s.entities[e].next
    return since
