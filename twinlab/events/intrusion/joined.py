"""Findings of one rule and subject that are near each other are one event."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from twinlab.events.intrusion.rule import Finding, IntrusionRule

__all__ = ["SecurityEvent", "joined"]

#: Different lines of evidence of an event: the first and the last ones.
_EVIDENCE = 60


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """An event: findings of one rule and subject. Times are ns UTC."""

    event_id: str
    rule: str
    title: str
    severity: str
    subject: str
    start: int
    end: int
    """Of the last finding."""
    count: int
    text: str
    """Of the first finding."""
    host: str = ""
    evidence: tuple[str, ...] = ()


def joined(
    findings: Iterable[Finding],
    rules: Mapping[str, IntrusionRule],
    *,
    gap_ns: int,
    events: Sequence[SecurityEvent] = (),
) -> list[SecurityEvent]:
    """Return the events after further findings, in order of start.

    Parameters
    ----------
    findings : iterable of Finding
    rules : mapping of name to IntrusionRule
        For titles and severities.
    gap_ns : int
        A finding at most so long after the end of an event of its rule and subject belongs to it.
    events : sequence of SecurityEvent
        Those of earlier findings.

    >>> rule = IntrusionRule("r", "A rule", "low")
    >>> found = [Finding("r", "truck-1", at, at, "text") for at in (0, 5, 20)]
    >>> [(one.start, one.end, one.count) for one in joined(found, {"r": rule}, gap_ns=10)]
    [(0, 5, 2), (20, 20, 1)]
    """
    out = {one.event_id: one for one in events}
    last: dict[tuple[str, str], str] = {}
    for one in sorted(events, key=lambda one: one.end):
        last[one.rule, one.subject] = one.event_id
    for finding in findings:
        key = (finding.rule, finding.subject)
        before = out.get(last.get(key, ""))
        if before is not None and finding.start - before.end <= gap_ns and finding.end >= before.start - gap_ns:
            out[before.event_id] = _with(before, finding)
            continue
        rule = rules[finding.rule]
        name = hashlib.sha256(f"{finding.rule}\0{finding.subject}\0{finding.start}".encode()).hexdigest()[:16]
        last[key] = name
        out[name] = SecurityEvent(
            name, finding.rule, rule.title, rule.severity, finding.subject, finding.start, finding.end, finding.count, finding.text,
            finding.host, finding.evidence[:_EVIDENCE],
        )  # fmt: skip
    return sorted(out.values(), key=lambda one: (one.start, one.event_id))


def _with(event: SecurityEvent, finding: Finding) -> SecurityEvent:
    new = tuple(line for line in finding.evidence if line not in event.evidence)
    lines = event.evidence + new
    if len(lines) > _EVIDENCE:
        lines = lines[: _EVIDENCE // 2] + lines[-_EVIDENCE // 2 :]
    return replace(
        event, start=min(event.start, finding.start), end=max(event.end, finding.end), count=event.count + finding.count,
        evidence=lines, host=event.host or finding.host,
    )  # fmt: skip
