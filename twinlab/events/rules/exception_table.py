"""The table of exceptions: its columns, its keys, its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.model.rules import SEVERITIES, Severity

__all__ = ["COLUMNS", "EARLIER", "concat", "duration_text", "exception_rows", "times", "worst_first"]

#: Columns of a table of exceptions and their types.
COLUMNS: dict[str, str] = {
    "key": "str",
    "rule": "str",
    "title": "str",
    "severity": "str",
    "asset_type": "str",
    "asset": "str",
    "event_type": "str",
    "event_id": "str",
    "since": "datetime64[ns]",
    "raised": "datetime64[ns]",
    "until": "datetime64[ns]",
    "value": "float64",
    "limit": "float64",
    "unit": "str",
    "text": "str",
    # By how much the limit is exceeded, as a multiple of what is allowed: only for the order.
    "beyond": "float64",
}
#: In a key, for a beginning before the furthest look-back.
EARLIER = "earlier"


class Described(Protocol):
    """What a rule, or another cause of exceptions, says of itself."""

    @property
    def on(self) -> str:
        """Asset type or event type."""

    @property
    def title(self) -> str | None:
        """Name for people."""

    @property
    def severity(self) -> Severity:
        """How urgent it is."""


def exception_rows(columns: Mapping[str, object], *, name: str, rule: Described) -> pd.DataFrame:
    """Return the table of one rule's exceptions, with their keys, the rule's title and its severity.

    Parameters
    ----------
    columns : mapping of str to array, or to one value for all rows
        ``since`` (datetime64, one per exception; NaT: before the furthest look-back), ``asset`` or for events ``event_id``,
        and what else `COLUMNS` lists. By default ``asset_type`` (or ``event_type``) is what the rule is ``on``, ``raised``
        is ``since``, ``until`` is NaT (not over yet), ``value`` and ``limit`` are NaN, ``beyond`` is 0 and texts are empty.
    name : str
        The rule's name in ``twin.yaml``.
    rule : Rule
        Or what else has ``on``, ``title`` and ``severity``.

    Returns
    -------
    DataFrame
        One row per exception, with the columns of `COLUMNS`.

    >>> from twinlab.model import Rule
    >>> spans = {"asset": ["a/1"], "since": [np.datetime64("2026-01-01T00:00", "ns")], "text": ["door open"]}
    >>> exception_rows(spans, name="open", rule=Rule(on="a", when="door == open")).loc[0, "key"]
    'open/a/1/2026-01-01T00:00:00'
    """
    since = np.asarray(columns["since"], dtype="datetime64[ns]")
    if not len(since):
        return concat([])
    texts = {"asset_type": "", "asset": "", "event_type": "", "event_id": "", "unit": "", "text": ""}
    texts["event_type" if "event_id" in columns else "asset_type"] = rule.on
    numbers = {"value": np.nan, "limit": np.nan, "beyond": 0.0}
    times_of = {"raised": since, "until": np.datetime64("NaT", "ns")}
    same = {"rule": name, "title": rule.title or name.replace("_", " "), "severity": rule.severity}
    full = {**texts, **numbers, **times_of, **columns, **same, "since": since}
    who = columns["event_id"] if "event_id" in columns else columns["asset"]
    when = np.where(np.isnat(since), EARLIER, since.astype("datetime64[s]").astype(str))
    full["key"] = [f"{name}/{one}/{time}" for one, time in zip(who, when.tolist(), strict=True)]  # type: ignore[call-overload]
    return pd.DataFrame(
        {
            column: pd.Series(_full(full[column], len(since)), index=range(len(since)), dtype=kind)
            for column, kind in COLUMNS.items()
        }
    )


def _full(value: object, size: int) -> object:
    return np.full(size, value, dtype=object) if isinstance(value, str) else value


def concat(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of exceptions as one."""
    full = [part for part in parts if len(part)]
    if full:
        return pd.concat(full, ignore_index=True)
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in COLUMNS.items()})


def worst_first(table: pd.DataFrame) -> pd.DataFrame:
    """Return exceptions in order: by severity, then by how far the limit is exceeded, then the oldest first."""
    severity = table["severity"].map({one: -rank for rank, one in enumerate(SEVERITIES)}).to_numpy(dtype=float)
    order = np.lexsort(
        (
            table["key"].to_numpy(dtype=object).astype(str),
            table["since"].to_numpy(dtype="datetime64[ns]").astype("int64"),
            -table["beyond"].fillna(0.0).to_numpy(),
            severity,
        )
    )
    return table.iloc[order].reset_index(drop=True)


def duration_text(nanoseconds: float) -> str:
    """Return a span in two units at most.

    >>> duration_text(95 * 60e9), duration_text(40e9), duration_text(50 * 3600e9)
    ('1 h 35 min', '40 s', '2 d 2 h')
    """
    seconds = round(nanoseconds / 1e9)
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 2880:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"{minutes // 1440} d" + (f" {minutes % 1440 // 60} h" if minutes % 1440 // 60 else "")


def times(nanoseconds: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Return nanoseconds as instants; the smallest integer is NaT."""
    return np.asarray(nanoseconds, dtype=np.int64).view("datetime64[ns]")
