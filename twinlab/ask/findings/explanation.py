"""What is found, in sentences with their numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinlab.ask.answer import Answer
    from twinlab.ask.plans.plan import Plan, Span

__all__ = ["Explanation", "Finding"]


@dataclass(frozen=True)
class Finding:
    """One sentence.

    Parameters
    ----------
    kind : str
        "change", "exception" or "coverage".
    sentence : str
    known : bool
        False if the data aren't enough; the sentence then says why.
    value : float or None
        The number of the sentence, in `unit`: a change, the worst value of an exception, a share in percent.
    unit : str
    plan : Plan or None
        What gives the numbers again; None without numbers, or where no plan can.
    why : mapping or None
        Arguments of ``twin.why`` for the most important number.
    """

    kind: str
    sentence: str
    known: bool = True
    value: float | None = None
    unit: str = ""
    plan: Plan | None = None
    why: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Explanation:
    """Findings about a span.

    Parameters
    ----------
    findings : sequence of Finding
        One of each kind, in this order: change, exception, coverage.
    span, before : Span
        What is explained, and the span of the same length before it.
    language : str
    twin : object
        What was read.
    """

    findings: Sequence[Finding]
    span: Span
    before: Span
    language: str = "en"
    twin: Any = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __getitem__(self, kind: str) -> Finding:
        """Return the finding of a kind."""
        return next(one for one in self.findings if one.kind == kind)

    def answer(self, kind: str) -> Answer | None:
        """Run the plan of a finding again: its table, numbers and evidence; None where there is no plan."""
        from twinlab.ask.asking import run_plan  # noqa: PLC0415  (an explanation is made without it)

        plan = self[kind].plan
        return None if plan is None else run_plan(self.twin, plan)

    def __str__(self) -> str:
        return "\n".join(one.sentence for one in self.findings)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "<ul>" + "".join(f"<li>{escape(one.sentence)}</li>" for one in self.findings) + "</ul>"
