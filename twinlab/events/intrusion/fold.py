"""Lines of logs to findings, one after the other, with what the rules remember: a search can stop and go on anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twinlab.events.intrusion.records import LogRecord
from twinlab.events.intrusion.rule import Finding, IntrusionRule
from twinlab.model.intrusion.section import SecurityRule

__all__ = ["Memory", "findings_of"]


@dataclass
class Memory:
    """What rules remember of the records so far, as JSON can represent it."""

    of_rule: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name of a rule -> its own dict."""


def findings_of(
    records: Iterable[LogRecord], rules: Mapping[str, IntrusionRule], settings: SecurityRule, memory: Memory
) -> Iterator[Finding]:
    """Yield what rules find in records, in their order; ``memory`` is changed.

    >>> from twinlab.events.intrusion.registry import INTRUSION_RULES
    >>> rules = {"access_refused": INTRUSION_RULES.get("access_refused")}
    >>> record = LogRecord(0, "publish denied", "truck-1", "10.0.0.9", target="command/truck-2/stop")
    >>> [one.text for one in findings_of([record], rules, SecurityRule(), Memory())]
    ["'truck-1' tried to publish on 'command/truck-2/stop', which isn't its own"]
    """
    by_kind: dict[str, list[IntrusionRule]] = {}
    for name, rule in rules.items():
        for kind in rule.kinds if rule.see is not None and name not in settings.off else ():
            by_kind.setdefault(kind, []).append(rule)
    for record in records:
        for rule in by_kind.get(record.kind, ()):
            assert rule.see is not None
            yield from rule.see(record, memory.of_rule.setdefault(rule.name, {}), settings)
