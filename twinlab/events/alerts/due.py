"""Which messages of alerts are to be sent now, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from twinlab.events.alerts.records import AlertRecord
from twinlab.model.alerts.alert import Alert
from twinlab.model.alerts.channel import Message

__all__ = ["Due", "due"]


@dataclass(frozen=True)
class Due:
    """A message of an alert for a channel."""

    record: AlertRecord
    channel: str
    reason: str
    """``raised``, ``escalated 1``, …, or ``resolved``: each is sent once through a channel."""
    message: Message


def due(records: Iterable[AlertRecord], alerts: Mapping[str, Alert], now: int) -> Iterator[Due]:
    """Yield the messages that haven't been sent yet; nothing of snoozed or withdrawn alerts.

    An alert that was over before anybody was notified of it is notified of once, as over.

    Parameters
    ----------
    records : iterable of AlertRecord
    alerts : mapping of name to Alert
    now : int
        Nanoseconds since 1970, UTC.
    """
    for one in records:
        alert = alerts.get(one.alert)
        if alert is None or one.state == "withdrawn" or (one.snoozed_until is not None and now < one.snoozed_until):
            continue
        wanted: list[tuple[str, str]] = []
        if one.state == "active":
            wanted += [(channel, "raised") for channel in alert.channels]
            for number, step in enumerate(alert.escalate[: one.escalations], 1):
                wanted += [(channel, f"escalated {number}") for channel in step.channels]
        else:
            people = {channel for channel, _ in one.sent} | set(alert.channels)
            wanted += [(channel, "resolved") for channel in sorted(people)]
        for channel, reason in dict.fromkeys(wanted):
            if (channel, reason) not in one.sent:
                yield Due(one, channel, reason, _message(one, reason))


def _message(one: AlertRecord, reason: str) -> Message:
    asset_type, asset, event_type, event_id = one.group
    who = f"{asset_type} {asset}" if asset else f"{event_type} {event_id}"
    what = "over: " if reason == "resolved" else "" if reason == "raised" else "nobody has acknowledged: "
    times = {"since": one.since, "until": one.until, "raised": one.noted}
    texts = {
        name: None if at is None else f"{np.datetime64(at, 'ns').astype('datetime64[s]')}Z"
        for name, at in times.items()
    }
    lines = [
        one.text,
        *(f"{name}: {at}" for name, at in texts.items() if at is not None),
        f"severity: {one.severity}",
    ]
    data = {
        "alert": one.alert, "id": one.id, "reason": reason, "severity": one.severity, "asset_type": asset_type, "asset": asset,
        "event_type": event_type, "event_id": event_id, **texts, "value": one.value, "limit": one.limit, "unit": one.unit,
    }  # fmt: skip
    return Message(f"{what}{one.title}, {who}", "\n".join(lines), data)
