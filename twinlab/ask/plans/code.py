"""A plan as Python: the same calls of twinlab, for a fresh kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinlab.ask.plans.plan import (
    AssetCall,
    AttentionCall,
    EventCall,
    FindCall,
    KpiCall,
    RuleCall,
    SummaryCall,
)

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import Call, Plan

__all__ = ["python_code"]


def python_code(plan: Plan) -> str:
    """Return Python that asks a twin the same; it needs a variable ``twin``.

    >>> from twinlab.ask.plans.plan import Plan
    >>> call = {"do": "where", "on": "truck", "asset": "T1", "at": "2026-01-05T06:00"}
    >>> print(python_code(Plan(question="Where is T1?", call=call)))
    import twinlab as tl
    from twinlab.ask import Plan
    <BLANKLINE>
    # Where is T1?
    data = tl.events.where(twin, 'truck', 'T1', at='2026-01-05T06:00')
    answer = twin.ask(Plan.model_validate_json('{"question": "Where is T1?", "call": {"do": "where", "on": "truck", "asset": "T1", "at": "2026-01-05T06:00"}}'))
    """
    # On one line: what follows a line break would be code.
    question = _comment(plan.question)
    lines = [
        "import twinlab as tl",
        "from twinlab.ask import Plan",
        "",
        f"# {question}",
        f"data = {_call(plan.call)}",
        f"answer = twin.ask(Plan.model_validate_json({plan.text!r}))",
    ]
    return "\n".join(lines)


def _comment(text: str) -> str:
    """Return a text that stays a comment: on one line, without control characters.

    >>> _comment("How many?" + chr(10) + "import os" + chr(0))
    'How many? import os'
    """
    return "".join(one for one in " ".join(text.split()) if one.isprintable())


def _call(call: Call) -> str:
    """Return the call that reads what the answer sums up."""
    match call:
        case SummaryCall():
            return _written("twin.history", [call.on], signals=[call.signal], assets=call.assets, **_span(call))
        case FindCall():
            return _written(
                "twin.find", [call.condition], on=call.on, lasting=call.lasting, assets=call.assets, **_span(call)
            )
        case RuleCall():
            return _written("tl.events.episodes", [call.rule], first="twin", **_span(call))
        case EventCall():
            return _events(call)
        case KpiCall():
            return _written("twin.kpi", [call.kpi], by=call.by, every=call.every, **_span(call))
        case AssetCall():
            return _written("twin.assets", [call.on])
        case AttentionCall():
            return _written("tl.events.exceptions", [], first="twin", at=call.at)
        case _:
            return _written("tl.events.where", [call.on, call.asset], first="twin", at=call.at)


def _events(call: EventCall) -> str:
    if call.condition is None:
        return _written("twin.events", [call.on], **_span(call))
    return _written("twin.find", [call.condition], on=call.on, **_span(call))


def _span(call: Any) -> dict[str, str]:  # noqa: ANN401  (any call with a span)
    return {"start": call.span.start, "stop": call.span.stop}


def _written(name: str, given: list[str], *, first: str = "", **named: object) -> str:
    parts = [*([first] if first else []), *map(repr, given)]
    parts += [f"{key}={value!r}" for key, value in named.items() if value is not None]
    return f"{name}({', '.join(parts)})"
