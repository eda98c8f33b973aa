"""Export of a view's tables to Excel, with settings and code on an *about* sheet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import twinlab
from twinlab._files import write_atomically
from twinlab._spreadsheets import write_workbook
from twinlab.errors import SchemaError
from twinlab.explore.files.exportable import check_suffix
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.files.exportable import Exportable

__all__ = ["about_rows", "write_excel"]


def write_excel(view: Exportable, path: Path) -> Path:
    """Write the tables of a view, one sheet each, and an *about* sheet.

    Times become Excel dates (UTC, as the titles say); text stays text, even if it looks like a formula.

    Raises
    ------
    SchemaError
        If the suffix isn't ``.xlsx``, nothing is shown, or a table has more rows than a sheet.
    SourceError
        If the package xlsxwriter isn't installed.
    """
    check_suffix(path, (".xlsx",), "an Excel file")
    tables = {name: table for name, table in view.tables().items() if len(table.columns)}
    if not tables:
        msg = tr("nothing is shown, so there is nothing to write; choose something first")
        raise SchemaError(msg)
    return write_atomically(path, lambda draft: write_workbook(draft, tables, about=about_rows(view)))


def about_rows(view: Exportable) -> list[tuple[str, str]]:
    """Return the rows of the *about* sheet: twin, newest data, settings, link and code."""
    model = view.twin.model
    latest = view.shared.latest()
    rows = [
        ("twin", model.title or model.twin),
        (
            tr("data up to"),
            tr("no data") if latest is None else tr("{latest:%Y-%m-%d %H:%M:%S} UTC", latest=pd.Timestamp(latest)),
        ),
        (
            "written",
            tr("{utc:%Y-%m-%d %H:%M:%S} UTC, twinlab {version}", utc=datetime.now(UTC), version=twinlab.__version__),
        ),
        *view.settings().items(),
        ("link", view.url()),
    ]
    return [*rows, *((("code" if not number else ""), line) for number, line in enumerate(view.code().splitlines()))]
