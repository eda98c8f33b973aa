"""Changes of KPIs and of numbers of events, measured as those of signals are: against the range that their days had before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import load_language
from twinlab.ask.plans.plan import EventCall, KpiCall, Plan
from twinlab.ask.running.run import run_call
from twinlab.errors import TwinlabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twinlab.ask.plans.plan import Span
    from twinlab.model.reader import TwinReader

__all__ = ["Change", "changes_of_days"]

_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A change of one number of the whole twin.

    Parameters
    ----------
    share : float
        Of the range (greatest less least value) of the days before.
    value : float
        The change, in `unit`.
    unit : str
    sentence : str
    plan : Plan
        Gives both numbers again.
    """

    share: float
    value: float
    unit: str
    sentence: str
    plan: Plan


def changes_of_days(
    twin: TwinReader, *, on: str | None, span: Span, before: Span, kpis: bool = False, language: str = "en"
) -> Iterator[Change]:
    """Yield the changes of the events and KPIs of an asset type, or of all; none if the span isn't of two whole days or more."""
    start, stop = pd.Timestamp(span.start), pd.Timestamp(span.stop)
    days = (stop - start) // _DAY
    if start != start.normalize() or stop - start != days * _DAY or days < 2:
        return
    for name, kind in twin.model.event_types.items():
        if on is None or kind.asset == on:
            call = EventCall(on=name, measure="count", span=span)
            yield from _change(twin, call, before, title=kind.title or name, days=days, language=language)
    for name, kpi in twin.model.kpis.items() if kpis else ():
        if on is None or kpi.on == on:
            # What adds up over the span is compared a day.
            formula = kpi.bound(twin.model).text
            added = formula.startswith(("sum(", "total(", "count(")) and " / " not in formula
            kpi_call = KpiCall(kpi=name, every=f"{days}d", span=span)
            yield from _change(
                twin, kpi_call, before, title=kpi.title or name, days=days if added else 1, language=language
            )


def _change(
    twin: TwinReader, call: EventCall | KpiCall, before: Span, *, title: str, days: int, language: str
) -> Iterator[Change]:
    """Yield the change of what a call gives, of a day; nothing where one of the numbers isn't known."""
    try:
        now = run_call(twin, call)
        earlier = run_call(twin, call.model_copy(update={"span": before}))
        daily = run_call(twin, call.model_copy(update={"span": before, "per": "day"})).table["value"].astype(float)
    except (NotUnderstoodError, TwinlabError):
        return
    width = float(daily.max() - daily.min())
    if now.value is None or earlier.value is None or len(daily) < 2 or not width > 0:
        return
    by = float(now.value) - float(earlier.value)
    share = abs(by) / days / width
    sentence = load_language(language).sentence(
        "finding_change_of_all", subject=title, percent=f"{100 * share:.0f}",
        change=f"{'+' if by >= 0 else '−'}{_text(abs(by), now.unit)}", value=_text(float(now.value), now.unit),
    )  # fmt: skip
    plan = Plan(question=sentence[:2000], language=language, call=call, versus=before)
    yield Change(share, by, now.unit, sentence, plan)


def _text(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if value.is_integer() or value >= 1000 else f"{value:.4g}"
    return f"{text} {unit}".strip()
