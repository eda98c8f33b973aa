"""What ties a row of a dispatcher's sheet to its exception: column names, fingerprints, notes as spreadsheets keep them."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["ACKNOWLEDGED", "FINGERPRINT", "KEY", "NOTE", "SHEET", "cleaned", "fingerprint", "noted"]

SHEET = "Exceptions"
#: Headers of the columns that come back, and of the hidden ones that tell which row is which.
NOTE, ACKNOWLEDGED, KEY, FINGERPRINT = "Note", "Acknowledged", "twinlab key", "twinlab row"
#: What makes an exception the same one; its value and wording change all the time.
_IDENTITY = ("rule", "severity", "asset_type", "asset", "event_type", "event_id", "since", "limit")


def noted(table: pd.DataFrame, notes: pd.DataFrame | None) -> pd.DataFrame:
    """Return exceptions with the columns ``note`` and ``acknowledged`` as they stand in a table of notes.

    Without notes, those that the table has itself; nothing noted where it has none.
    """
    if notes is None:
        note = table["note"].fillna("") if "note" in table else ""
        acknowledged = table["acknowledged"].eq(other=True) if "acknowledged" in table else False
        return table.assign(note=note, acknowledged=acknowledged)
    last = notes.drop_duplicates("key", keep="last")
    said = dict(zip(last["key"], zip(last["note"], last["acknowledged"], strict=True), strict=True))
    found = [said.get(key, ("", False)) for key in table["key"]]
    note = pd.Series([one[0] for one in found], index=table.index, dtype="str")
    return table.assign(note=note, acknowledged=np.array([bool(one[1]) for one in found], dtype=bool))


def fingerprint(row: Mapping[str, object], *, note: str, acknowledged: bool) -> str:
    """Return what tells whether a row is still the same: its key, its exception, and what stood noted.

    >>> row = {"key": "late/P7", "severity": "high", "since": pd.Timestamp("2026-01-01")}
    >>> fingerprint(row, note="", acknowledged=False).count("-")
    2
    """
    exception = "\x1f".join(_identity(row.get(name)) for name in _IDENTITY)
    said = f"{cleaned(note)}\x1f{acknowledged}"
    return "-".join(hashlib.sha256(part.encode()).hexdigest()[:10] for part in (str(row["key"]), exception, said))


def cleaned(note: str) -> str:
    r"""Return a note without what spreadsheets add or lose: line ends, control characters, blanks at either end.

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
