"""The methods of twins and of views of twins that answer questions, by a condition, of a KPI, or in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twinlab.twin.finding.methods import FindMethods
from twinlab.twin.kpis.methods import KpiMethods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.ask import Answer, Explanation, Plan, Planner
    from twinlab.model.reader import TwinReader

__all__ = ["AskMethods"]


class AskMethods(FindMethods, KpiMethods):
    """Answer questions about anything that reads like a twin: events by a condition, KPIs, and questions in words."""

    def ask(
        self, question: str | Plan, *, now: object = None, language: str | None = None, planner: Planner | None = None
    ) -> Answer:
        """Return the answer to a question in words: the plan, a table, one sentence, and what each number rests on.

        Parameters
        ----------
        question : str or Plan
            In English or German, in the words of the twin's model: "which cold rooms were too warm last week and for how long?". A
            plan of an earlier answer is run again.
        now : instant, optional
            What "today" and "last week" count from; naive is UTC. By default the end of the data.
        language : str, optional
            "en" or "de"; by default that of the question.
        planner : Planner, optional
            What makes the plan, such as one that asks a language model; by default a parser that knows the words of the twin's model.

        Returns
        -------
        Answer
            ``value`` and ``unit`` (None without one number), ``table``, ``sentence``, ``notes`` (what was assumed), ``plan``, ``code``
            (Python that gives the same numbers), ``evidence``, ``why()``. Without an answer ``reason`` says why, and ``suggestions`` has
            questions that are understood.

        Raises
        ------
        UnknownTermError, SchemaError
            If a plan names what the twin doesn't have.

        Examples
        --------
        >>> from twinlab.ask import ask
        >>> from twinlab.testing import FakeTwin
        >>> answer = ask(FakeTwin.example(days=3, trips=10), "How many stations are there?")
        >>> answer.value
        3
        """
        from twinlab.ask.asking import ask, run_plan  # noqa: PLC0415  (import twinlab stays quick)

        reader = cast("TwinReader", self)
        if not isinstance(question, str):
            return run_plan(reader, question)
        return ask(reader, question, now=now, language=language, planner=planner)

    def explain(
        self,
        *,
        on: str | None = None,
        assets: Sequence[str] | None = None,
        start: object = None,
        stop: object = None,
        kpis: bool = False,
        language: str = "en",
    ) -> Explanation:
        """Return three findings about a span, computed by rules: the largest change, the worst exception, how much is known.

        Parameters
        ----------
        on : str, optional
            Only this asset type; by default all that have signals.
        assets : sequence of str, optional
            Only these assets of the type.
        start, stop : instant, optional
            Half-open, naive is UTC; by default the last seven days of the data. A change is that against the span of the same length before.
        kpis : bool
            Whether changes of the KPIs are compared, too, which takes up to a second for each; those of signals and of numbers of events always are.
        language : str
            "en" or "de".

        Returns
        -------
        Explanation
            A sentence for each finding, with ``value``, ``unit``, the ``plan`` that gives its numbers again (``twin.ask(plan)``), and
            ``known``, which is False where the data aren't enough.

        Raises
        ------
        UnknownTermError, SchemaError
            If there is no such asset type, or the start isn't before the stop.

        Examples
        --------
        >>> from twinlab.ask import explain
        >>> from twinlab.testing import FakeTwin
        >>> found = explain(FakeTwin.example(days=4, trips=10), on="station", start="2026-01-03", stop="2026-01-04")
        >>> round(found["coverage"].value, 1)
        100.0
        """
        from twinlab.ask.findings.explaining import explain  # noqa: PLC0415  (import twinlab stays quick)

        return explain(
            cast("TwinReader", self), on=on, assets=assets, start=start, stop=stop, kpis=kpis, language=language
        )
