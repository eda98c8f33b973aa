"""Frames as tables of bounded size, and results that fit into so many bytes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import pandas as pd

from twinlab.assistants.results.schemas import Cell, Column, Result, Table
from twinlab.assistants.results.texts import is_visible, visible_text

if TYPE_CHECKING:
    from twinlab.assistants.limits import Limits

__all__ = ["fitted", "instant_of", "table_of", "wire_text"]

R = TypeVar("R", bound=Result)

_COLUMNS = 40
#: Characters of a sentence or a note.
_SENTENCE = 4_000
_LISTED = 50


def table_of(frame: pd.DataFrame, *, units: Mapping[str, str], first: int, rows: int) -> Table:
    """Return some rows of a frame.

    Parameters
    ----------
    frame : DataFrame
        Without its index.
    units : mapping of str to str
        Column -> unit.
    first, rows : int
        Rows that are left out before, and how many are returned.
    """
    shown = frame.iloc[first : first + rows, :_COLUMNS]
    made = [_column(str(name), shown.iloc[:, place], units) for place, name in enumerate(shown.columns)]
    cells = [values for _, values in made]
    return Table(
        columns=[column for column, _ in made],
        rows=[list(row) for row in zip(*cells, strict=True)] if cells else [],
        first=min(first, len(frame)),
        total=len(frame),
    )


def _column(name: str, values: pd.Series, units: Mapping[str, str]) -> tuple[Column, list[Cell]]:
    unit = units.get(name, "")
    kind: Literal["number", "text", "time", "boolean"] = "text"
    if pd.api.types.is_bool_dtype(values):
        kind = "boolean"
    elif pd.api.types.is_timedelta64_dtype(values):
        values, unit, kind = values.dt.total_seconds(), "s", "number"
    elif pd.api.types.is_numeric_dtype(values):
        kind = "number"
    elif pd.api.types.is_datetime64_any_dtype(values):
        kind = "time"
    return Column(name=visible_text(name), type=kind, unit=visible_text(unit)), [cell_of(one) for one in values]


def cell_of(value: Any) -> Cell:  # noqa: ANN401  (a value of any frame)
    """Return a value as JSON has it: times in UTC, text made visible, infinity as text, null for what isn't known."""
    if isinstance(value, str):
        return visible_text(value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        # JSON's numbers are exact up to 2^53 in most clients.
        return int(value) if abs(int(value)) <= 2**53 else str(value)
    if isinstance(value, float | np.floating):
        number = float(value)
        return None if math.isnan(number) else number if math.isfinite(number) else str(number)
    if isinstance(value, pd.Timestamp | np.datetime64):
        return instant_of(value)
    if isinstance(value, pd.Timedelta):
        return value.total_seconds()
    return visible_text(value)


def instant_of(value: object) -> str | None:
    """Return an instant as ISO 8601 in UTC; null if there is none."""
    found: Any = pd.Timestamp(value)  # type: ignore[arg-type]
    if pd.isna(found):
        return None
    plain = found if found.tzinfo is None else found.tz_convert("UTC").tz_localize(None)
    return f"{plain.isoformat()}Z"


def wire_text(data: object) -> str:
    r"""Return JSON in which no text is markup, and nothing is invisible: ``<``, ``>`` and ``&`` are written ``\u003c`` and so on, which JSON reads back.

    >>> wire_text({"name": "<script>"})
    '{"name": "\\u003cscript\\u003e"}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    return "".join(one if is_visible(one) and one not in "<>&" else _escaped(one) for one in text)


def _escaped(letter: str) -> str:
    """Return a letter as JSON's escape: of letters beyond 16 bits two of them."""
    return json.dumps(letter)[1:-1] if ord(letter) > 127 else f"\\u{ord(letter):04x}"


def fitted(result: R, limits: Limits) -> R:
    """Return a result with bounded texts and lists whose JSON isn't larger than the limit: rows of its table are left out, and it says so."""
    changed: dict[str, Any] = {
        "says": visible_text(result.says, most=_SENTENCE),
        "notes": [visible_text(one, most=_SENTENCE) for one in result.notes[:_LISTED]],
    }
    cut = list(result.cut)
    if (table := result.table) is not None and table.first + len(table.rows) < table.total:
        cut.append(_left(table))
    out = result.model_copy(update={**changed, "cut": cut})
    while (table := out.table) is not None and _size(out) > limits.bytes:
        if not table.rows:
            return out.model_copy(update={"table": None, "cut": [f"the table has more than {limits.bytes} bytes"]})
        less = table.model_copy(update={"rows": table.rows[: len(table.rows) // 2]})
        out = out.model_copy(update={"table": less, "cut": [*result.cut, _left(less)]})
    return out


def _left(table: Table) -> str:
    last = table.first + len(table.rows)
    return f"rows {table.first} to {last} of {table.total} are shown; ask with offset={last} for the next, or narrow the question"


def _size(result: Result) -> int:
    return len(wire_text(result.model_dump(mode="json")).encode())
