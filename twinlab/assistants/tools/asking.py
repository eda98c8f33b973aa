"""The tool `ask`: a question in words, or a plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import Field, ValidationError

from twinlab.ask.asking import ask, run_plan
from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import load_language
from twinlab.ask.planner import WordPlanner
from twinlab.ask.plans.code import python_code
from twinlab.ask.plans.faults import check_plan
from twinlab.ask.plans.plan import Plan
from twinlab.ask.present import present
from twinlab.assistants.results.answers import ask_result
from twinlab.assistants.results.schemas import AskResult
from twinlab.assistants.results.texts import visible_text
from twinlab.assistants.tools.arguments import Instant, Paged
from twinlab.assistants.tools.call import Call
from twinlab.assistants.tools.tool import Tool
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["ASKING"]

_LONGEST_PLAN = 20_000
_PLANNER = WordPlanner()


class AskArguments(Paged):
    """Arguments of `ask`."""

    question: Annotated[str, Field(min_length=1, max_length=2_000)] | None = None
    """In English or German, in the words of the resource twin://glossary."""
    plan: Annotated[dict[str, Any], Field(max_length=20)] | None = None
    """Instead of a question: a plan of an earlier result, to run it or to show it."""
    run: bool = True
    """False returns the plan without running it, for a person to read first."""
    now: Instant | None = None
    """What "today" counts from; by default the end of the data."""
    language: Literal["en", "de"] | None = None
    """By default that of the question."""


def _ask(call: Call, given: AskArguments) -> AskResult:
    twin = call.caller.twin
    if (given.question is None) == (given.plan is None):
        msg = "expected either `question` or `plan`"
        raise SchemaError(msg)
    rows = min(given.limit, call.limits.rows)
    plan = None if given.plan is None else _plan_of(given.plan)
    if given.run:
        answer = (
            run_plan(twin, plan)
            if plan is not None
            else ask(twin, str(given.question), now=given.now, language=given.language)
        )
        return ask_result(answer, twin.model, first=given.offset, rows=rows)
    return _shown(twin, plan, given)


def _shown(twin: TwinReader, plan: Plan | None, given: AskArguments) -> AskResult:
    """Return the plan, without running it."""
    try:
        if plan is None:
            now = present(twin) if given.now is None else pd.Timestamp(given.now)
            plan = _PLANNER.plan(str(given.question), twin, now=now, language=given.language)
    except NotUnderstoodError as error:
        words = load_language(error.language)
        return AskResult(
            says=f"{words.sentence('cannot_tell')} {words.sentence(error.key, **error.values)}",
            known=False, ran=False, suggestions=[visible_text(one) for one in error.suggestions],
        )  # fmt: skip
    check_plan(plan, twin.model)
    return AskResult(
        says=f"The plan is a call of {plan.call.do!r}; it wasn't run.",
        ran=False, notes=list(plan.notes), plan=json.loads(plan.text), code=python_code(plan),
    )  # fmt: skip


def _plan_of(data: dict[str, Any]) -> Plan:
    """Return a plan, checked against its schema.

    Raises
    ------
    SchemaError
        If it doesn't fit; says where.
    """
    if len(json.dumps(data)) > _LONGEST_PLAN:
        msg = f"expected a plan of at most {_LONGEST_PLAN} characters"
        raise SchemaError(msg)
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:5]
        said = "; ".join(f"plan.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
        raise SchemaError(said) from error


ASKING = (
    Tool("ask", "Ask in words",
         "Answer a question in words (English or German) by a typed plan of calls; or show the plan without running it (run=false). "
         "Says why if the twin can't tell, and offers questions that are understood.",
         AskArguments, _ask, result=AskResult),
)  # fmt: skip
