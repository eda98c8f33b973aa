"""The rules by which findings are chosen: one function for each kind.

A change is measured against the range of the span before (greatest less least value of the asset), so that signals of different units can be
compared. It counts if at least half of the values of both spans are known, and is worth a sentence from a tenth of the range on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.ask.findings.explanation import Finding
from twinlab.ask.findings.summaries import summary_plan
from twinlab.ask.languages import load_language
from twinlab.ask.plans.plan import Plan, RuleCall, instant_text
from twinlab.events.rules.exception_table import worst_first
from twinlab.events.rules.exceptions import episodes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twinlab.ask.findings.counts import Change
    from twinlab.ask.findings.summaries import Summary
    from twinlab.ask.plans.plan import Span
    from twinlab.model.reader import TwinReader

__all__ = ["change_finding", "coverage_finding", "exception_finding"]

#: Least share of known values of a mean that is compared, and least change of the range that is a finding.
LEAST_COVERAGE, LEAST_CHANGE = 0.5, 0.1
#: From this share on, all is known.
_WHOLE = 0.995


def change_finding(
    found: Sequence[Summary], others: Sequence[Change] = (), *, span: Span, before: Span, language: str
) -> Finding:
    """Return the largest change of an asset's mean, of a KPI or of a number of events against the span before."""
    of_signals, share, compared = _of_signals(found, span=span, before=before, language=language)
    other = max(others, key=lambda one: one.share, default=None)
    if other is None or (of_signals.known and share >= other.share):
        return of_signals
    if other.share < LEAST_CHANGE:
        text = load_language(language).sentence(
            "finding_no_change", percent=f"{100 * other.share:.0f}", count=compared + len(others)
        )
        return Finding("change", text)
    return Finding("change", other.sentence, value=other.value, unit=other.unit, plan=other.plan)


def _of_signals(found: Sequence[Summary], *, span: Span, before: Span, language: str) -> tuple[Finding, float, int]:
    """Return the largest change of an asset's mean, its share of the range before, and how many means were compared."""
    say = load_language(language).sentence
    best: tuple[float, Summary, str, float] | None = None
    compared = 0
    for one in found:
        if one.now is None or one.before is None:
            continue
        both = one.now.join(one.before.add_suffix("_before"), how="inner")
        both = both[(both["coverage"] >= LEAST_COVERAGE) & (both["coverage_before"] >= LEAST_COVERAGE)]
        compared += len(both)
        change = both["mean"].astype(float) - both["mean_before"].astype(float)
        width = both["max_before"].astype(float) - both["min_before"].astype(float)
        share = (change.abs() / width.where(width > 0)).dropna()
        if len(share) and (best is None or float(share.max()) > best[0]):
            asset = str(share.idxmax())
            best = float(share.max()), one, asset, float(change[asset])
    if best is None:
        if not found:
            return Finding("change", say("finding_no_signals"), known=False), 0.0, compared
        unknown = 100 * (1 - max((one.coverage for one in found), default=0.0))
        key = "finding_no_data" if compared == 0 else "finding_constant"
        if compared == 0 and all(one.before is None for one in found) and any(one.now is not None for one in found):
            key = "finding_no_before"
        return Finding("change", say(key, percent=f"{unknown:.0f}"), known=False), 0.0, compared
    share_of_range, one, asset, by = best
    if share_of_range < LEAST_CHANGE:
        text = say("finding_no_change", percent=f"{100 * share_of_range:.0f}", count=compared)
        return Finding("change", text), share_of_range, compared
    assert one.now is not None
    number = f"{'+' if by >= 0 else '−'}{abs(by):.4g} {one.unit}".strip()
    text = say(
        "finding_change", signal=one.title, asset=asset, change=number, percent=f"{100 * share_of_range:.0f}",
        mean=f"{one.now['mean'].astype(float)[asset]:.4g} {one.unit}".strip(),
    )  # fmt: skip
    plan = summary_plan(one, text, language=language, span=span, versus=before, assets=[asset])
    return Finding("change", text, value=by, unit=one.unit, plan=plan), share_of_range, compared


def exception_finding(
    twin: TwinReader, kinds: Collection[str], *, span: Span, language: str, assets: Sequence[str] | None = None
) -> Finding:
    """Return the worst exception of all rules in a span: by severity, then by how far it is beyond its limit."""
    say = load_language(language).sentence
    model = twin.model
    rules = [name for name, rule in model.rules.items() if rule.on in kinds or rule.on in model.event_types]
    if not rules:
        return Finding("exception", say("finding_no_rules"), known=False)
    parts = [episodes(twin, name, start=span.start, stop=span.stop) for name in rules]
    rows = worst_first(pd.concat([one for one in parts if len(one)] or parts[:1], ignore_index=True))
    if assets is not None:
        rows = rows[rows["asset"].isin(list(assets))]
    if rows.empty:
        return Finding("exception", say("finding_no_exception", count=len(rules)), value=0.0)
    worst = rows.iloc[0]
    rule = model.rules[str(worst["rule"])]
    since = "?" if pd.isna(worst["since"]) else instant_text(worst["since"])
    subject = worst["asset"] if not pd.isna(worst["asset"]) else worst["event_id"]
    text = say(
        "finding_exception",
        rule=rule.title or worst["rule"],
        text=worst["text"],
        since=since,
        count=len(rows),
        asset=subject,
    )
    plan = None
    if rule.on in model.asset_types and not pd.isna(worst["asset"]):
        call = RuleCall(rule=str(worst["rule"]), assets=[str(worst["asset"])], span=span)
        plan = Plan(question=text[:2000], language=language, call=call)
    value = worst["value"]
    return Finding(
        "exception", text, value=None if pd.isna(value) else float(value), unit=str(worst["unit"] or ""), plan=plan,
        why={"what": worst},
    )  # fmt: skip


def coverage_finding(
    found: Sequence[Summary], *, span: Span, language: str, assets: Sequence[str] | None = None
) -> Finding:
    """Return how much of the signal is known of which the least is, and of which asset the least."""
    say = load_language(language).sentence
    if not found:
        return Finding("coverage", say("finding_no_signals"), known=False)
    least = min(found, key=lambda one: one.coverage)
    percent = 100 * least.coverage
    if least.now is None:
        return Finding("coverage", say("finding_unknown", signal=least.title, type=least.on), value=0.0, unit="%")
    if least.coverage >= _WHOLE:
        text = say("finding_whole", percent=f"{np.floor(10 * percent) / 10:g}", count=len(found))
    else:
        asset = str(least.now["coverage"].astype(float).idxmin())
        text = say(
            "finding_coverage", signal=least.title, type=least.on, percent=f"{percent:.0f}", asset=asset,
            least=f"{100 * least.now['coverage'].astype(float)[asset]:.0f}",
        )  # fmt: skip
    some = None if assets is None else list(assets)
    plan = summary_plan(least, text, language=language, span=span, assets=some)
    return Finding("coverage", text, value=percent, unit="%", plan=plan)
