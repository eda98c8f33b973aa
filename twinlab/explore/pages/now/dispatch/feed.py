"""The dispatcher's sheet as a table that a spreadsheet program fetches again and again: the columns of the workbook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.kit.exception_text import LabelsByType
from twinlab.explore.kit.present import now_at
from twinlab.explore.pages.now.dispatch.fingerprint import ACKNOWLEDGED, KEY, NOTE, cleaned, with_notes
from twinlab.explore.pages.now.dispatch.writing import column_header
from twinlab.explore.pages.now.rows import chosen_columns, exception_rows
from twinlab.explore.pages.now.workbook_exchange import sheet_table
from twinlab.languages import using

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Shared

__all__ = ["MOST_ROWS", "sheet_feed"]

#: Rows of a sheet, worst first; people don't read more, and a fetch stays short.
MOST_ROWS = 5_000


def sheet_feed(shared: Shared, columns: Sequence[str] | None = None, *, most: int = MOST_ROWS) -> pd.DataFrame:
    """Return the present exceptions, worst first, as the sheet *Exceptions* of the workbook has them.

    Headers and texts are English for every reader: a query that names a column works for all.

    Parameters
    ----------
    shared : Shared
        What the reader may see.
    columns : sequence of str, optional
        Columns of page *Now*, as the reader has chosen them.
    most : int
        Beyond so many rows the last one says how many aren't shown.

    Returns
    -------
    DataFrame
        Text, numbers and times (UTC) as text; the last three columns are the note, whether it is acknowledged (yes, no), and the
        key that the row has in the workbook.

    Raises
    ------
    TwinlabError
        If the twin can't be read.
    """
    now = now_at(shared, None)
    notes = shared.twin.notes() if hasattr(shared.twin, "notes") else None
    with using("en"):
        rows = exception_rows(now, shared.twin.model, labels=LabelsByType(shared), notes={})
        shown = chosen_columns(None if columns is None else list(columns))
        if now.at is None:
            return pd.DataFrame(columns=[NOTE, ACKNOWLEDGED, KEY])
        table, names = sheet_table(now.exceptions, rows, shown)
    full = with_notes(table, notes)
    out = full[names].rename(columns={name: column_header(name, full[name]) for name in names})
    for header in out:
        if pd.api.types.is_datetime64_any_dtype(out[header]):
            # As the workbook shows them; every spreadsheet program reads it as a time.
            out[header] = out[header].dt.strftime("%Y-%m-%d %H:%M:%S").astype("object")
    out[NOTE] = [cleaned(str(note)) for note in full["note"]]
    out[ACKNOWLEDGED] = ["yes" if one else "no" for one in full["acknowledged"]]
    out[KEY] = full["key"].astype("str")
    return out if len(out) <= most else _cut(out, most)


def _cut(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the first rows, and one that says how many are left out."""
    left = pd.DataFrame({KEY: [f"{len(table) - most:,} more rows aren't shown; see page Now"]})
    return pd.concat([table.iloc[:most], left], ignore_index=True)
