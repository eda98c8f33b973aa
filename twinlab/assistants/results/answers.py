"""Answers of `twinlab.ask` as results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.assistants.results.schemas import AskResult, Result, Span
from twinlab.assistants.results.tables import cell_of, instant_of, table_of
from twinlab.assistants.results.texts import visible_text

if TYPE_CHECKING:
    from twinlab.ask import Answer, Plan
    from twinlab.model.twinmodel import TwinModel

__all__ = ["ask_result", "parts_of_answer", "result_of"]

#: Columns of times in minutes, and of shares, in tables of events and exceptions.
_UNITS = {"duration": "min", "start_delay": "min", "end_delay": "min", "coverage": "1", "share": "1"}


def result_of(answer: Answer, model: TwinModel, *, first: int, rows: int, notes: tuple[str, ...] = ()) -> Result:
    """Return an answer as a result of a tool, with some rows of its table."""
    return Result(**parts_of_answer(answer, model, first=first, rows=rows, notes=notes))


def ask_result(answer: Answer, model: TwinModel, *, first: int, rows: int) -> AskResult:
    """Return an answer with its plan."""
    parts = parts_of_answer(answer, model, first=first, rows=rows)
    return AskResult(
        **parts,
        ran=True,
        plan=None if answer.plan is None else json.loads(answer.plan.text),
        code=answer.code,
        suggestions=[visible_text(one) for one in answer.suggestions],
    )


def parts_of_answer(
    answer: Answer, model: TwinModel, *, first: int, rows: int, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the fields of a result that an answer has."""
    evidence, plan = answer.evidence, answer.plan
    out: dict[str, Any] = {
        "says": answer.sentence,
        "known": answer.answered,
        "value": cell_of(answer.value),
        "unit": visible_text(answer.unit),
        "span": _span(plan),
        "notes": [*notes, *answer.notes],
    }
    if evidence is not None:
        out |= {
            "data_until": None if evidence.data_until is None else instant_of(evidence.data_until),
            "coverage": _share(evidence.coverage),
            "rows_used": int(evidence.rows),
            "why": _why(evidence.why),
        }
    if answer.answered and len(answer.table.columns):
        out["table"] = table_of(answer.table, units=_units(answer, model), first=first, rows=rows)
    return out


def _span(plan: Plan | None) -> Span | None:
    span = None if plan is None else getattr(plan.call, "span", None)
    return None if span is None else Span(start=f"{span.start}Z", stop=f"{span.stop}Z")


def _share(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else min(1.0, max(0.0, float(value)))


def _why(arguments: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Return the arguments of the tool `why`; None where the explanation needs a whole row."""
    if arguments is None or not isinstance(arguments.get("what"), str):
        return None
    given = {name: value for name, value in arguments.items() if value is not None}
    return {
        name: str(instant_of(value)) if isinstance(value, pd.Timestamp) else visible_text(value)
        for name, value in given.items()
    }


def _units(answer: Answer, model: TwinModel) -> dict[str, str]:
    """Return the units of a table's columns: of the answer, and of the fields of its type."""
    call: Any = None if answer.plan is None else answer.plan.call
    units = dict(_UNITS)
    if call is not None:
        kind = str(getattr(call, "on", ""))
        for known in (model.asset_types, model.event_types):
            if kind in known:
                units |= {name: one.unit for name, one in known[kind].properties.items() if one.unit}
        if call.do in ("summary", "kpi"):
            columns = ("value", "mean", "min", "max", "sum", "latest", "low", "high")
            units |= dict.fromkeys(columns, answer.unit)
    return {name: unit for name, unit in units.items() if unit}
