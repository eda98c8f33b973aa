"""Rows of the exceptions table: columns, text of the cells, and updates in which shown rows keep their places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.explore.kit.exception_text import (
    age_text,
    near_text,
    records,
    severity_text,
    value_and_limit,
    via_text,
)
from twinlab.languages import mark, tr, tr_values
from twinlab.model.rules import SEVERITIES

if TYPE_CHECKING:
    import numpy as np

    from twinlab.explore.kit.present import Now
    from twinlab.explore.pages.now.live.freshness import Freshness
    from twinlab.explore.pages.now.notes import Note
    from twinlab.model.twinmodel import TwinModel

__all__ = [
    "COLUMNS", "EXTRA", "UpdatedRows", "chosen_columns", "default_columns", "exception_rows", "exceptions_code", "filtered", "shown_table",
    "update_rows",
]  # fmt: skip

#: Column -> title, in default order; the columns after "acknowledged" are hidden by default.
COLUMNS: Mapping[str, str] = {
    "severity": mark("severity"),
    "title": mark("what"),
    "asset": mark("asset"),
    "since": mark("since (UTC)"),
    "lasting": mark("for"),
    "value": mark("value"),
    "limit": mark("limit"),
    "place": mark("place"),
    "note": mark("note"),
    "acknowledged": mark("acknowledged"),
    "asset_type": mark("kind"),
    "event": mark("event"),
    "rule": mark("rule"),
    "text": mark("description"),
    "fresh": mark("last row"),
    "alert": mark("alert"),
}
_DEFAULT = tuple(COLUMNS)[:10]
#: Columns that some twins have: state and age of the last row of a live twin, state of the alerts of a twin with alerts.
EXTRA = ("fresh", "alert")
#: What a tile filters by -> column of exceptions.
_FILTERS = {"severity": "severity", "type": "asset_type", "event": "event_type"}


@dataclass(frozen=True)
class UpdatedRows:
    """Updated rows in their former places, with the keys of new and ended exceptions."""

    rows: pd.DataFrame
    added: tuple[str, ...] = field(default=())
    ended: tuple[str, ...] = field(default=())

    @property
    def news(self) -> str:
        """Counts of changes: ``3 new, 1 ended``; "" without changes."""
        parts = [
            (len(self.added), tr("{count} new", count=len(self.added))),
            (len(self.ended), tr("{count} ended", count=len(self.ended))),
        ]
        return ", ".join(text for count, text in parts if count)


def chosen_columns(stored: object) -> list[str]:
    """Return the known columns of a reader's setting; the default columns if there are none.

    >>> chosen_columns(["asset", "since", "since", "gone"]), len(chosen_columns(None))
    (['asset', 'since'], 10)
    """
    names = [str(name) for name in stored] if isinstance(stored, Sequence) and not isinstance(stored, str) else []
    return list(dict.fromkeys(name for name in names if name in COLUMNS)) or list(_DEFAULT)


def default_columns(extra: Collection[str] = ()) -> list[str]:
    """Return the columns that are shown at first, with those of `EXTRA` that a twin has.

    >>> default_columns(["fresh"])[:5]
    ['severity', 'title', 'asset', 'fresh', 'since']
    """
    return [*_DEFAULT[:3], *(name for name in EXTRA if name in extra), *_DEFAULT[3:]]


def exceptions_code(at: np.datetime64, only: str, *, opening: str) -> str:
    """Return Python that gives the exceptions of an instant and a tile as ``data``."""
    lines = [
        "from twinlab.events import exceptions",
        opening,
        "",
        f"data = exceptions(twin, at={pd.Timestamp(at).isoformat()!r})  # UTC",
    ]
    what, _, name = only.partition(":")
    column = _FILTERS.get(what)
    if column is not None:
        lines.append(f'data = data[data["{column}"] == {name!r}].reset_index(drop=True)')
    return "\n".join(lines) + "\n"


def exception_rows(
    now: Now,
    model: TwinModel,
    *,
    labels: Mapping[str, Mapping[str, str]],
    notes: Mapping[str, Note],
    alerts: Mapping[str, str] | None = None,
    freshness: Freshness | None = None,
) -> pd.DataFrame:
    """Return the exceptions of an instant as rows of text.

    Parameters
    ----------
    now : Now
    model : TwinModel
    labels : mapping of asset type to (asset -> name)
    notes : mapping of an exception's key to its note
    alerts : mapping of an exception's key to the state of its alert, optional
    freshness : Freshness, optional
        Of a live twin.

    Returns
    -------
    DataFrame
        Index ``key``; all of `COLUMNS` as text, ``since`` as datetime64; ``ended``, False; and ``stale``, whether the asset isn't live.
    """
    out = [_record(row, now, model, labels, notes.get(str(row["key"]))) for row in records(now.exceptions)]
    frame = pd.DataFrame(out, columns=["key", *COLUMNS])
    frame["alert"] = [(alerts or {}).get(str(key), "") for key in frame["key"]]
    frame["severity"] = pd.Categorical(
        frame["severity"], categories=[severity_text(name) for name in reversed(SEVERITIES)], ordered=True
    )
    frame["since"] = pd.to_datetime(frame["since"]).astype("datetime64[ns]")
    frame["ended"], frame["stale"] = False, False
    if freshness is not None and len(frame):
        keys = [(str(row["asset_type"]), str(row["asset"])) for row in records(now.exceptions)]
        frame["fresh"] = [freshness.text(key) for key in keys]
        frame["stale"] = [freshness.is_stale(key) for key in keys]
    return frame.set_index("key")


def shown_table(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return some columns of `exception_rows` for a file, with their titles and as plain text."""
    shown = rows[list(columns)].rename(columns=tr_values(COLUMNS)).reset_index(drop=True)
    return shown.astype({name: "str" for name in shown if isinstance(shown[name].dtype, pd.CategoricalDtype)})


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
        "severity": severity_text(str(row["severity"])),
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
        "fresh": "",
    }


def update_rows(shown: pd.DataFrame, fresh: pd.DataFrame) -> UpdatedRows:
    """Return the shown rows with new values; ended exceptions stay in the table, new ones aren't added.

    Parameters
    ----------
    shown, fresh : DataFrame
        Rows in the table and rows of the current state, as `exception_rows` returns them.
    """
    ended = shown.index.difference(fresh.index, sort=False)
    new = fresh.index.difference(shown.index, sort=False)
    rows = shown.copy()
    common = shown.index.intersection(fresh.index, sort=False)
    rows.loc[common] = fresh.loc[common, shown.columns]
    first = ended[~shown.loc[ended, "ended"].to_numpy(dtype=bool)]
    rows.loc[first, "lasting"] = tr("ended after ") + shown.loc[first, "lasting"].astype("str")
    rows.loc[ended, "ended"] = True
    return UpdatedRows(rows, tuple(map(str, new)), tuple(map(str, ended)))


def filtered(exceptions: pd.DataFrame, only: str) -> pd.DataFrame:
    """Return the exceptions of a tile: ``severity:high``, ``type:room``, ``event:trip``; all for ""."""
    what, _, name = only.partition(":")
    column = _FILTERS.get(what)
    return exceptions if column is None or column not in exceptions else exceptions[exceptions[column] == name]
