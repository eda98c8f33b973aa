"""Ask a twin: plan, check, run, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.answer import Answer
from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import load_language
from twinlab.ask.planner import Planner, WordPlanner
from twinlab.ask.plans.faults import check_plan
from twinlab.ask.present import present
from twinlab.ask.running import run_call
from twinlab.ask.running.units import in_unit

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import Plan
    from twinlab.model.reader import TwinReader

__all__ = ["ask", "present", "run_plan"]

_PLANNER = WordPlanner()


def ask(
    twin: TwinReader, question: str, *, now: object = None, language: str | None = None, planner: Planner | None = None
) -> Answer:
    """Answer a question about a twin.

    Parameters
    ----------
    twin : TwinReader
        Anything that reads like a twin; only what it shows is used.
    question : str
        In English or German.
    now : instant, optional
        What "today" and "last week" count from; naive is UTC. By default the end of the data.
    language : str, optional
        "en" or "de"; by default that of the question.
    planner : Planner, optional
        What makes the plan; by default `WordPlanner`, which knows the words of the twin's model.

    Returns
    -------
    Answer
        With a ``reason`` instead of a value where there is none.
    """
    instant = present(twin) if now is None else pd.Timestamp(now)  # type: ignore[arg-type]
    instant = instant if instant.tzinfo is None else instant.tz_convert("UTC").tz_localize(None)
    try:
        plan = (planner or _PLANNER).plan(question, twin, now=instant, language=language)
    except NotUnderstoodError as error:
        code = error.language
        return Answer(
            question,
            code,
            None,
            reason=load_language(code).sentence(error.key, **error.values),
            suggestions=error.suggestions,
            twin=twin,
        )
    return run_plan(twin, plan)


def run_plan(twin: TwinReader, plan: Plan) -> Answer:
    """Run a plan, after it was checked against the twin's model.

    Raises
    ------
    UnknownTermError, SchemaError
        If the plan names what the twin doesn't have.
    """
    check_plan(plan, twin.model)
    try:
        result = run_call(twin, plan.call)
        other = None if plan.versus is None else run_call(twin, plan.call.model_copy(update={"span": plan.versus}))
        if plan.unit is not None:
            columns = [name for name in (getattr(plan.call, "column", None),) if name]
            result = in_unit(result, plan.unit, columns)
            other = None if other is None else in_unit(other, plan.unit, columns)
    except NotUnderstoodError as error:
        reason = load_language(plan.language).sentence(error.key, **error.values)
        return Answer(plan.question, plan.language, plan, reason=reason, twin=twin)
    return Answer(plan.question, plan.language, plan, result, other, twin=twin)
