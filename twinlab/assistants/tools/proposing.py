"""The tool that proposes a command. A person looks at it in the page Control, and approves it there or doesn't."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from pydantic import Field

from twinlab.assistants.results.schemas import ProposalResult
from twinlab.assistants.results.tables import table_of
from twinlab.assistants.results.texts import visible_text
from twinlab.assistants.tools.arguments import Arguments, Name, asset_and_id
from twinlab.assistants.tools.call import Call
from twinlab.assistants.tools.tool import Tool

__all__ = ["PROPOSING"]


class ProposeArguments(Arguments):
    """Arguments of `propose_command`."""

    asset: Name
    """TYPE/ID."""
    parameter: Name
    """Parameter of the `commands` of the resource twin://model."""
    value: Annotated[str, Field(min_length=1, max_length=60)] | float
    """The setpoint, with its unit as text: ``6 km/h``; a number is in the command's unit."""
    reason: Annotated[str, Field(min_length=3, max_length=300)]
    """Why, in a sentence, for the person who approves."""


def _propose(call: Call, given: ProposeArguments) -> ProposalResult:
    caller = call.caller
    kind, asset = asset_and_id(caller.twin, given.asset)
    reason = f"{visible_text(given.reason)} (proposed by an assistant for {caller.name})"
    plan = caller.call("propose", f"{kind}/{asset}", given.parameter, given.value, reason=reason)
    proposal = plan.proposal
    rows = [{"check": one.name, "passed": one.passed, "said": one.said} for one in proposal.checks]
    rows += [{"check": one.title, "passed": one.verdict == "safe", "said": one.reason} for one in proposal.effects]
    table = pd.DataFrame(rows, columns=["check", "passed", "said"])
    refused = [visible_text(one) for one in plan.refused]
    said = (
        f"The proposal can't be approved: {'; '.join(refused)}."
        if refused
        else f"Proposed. Nothing is sent until {_people(proposal.people)} it in the page Control of the twin."
    )
    return ProposalResult(
        says=said, value=float(proposal.value), unit=proposal.unit, plan_id=plan.id, verdict=plan.verdict, status=plan.status,
        refused=refused, people=proposal.people, table=table_of(table, units={}, first=0, rows=call.limits.rows),
    )  # fmt: skip


def _people(number: int) -> str:
    return "a person approves" if number == 1 else f"{number} different persons approve"


PROPOSING = (
    Tool("propose_command", "Propose a command",
         "Propose to set a parameter of an asset: the twin checks and simulates it from the present state. Nothing is sent; a person approves it in the page Control.",
         ProposeArguments, _propose, result=ProposalResult, page="control", function="propose", writes=True),
)  # fmt: skip
