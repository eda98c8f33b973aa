"""Rules about connections to the broker: who comes from where, how often, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from twinlab.events.intrusion.records import LogRecord
from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.model.intrusion.section import SecurityRule

__all__ = ["ACCESS_REFUSED", "CERTIFICATE_FAILURE", "MANY_CONNECTIONS", "NEW_CLIENT", "SHARED_CERTIFICATE"]

_MINUTE = 60 * 10**9
#: A user whose connections come from fewer different addresses than this share of them has a steady address: another one is noticed. On mobile
#: networks nearly each connection has an address of its own.
_STEADY = 1 / 3
#: Connections that are nearer to each other count once.
_APART = 10 * _MINUTE
#: Addresses and clients that are remembered of a user.
_REMEMBERED = 200
#: Connections of one user within ten minutes that are too many: a gateway pauses up to half a minute between attempts.
_MANY, _MANY_WITHIN = 30, 10 * _MINUTE
#: Connections that were ended by another one of the same name within ten minutes: two clients end each other's all the time.
_FIGHTS, _FIGHT_WITHIN = 3, 10 * _MINUTE


def _new_client(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    """Find certificates, addresses of certificates and names of clients that weren't there while it was learnt."""
    since = memory.setdefault("since", record.time)
    users = memory.setdefault("users", {})
    known = users.get(record.user)
    learning = record.time - since < settings.learn_ns
    if known is None:
        users[record.user] = {"hosts": [record.host], "clients": [record.client], "count": 1, "last": record.time}
        if not learning:
            text = f"the certificate {record.user!r} connects for the first time, from {record.host}"
            yield _found("new_client", record, text)
        return
    new_host = record.host not in known["hosts"] and not _expected(record.host, settings)
    new_name = record.client not in known["clients"]
    steady = known["count"] >= 2 and (len(known["hosts"]) == 1 or len(known["hosts"]) < known["count"] * _STEADY)
    if not learning and new_host and steady:
        before = ", ".join(known["hosts"][-3:])
        text = f"the certificate {record.user!r} was used from {before} in {known['count']} connections so far, now from {record.host}"
        yield _found("new_client", record, text)
    elif not learning and new_name:
        before = ", ".join(known["clients"][:3])
        text = f"the certificate {record.user!r} was used as {before} so far, now as {record.client!r}"
        yield _found("new_client", record, text)
    if record.time - known["last"] >= _APART:
        known["count"], known["last"] = known["count"] + 1, record.time
    for name, value in (("hosts", record.host), ("clients", record.client)):
        if value not in known[name]:
            known[name] = [*known[name], value][-_REMEMBERED:]


def _shared(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    """Find clients that end each other's connections: two programs with one certificate."""
    del settings
    times = [at for at in memory.get(record.client, []) if record.time - at < _FIGHT_WITHIN] + [record.time]
    memory[record.client] = times[-_FIGHTS:]
    if len(times) >= _FIGHTS:
        text = f"{len(times)} connections of {record.client!r} were ended within 10 min by others of the same name: two programs use it"
        yield _found("shared_certificate", record, text, start=times[0])


def _failure(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found(
        "certificate_failure", record, f"{record.kind}: {record.detail}", subject=record.host or record.subject
    )


def _refused(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found(
        "access_refused", record, f"{record.subject!r} tried to publish on {record.target!r}, which isn't its own"
    )


def _many(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del settings
    key = record.user or record.host
    times = [at for at in memory.get(key, []) if record.time - at < _MANY_WITHIN] + [record.time]
    memory[key] = times[-_MANY:]
    if len(times) >= _MANY:
        yield _found(
            "many_connections", record, f"{key!r} has connected {len(times)} times within 10 min", start=times[0]
        )


def _found(rule: str, record: LogRecord, text: str, *, subject: str = "", start: int | None = None) -> Finding:
    line = f"{record.kind}: {record.detail}" if record.detail else record.kind
    begin = record.time if start is None else start
    return Finding(rule, subject or record.subject, begin, record.time, text, record.count, record.host, (line,))


def _expected(host: str, settings: SecurityRule) -> bool:
    if not settings.addresses:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any(address in ip_network(one) for one in settings.addresses)


NEW_CLIENT = IntrusionRule(
    "new_client", "New client under a known certificate", "medium", kinds=("connected",), see=_new_client
)
SHARED_CERTIFICATE = IntrusionRule(
    "shared_certificate", "Two clients with one certificate", "high", kinds=("taken over",), see=_shared
)
CERTIFICATE_FAILURE = IntrusionRule(
    "certificate_failure", "Certificate missing, expired or unknown", "medium",
    kinds=("no certificate", "certificate refused", "no TLS", "connection refused"), see=_failure,
)  # fmt: skip
ACCESS_REFUSED = IntrusionRule(
    "access_refused", "Published on a topic of another", "high", kinds=("publish denied",), see=_refused
)
MANY_CONNECTIONS = IntrusionRule(
    "many_connections", "Many connections in a short time", "medium", kinds=("connected",), see=_many
)
