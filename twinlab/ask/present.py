"""The spans that a question has without a time: the present, the data, and the events that happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.parsing.instants import When

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["data_span", "events_span", "present"]


def present(twin: TwinReader) -> pd.Timestamp:
    """Return the end of a twin's data: of the newest cell of its history, or of its newest event."""
    found: list[pd.Timestamp] = []
    for kind, spec in twin.model.asset_types.items():
        for cadence in {one.cadence_ns for one in spec.signals.values()}:
            names = [name for name, one in spec.signals.items() if one.cadence_ns == cadence]
            times = twin.history(kind, signals=names[:1])["time"]
            if times.size:
                found.append(pd.Timestamp(times.values[-1]) + pd.Timedelta(cadence, unit="ns"))
    if not found:
        for kind in twin.model.event_types:
            table = twin.events(kind)
            found += [pd.Timestamp(one) for one in (table["start"].max(), table["end"].max()) if one is not pd.NaT]
    return max(found) if found else pd.Timestamp(twin.model.origin_ns, unit="ns")


def data_span(twin: TwinReader, now: pd.Timestamp) -> When:
    """Return the first instant of the twin's history, and the present."""
    origin = pd.Timestamp(twin.model.origin_ns, unit="ns")
    first = now
    for kind, spec in twin.model.asset_types.items():
        if spec.signals:
            times = twin.history(kind)["time"] if len({one.cadence_ns for one in spec.signals.values()}) == 1 else None
            if times is not None and times.size:
                first = min(first, pd.Timestamp(times.values[0]).floor("1D"))
    return When(first if first < now else origin, now)


def events_span(twin: TwinReader, on: str, data: When) -> When:
    """Return the span of the history, with all recorded events of a type that began before or after it.

    Events that are planned and haven't begun don't make it longer; nor do rows later than a present that was chosen.
    """
    start, stop = data.start, data.stop
    before = twin.events(on, stop=start)
    earliest = before[["start", "planned_start"]].min().min()
    if not pd.isna(earliest):
        start = min(start, earliest.floor("1D"))
    if stop >= present(twin):
        after = twin.events(on, start=stop)
        begun = after[after["start"] >= stop]
        if len(begun):
            stop = max(stop, (begun[["start", "planned_start"]].max().max() + pd.Timedelta(1, unit="ns")).ceil("1min"))
    return When(start, stop)
