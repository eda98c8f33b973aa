"""Annotations as tables: what they say now, or all versions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.annotations.carrying import Carried, moved, renaming
from twinlab.events.annotations.targets import KINDS

if TYPE_CHECKING:
    from twinlab.events.annotations.records import Annotation
    from twinlab.model.rules import Rule

__all__ = ["ANNOTATION_COLUMNS", "NOTE_COLUMNS", "annotations_table", "chosen", "notes_table", "with_assets"]

#: Columns of a table of notes on exceptions and their types.
NOTE_COLUMNS: dict[str, str] = {
    "key": "str",
    "note": "str",
    "acknowledged": "bool",
    "author": "str",
    "time": "datetime64[ns]",
}
#: Columns of a table of annotations and their types.
ANNOTATION_COLUMNS: dict[str, str] = {
    "kind": "str",
    "asset": "str",
    "signal": "str",
    "start": "datetime64[ns]",
    "stop": "datetime64[ns]",
    "event_type": "str",
    "event_id": "str",
    "verdict": "str",
    "note": "str",
    "acknowledged": "bool",
    "author": "str",
    "time": "datetime64[ns]",
    # Of the exception or event: kept, moved, split or withdrawn.
    "status": "str",
    "key": "str",
    "key_before": "str",
}


def annotations_table(said: Iterable[Annotation | Carried], *, history: bool = False) -> pd.DataFrame:
    """Return annotations as a table, in the order in which they were last written.

    Parameters
    ----------
    said : iterable of Annotation and Carried
        In the order in which they were written.
    history : bool
        Every version of each; by default only the last.

    Returns
    -------
    DataFrame
        Columns `ANNOTATION_COLUMNS`: verdict, note and acknowledgement after ``author`` had written at ``time``. What a
        revision moved is a version, too: its author is who promoted the revision.

    >>> from twinlab.events.annotations import annotation
    >>> first = annotation("a", note="seen", author="ann", time="2026-01-01")
    >>> then = annotation("a", verdict="accept", author="bob", time="2026-01-02")
    >>> annotations_table([first, then])[["note", "verdict", "author"]].values.tolist()
    [['seen', 'accept', 'bob']]
    """
    # By kind and type of event, then by key or id.
    now: dict[tuple[str, str], dict[Hashable, dict[str, Any]]] = {}
    rows: list[dict[str, Any]] = []
    for one in said:
        if isinstance(one, Carried):
            group = ("event" if one.event_type else "exception"), one.event_type
            now[group] = _after(now.get(group, {}), one, rows)
            continue
        about = one.about
        group = about.kind, about.event_type
        key = about.event_id if about.kind == "event" else about.key
        row = now.setdefault(group, {}).get(key)
        row = _new(about) if row is None else dict(row)
        row |= {
            name: value
            for name, value in (("note", one.note), ("acknowledged", one.acknowledged), ("verdict", one.verdict))
            if value is not None
        }
        row |= {"author": one.author, "time": np.datetime64(one.time, "ns"), "_place": len(rows)}
        now[group][key] = row
        rows.append(row)
    if not history:
        last = [row for found in now.values() for row in found.values()]
        rows = sorted(last, key=lambda row: row["_place"])
    return pd.DataFrame(rows, columns=list(ANNOTATION_COLUMNS)).astype(ANNOTATION_COLUMNS)


def notes_table(said: Iterable[Annotation | Carried], *, history: bool = False) -> pd.DataFrame:
    """Return the notes on exceptions: ``key, note, acknowledged, author, time``; as `annotations_table`.

    >>> from twinlab.events.annotations import annotation
    >>> first = annotation("a", note="seen", acknowledged=None, author="ann", time="2026-01-01")
    >>> then = annotation("a", note=None, acknowledged=True, author="bob", time="2026-01-02")
    >>> notes_table([first, then])[["note", "acknowledged", "author"]].values.tolist()
    [['seen', True, 'bob']]
    """
    table = annotations_table(said, history=history)
    return table.loc[table["kind"] == "exception", list(NOTE_COLUMNS)].reset_index(drop=True)


def with_assets(table: pd.DataFrame, rules: Mapping[str, Rule], asset_types: Iterable[str]) -> pd.DataFrame:
    """Return annotations with asset and start of exceptions of assets, and type and id of exceptions of events.

    They are in an exception's key, with the rule that says what it is about.
    """
    types = set(asset_types)
    out = table.copy()
    for place in np.flatnonzero((table["kind"] == "exception").to_numpy()).tolist():
        name, _, rest = str(table["key"].iloc[place]).partition("/")
        who, _, when = rest.rpartition("/")
        if name not in rules or not who:
            continue
        index = out.index[place]
        if rules[name].on in types:
            out.loc[index, "asset"] = f"{rules[name].on}/{who}"
        else:
            out.loc[index, ["event_type", "event_id"]] = [rules[name].on, who]
        out.loc[index, "start"] = pd.to_datetime(when, errors="coerce")
    return out


def chosen(
    table: pd.DataFrame,
    *,
    kind: str | None = None,
    asset: str | None = None,
    signal: str | None = None,
    start: pd.Timestamp | None = None,
    stop: pd.Timestamp | None = None,
) -> pd.DataFrame:
    """Return the annotations of a kind, an asset (type/id), a signal, and a span that they overlap.

    An exception counts at its beginning; an annotation without a time isn't in any span.

    Raises
    ------
    SchemaError
        If there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        msg = f"expected a kind of target, one of {', '.join(KINDS)}, got {kind!r}"
        raise SchemaError(msg)
    keep = pd.Series(data=True, index=table.index)
    for name, wanted in (("kind", kind), ("asset", asset), ("signal", signal)):
        if wanted is not None:
            keep &= table[name] == wanted
    if stop is not None:
        keep &= table["start"] < stop
    if start is not None:
        keep &= table["stop"].fillna(table["start"] + pd.Timedelta(1, "ns")) > start
    return table[keep].reset_index(drop=True)


def _new(about: Any) -> dict[str, Any]:  # noqa: ANN401  (a Target)
    nothing = {name: "" for name, kind in ANNOTATION_COLUMNS.items() if kind == "str"}
    nat = np.datetime64("NaT", "ns")
    times = {
        name: nat if at is None else np.datetime64(at, "ns")
        for name, at in (("start", about.start), ("stop", about.stop))
    }
    named = {name: getattr(about, name) for name in ("kind", "key", "asset", "signal", "event_type", "event_id")}
    return {**nothing, **named, **times, "acknowledged": False, "status": "kept"}


def _after(
    now: dict[Hashable, dict[str, Any]], one: Carried, rows: list[dict[str, Any]]
) -> dict[Hashable, dict[str, Any]]:
    def renamed(row: dict[str, Any], key: str, status: str) -> dict[str, Any]:
        written = {"author": one.author, "time": np.datetime64(one.time, "ns"), "status": status, "_place": len(rows)}
        made = {**row, **renaming(row, key, one.event_type), **written}
        rows.append(made)
        return made

    return moved(now, one, renamed)
