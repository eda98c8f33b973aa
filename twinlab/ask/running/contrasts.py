"""Compare two numbers that a plan gave: which is higher, or by how much."""

from __future__ import annotations

import operator
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab.ask.languages import load_language
from twinlab.ask.plans.plan import AssetCall, KpiCall, instant_text
from twinlab.ask.running.result import Result, cannot_tell
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.ask.plans.plan import Contrast, Plan, Span
    from twinlab.model.reader import TwinReader

__all__ = ["contrasted"]

_SIGNS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_TARGET = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?[0-9.]+)\s*(.*)")


def contrasted(twin: TwinReader, plan: Plan, result: Result, other: Result | None) -> Result:
    """Return the result with what is asked of its two numbers as its value.

    Raises
    ------
    NotUnderstoodError
        If one of the numbers isn't known.
    """
    contrast = plan.contrast
    if contrast is None:
        return result
    if contrast.first is None and plan.versus is None:
        return _against_target(twin, plan, result)
    if isinstance(plan.call, AssetCall) and plan.call.column is not None:
        spec = twin.model.asset_types[plan.call.on].properties[plan.call.column]
        result = replace(result, unit=spec.unit or "")
    if contrast.first is not None and contrast.second is not None:
        names = (contrast.first, contrast.second)
        pair = (_of(plan, result, contrast.first), _of(plan, result, contrast.second))
    else:
        names = (_when(plan.call.span), _when(plan.versus))  # type: ignore[union-attr, arg-type]
        pair = (_number(result.value), _number(None if other is None else other.value))
    return _said(contrast, result, names, pair)


def _said(contrast: Contrast, result: Result, names: tuple[str, str], pair: tuple[float, float]) -> Result:
    first, second = pair
    higher = first > second if contrast.direction != "lowest" else first < second
    texts: dict[str, Any] = {
        "first": names[0], "second": names[1], "a": _text(first, result.unit), "b": _text(second, result.unit),
    }  # fmt: skip
    if contrast.asks == "whether":
        key = "contrast_yes" if higher else "contrast_no"
        return replace(result, value=bool(higher), unit="", sentence=key, names={**result.names, **texts})
    if contrast.asks == "which":
        value: Any = names[0] if higher else names[1]
        if contrast.first is None:
            value = pd.Timestamp(value.partition(" – ")[0])
        return replace(result, value=value, unit="", sentence="contrast_which", names={**result.names, **texts})
    by = {"highest": first - second, "lowest": second - first}.get(str(contrast.direction), abs(first - second))
    return replace(result, value=by, sentence="contrast_difference", names={**result.names, **texts})


def _against_target(twin: TwinReader, plan: Plan, result: Result) -> Result:
    """Return whether a KPI meets its target."""
    assert isinstance(plan.call, KpiCall)
    target = twin.model.kpis[plan.call.kpi].target or ""
    read = _TARGET.fullmatch(target)
    if read is None:
        cannot_tell("no_target", kpi=str(result.names.get("kpi", plan.call.kpi)))
    limit = float(read[2])
    if read[3] and result.unit and read[3] != result.unit:
        limit = float(convert(limit, read[3], result.unit))
    value = _number(result.value)
    met = bool(_SIGNS[read[1]](value, limit))
    texts = {
        "first": result.names.get("kpi", plan.call.kpi), "second": load_language(plan.language).sentence("contrast_target"),
        "a": _text(value, result.unit), "b": target,
    }  # fmt: skip
    return replace(
        result, value=met, unit="", sentence="contrast_yes" if met else "contrast_no", names={**result.names, **texts}
    )


def _of(plan: Plan, result: Result, asset: str) -> float:
    """Return the number of an asset or group."""
    table = result.table
    column = next((one for one in ("value", "mean") if one in table), None)
    if isinstance(plan.call, AssetCall):
        column = plan.call.column
    for name in table:
        rows = table[table[name].astype("string") == asset]
        if len(rows) == 1 and column is not None and name != column:
            return _number(rows.iloc[0][column])
    return _number(None)


def _number(value: object) -> float:
    if not isinstance(value, int | float | np.number) or np.isnan(value):
        cannot_tell("no_contrast")
    return float(value)


def _text(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".strip()


def _when(span: Span) -> str:
    start, stop = (pd.Timestamp(one) for one in (span.start, span.stop))
    if start.day == 1 and stop == start + pd.DateOffset(months=1) and start == start.normalize():
        return f"{start:%Y-%m}"
    if stop - start == pd.Timedelta(days=1) and start == start.normalize():
        return f"{start:%Y-%m-%d}"
    return f"{instant_text(start)} – {instant_text(stop)}"
