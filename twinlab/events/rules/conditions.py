"""When comparisons of signals are true: rules with ``when``."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.lifetimes import lifetimes
from twinlab.events.reading import Cells, read_cells
from twinlab.events.rules.exception_table import duration_text, exception_rows
from twinlab.events.rules.look_back import Evaluated, Reach, Spans, look_back, spans_of
from twinlab.events.rules.runs import last_valid_rows
from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.rules import Condition, Rule, bind_conditions
from twinlab.model.units import convert
from twinlab.model.units.spelling import UNKNOWN

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import AssetType

__all__ = ["WHEN", "condition_spans", "evaluate", "valid_cells", "with_empty_cells"]

_HOUR = 3600 * 10**9
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def valid_cells(cadence_ns: int) -> int:
    """Return for how many cells an observation of a gauge is valid: an hour, at least three.

    A state is valid until its next observation, as everywhere in a twin.

    >>> valid_cells(300 * 10**9), valid_cells(3600 * 10**9)
    (12, 3)
    """
    return max(3, -(-_HOUR // cadence_ns))


def condition_spans(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the spans overlapping ``[start, stop)`` in which a rule's comparisons are true for long enough.

    Only what is known at ``stop`` counts. A span that hasn't ended by then has no end; if it began before the furthest
    look-back, ``since`` is NaT.
    """
    spec = twin.model.asset_types[rule.on]
    conditions = bind_conditions(rule.when or "", spec)
    cadences = [spec.signals[one.signal].cadence_ns for one in conditions]
    lead = max(valid_cells(one) * one for one in cadences)
    limits = _limits(twin, rule.on, spec, conditions)

    def read(low: int, assets: Sequence[str] | None) -> Evaluated | None:
        return evaluate(twin, rule.on, conditions, limits, low=low, stop_ns=stop_ns, assets=assets)

    def spans(found: Evaluated, *, earlier: bool) -> pd.DataFrame:
        return _spans(found, rule, name, spec, conditions, (start_ns, stop_ns), earlier=earlier)

    reach = Reach(rule.lasting_ns + max(cadences), lead, min(cadences))
    return look_back(read, spans, reach=reach, origin_ns=twin.model.origin_ns, start_ns=start_ns)


def evaluate(
    twin: TwinReader,
    asset_type: str,
    conditions: Sequence[Condition],
    limits: Sequence[Mapping[str, float]],
    *,
    low: int,
    stop_ns: int,
    assets: Sequence[str] | None,
) -> Evaluated | None:
    """Return where comparisons are true at each cell of ``[low, stop)``; None if no asset has a history."""
    signals = list(dict.fromkeys(one.signal for one in conditions))
    parts = [
        with_empty_cells(cells, stop_ns)
        for cells in read_cells(twin, asset_type, signals=signals, start_ns=low, stop_ns=stop_ns, assets=assets)
    ]
    parts.sort(key=lambda cells: cells.cadence_ns)
    finest = parts[0]
    if not finest.assets:
        return None
    axis = finest.times.astype("int64")
    # A state is valid until the next observation, but not beyond the asset's lifetime.
    fulfilled = axis[:, None] < lifetimes(twin, asset_type, finest.assets)[1]
    shown: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    for condition, limit in zip(conditions, limits, strict=True):
        cells = next(part for part in parts if condition.signal in part.values)
        value = _valid_value(cells, condition.signal, axis, finest.assets)
        bound = np.array([limit.get(one, limit.get("", np.nan)) for one in finest.assets])
        with np.errstate(invalid="ignore"):
            fits = _COMPARE[condition.operator](value, bound[None, :])
        # With an unknown value or limit no comparison is true, not even "!=".
        fulfilled &= fits & ~np.isnan(value) & ~np.isnan(bound)[None, :]
        if shown is None:
            shown = value, bound
    assert shown is not None
    return Evaluated(axis, finest.assets, fulfilled, *shown)


def with_empty_cells(cells: Cells, stop_ns: int) -> Cells:
    """Return the cells with empty ones up to the stop, so that the validity of the last observation can end."""
    if not len(cells.times):
        return cells
    lacking = (stop_ns - 1 - int(cells.times[-1].astype("int64"))) // cells.cadence_ns
    if lacking <= 0:
        return cells
    more = cells.times[-1] + np.arange(1, lacking + 1) * np.timedelta64(cells.cadence_ns, "ns")
    empty = (lacking, len(cells.assets))
    return Cells(
        times=np.concatenate([cells.times, more]),
        assets=cells.assets,
        cadence_ns=cells.cadence_ns,
        values={name: np.concatenate([part, np.full(empty, np.nan)]) for name, part in cells.values.items()},
        flags={name: np.concatenate([part, np.full(empty, 9, "uint8")]) for name, part in cells.flags.items()},
        states=cells.states,
    )


def _valid_value(cells: Cells, signal: str, axis: NDArray[np.int64], assets: Sequence[str]) -> NDArray[np.float64]:
    """Return a signal's value at each instant of an axis: the last good one while it is valid."""
    most = None if signal in cells.states else valid_cells(cells.cadence_ns)
    rows = last_valid_rows(cells.good(signal), most=most)
    value = np.where(rows >= 0, np.take_along_axis(cells.values[signal], np.maximum(rows, 0), axis=0), np.nan)
    own = cells.times.astype("int64")
    if len(own) != len(axis) or (own != axis).any():
        at = np.searchsorted(own, axis, side="right") - 1
        value = np.where((at >= 0)[:, None], value[np.maximum(at, 0)], np.nan) if len(own) else value[:0]
    if cells.assets == tuple(assets):
        return value
    place = pd.Index(cells.assets).get_indexer(pd.Index(list(assets)))
    return np.where(place >= 0, value[:, np.maximum(place, 0)], np.nan)


def _limits(
    twin: TwinReader, asset_type: str, spec: AssetType, conditions: Sequence[Condition]
) -> list[dict[str, float]]:
    """Return the limit of each comparison: under "" for all assets, or by asset; in the signal's unit."""
    out: list[dict[str, float]] = []
    for one in conditions:
        signal = spec.signals[one.signal]
        if one.state is not None:
            code = next(code for code, state in (signal.states or {}).items() if state == one.state)
            out.append({"": float(code)})
        elif one.property is not None:
            column = pd.to_numeric(twin.assets(asset_type)[one.property], errors="coerce")
            numbers = column.to_numpy(dtype=float, na_value=np.nan)
            unit = spec.properties[one.property].unit or "1"
            found = numbers if unit == signal.unit else np.asarray(convert(numbers, unit, signal.unit))
            out.append(dict(zip(map(str, column.index), found.tolist(), strict=True)))
        else:
            out.append({"": float(one.value if one.value is not None else np.nan)})
    return out


def _spans(  # noqa: PLR0917
    found: Evaluated,
    rule: Rule,
    name: str,
    spec: AssetType,
    conditions: Sequence[Condition],
    window: tuple[int, int],
    *,
    earlier: bool,
) -> pd.DataFrame:
    start_ns, stop_ns = window
    spans = spans_of(found, start_ns=start_ns, stop_ns=stop_ns, lasting_ns=rule.lasting_ns, earlier=earlier)
    value = _shown_values(found, spans, conditions[0])
    limit = found.limit[spans.runs.column]
    signal = spec.signals[conditions[0].signal]
    unit = "" if signal.kind == "state" else signal.unit
    scale = np.maximum(np.abs(limit), 1.0)
    beyond = (
        spans.lasted
        / max(rule.lasting_ns, _HOUR // 6)
        * (1.0 if signal.kind == "state" else 1.0 + np.abs(value - limit) / scale)
    )
    searched = found.times[0] if len(found.times) else 0
    texts = _texts(conditions, spec, value, limit, spans.lasted, searched, spans.before)
    return exception_rows(
        {
            "asset_type": rule.on,
            **spans.columns,
            "value": value,
            "limit": limit,
            "unit": unit,
            "text": texts,
            "beyond": beyond,
        },
        name=name,
        rule=rule,
    )


def _shown_values(found: Evaluated, spans: Spans, condition: Condition) -> NDArray[np.float64]:
    """Return the current value of spans that haven't ended, the worst value of those that have."""
    column, first, stop = spans.runs.column, spans.runs.first, spans.runs.stop
    out = found.value[stop - 1, column] if len(stop) else np.empty(0)
    worst = np.nanmin if condition.operator in {"<", "<="} else np.nanmax
    for k in np.flatnonzero(~spans.not_over):
        out[k] = worst(found.value[first[k] : stop[k], column[k]])
    return out


def _texts(  # noqa: PLR0917
    conditions: Sequence[Condition],
    spec: AssetType,
    value: NDArray[np.float64],
    limit: NDArray[np.float64],
    lasted: NDArray[np.int64],
    searched: int,
    before: NDArray[np.bool_],
) -> list[str]:
    one = conditions[0]
    signal = spec.signals[one.signal]
    title = signal.title or one.signal.replace("_", " ")
    also = "".join(f", {other.signal.replace('_', ' ')} {other.operator} {_right(other)}" for other in conditions[1:])
    start = str(np.datetime64(int(searched), "ns").astype("datetime64[m]")).replace("T", " ")
    out = []
    for number, bound, span, old in zip(value.tolist(), limit.tolist(), lasted.tolist(), before.tolist(), strict=True):
        held = f"since before {start}" if old else f"for {duration_text(span)}"
        if signal.kind == "state":
            state = (signal.states or {}).get(int(number), str(number))
            out.append(f"{title} {state}{also} {held}")
        else:
            unit = "" if signal.unit in ("1", UNKNOWN) else f" {signal.unit}"
            out.append(f"{title} {number:g}{unit} ({one.operator} {bound:g}){also} {held}")
    return out


def _right(condition: Condition) -> str:
    if condition.state is not None:
        return condition.state
    return condition.property.replace("_", " ") if condition.property is not None else f"{condition.value:g}"


WHEN = RuleKind("when", condition_spans)
