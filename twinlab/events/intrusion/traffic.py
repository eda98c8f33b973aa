"""The rule about rates: a gateway that sends far more rows than it usually does, and not because it was silent before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinlab.events.intrusion.records import LogRecord
from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.model.intrusion.section import SecurityRule

__all__ = ["RATE"]

_MINUTE = 60 * 10**9
#: How many times the largest usual rate is suspicious, and from how many rows a minute on.
_TIMES, _LEAST = 3.0, 60.0
#: What a gateway owes for a minute of silence, as a multiple of its mean: by day it sends more than on average.
_OWED_TIMES = 2.0
#: Minutes without rows from which on a gateway counts as silent.
_SILENT = 15.0
#: Minutes of silence for which a gateway may send rows later; its outbox has them.
_OWED = 24 * 60.0
#: Share by which the largest usual rate falls a day, so that it follows a gateway that sends less than before.
_FALL = 0.1


def _rate(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    """Compare the rows of a minute with the largest number of a minute so far, and with what the gateway owes.

    A silence adds what it usually sends to what it owes: after an outage it sends that at once, which is no attack.
    """
    since = memory.setdefault("since", record.time)
    entry = memory.setdefault(record.user, {"mean": 0.0, "most": 0.0, "owed": 0.0, "last": record.time})
    minutes = max(1.0, (record.time - entry["last"]) / _MINUTE)
    rows = float(record.count)
    learning = record.time - since < settings.learn_ns
    usual = entry["mean"]
    owed = entry["owed"]
    if minutes > _SILENT:
        owed = min(owed + _OWED_TIMES * usual * minutes, _OWED_TIMES * usual * _OWED)
    surplus = rows - owed
    limit = max(entry["most"] * _TIMES, _LEAST)
    entry["last"], entry["owed"] = record.time, max(0.0, owed - rows)
    if not learning and surplus > limit:
        text = (
            f"{record.user!r} sent {rows:,.0f} rows in a minute; the most in a minute so far are {entry['most']:,.0f}"
        )
        yield Finding("rate", record.subject, record.time, record.time, text, 1, record.host, (record.detail,))
        return
    weight = min(1.0, minutes / (24 * 60.0))
    entry["mean"] += (rows / minutes - entry["mean"]) * (max(weight, 0.05) if learning else weight)
    # Rows that it catches up on don't count for its usual rate.
    entry["most"] = max(min(rows, max(surplus, entry["most"])), entry["most"] * (1.0 - _FALL * minutes / (24 * 60.0)))


RATE = IntrusionRule("rate", "Far more rows than usual", "medium", kinds=("traffic",), see=_rate)
