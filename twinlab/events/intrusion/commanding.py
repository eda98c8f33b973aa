"""Rules about commands, logins and the records of devices: at unusual hours, refused, replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from twinlab.events.intrusion.records import LogRecord
from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.model.intrusion.section import DAYS, SecurityRule

__all__ = ["COMMAND_OUTSIDE_RULES", "COMMAND_OUT_OF_HOURS", "COMMAND_REFUSED", "DEVICE_RECORD", "LOGIN_REFUSED"]

_MINUTE = 60 * 10**9
#: Refused logins of one user within ten minutes: people mistype.
_LOGINS, _LOGINS_WITHIN = 5, 10 * _MINUTE


def _out_of_hours(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    """Find commands at hours or on days on which none are usual; emergency stops are usual at any time."""
    del memory
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=record.time // 1_000)).astimezone(
        ZoneInfo(settings.zone)
    )
    first, last = settings.minutes
    minute = local.hour * 60 + local.minute
    within = first <= minute < last if first < last else minute >= first or minute < last
    # What is after midnight belongs to the day on which the hours began.
    day = local - timedelta(days=1) if first > last and minute < last else local
    if within and DAYS[day.weekday()] in settings.days:
        return
    text = (
        f"{record.kind} of {record.user or 'somebody'} for {record.target} at {local:%a %H:%M} {settings.zone}; "
        f"usual are {settings.hours[0]} to {settings.hours[1]} on {', '.join(settings.days)}"
    )
    yield _found("command_out_of_hours", record, text)


def _refused(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    text = f"a command for {record.target or 'an unknown target'} was refused: {record.detail}"
    yield _found("command_refused", record, text)


def _outside(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found("command_outside_rules", record, f"a command for {record.target} was refused: {record.detail}")


def _changed(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found("device_record", record, record.detail)


def _login(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del settings
    times = [at for at in memory.get(record.user, []) if record.time - at < _LOGINS_WITHIN] + [record.time]
    memory[record.user] = times[-_LOGINS:]
    if len(times) >= _LOGINS:
        yield _found("login_refused", record, f"{len(times)} logins of {record.user!r} were refused within 10 min")


def _found(rule: str, record: LogRecord, text: str) -> Finding:
    evidence = f"{record.kind}: {record.target} {record.detail}".strip()
    return Finding(rule, record.subject, record.time, record.time, text, record.count, record.host, (evidence,))


COMMAND_OUT_OF_HOURS = IntrusionRule(
    "command_out_of_hours",
    "Command at an unusual hour",
    "medium",
    kinds=("command accepted", "command refused", "command outside rules"),
    see=_out_of_hours,
)
COMMAND_REFUSED = IntrusionRule(
    "command_refused", "Forged or repeated command", "high", kinds=("command refused",), see=_refused
)
COMMAND_OUTSIDE_RULES = IntrusionRule(
    "command_outside_rules", "Command that breaks a rule", "low", kinds=("command outside rules",), see=_outside
)
DEVICE_RECORD = IntrusionRule(
    "device_record", "A device's record isn't the one before", "high", kinds=("device record changed",), see=_changed
)
LOGIN_REFUSED = IntrusionRule("login_refused", "Many refused logins", "medium", kinds=("login refused",), see=_login)
