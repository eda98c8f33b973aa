"""Event tables for display, cached for all readers of a twin."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.events import delays, status
from twinlab.explore.kit.cache import ReadCache

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType

__all__ = ["EventTables", "shown_table"]

_TIMES = ("planned_start", "start", "planned_end", "end")


class EventTables:
    """Event tables for display, shared by all readers of a twin.

    Each is cached for a minute; for a twin with a position, until that changes.
    """

    def __init__(self, twin: TwinReader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._twin = twin
        self._cache = ReadCache(twin, clock=clock)

    def ready(self, event_type: str) -> bool:
        """Whether a table is cached."""
        return self._cache.ready(event_type)

    def table(self, event_type: str) -> pd.DataFrame:
        """Return the events of one type as shown: status, assets, times, delays in minutes, properties."""
        spec = self._twin.model.event_types[event_type]
        return self._cache.get(event_type, lambda: shown_table(self._twin.events(event_type), spec))


def shown_table(events: pd.DataFrame, spec: EventType) -> pd.DataFrame:
    """Return an event table with columns in reading order, with status and delays.

    Text columns are categorical, "" for missing, so that a filter tests each distinct text once.
    """
    late = delays(events)
    state = status(events, without_start=spec.without_start)
    columns: dict[str, object] = {"event_id": events["event_id"].to_numpy(), "status": state.array}
    for name in ("asset", *spec.links):
        if name in events and (name != "asset" or spec.asset is not None):
            columns[name] = _text(events[name])
    for name in _TIMES:
        columns[name] = events[name].to_numpy()
    for name in late:
        columns[str(name)] = (late[name] / pd.Timedelta(minutes=1)).to_numpy()
    for name in spec.properties:
        if name in events:
            column = events[name]
            # A status recorded by the source doesn't replace the one derived from the times.
            name = name if name not in columns else f"{name}_recorded"  # noqa: PLW2901
            numeric = pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column)
            columns[name] = column.to_numpy() if numeric else _text(column)
    return pd.DataFrame(columns, copy=False)


def _text(column: pd.Series) -> pd.Categorical[Any]:
    return pd.Categorical(column.astype("str").where(column.notna(), ""))
