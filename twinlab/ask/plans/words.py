"""A plan in plain words, for somebody who decides whether it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.ask.languages import load_language
from twinlab.ask.plans.plan import (
    AssetCall,
    AttentionCall,
    EventCall,
    FindCall,
    KpiCall,
    RuleCall,
    SummaryCall,
    instant_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twinlab.ask.languages.language import Language
    from twinlab.ask.plans.plan import Plan, Span
    from twinlab.model.twinmodel import TwinModel

__all__ = ["plan_words"]


def plan_words(plan: Plan, model: TwinModel) -> list[tuple[str, str]]:
    """Return what a plan reads, of what and when, as pairs of a label and a text in the plan's language.

    Parameters
    ----------
    plan : Plan
        Checked against the model.
    model : TwinModel
        Of the twin as the reader sees it; has the titles.

    >>> from twinlab.ask.proposing import propose
    >>> from twinlab.testing import FakeTwin
    >>> twin = FakeTwin.example(days=3, trips=10)
    >>> plan_words(propose(twin, "How many stations are there?"), twin.model)[0]
    ('Read', 'assets of type station: number')
    """
    words = load_language(plan.language)
    return [(words.sentence(f"plan_{key}"), text) for key, text in _parts(plan, model, words) if text]


def _parts(plan: Plan, model: TwinModel, words: Language) -> Iterator[tuple[str, str]]:
    call: Any = plan.call
    yield "read", _subject(call, model, words)
    yield "only", ", ".join(_only(call, words))
    if getattr(call, "by", None) is not None:
        yield "by", str(call.by)
    if getattr(call, "per", None) is not None:
        yield "by", words.sentence(f"word_{call.per}")
    if getattr(call, "span", None) is not None:
        yield "when", _span(call.span, words)
    elif getattr(call, "at", None) is not None and not isinstance(call, AssetCall):
        yield "when", f"{instant_text(pd.Timestamp(call.at))} (UTC)"
    if plan.versus is not None:
        yield "compared", _span(plan.versus, words)
    if plan.contrast is not None and plan.versus is None:
        pair = (plan.contrast.first, plan.contrast.second)
        yield "compared", " – ".join(one for one in pair if one) or words.sentence("contrast_target")
    yield "order", ", ".join(_order(call, words))
    yield "unit", plan.unit or ""


def _subject(call: Any, model: TwinModel, words: Language) -> str:  # noqa: ANN401  (any call)
    say = words.sentence
    match call:
        case SummaryCall():
            spec = model.asset_types[call.on].signals[call.signal]
            return say(
                "plan_summary", signal=spec.title or call.signal, type=call.on, what=say(f"word_{call.statistic}")
            )
        case FindCall():
            return say("plan_find", condition=call.condition, type=call.on, what=say(f"word_{call.measure}"))
        case RuleCall():
            rule = model.rules[call.rule]
            return say("plan_rule", rule=rule.title or call.rule, what=say(f"word_{call.measure}"))
        case EventCall() | AssetCall():
            kind = "events" if isinstance(call, EventCall) else "assets"
            what = say(f"word_{call.measure}")
            elapsed = call.elapsed if isinstance(call, AssetCall) else None
            column = call.column if elapsed is None else f"{elapsed.since} → {elapsed.until}"
            if column is None:
                return say(f"plan_{kind}", type=call.on, what=what)
            return say(f"plan_{kind}_column", type=call.on, what=what, column=column)
        case KpiCall():
            return say("plan_kpi", kpi=model.kpis[call.kpi].title or call.kpi, every=call.every)
        case AttentionCall():
            return say("plan_attention") + (f" ({call.on})" if call.on is not None else "")
        case _:
            return say("plan_where", asset=f"{call.on}/{call.asset}")


def _only(call: Any, words: Language) -> Iterator[str]:  # noqa: ANN401  (any call)
    """Yield what narrows a call."""
    say = words.sentence
    for named in ("assets", "events"):
        if getattr(call, named, None):
            yield ", ".join(getattr(call, named))
    pairs: Mapping[str, str] = {**getattr(call, "links", {}), **getattr(call, "where", {})}
    yield from (f"{name} = {value}" for name, value in pairs.items())
    if isinstance(call, EventCall) and call.condition is not None:
        yield call.condition
    if isinstance(call, AssetCall):
        yield from (f"{one.column} {one.sign} {one.number:g}" for one in call.limits)
        yield from (say("plan_lacking", column=name) for name in (call.lacking,) if name is not None)
        yield from (say("plan_known", column=name) for name in (call.known,) if name is not None)
        if call.later is not None:
            yield f"{call.later.column} {call.later.sign} {call.later.than}"
    if isinstance(call, KpiCall) and call.group is not None:
        yield call.group
    if getattr(call, "groups", None):
        yield ", ".join(call.groups)
    if getattr(call, "related", None) is not None:
        key = "plan_has" if call.related.inverse else "plan_linked"
        yield say(key, target=call.related.target, relationship=call.related.relationship)
    if getattr(call, "lasting", None) is not None:
        yield say("plan_lasting", duration=call.lasting)


def _order(call: Any, words: Language) -> Iterator[str]:  # noqa: ANN401  (any call)
    plain = isinstance(call, FindCall | RuleCall) and call.order == "longest" and call.top is None
    if getattr(call, "order", None) is not None and not plain:
        yield words.sentence(f"plan_{call.order}")
    if getattr(call, "top", None) is not None:
        yield words.sentence("plan_top", count=call.top)


def _span(span: Span, words: Language) -> str:
    start, stop = (instant_text(pd.Timestamp(one)) for one in (span.start, span.stop))
    return words.sentence("span", start=start, stop=stop)
