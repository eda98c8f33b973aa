"""What becomes of annotations when their exceptions or events move."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import pandas as pd

__all__ = ["Carried", "carried", "moved"]

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Carried:
    """A revision changed exceptions, or events of one type: ``changes`` has (change, key, key before) of each."""

    # "" for exceptions.
    event_type: str
    changes: tuple[tuple[str, str, str], ...]
    author: str
    # Nanoseconds since 1970, UTC.
    time: int
    # What changed them, such as the name of a revision.
    cause: str = ""

    @classmethod
    def of(cls, changes: pd.DataFrame, *, event_type: str = "", author: str, time: int, cause: str = "") -> Carried:
        """Return the changes of a table of `twinlab.history.revisions.table_changes.matched_changes`."""
        rows = changes[["change", "key", "key_before"]].astype(object)
        rows = rows.where(rows.notna(), "")
        found = tuple((str(a), str(b), str(c)) for a, b, c in rows.itertuples(index=False))
        return cls(event_type, tuple(one for one in found if one[0] != "changed"), author, time, cause)

    def as_payload(self) -> dict[str, Any]:
        """Return it as plain data."""
        # `asdict` would copy each of many changes.
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Carried:
        """Return what `as_payload` made plain data of."""
        return cls(**{**payload, "changes": tuple(tuple(one) for one in payload["changes"])})


def carried(annotations: pd.DataFrame, changes: pd.DataFrame, *, event_type: str = "") -> pd.DataFrame:
    """Return annotations as they are after exceptions, or events of one type, changed.

    Parameters
    ----------
    annotations : DataFrame
        As `annotations_table` returns them.
    changes : DataFrame
        ``change`` (moved, split, vanished, appeared or changed), ``key`` and ``key_before``, as
        `twinlab.history.revisions.table_changes.matched_changes` returns them.
    event_type : str
        Of the events that changed; exceptions by default.

    Returns
    -------
    DataFrame
        Same columns. Annotations of what moved have the new ``key`` and ``status`` "moved"; of what was split one row for each
        part, "split"; of what vanished their key and "withdrawn", until it appears again. ``key_before`` is the key that they had.
        All others are as they were.

    >>> from twinlab.events.annotations import annotation, annotations_table
    >>> table = annotations_table([annotation("warm/3/2026-01-01T00:00:00", note="door", author="ann")])
    >>> changes = pd.DataFrame(
    ...     [["moved", "warm/3/2026-01-01T02:00:00", "warm/3/2026-01-01T00:00:00"]], columns=["change", "key", "key_before"]
    ... )
    >>> carried(table, changes)[["key", "note", "status"]].values.tolist()
    [['warm/3/2026-01-01T02:00:00', 'door', 'moved']]
    """
    carried_changes = Carried.of(changes, event_type=event_type, author="", time=0)
    column = "event_id" if event_type else "key"
    mine = (annotations["kind"] == ("event" if event_type else "exception")) & (annotations["event_type"] == event_type)
    rows: dict[Hashable, dict[str, Any]] = {
        (str(row[column]) if own else place): {str(k): v for k, v in row.items()}
        for (place, row), own in zip(annotations.iterrows(), mine.tolist(), strict=True)
    }

    def renamed(row: dict[str, Any], key: str, status: str) -> dict[str, Any]:
        return {**row, **renaming(row, key, event_type), "status": status}

    found = list(moved(rows, carried_changes, renamed).values())
    return pd.DataFrame(found, columns=annotations.columns).astype(annotations.dtypes.to_dict())


def renaming(row: Mapping[str, Any], key: str, event_type: str) -> dict[str, Any]:
    """Return the fields of an annotation that change when its exception or event has another key."""
    if key == (row["event_id"] if event_type else row["key"]):
        return {}
    new = {"key": f"{event_type}/{key}", "event_id": key} if event_type else {"key": key}
    return {**new, "key_before": row["key"]}


def moved(
    rows: Mapping[Hashable, _Row], carried_changes: Carried, renamed: Callable[[_Row, str, str], _Row]
) -> dict[Hashable, _Row]:
    """Return rows by key with those of changed keys under their new ones, which ``renamed(row, key, status)`` makes."""
    after: dict[str, list[tuple[str, str]]] = {}
    back: set[str] = set()
    for change, key, before in carried_changes.changes:
        if change in ("moved", "split"):
            after.setdefault(before, []).append((key, change))
        elif change == "vanished":
            after.setdefault(before, []).append((before, "withdrawn"))
        elif change == "appeared":
            back.add(key)
    out: dict[Hashable, _Row] = {}
    for name, row in rows.items():
        if name in after:
            for key, status in after[str(name)]:
                out[key] = renamed(row, key, status)
        elif name in back:
            out[name] = renamed(row, str(name), "kept")
        else:
            out.setdefault(name, row)
    return out
