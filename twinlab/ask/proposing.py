"""Propose a plan: ask a planner, and check what it says before anybody sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from pydantic import ValidationError

from twinlab.ask.planner import Planner, WordPlanner
from twinlab.ask.plans.faults import check_plan
from twinlab.ask.plans.plan import Plan
from twinlab.ask.present import present
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["LONGEST_QUESTION", "completions", "propose"]

#: Characters of a question that are read.
LONGEST_QUESTION = 2_000
#: One for all readers of this process, each with the vocabulary of what it shows.
_PLANNER = WordPlanner()


def propose(
    twin: TwinReader, question: str, *, now: object = None, language: str | None = None, planner: Planner | None = None
) -> Plan:
    """Return the plan of a question, checked and not run.

    Parameters
    ----------
    twin, question, now, language, planner
        As for `twinlab.ask.ask`. The plan of any planner is read anew from its JSON: what isn't in the schema doesn't get through, and
        its question is the one that was asked.

    Raises
    ------
    NotUnderstoodError
        If the question isn't understood.
    UnknownTermError
        If the plan names what the twin doesn't show to this reader.
    SchemaError
        If the planner returns something else than a plan, or a plan with an argument that doesn't fit.
    """
    question = " ".join(question[:LONGEST_QUESTION].split())
    instant = present(twin) if now is None else pd.Timestamp(now)  # type: ignore[arg-type]
    instant = instant if instant.tzinfo is None else instant.tz_convert("UTC").tz_localize(None)
    chosen = planner or _PLANNER
    plan = chosen.plan(question, twin, now=instant, language=language)
    if chosen is not _PLANNER:
        plan = _read_anew(plan, question)
    check_plan(plan, twin.model)
    return plan


def _read_anew(plan: object, question: str) -> Plan:
    """Return a plan that has the schema's fields and nothing else."""
    if not isinstance(plan, Plan):
        msg = f"expected a Plan from the planner, got {type(plan).__name__}; see twinlab.ask.Planner"
        raise SchemaError(msg)
    try:
        return Plan.model_validate({**plan.model_dump(mode="json", warnings=False), "question": question})
    except (ValidationError, AttributeError, TypeError, ValueError) as error:
        msg = f"the planner's plan doesn't have the schema of plans: {error}"
        raise SchemaError(msg) from error


def completions(twin: TwinReader, text: str, *, count: int = 8) -> list[str]:
    """Return ways to go on with a question that is being typed, in the words that this reader sees; examples for an empty one.

    >>> from twinlab.testing import FakeTwin
    >>> twin = FakeTwin.example(days=2, trips=5)
    >>> completions(twin, "average temper", count=1)
    ['average temperature']
    """
    return _PLANNER.complete(text[:LONGEST_QUESTION], twin, count=count)
