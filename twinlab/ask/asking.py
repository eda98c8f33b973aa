"""Ask a twin: plan, check, run, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.ask.answer import Answer
from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import load_language
from twinlab.ask.plans.faults import check_plan
from twinlab.ask.proposing import propose
from twinlab.ask.running import run_call
from twinlab.ask.running.contrasts import contrasted
from twinlab.ask.running.units import in_unit

if TYPE_CHECKING:
    from twinlab.ask.planner import Planner
    from twinlab.ask.plans.plan import Plan
    from twinlab.model.reader import TwinReader

__all__ = ["ask", "refusal", "run_plan"]


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
    try:
        plan = propose(twin, question, now=now, language=language, planner=planner)
    except NotUnderstoodError as error:
        return refusal(twin, question, error)
    return run_plan(twin, plan)


def refusal(twin: TwinReader, question: str, error: NotUnderstoodError) -> Answer:
    """Return the answer that says why a question isn't understood, with questions that are.

    A planner of somebody else may raise the error with a sentence of its own in place of a key.
    """
    words = load_language(error.language)
    reason = words.sentence(error.key, **error.values) if error.key in words.sentences else error.key
    return Answer(question, error.language, None, reason=reason, suggestions=error.suggestions, twin=twin)


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
        result = contrasted(twin, plan, result, other)
    except NotUnderstoodError as error:
        reason = load_language(plan.language).sentence(error.key, **error.values)
        return Answer(plan.question, plan.language, plan, reason=reason, twin=twin)
    return Answer(plan.question, plan.language, plan, result, other, twin=twin)
