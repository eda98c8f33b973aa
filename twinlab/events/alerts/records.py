"""An alert, and the changes that made it what it is: raised, moved, over, withdrawn, snoozed, escalated, sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

__all__ = ["STATES", "AlertChange", "AlertRecord", "Change", "Group", "folded"]

Change = Literal["raised", "moved", "resolved", "reopened", "withdrawn", "escalated", "snoozed", "sent", "failed"]
#: States of an alert: not over, over, or withdrawn because later data show that there was nothing.
STATES = ("active", "resolved", "withdrawn")

#: What an alert is about: asset type, asset, event type, event id.
Group = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class AlertChange:
    """One change of one alert."""

    id: str
    """The key of the exception that raised the alert."""
    alert: str
    """The alert's name in ``twin.yaml``."""
    change: Change
    time: int
    """When it was noted, nanoseconds since 1970, UTC."""
    author: str = ""
    """Who, for a change by a person."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the alert that changed; of "snoozed" ``until``; of "sent" and "failed" ``channel``, ``reason`` and ``text``."""

    def as_payload(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> AlertChange:
        """Return what `as_payload` made plain data of."""
        return cls(**payload)


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert as it is now. Times are nanoseconds since 1970, UTC; None is unknown, or not over."""

    id: str
    alert: str
    state: str
    key: str
    """Of the exception as it is now."""
    group: Group
    title: str
    severity: str
    text: str
    value: float | None
    limit: float | None
    unit: str
    since: int | None
    raised: int
    """When the condition had lasted long enough."""
    until: int | None
    noted: int
    """When the alert was raised: the exception was known."""
    escalations: int = 0
    snoozed_until: int | None = None
    sent: frozenset[tuple[str, str]] = frozenset()
    """Channel and reason of each message that was sent."""
    failed: str = ""
    """Why the last message wasn't sent; empty after it was."""
    withdrawn: int | None = None
    """When later data withdrew it."""
    moved: int = 0
    """How often later data moved its beginning."""

    @property
    def span(self) -> tuple[int, int]:
        """Beginning and end as numbers; open where they aren't known."""
        return -(2**62) if self.since is None else self.since, 2**62 if self.until is None else self.until


def folded(changes: Iterable[AlertChange], records: Mapping[str, AlertRecord] | None = None) -> dict[str, AlertRecord]:
    """Return the alerts after some changes, by id; a change of an unknown alert is ignored.

    >>> row = {"key": "warm/a/1", "group": ["room", "a", "", ""], "raised": 1, "since": 0}
    >>> found = folded([AlertChange("warm/a/1", "warm", "raised", 5, row=row), AlertChange("warm/a/1", "warm", "resolved", 9)])
    >>> found["warm/a/1"].state
    'resolved'
    """
    out = dict(records or {})
    for one in changes:
        if one.change == "raised":
            out[one.id] = _raised(one)
        elif one.id in out:
            out[one.id] = _changed(out[one.id], one)
    return out


def _raised(one: AlertChange) -> AlertRecord:
    row = dict(one.row)
    blank = {
        "title": "",
        "severity": "",
        "text": "",
        "unit": "",
        "value": None,
        "limit": None,
        "since": None,
        "until": None,
    }
    row["group"] = tuple(row["group"])
    return AlertRecord(id=one.id, alert=one.alert, state="active", noted=one.time, **{**blank, **row})


def _changed(record: AlertRecord, one: AlertChange) -> AlertRecord:
    row = dict(one.row)
    if one.change == "snoozed":
        return replace(record, snoozed_until=row["until"])
    if one.change == "sent":
        return replace(record, sent=record.sent | {(row["channel"], row["reason"])}, failed="")
    if one.change == "failed":
        return replace(record, failed=f"{row['channel']}: {row['text']}")
    if one.change == "escalated":
        return replace(record, escalations=record.escalations + 1)
    state = {"resolved": "resolved", "withdrawn": "withdrawn", "reopened": "active"}.get(one.change, record.state)
    if one.change == "reopened":
        row = {"until": None, "withdrawn": None, **row}
    if one.change == "withdrawn":
        row["withdrawn"] = one.time
    if one.change == "moved":
        row["moved"] = record.moved + 1
    return replace(record, state=state, **row)
