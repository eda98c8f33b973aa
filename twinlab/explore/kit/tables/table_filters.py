"""Filters of an event table: from its headers, as text in a link, as Python code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast, get_args
from urllib.parse import quote, unquote

import numpy as np
import pandas as pd

from twinlab.languages import mark, tr
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EventFilter",
    "apply_filters",
    "filter_mask",
    "filters_code",
    "filters_text",
    "from_headers",
    "parse_filters",
]

Operator = Literal["=", ">=", "<", "~"]
_OPERATORS: tuple[Operator, ...] = get_args(Operator)
_FROM_HEADER: Mapping[str, Operator] = {"=": "=", "like": "~", ">=": ">=", "tickCross": "=", "<": "<"}
_LABELS: Mapping[Operator, str] = {"=": mark("is"), ">=": mark("at least"), "<": mark("below"), "~": mark("contains")}


@dataclass(frozen=True)
class EventFilter:
    """One condition on one column.

    >>> print(EventFilter("origin", "=", "EWR"))
    origin is EWR
    """

    column: str
    operator: Operator
    value: str | float | bool

    def __str__(self) -> str:
        """Return the condition as text."""
        value = {True: "yes", False: "no"}[self.value] if isinstance(self.value, bool) else self.value
        return f"{self.column.replace('_', ' ')} {tr(_LABELS[self.operator])} {value}"


def from_headers(headers: Iterable[Mapping[str, object]]) -> tuple[EventFilter, ...]:
    """Return the filters of a table's headers, from Tabulator's ``{"field": …, "type": …, "value": …}``.

    >>> from_headers([{"field": "distance", "type": ">=", "value": "200"}])
    (EventFilter(column='distance', operator='>=', value=200.0),)
    """
    out = []
    for header in headers:
        operator = _FROM_HEADER.get(str(header["type"]))
        value = header["value"]
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if operator is None or value is None or value == "":
            continue
        if operator in (">=", "<"):
            try:
                value = float(cast("str", value))
            except ValueError:
                continue
        if not isinstance(value, (bool, int, float)):
            value = str(value)
        out.append(EventFilter(str(header["field"]), operator, value))
    return tuple(out)


def apply_filters(table: pd.DataFrame, filters: Sequence[EventFilter]) -> pd.DataFrame:
    """Return the rows that pass all filters.

    Parameters
    ----------
    table : DataFrame
        As returned by `twinlab.explore.shown_table`.

    >>> trips = pd.DataFrame({"origin": ["EWR", "JFK"], "distance": [200.0, 300.0]})
    >>> apply_filters(trips, [EventFilter("distance", ">=", 250)])["origin"].tolist()
    ['JFK']
    """
    mask = filter_mask(table, filters)
    return table if mask.all() else table[mask]


def filter_mask(table: pd.DataFrame, filters: Sequence[EventFilter]) -> NDArray[np.bool_]:
    """Return a mask of the rows that pass all filters."""
    mask = np.ones(len(table), dtype=bool)
    for one in filters:
        mask &= _mask(table[one.column], one)
    return mask


def _mask(column: pd.Series, one: EventFilter) -> np.ndarray:
    if one.operator == ">=":
        return np.asarray(column >= one.value, dtype=bool)
    if one.operator == "<":
        return np.asarray(column < one.value, dtype=bool)
    if one.operator == "~":
        return np.asarray(column.str.contains(str(one.value), case=False, regex=False), dtype=bool)
    return np.asarray(column == one.value, dtype=bool)


def filters_code(filters: Sequence[EventFilter], *, name: str = "data") -> list[str]:
    """Return lines of Python that filter a table called ``name``."""
    equal = {one.column: one.value for one in filters if one.operator == "="}
    lines = [f"{name} = events.select({name}, filters={equal!r})"] if equal else []
    for one in filters:
        column = f"{name}[{one.column!r}]"
        if one.operator in (">=", "<"):
            lines.append(f"{name} = {name}[{column} {one.operator} {one.value!r}]")
        elif one.operator == "~":
            lines.append(f"{name} = {name}[{column}.str.contains({one.value!r}, case=False, regex=False)]")
    return lines


def filters_text(filters: Sequence[EventFilter]) -> str:
    """Return filters as text for a link.

    >>> filters_text([EventFilter("origin", "=", "EWR"), EventFilter("distance", ">=", 200.0)])
    'origin=EWR;distance>=200'
    """
    return ";".join(f"{one.column}{one.operator}{_value_text(one.value)}" for one in filters)


def _value_text(value: str | float | bool) -> str:  # noqa: FBT001  (a value, not a switch)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, (int, float)) else quote(value, safe=" :/-_.,()")


def parse_filters(text: str, table: pd.DataFrame) -> tuple[tuple[EventFilter, ...], list[str]]:
    """Parse the text of filters in a link; return them, and a message for each part that can't be parsed.

    Parameters
    ----------
    table : DataFrame
        Its columns define the valid names and types.

    >>> parse_filters("orgin=EWR", pd.DataFrame({"origin": ["EWR"]}))[1]
    ["events have no column 'orgin'; did you mean 'origin'?"]
    """
    found, problems = [], []
    for part in filter(str.strip, text.split(";")):
        operator = next((op for op in (">=", "=", "<", "~") if op in part), None)
        if operator is None:
            problems.append(f"{part!r} is no filter such as origin=EWR or start_delay>=15")
            continue
        column, _, raw = part.partition(operator)
        if column not in table:
            problems.append(f"events have no column {column!r}{nearest(column, map(str, table.columns))}")
            continue
        value = _typed(unquote(raw), table[column], operator)
        if value is None:
            problems.append(f"{part!r}: {raw!r} doesn't fit the column {column!r}")
        else:
            found.append(EventFilter(column, cast("Operator", operator), value))
    return tuple(found), problems


def _typed(raw: str, column: pd.Series, operator: str) -> str | float | bool | None:
    if column.dtype == bool:
        return {"yes": True, "no": False}.get(raw) if operator == "=" else None
    if pd.api.types.is_numeric_dtype(column.dtype):
        try:
            return float(raw)
        except ValueError:
            return None
    return raw if operator in ("=", "~") else None
