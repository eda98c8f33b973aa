"""What a rule for intrusions is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twinlab.model.rules import SEVERITIES, Severity

if TYPE_CHECKING:
    from twinlab.events.intrusion.records import LogRecord
    from twinlab.model.intrusion.section import SecurityRule
    from twinlab.model.reader import TwinReader

__all__ = ["Finding", "IntrusionRule"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something suspicious at an instant or in a span."""

    rule: str
    subject: str
    """Gateway, person, address or ``type/asset`` that it is about."""
    start: int
    """ns UTC."""
    end: int
    text: str
    """What was expected and what was found, for people."""
    count: int = 1
    host: str = ""
    evidence: tuple[str, ...] = ()
    """Lines of the log, or numbers, that show it."""


#: ``see(record, memory, settings) -> findings``: ``memory`` is the rule's own, of what JSON can represent, and may be changed.
See = Callable[["LogRecord", dict[str, Any], "SecurityRule"], Iterable[Finding]]
#: ``search(twin, start_ns, stop_ns, settings) -> findings`` that overlap the span.
Search = Callable[["TwinReader", int, int, "SecurityRule"], Sequence[Finding]]


@dataclass(frozen=True)
class IntrusionRule:
    """A rule: either of the lines of logs, one after the other, or of histories.

    Parameters
    ----------
    name : str
        The entry point's name, and the ``rule`` of its events.
    title : str
        For people.
    severity : {"low", "medium", "high"}
    kinds : tuple of str
        With ``see``: kinds of records that it is given.
    see : callable, optional
        ``see(record, memory, settings) -> findings``. What it knows of earlier records is in ``memory`` alone, a dict of what JSON
        can represent, so that a search can go on after a restart.
    search : callable, optional
        ``search(twin, start_ns, stop_ns, settings) -> findings`` in the history.
    """

    name: str
    title: str
    severity: Severity
    kinds: tuple[str, ...] = ()
    see: See | None = None
    search: Search | None = None

    def fault(self) -> str:
        """Return a sentence on what is wrong with the rule; empty if nothing is."""
        if (self.see is None) == (self.search is None):
            return "expected either see or search"
        if self.see is not None and not self.kinds:
            return "expected the kinds of records that see is given"
        return (
            ""
            if self.severity in SEVERITIES
            else f"expected a severity of {', '.join(SEVERITIES)}, got {self.severity!r}"
        )
