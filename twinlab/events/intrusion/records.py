"""Lines of logs in one form: of the security log, and of the audit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

__all__ = ["LogRecord", "audit_record", "log_records"]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """Something that was noted."""

    time: int
    """ns UTC."""
    kind: str
    """Of `twinlab.edge.security_log.Kind`, or "command accepted", "command refused", "command outside rules", "login refused",
    "access refused", "device record changed"."""
    user: str = ""
    """Name in the certificate, the gateway's, or that of the person who signed; empty if it isn't known."""
    host: str = ""
    """Address without its port."""
    client: str = ""
    target: str = ""
    """Topic, or what a command is for."""
    detail: str = ""
    count: int = 1
    """How many were noted together; of "traffic" the number of rows."""

    @property
    def subject(self) -> str:
        """Whom a finding is about: the user if there is one, else the client, else the address."""
        return self.user or self.client or self.host or "somebody"


def log_records(lines: Iterable[str]) -> Iterator[LogRecord]:
    """Yield the lines of a security log; one that can't be read is a record of the kind "unreadable line".

    >>> line = '{"time": "2026-03-01T12:00:00Z", "kind": "no TLS", "address": "10.0.0.9:4711", "client": null, "user": null}'
    >>> [(one.kind, one.host) for one in log_records([line])]
    [('no TLS', '10.0.0.9')]
    """
    last = 0
    for line in lines:
        if not line.strip():
            continue
        try:
            found = json.loads(line)
            last = max(last, _ns(found["time"]))
            host = str(found.get("address") or "")
            yield LogRecord(
                _ns(found["time"]), str(found["kind"]), str(found.get("user") or ""), _host(host), str(found.get("client") or ""),
                str(found.get("topic") or ""), str(found.get("detail") or ""), int(found.get("count", 1)),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError):
            yield LogRecord(last, "unreadable line", detail=line[:200])


#: Kind of a row of the audit -> kind of a record.
_AUDITED = {
    "command accepted": "command accepted", "command refused": "command refused", "login refused": "login refused",
    "access refused": "access refused",
}  # fmt: skip
#: Checks of the guard that an honest person's command may fail; all others are failed by forged or repeated ones.
_EVERYDAY = frozenset({
    "rate", "target_rate", "clock", "expiry", "unit", "limits", "idle", "after_stop", "fresh_state", "same_state", "interlocks", "step",
    "other_select", "selected", "as_selected",
})  # fmt: skip


def audit_record(at: str, kind: str, who: Iterable[str], what: Mapping[str, Any]) -> LogRecord | None:
    """Return what concerns intrusions in a row of the audit; None if nothing does.

    Parameters
    ----------
    at : str
        When it was written, as the row has it.
    kind : str
        Of the row. Emergency stops are no evidence of anything.
    who : iterable of str
        Names.
    what : mapping
        Fields of the row. ``check`` says which check refused a command: one that breaks a limit is of the kind "command outside rules".

    >>> audit_record("2026-03-01T12:00:00+00:00", "command refused", ["ann"], {"target": "forklift/F07", "reason": "replay"}).target
    'forklift/F07'
    """
    if kind == "device record":
        return _device_record(at, who, what)
    if kind not in _AUDITED:
        return None
    target = ".".join(str(what[name]) for name in ("target", "parameter") if what.get(name)) or str(
        what.get("page") or ""
    )
    everyday = kind == "command refused" and what.get("check") in _EVERYDAY
    detail = str(what.get("reason") or what.get("how") or "")
    kind = "command outside rules" if everyday else _AUDITED[kind]
    return LogRecord(_ns(at), kind, ", ".join(who), _host(str(what.get("address") or "")), target=target, detail=detail)


#: What a device has recorded -> kind of a record. What it has accepted is in the audit by the twin that sent it.
_RECORDED = {
    "command refused": "command refused", "message refused": "command refused", "request refused": "command refused",
    "read refused": "command refused", "connection refused": "connection refused", "record replaced": "device record changed",
    "damaged entry": "device record changed",
}  # fmt: skip


def _device_record(at: str, who: Iterable[str], what: Mapping[str, Any]) -> LogRecord | None:
    kind = _RECORDED.get(str(what.get("recorded")))
    if kind is None:
        return None
    if kind == "command refused" and what.get("check") in _EVERYDAY:
        kind = "command outside rules"
    device, reason = str(what.get("device") or ""), str(what.get("reason") or "")
    target = ".".join(str(what[name]) for name in ("target", "parameter") if what.get(name)) or device
    # A refused connection's entry begins with its address.
    host = _host(reason.partition(": ")[0]) if kind == "connection refused" else ""
    changed = kind == "device record changed"
    user = device if changed else ", ".join(who)
    more = what.get("more")
    count = 1 + more if isinstance(more, int) and more > 0 else 1
    # The device's clock isn't believed: it is the time at which the twin has read the record.
    return LogRecord(_ns(at), kind, user, host, target=target, detail=f"{device}: {reason}", count=count)


def _ns(text: str) -> int:
    found = datetime.fromisoformat(text)
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return int(found.timestamp()) * 10**9 + found.microsecond * 1_000


def _host(address: str) -> str:
    """Return an address without the port: ``10.0.0.9:4711``, ``[::1]:4711``, or none of them."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address
