"""Lists and queues of entities inside the arrays: first come first served, or by a key (a pairing heap)."""

from __future__ import annotations

from typing import Final

from twinlab._compiled import njit
from twinlab.simulate.kernel.records import FREE, FREED, HIGHEST

__all__ = ["free_entity", "new_entity", "queue_pop", "queue_push"]

_FIFO: Final = 0
_BY_PRIORITY: Final = 1


@njit(cache=True, nogil=True, forceinline=True)
def new_entity(counts, entities):
    """Return a free row; the caller has made sure that there is one."""
    e = counts[FREED]
    if e >= 0:
        counts[FREED] = entities[e].next
    else:
        e = counts[HIGHEST]
        counts[HIGHEST] = e + 1
    return e


@njit(cache=True, nogil=True, forceinline=True)
def free_entity(counts, entities, e):
    """Return a row to the free ones."""
    entities[e].stage = FREE
    entities[e].next = counts[FREED]
    counts[FREED] = e


@njit(cache=True, nogil=True, forceinline=True)
def _before(entities, extras, order, a, b):
    """Whether an entity is served before another; of equal ones the first that joined."""
    if order == _BY_PRIORITY:
        if entities[a].priority != entities[b].priority:
            return entities[a].priority > entities[b].priority
    elif entities[a].due != entities[b].due:
        return entities[a].due < entities[b].due
    return extras[a].joined < extras[b].joined


@njit(cache=True, nogil=True)
def _merged(entities, extras, order, a, b):
    """Return the root of two pairing heaps put together; roots have no sibling."""
    if a < 0:
        return b
    if b < 0:
        return a
    if _before(entities, extras, order, b, a):
        a, b = b, a
    entities[b].next = extras[a].child
    extras[a].child = b
    return a


@njit(cache=True, nogil=True)
def _push_by_key(entities, extras, nodes, n, order, e):
    extras[e].joined = nodes[n].order
    nodes[n].order += 1
    extras[e].child = -1
    nodes[n].first = _merged(entities, extras, order, nodes[n].first, e)


@njit(cache=True, nogil=True)
def _pop_by_key(entities, extras, nodes, n, order):
    found = nodes[n].first
    # Pairs from the left, kept in a list that is merged from the right.
    pairs = -1
    child = extras[found].child
    while child >= 0:
        second = entities[child].next
        entities[child].next = -1
        following = -1
        merged = child
        if second >= 0:
            following = entities[second].next
            entities[second].next = -1
            merged = _merged(entities, extras, order, child, second)
        entities[merged].next = pairs
        pairs = merged
        child = following
    root = -1
    while pairs >= 0:
        following = entities[pairs].next
        entities[pairs].next = -1
        root = _merged(entities, extras, order, root, pairs)
        pairs = following
    nodes[n].first = root
    return found


@njit(cache=True, nogil=True, forceinline=True)
def queue_push(entities, extras, nodes, n, order, e):
    """Add an entity to a node's queue."""
    entities[e].next = -1
    if order == _FIFO:
        if nodes[n].first < 0:
            nodes[n].first = e
        else:
            entities[nodes[n].last].next = e
        nodes[n].last = e
    else:
        _push_by_key(entities, extras, nodes, n, order, e)
    nodes[n].waiting += 1


@njit(cache=True, nogil=True, forceinline=True)
def queue_pop(entities, extras, nodes, n, order):
    """Remove and return who is served next; the queue isn't empty."""
    nodes[n].waiting -= 1
    if order != _FIFO:
        return _pop_by_key(entities, extras, nodes, n, order)
    found = nodes[n].first
    nodes[n].first = entities[found].next
    return found
