"""What has to be noted of alerts when their exceptions are as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.events.alerts.records import AlertChange, AlertRecord, Group, folded
from twinlab.model.alerts.alert import Alert

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["changes", "window_start"]

_NAT = np.iinfo(np.int64).min


def window_start(records: Mapping[str, AlertRecord], name: str, alert: Alert, last: int | None, now: int) -> int:
    """Return from when on the exceptions of an alert are to be read, nanoseconds since 1970.

    ``look_back`` (and the cooldown) before the last time that somebody looked; earlier if an alert of that time began earlier.
    """
    low = (now if last is None else min(last, now)) - alert.look_back_ns - alert.cooldown_ns
    begun = [one.since for one in records.values() if one.alert == name and one.span[1] > low and one.since is not None]
    return min([low, *begun])


def changes(  # noqa: PLR0917  (what was, what is, when)
    records: Mapping[str, AlertRecord],
    name: str,
    alert: Alert,
    found: pd.DataFrame,
    window: tuple[int, int],
    acknowledged: Collection[str] = frozenset(),
) -> list[AlertChange]:
    """Return the changes of one alert: raised, moved, resolved, reopened, withdrawn, escalated.

    An exception is one that was known before if it is of the same asset or event and they overlap, so that late rows that move
    its beginning don't raise another alert.

    Parameters
    ----------
    records : mapping of id to AlertRecord
        All alerts so far.
    name : str
        In ``twin.yaml``.
    alert : Alert
    found : DataFrame
        Exceptions that overlap the window, as `twinlab.events.episodes` returns them.
    window : (int, int)
        From `window_start` until now, nanoseconds since 1970.
    acknowledged : collection of str
        Ids and keys that somebody has acknowledged: they aren't escalated.
    """
    low, now = window
    mine = {one.id: one for one in records.values() if one.alert == name and one.span[1] > low}
    known: dict[Group, list[AlertRecord]] = {}
    for one in mine.values():
        known.setdefault(one.group, []).append(one)
    out: list[AlertChange] = []
    kept: set[str] = set()
    for row in _rows(found, alert):
        group = known.setdefault(row["group"], [])
        record = _same(group, row, kept)
        if record is None:
            first = AlertChange(_new_id(row["key"], records), name, "raised", now, row={**row, "until": None})
            out.append(first)
            record = folded([first])[first.id]
            group.append(record)
        kept.add(record.id)
        moves = _moves(record, row, now)
        out += moves
        mine |= folded(moves, {record.id: record})
        group[group.index(record)] = mine[record.id]
    out += [
        AlertChange(one.id, name, "withdrawn", now)
        for one in mine.values()
        if one.id not in kept and one.state != "withdrawn"
    ]
    return out + list(_escalations(folded(out, records), name, alert, now, acknowledged))


def _new_id(key: str, records: Mapping[str, AlertRecord]) -> str:
    """Return the id of a new alert: the exception's key, numbered if an alert that has moved has it."""
    number, found = 1, key
    while found in records:
        number += 1
        found = f"{key}/{number}"
    return found


def _rows(found: pd.DataFrame, alert: Alert) -> Iterator[dict[str, Any]]:
    """Yield exceptions as the fields of an alert, in order of time; those within the cooldown as one."""
    rows = list(_fields(found, alert))
    last: dict[Group, dict[str, Any]] = {}
    for row in rows:
        before = last.get(row["group"])
        if before is not None and alert.cooldown_ns and _near(before, row, alert.cooldown_ns):
            # The first one's beginning, what is now of the later one.
            before |= {name: row[name] for name in ("text", "value", "limit", "until")}
            row["group"] = None
        else:
            last[row["group"]] = row
    yield from (row for row in rows if row["group"] is not None)


def _near(before: Mapping[str, Any], row: Mapping[str, Any], cooldown: int) -> bool:
    return before["until"] is not None and row["since"] is not None and row["since"] - before["until"] <= cooldown


def _fields(found: pd.DataFrame, alert: Alert) -> Iterator[dict[str, Any]]:
    """Yield exceptions as the fields of an alert, in order of time."""
    ordered = found.sort_values(["since", "key"], na_position="first")
    times = {name: ordered[name].to_numpy(dtype="datetime64[ns]").astype(np.int64).tolist() for name in _TIMES}
    for place, row in enumerate(ordered.to_dict("records")):
        since, raised, until = (times[name][place] for name in _TIMES)
        yield {
            "key": row["key"],
            "group": (row["asset_type"], row["asset"], row["event_type"], row["event_id"]),
            "title": alert.title or row["title"],
            "severity": alert.severity or row["severity"],
            "text": row["text"],
            "value": _number(row["value"]),
            "limit": _number(row["limit"]),
            "unit": row["unit"],
            "since": None if since == _NAT else since,
            "raised": raised if raised != _NAT else since if since != _NAT else 0,
            "until": None if until == _NAT else until,
        }


_TIMES = ("since", "raised", "until")


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _same(records: list[AlertRecord], row: Mapping[str, Any], kept: set[str]) -> AlertRecord | None:
    """Return the alert that an exception belongs to: one that it overlaps, and that no other exception belongs to."""
    start = -(2**62) if row["since"] is None else row["since"]
    stop = 2**62 if row["until"] is None else row["until"]
    near = [one for one in records if one.id not in kept and one.span[0] < stop and start < one.span[1]]
    return min(near, key=lambda one: (one.state == "withdrawn", abs(one.span[0] - start)), default=None)


def _moves(record: AlertRecord, row: Mapping[str, Any], now: int) -> list[AlertChange]:
    """Return what changed of a known alert."""
    out = []
    shown = {name: row[name] for name in ("text", "value", "limit", "severity", "title", "unit")}
    over = row["until"] is not None
    if record.state == "withdrawn" or (record.state == "resolved" and not over):
        out.append(AlertChange(record.id, record.alert, "reopened", now, row=shown))
    if record.since != row["since"]:
        moved = {"key": row["key"], "since": row["since"], "raised": row["raised"]}
        out.append(AlertChange(record.id, record.alert, "moved", now, row=moved))
    if over and (record.state != "resolved" or record.until != row["until"]):
        out.append(AlertChange(record.id, record.alert, "resolved", now, row={**shown, "until": row["until"]}))
    return out


def _escalations(
    records: Mapping[str, AlertRecord], name: str, alert: Alert, now: int, acknowledged: Collection[str]
) -> Iterator[AlertChange]:
    for one in records.values():
        if one.alert != name:
            continue
        snoozed = one.snoozed_until is not None and now < one.snoozed_until
        if one.state != "active" or snoozed or one.id in acknowledged or one.key in acknowledged:
            continue
        for step in alert.escalate[one.escalations :]:
            # Since somebody was notified: an exception that is found late hasn't been ignored since it began.
            if now - one.noted >= step.after_ns:
                yield AlertChange(one.id, name, "escalated", now)
