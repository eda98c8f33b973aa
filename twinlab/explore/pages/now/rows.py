"""Rows of the exceptions table: what they say, which columns there are, and how they hold still while somebody reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.kit.exception_text import (
    SEVERITY_SYMBOLS,
    age_text,
    near_text,
    records,
    value_and_limit,
    via_text,
)
from twinlab.model.rules import SEVERITIES

if TYPE_CHECKING:
    from twinlab.explore.kit.present import Now
    from twinlab.explore.pages.now.notes import Note
    from twinlab.model.twinmodel import TwinModel

__all__ = ["COLUMNS", "Held", "chosen_columns", "exception_rows", "hold", "narrowed"]

#: Columns in their usual order -> title; those after "acknowledged" are hidden at first.
COLUMNS: Mapping[str, str] = {
    "severity": "severity",
    "title": "what",
    "asset": "asset",
    "since": "since (UTC)",
    "lasting": "for",
    "value": "value",
    "limit": "limit",
    "place": "place",
    "note": "note",
    "acknowledged": "acknowledged",
    "asset_type": "kind",
    "event": "event",
    "rule": "rule",
    "text": "in words",
}
_USUAL = tuple(COLUMNS)[:10]
_GRADES = [f"{SEVERITY_SYMBOLS[name]} {name}" for name in reversed(SEVERITIES)]


@dataclass(frozen=True)
class Held:
    """Rows that kept their places, and what has come and gone meanwhile."""

    rows: pd.DataFrame
    added: tuple[str, ...] = field(default=())
    ended: tuple[str, ...] = field(default=())

    @property
    def news(self) -> str:
        """What has changed: ``3 new, 1 ended``; "" if nothing."""
        parts = [(len(self.added), "new"), (len(self.ended), "ended")]
        return ", ".join(f"{count} {word}" for count, word in parts if count)


def chosen_columns(kept: object) -> list[str]:
    """Return the columns that a reader kept, as far as there are such; the usual ones if they kept none.

    >>> chosen_columns(["asset", "since", "since", "gone"]), len(chosen_columns(None))
    (['asset', 'since'], 10)
    """
    names = [str(name) for name in kept] if isinstance(kept, Sequence) and not isinstance(kept, str) else []
    return list(dict.fromkeys(name for name in names if name in COLUMNS)) or list(_USUAL)


def exception_rows(
    now: Now, model: TwinModel, *, labels: Mapping[str, Mapping[str, str]], notes: Mapping[str, Note]
) -> pd.DataFrame:
    """Return the exceptions of an instant as people read them.

    Parameters
    ----------
    now : Now
    model : TwinModel
    labels : mapping of asset type to (asset -> name)
    notes : mapping of an exception's key to its note

    Returns
    -------
    DataFrame
        Index ``key``, all of `COLUMNS` as texts but ``since``; and ``ended``, False.
    """
    told = [_record(row, now, model, labels, notes.get(str(row["key"]))) for row in records(now.exceptions)]
    frame = pd.DataFrame(told, columns=["key", *COLUMNS])
    frame["severity"] = pd.Categorical(frame["severity"], categories=_GRADES, ordered=True)
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[ns]")
    frame["ended"] = False
    return frame.set_index("key")


def _record(
    row: Mapping[str, object],
    now: Now,
    model: TwinModel,
    labels: Mapping[str, Mapping[str, str]],
    note: Note | None,
) -> dict[str, object]:
    kind, asset, key = str(row["asset_type"]), str(row["asset"]), str(row["key"])
    spec = model.asset_types.get(kind)
    near, position = now.fixes.get(key, (None, None))
    event = "" if pd.isna(row["event_id"]) else str(row["event_id"])  # type: ignore[call-overload]
    return {
        "key": key,
        "severity": f"{SEVERITY_SYMBOLS.get(str(row['severity']), '')} {row['severity']}",
        "title": str(row["title"]),
        "asset": labels.get(kind, {}).get(asset, asset),
        "since": row["since"],
        "lasting": age_text(pd.Timestamp(now.at) - pd.Timestamp(row["since"])),  # type: ignore[arg-type]
        **value_and_limit(row, model),
        "place": via_text(now.places.get(key, ""), labels) or near_text(near, position, labels),
        "note": "" if note is None else note.text,
        "acknowledged": "" if note is None else note.acknowledgement,
        "asset_type": (spec.title if spec is not None else None) or kind.replace("_", " "),
        "event": event,
        "rule": str(row["rule"]),
        "text": str(row["text"]),
    }


def hold(shown: pd.DataFrame, fresh: pd.DataFrame) -> Held:
    """Return the shown rows in their places with fresh values; what ended stays, what is new waits.

    Parameters
    ----------
    shown, fresh : DataFrame
        As `exception_rows` returns them.
    """
    gone = shown.index.difference(fresh.index, sort=False)
    new = fresh.index.difference(shown.index, sort=False)
    rows = shown.copy()
    kept = shown.index.intersection(fresh.index, sort=False)
    rows.loc[kept] = fresh.loc[kept, shown.columns]
    first = gone[~shown.loc[gone, "ended"].to_numpy(dtype=bool)]
    rows.loc[first, "lasting"] = "ended after " + shown.loc[first, "lasting"].astype("str")
    rows.loc[gone, "ended"] = True
    return Held(rows, tuple(map(str, new)), tuple(map(str, gone)))


def narrowed(exceptions: pd.DataFrame, only: str) -> pd.DataFrame:
    """Return the exceptions that a tile stands for: ``severity:high``, ``type:room``, ``event:trip``; all for ""."""
    what, _, name = only.partition(":")
    column = {"severity": "severity", "type": "asset_type", "event": "event_type"}.get(what)
    return exceptions if column is None or column not in exceptions else exceptions[exceptions[column] == name]
