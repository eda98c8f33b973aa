"""Rules about messages that the guard of ingest didn't take, or took with a remark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinlab.events.intrusion.records import LogRecord
from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.model.intrusion.section import SecurityRule

__all__ = ["EPOCH_CHANGE", "SEQUENCE_REGRESSION", "UNPROVEN_MESSAGE"]


def _unproven(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found("unproven_message", record)


def _regression(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found("sequence_regression", record)


def _epoch(record: LogRecord, memory: dict[str, Any], settings: SecurityRule) -> Iterator[Finding]:
    del memory, settings
    yield _found("epoch_change", record)


def _found(rule: str, record: LogRecord) -> Finding:
    text = f"{record.kind}: {record.detail}" if record.detail else record.kind
    return Finding(rule, record.subject, record.time, record.time, text, record.count, record.host, (text,))


UNPROVEN_MESSAGE = IntrusionRule(
    "unproven_message", "Messages that their gateway didn't sign", "high",
    kinds=("unsigned", "unknown key", "revoked key", "key of another", "changed", "quarantine full"), see=_unproven,
)  # fmt: skip
SEQUENCE_REGRESSION = IntrusionRule(
    "sequence_regression", "Earlier rows or an earlier epoch again", "high",
    kinds=("sequence again", "no handshake", "earlier epoch", "older copy of an outbox"), see=_regression,
)  # fmt: skip
EPOCH_CHANGE = IntrusionRule(
    "epoch_change", "A gateway begins another epoch", "medium", kinds=("new epoch",), see=_epoch
)
