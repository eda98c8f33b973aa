"""Gaps of live sources, recorded in the twin's journal."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from twinlab.ledger import Journal
from twinlab.sources.live import Gap

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["gap_table", "record_gaps"]

_KIND = "live_gap"
_COLUMNS = ("source", "noted", "stream", "reason", "start", "stop", "epoch", "first_sequence", "stop_sequence", "tags")


def record_gaps(journal: Journal, source: str, gaps: tuple[Gap, ...]) -> None:
    """Write gaps of a source to the journal; they are durable when this returns.

    Raises
    ------
    SourceError
        If the disk is full or fails.
    """
    journal.append_many([(_KIND, {"source": source, **asdict(gap)}) for gap in gaps])


def gap_table(journal: Journal, source: str | None = None) -> pd.DataFrame:
    """Return all recorded gaps, or those of one source, in the order of their records; times are UTC, NaT where unknown."""
    import pandas as pd  # noqa: PLC0415  (the historian needs none)

    rows = []
    for entry in journal.entries(_KIND):
        found = entry.payload
        if source is None or found["source"] == source:
            start, stop = (
                pd.Timestamp(found[key]) if found[key] is not None else pd.NaT for key in ("start_ns", "stop_ns")
            )
            numbers = [found[key] for key in ("epoch", "first_sequence", "stop_sequence")]
            head = [found["source"], pd.Timestamp(entry.ingest_time), found["stream"], found["reason"]]
            rows.append([*head, start, stop, *numbers, tuple(found["tags"])])
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    for name in ("noted", "start", "stop"):
        table[name] = table[name].astype("datetime64[ns]")
    for name in ("epoch", "first_sequence", "stop_sequence"):
        table[name] = table[name].astype("Int64")
    return table
