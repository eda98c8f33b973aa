"""One round of alerts: look for exceptions, note what changed, send what is due."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.control.delivery.channels import CHANNEL_KINDS
from twinlab.errors import SourceError
from twinlab.events.alerts.causes import caused
from twinlab.events.alerts.due import Due, due
from twinlab.events.alerts.records import AlertChange, folded
from twinlab.events.alerts.updating import changes, window_start

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.twin.alerting.store import AlertStore

__all__ = ["AlertRound", "run_round"]


@dataclass(frozen=True)
class AlertRound:
    """What one round did."""

    raised: int
    resolved: int
    withdrawn: int
    sent: int
    failed: tuple[str, ...] = ()
    """Messages that weren't sent, a sentence each; they are sent again in the next round."""

    def __str__(self) -> str:
        text = f"{self.raised} raised, {self.resolved} over, {self.withdrawn} withdrawn, {self.sent} sent"
        return "\n".join([text, *(f"not sent: {one}" for one in self.failed)])


def run_round(
    twin: TwinReader, store: AlertStore, folder: Path, *, now: int, acknowledged: Collection[str]
) -> AlertRound:
    """Look for exceptions until ``now``, store what changed of alerts, then send what is due.

    A change is durable before its message is sent, and a message that was sent is noted after it: if the process is killed in
    between, the message is sent again.

    Parameters
    ----------
    twin : TwinReader
    store : AlertStore
    folder : Path
        The twin's.
    now : int
        Nanoseconds since 1970, UTC.
    acknowledged : collection of str
        Ids and keys that somebody has acknowledged.
    """
    records, last = store.records(), store.looked()
    alerts = twin.model.alerts
    found: list[AlertChange] = []
    for name, alert in alerts.items():
        low = window_start(records, name, alert, last, now)
        spans = caused(twin, alert, start_ns=low, stop_ns=now)
        found += changes(records, name, alert, spans, (low, now), acknowledged)
    store.write(found, looked=now)
    records = folded(found, records)
    failed: list[str] = []
    sent = 0
    for one in due(records.values(), alerts, now):
        fault = _send(twin, one, folder)
        store.write([_noted(one, fault)])
        sent += not fault
        failed += [f"channel {one.channel!r}: {fault}"] if fault else []
    counts = {kind: sum(one.change == kind for one in found) for kind in ("raised", "resolved", "withdrawn")}
    return AlertRound(**counts, sent=sent, failed=tuple(dict.fromkeys(failed)))


def _send(twin: TwinReader, one: Due, folder: Path) -> str:
    """Send one message; return why it wasn't, or an empty text."""
    channel = twin.model.channels[one.channel]
    try:
        CHANNEL_KINDS.get(channel.kind).send(channel.options, one.message, folder)
    except SourceError as error:
        return str(error)
    return ""


def _noted(one: Due, fault: str) -> AlertChange:
    row = {"channel": one.channel, "reason": one.reason} | ({"text": fault} if fault else {})
    return AlertChange(one.record.id, one.record.alert, "failed" if fault else "sent", time.time_ns(), row=row)
