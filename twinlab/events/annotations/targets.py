"""What an annotation is about: an exception, a span of a signal of one asset, or an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from twinlab.errors import SchemaError

__all__ = ["KINDS", "Kind", "Target", "event_target", "exception_target", "span_target"]

Kind = Literal["exception", "span", "event"]
KINDS: tuple[Kind, ...] = ("exception", "span", "event")


@dataclass(frozen=True, slots=True)
class Target:
    """What an annotation is about. The key is unique among targets of its kind, and no rebuild changes it."""

    kind: Kind
    key: str
    # As type/id.
    asset: str = ""
    signal: str = ""
    # Nanoseconds since 1970, [start, stop).
    start: int | None = None
    stop: int | None = None
    event_type: str = ""
    event_id: str = ""


def exception_target(key: object) -> Target:
    """Return an exception as a target, by its key in a table of exceptions.

    Raises
    ------
    SchemaError
        If it has no key.
    """
    if not isinstance(key, str) or not key:
        msg = f"expected the key of an exception (column `key` of its table), got {key!r}"
        raise SchemaError(msg)
    return Target("exception", key)


def span_target(asset: str, signal: str, start_ns: int, stop_ns: int) -> Target:
    """Return a half-open span of a signal of one asset (type/id) as a target; times in ns since 1970.

    Raises
    ------
    SchemaError
        If the span is empty.

    >>> span_target("room/3", "temperature", 0, 60 * 10**9).key
    'room/3/temperature/1970-01-01T00:00:00/1970-01-01T00:01:00'
    """
    start, stop = (_text(at) for at in (start_ns, stop_ns))
    if not start_ns < stop_ns:
        msg = f"expected start before stop, got {start} and {stop}; leave out stop for one cell"
        raise SchemaError(msg)
    return Target("span", f"{asset}/{signal}/{start}/{stop}", asset, signal, start_ns, stop_ns)


def event_target(event_type: str, event_id: object) -> Target:
    """Return an event as a target.

    Raises
    ------
    SchemaError
        If it has no id.
    """
    if not isinstance(event_id, str) or not event_id:
        msg = f"expected the id of an event (column `event_id` of its table), got {event_id!r}"
        raise SchemaError(msg)
    return Target("event", f"{event_type}/{event_id}", event_type=event_type, event_id=event_id)


def _text(at: int) -> str:
    """Return an instant with as many digits as it needs."""
    return str(np.datetime64(at, "ns")).rstrip("0").rstrip(".")
