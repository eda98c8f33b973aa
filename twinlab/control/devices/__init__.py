"""What devices have recorded by themselves: fetched with their signatures, and appended to the audit, each entry once.

In: the endpoints of a twin and its audit. Out: rows of the kind ``device record``.
Read in order: `cursors` (which entries the audit has), `fetching`.
Never: an entry twice; an entry that its device didn't sign; an entry of a record that was replaced without a row that says so.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__, {"Cursor": "cursors", "Cursors": "cursors", "FetchReport": "fetching", "fetch_records": "fetching"}
)
