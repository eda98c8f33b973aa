"""When a condition is true: rules with ``when``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinlab.events.finding.cells import TwinCells
from twinlab.events.finding.evaluation.block import Block, valid_cells
from twinlab.events.finding.evaluation.conditions import evaluate, value
from twinlab.events.finding.evaluation.reach import look_back_ns
from twinlab.events.finding.evaluation.truth import TRUE
from twinlab.events.finding.relations import RelatedSearch
from twinlab.events.finding.scanning.spans import possible_assets
from twinlab.events.rules.exception_table import duration_text, exception_rows, times
from twinlab.events.rules.look_back import Evaluated, Reach, Spans, look_back, spans_of
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import first_comparison, has_relation, signals_of
from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.rules import Rule
from twinlab.model.units.spelling import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import AssetType, Signal

__all__ = ["WHEN", "condition_spans"]

_TEN_MINUTES = 600 * 10**9
_NAT = np.iinfo(np.int64).min
#: From so many cells on, assets are left out for which stored rollups rule the condition out.
_MANY_CELLS = 10**6


def condition_spans(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the spans overlapping ``[start, stop)`` in which a rule's condition is true for long enough.

    Only what is known at ``stop`` counts. A span that hasn't ended by then has no end; if it began before the furthest
    look-back, ``since`` is NaT.
    """
    condition = rule.condition(twin.model)
    if has_relation(condition):
        return _related_spans(twin, name, rule, condition, start_ns, stop_ns)
    spec = twin.model.asset_types[rule.on]
    cadences = [spec.signals[one].cadence_ns for one in signals_of(condition)]
    cells = TwinCells(twin, rule.on, condition)
    shown = first_comparison(condition)
    assert shown is not None
    reach = look_back_ns(condition, cells.valid_ns, step_ns=min(cadences)) + max(cadences)
    lead = max(reach, *(valid_cells(one) * one for one in cadences))

    def read(low: int, assets: Sequence[str] | None) -> Evaluated | None:
        number = {one: place for place, one in enumerate(cells.assets)}
        places = np.array([number[one] for one in (cells.assets if assets is None else assets)], dtype=np.int64)
        if len(places) * (stop_ns - low) // min(cadences) > _MANY_CELLS:
            places = possible_assets(cells, condition, low_ns=low, stop_ns=stop_ns, assets=places)
        if not len(places):
            return None
        block = cells.block(low, stop_ns, None if len(places) == len(cells.assets) else places)
        return Evaluated(block.times, tuple(block.assets), evaluate(condition, block) == TRUE, *_shown(shown, block))

    def spans(found: Evaluated, *, earlier: bool) -> pd.DataFrame:
        return _spans(found, rule, name, spec, condition, shown, (start_ns, stop_ns), earlier=earlier)

    known_ns = Reach(rule.lasting_ns + max(cadences), lead, min(cadences))
    return look_back(read, spans, reach=known_ns, origin_ns=twin.model.origin_ns, start_ns=start_ns)


def _related_spans(  # noqa: PLR0917
    twin: TwinReader, name: str, rule: Rule, condition: bound.Condition, start_ns: int, stop_ns: int
) -> pd.DataFrame:
    """Return the spans of a condition that is about other assets, too."""
    related = RelatedSearch(twin, rule.on, condition)
    found = related.search(start_ns=start_ns, stop_ns=stop_ns)
    spans = found.spans
    not_over = spans.end >= stop_ns
    until = np.where(not_over, np.iinfo(np.int64).max, spans.end)
    raised = spans.start + rule.lasting_ns
    keep = (raised < until) & (raised < stop_ns)
    key, start, end, raised = spans.key[keep], spans.start[keep], spans.end[keep], raised[keep]
    before = start == found.since_ns[key]
    lasted = end - start
    said = " ".join((rule.when or "").split())
    return exception_rows(
        {
            "asset_type": rule.on,
            "asset": np.array([related.assets[one] for one in key], dtype=object),
            "since": times(np.where(before, _NAT, start)),
            "raised": times(np.where(before, _NAT, raised)),
            "until": times(np.where(not_over[keep], _NAT, end)),
            "text": [
                f"{said} for {'more than ' if old else ''}{duration_text(span)}"
                for span, old in zip(lasted.tolist(), before.tolist(), strict=True)
            ],
            "beyond": lasted / max(rule.lasting_ns, _TEN_MINUTES),
        },
        name=name,
        rule=rule,
    )


def _shown(comparison: bound.Compare, block: Block) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the compared value (time, asset), and the limit (asset), NaN if that changes in time."""
    left = np.broadcast_to(value(comparison.left, block), (len(block.times), len(block.assets)))
    if signals_of(comparison.right):
        return left, np.full(len(block.assets), np.nan)
    return left, np.broadcast_to(value(comparison.right, block)[0], (len(block.assets),))


def _spans(  # noqa: PLR0917
    found: Evaluated,
    rule: Rule,
    name: str,
    spec: AssetType,
    condition: bound.Condition,
    shown: bound.Compare,
    window: tuple[int, int],
    *,
    earlier: bool,
) -> pd.DataFrame:
    start_ns, stop_ns = window
    spans = spans_of(found, start_ns=start_ns, stop_ns=stop_ns, lasting_ns=rule.lasting_ns, earlier=earlier)
    number = _shown_values(found, spans, shown)
    limit = found.limit[spans.runs.column]
    state = isinstance(shown.left, bound.Signal) and spec.signals[shown.left.name].kind == "state"
    scale = np.maximum(np.abs(limit), 1.0)
    far = 1.0 if state else 1.0 + np.nan_to_num(np.abs(number - limit) / scale)
    return exception_rows(
        {
            "asset_type": rule.on,
            **spans.columns,
            "value": number,
            "limit": limit,
            "unit": "" if state else shown.left.unit,
            "text": _texts(rule, condition, spec, shown, number, limit, _held(spans, found)),
            "beyond": spans.lasted / max(rule.lasting_ns, _TEN_MINUTES) * far,
        },
        name=name,
        rule=rule,
    )


def _shown_values(found: Evaluated, spans: Spans, comparison: bound.Compare) -> NDArray[np.float64]:
    """Return the current value of spans that haven't ended, the worst value of those that have."""
    column, first, stop = spans.runs.column, spans.runs.first, spans.runs.stop
    out = found.value[stop - 1, column] if len(stop) else np.empty(0)
    worst = np.fmin if comparison.operator in {"<", "<="} else np.fmax
    for k in np.flatnonzero(~spans.not_over):
        out[k] = worst.reduce(found.value[first[k] : stop[k], column[k]])
    return out


def _held(spans: Spans, found: Evaluated) -> list[str]:
    """Return for how long each span has lasted."""
    searched = int(found.times[0]) if len(found.times) else 0
    start = str(np.datetime64(searched, "ns").astype("datetime64[m]")).replace("T", " ")
    return [
        f"since before {start}" if old else f"for {duration_text(span)}"
        for span, old in zip(spans.lasted.tolist(), spans.before.tolist(), strict=True)
    ]


def _texts(  # noqa: PLR0917
    rule: Rule,
    condition: bound.Condition,
    spec: AssetType,
    shown: bound.Compare,
    number: NDArray[np.float64],
    limit: NDArray[np.float64],
    held: list[str],
) -> list[str]:
    parts = condition.parts if isinstance(condition, bound.All) else (condition,)
    simple = [part for part in parts if isinstance(part, bound.Compare) and isinstance(part.left, bound.Signal)]
    if len(simple) < len(parts) or any(signals_of(part.right) for part in simple):
        unit = "" if shown.left.unit in ("1", UNKNOWN) else f" {shown.left.unit}"
        said = " ".join((rule.when or "").split())
        return [f"{said} ({one:g}{unit}) {span}" for one, span in zip(number.tolist(), held, strict=True)]
    name = shown.left.name if isinstance(shown.left, bound.Signal) else ""
    signal = spec.signals[name]
    title = signal.title or name.replace("_", " ")
    also = "".join(_also(part, spec.signals) for part in simple[1:])
    if signal.kind == "state":
        names = [(signal.states or {}).get(int(one), str(one)) for one in number.tolist()]
        return [f"{title} {state}{also} {span}" for state, span in zip(names, held, strict=True)]
    unit = "" if signal.unit in ("1", UNKNOWN) else f" {signal.unit}"
    return [
        f"{title} {one:g}{unit} ({shown.operator} {bound_:g}){also} {span}"
        for one, bound_, span in zip(number.tolist(), limit.tolist(), held, strict=True)
    ]


def _also(part: bound.Compare, signals: Mapping[str, Signal]) -> str:
    """Return a further comparison of a signal with a number, a property or a state."""
    assert isinstance(part.left, bound.Signal)
    right = part.right.value if isinstance(part.right, bound.Scaled) else part.right
    states = signals[part.left.name].states
    if isinstance(right, bound.Property):
        text = right.name.replace("_", " ")
    elif isinstance(right, bound.Constant):
        text = f"{right.value:g}" if states is None else states[int(right.value)]
    else:
        text = "its limit"
    return f", {part.left.name.replace('_', ' ')} {part.operator} {text}"


WHEN = RuleKind("when", condition_spans)
