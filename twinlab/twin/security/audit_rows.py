"""Rows of a twin's audit that concern security: what rules look at, and who has read what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.control.audit.search import RowFilter, newest_rows
from twinlab.events.intrusion.records import LogRecord, audit_record

if TYPE_CHECKING:
    from twinlab.control.audit import AuditRow

__all__ = ["READ_COLUMNS", "read_table", "records_of"]

#: Kinds of rows about personal data.
_READS = ("read", "release", "erasure", "reidentification")
READ_COLUMNS = ("at", "kind", "who", "of", "fields", "purpose", "rows", "to", "outcome")


def records_of(rows: list[AuditRow]) -> Iterator[LogRecord]:
    """Yield what rules look at."""
    for row in rows:
        record = audit_record(row.at, row.kind, row.who, row.what)
        if record is not None:
            yield record


def read_table(folder: Path, count: int) -> pd.DataFrame:
    """Return the newest rows about personal data: who read, released or erased what, for which purpose.

    Raises
    ------
    CorruptionError
        At a row that doesn't follow the one before it.
    """
    rows = newest_rows(folder, count, RowFilter(kinds=_READS)) if folder.is_dir() else []
    found = [
        {
            "at": pd.Timestamp(row.at).tz_localize(None) if pd.Timestamp(row.at).tz is None else pd.Timestamp(row.at).tz_convert(None),
            "kind": row.kind, "who": ", ".join(row.who), "of": str(row.what.get("asset_type") or row.what.get("event_type") or ""),
            "fields": ", ".join(map(str, row.what.get("fields") or ())), "purpose": str(row.what.get("purpose") or ""),
            "rows": row.what.get("rows"), "to": str(row.what.get("to") or ""),
            "outcome": str(row.what.get("outcome") or row.what.get("reason") or ""),
        }
        for row in rows
    ]  # fmt: skip
    return pd.DataFrame(found, columns=list(READ_COLUMNS))
