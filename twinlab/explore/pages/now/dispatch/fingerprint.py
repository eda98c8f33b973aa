"""Link between a row of the workbook and its exception: column names, fingerprints, normalized notes."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["ACKNOWLEDGED", "FINGERPRINT", "KEY", "NOTE", "SHEET", "cleaned", "fingerprint", "with_notes"]

SHEET = "Exceptions"
#: Headers of the editable columns, and of the hidden columns that identify a row.
NOTE, ACKNOWLEDGED, KEY, FINGERPRINT = "Note", "Acknowledged", "twinlab key", "twinlab row"
#: Columns that identify an exception; its value and its text change with every sample.
_IDENTITY = ("rule", "severity", "asset_type", "asset", "event_type", "event_id", "since", "limit")


def with_notes(table: pd.DataFrame, notes: pd.DataFrame | None) -> pd.DataFrame:
    """Return exceptions with the columns ``note`` and ``acknowledged`` from a table of notes.

    Without ``notes``, the columns of the table itself are used, or empty ones.
    """
    if notes is None:
        note = table["note"].fillna("") if "note" in table else ""
        acknowledged = table["acknowledged"].eq(other=True) if "acknowledged" in table else False
        return table.assign(note=note, acknowledged=acknowledged)
    rows = notes.drop_duplicates("key", keep="last")
    latest = dict(zip(rows["key"], zip(rows["note"], rows["acknowledged"], strict=True), strict=True))
    found = [latest.get(key, ("", False)) for key in table["key"]]
    note = pd.Series([one[0] for one in found], index=table.index, dtype="str")
    return table.assign(note=note, acknowledged=np.array([bool(one[1]) for one in found], dtype=bool))


def fingerprint(row: Mapping[str, object], *, note: str, acknowledged: bool) -> str:
    """Return hashes of a row's key, of its exception, and of its note and acknowledgement, joined by hyphens.

    >>> row = {"key": "late/P7", "severity": "high", "since": pd.Timestamp("2026-01-01")}
    >>> fingerprint(row, note="", acknowledged=False).count("-")
    2
    """
    exception = "\x1f".join(_identity(row.get(name)) for name in _IDENTITY)
    state = f"{cleaned(note)}\x1f{acknowledged}"
    return "-".join(hashlib.sha256(part.encode()).hexdigest()[:10] for part in (str(row["key"]), exception, state))


def cleaned(note: str) -> str:
    r"""Return a note with normalized line ends, without control characters and surrounding blanks.

    >>> cleaned(" called\r\nthem_x000D_ ")
    'called\nthem'
    """
    text = note.replace("_x000D_", "").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(one for one in text if one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cs"))
    return unicodedata.normalize("NFC", text).strip()


def _identity(value: object) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):  # type: ignore[call-overload]
        return ""
    return f"{value:.9g}" if isinstance(value, float) else str(value)
