"""What happened to an asset up to an instant, and what is planned for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.reading import instant_ns, known
from twinlab.events.tables_as_of import called_off, events_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType

__all__ = ["STORY_COLUMNS", "events_of", "plan_of", "story"]

#: Columns of a story and of a plan.
STORY_COLUMNS = ("time", "what", "detail", "planned", "late", "event_type", "event_id", "other_type", "other")

_MOST = 500


def story(twin: TwinReader, asset_type: str, asset: str, *, at: object, limit: int = _MOST) -> pd.DataFrame:
    """Return what happened to an asset up to an instant, in order of time.

    Parameters
    ----------
    twin : TwinReader
    asset_type, asset : str
    at : instant
        Naive is UTC. What happened later isn't included; `plan_of` returns what was planned.
    limit : int
        Most rows: the newest ones.

    Returns
    -------
    DataFrame
        ``time``; ``what`` happened ("delivery began", "delivery ended", "in", "left", "overdue": planned before ``at``,
        but not done by then); ``detail`` as text; ``planned`` time and ``late`` (timedelta, negative is early; NaT where
        there is no plan); ``event_type, event_id``; ``other_type, other``: the asset on the other side of a
        relationship, "" of events.

    Raises
    ------
    UnknownTermError
        If the twin doesn't know the asset type.
    """
    known(asset_type, twin.model.asset_types, "asset type")
    when = pd.Timestamp(np.datetime64(instant_ns(at), "ns"))
    parts = [
        _told(frame, name, twin.model.event_types[name], when, limit)
        for name, frame in _events(twin, asset_type, asset)
    ]
    parts += _linked(twin, asset_type, asset, when, limit)
    return _table(parts).tail(limit).reset_index(drop=True)


def plan_of(twin: TwinReader, asset_type: str, asset: str, *, at: object, limit: int = _MOST) -> pd.DataFrame:
    """Return what is planned for an asset after an instant, in order of time; columns as `story` gives them."""
    known(asset_type, twin.model.asset_types, "asset type")
    when = pd.Timestamp(np.datetime64(instant_ns(at), "ns"))
    parts = []
    for name, frame in _events(twin, asset_type, asset):
        then = events_at(frame, when)
        spec = twin.model.event_types[name]
        for column, verb in (("start", "begins"), ("end", "ends")):
            due = then[then[column].isna() & (then[f"planned_{column}"] > when) & ~called_off(then)]
            parts.append(_rows(due, name, spec, due[f"planned_{column}"], verb, due[f"planned_{column}"], None))
    return _table(parts).head(limit).reset_index(drop=True)


def events_of(twin: TwinReader, event_type: str, asset_type: str, asset: str) -> pd.DataFrame:
    """Return the events of one type in which an asset took part, as its own asset or by a link."""
    spec = twin.model.event_types[event_type]
    columns = [name for name, kind in {"asset": spec.asset, **spec.links}.items() if kind == asset_type]
    table = twin.events(event_type)
    # Comparing half a million texts takes milliseconds; an index of them takes seconds to make.
    mine = np.zeros(len(table), dtype=bool)
    for column in columns:
        if column in table:
            mine |= (table[column] == asset).fillna(value=False).to_numpy(dtype=bool)
    return table[mine]


def _events(twin: TwinReader, asset_type: str, asset: str) -> Iterator[tuple[str, pd.DataFrame]]:
    for name in twin.model.event_types:
        found = events_of(twin, name, asset_type, asset)
        if len(found):
            yield name, found


def _told(table: pd.DataFrame, name: str, spec: EventType, when: pd.Timestamp, most: int) -> pd.DataFrame:
    then = events_at(table, when)
    parts = []
    for column, verb in (("start", "began"), ("end", "ended")):
        done = _newest(then[then[column].notna()], column, most)
        plan = done[f"planned_{column}"]
        parts.append(_rows(done, name, spec, done[column], verb, plan, done[column] - plan))
    # Of an event that hasn't begun, only the missing start is reported, not the missing end.
    for column, verb, rest in (
        ("start", "should have begun", then["end"].isna()),
        ("end", "should have ended", then["start"].notna()),
    ):
        due = then[then[column].isna() & rest & (then[f"planned_{column}"] <= when) & ~called_off(then)]
        due = _newest(due, f"planned_{column}", most)
        plan = due[f"planned_{column}"]
        parts.append(_rows(due, name, spec, plan, verb, plan, when - plan))
    return _table(parts)


def _newest(table: pd.DataFrame, column: str, most: int) -> pd.DataFrame:
    """Return the newest rows, in their order, before texts are made of them."""
    if len(table) <= most:
        return table
    order = np.argsort(table[column].to_numpy(), kind="stable")
    return table.iloc[np.sort(order[len(order) - most :])]


def _rows(  # noqa: PLR0917
    table: pd.DataFrame,
    name: str,
    spec: EventType,
    time: pd.Series,
    verb: str,
    planned: pd.Series,
    late: pd.Series | None,
) -> pd.DataFrame:
    title = name.replace("_", " ")
    return pd.DataFrame(
        {
            "time": time.to_numpy(),
            "what": f"{title} {verb}",
            "detail": _detail(table, spec).to_numpy(),
            "planned": planned.to_numpy(),
            "late": np.timedelta64("NaT", "ns") if late is None else late.to_numpy(),
            "event_type": name,
            "event_id": table["event_id"].astype("str").to_numpy(),
            "other_type": "",
            "other": "",
        }
    )


def _detail(table: pd.DataFrame, spec: EventType) -> pd.Series:
    """Return the assets of each event as text: "P7, origin EAST, destination WEST"."""
    out = pd.Series("", index=table.index, dtype=object)
    for column in ("asset", *spec.links):
        if column not in table or (column == "asset" and spec.asset is None):
            continue
        word = "" if column == "asset" else f"{column.replace('_', ' ')} "
        there = table[column].notna().to_numpy()
        text = [f"{word}{one}" if ok else "" for one, ok in zip(table[column], there, strict=True)]
        out = pd.Series([f"{a}, {b}" if a and b else a or b for a, b in zip(out, text, strict=True)], index=table.index)
    return out


def _linked(twin: TwinReader, asset_type: str, asset: str, when: pd.Timestamp, most: int) -> list[pd.DataFrame]:
    """Relationships of which the asset is source or target, that began or ended by then."""
    parts = []
    for name, spec in twin.model.relationships.items():
        table = twin.relationships(name)
        title = spec.title or name.replace("_", " ")
        for mine, other, kind in (("source", "target", spec.target), ("target", "source", spec.source)):
            if (spec.source if mine == "source" else spec.target) != asset_type:
                continue
            rows = table[(table[mine] == asset).fillna(value=False)]
            inward = mine == "source"
            for column, verb in (("valid_from", ""), ("valid_until", "no longer ")):
                done = _newest(rows[rows[column].notna() & (rows[column] <= when)], column, most)
                texts = [f"{verb}{title} {one}" if inward else f"{one} {verb}{title}" for one in done[other]]
                parts.append(
                    pd.DataFrame(
                        {
                            "time": done[column].to_numpy(),
                            "what": f"{verb}{title}",
                            "detail": texts,
                            "planned": np.datetime64("NaT", "ns"),
                            "late": np.timedelta64("NaT", "ns"),
                            "event_type": "",
                            "event_id": "",
                            "other_type": kind,
                            "other": done[other].astype("str").to_numpy(),
                        }
                    )
                )
    return parts


def _table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    dtypes = {"time": "datetime64[ns]", "planned": "datetime64[ns]", "late": "timedelta64[ns]"}
    typed = [part.astype({name: dtypes.get(name, "str") for name in STORY_COLUMNS}) for part in parts if len(part)]
    if not typed:
        return pd.DataFrame({name: pd.Series(dtype=dtypes.get(name, "str")) for name in STORY_COLUMNS})
    return pd.concat(typed, ignore_index=True).sort_values("time", kind="stable", ignore_index=True)
