"""What findings about signals are computed from: mean, range and coverage of each asset, now and before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.plans.plan import Plan, SummaryCall
from twinlab.ask.running.summaries import run_summary

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import pandas as pd

    from twinlab.ask.plans.plan import Span
    from twinlab.model.reader import TwinReader

__all__ = ["Summary", "summaries", "summary_plan"]


@dataclass(frozen=True)
class Summary:
    """One signal of the assets of a type.

    Parameters
    ----------
    on, signal, title, unit : str
    now, before : DataFrame or None
        A row for each asset that has values: ``mean``, ``min``, ``max``, ``coverage``; None if no asset has any.
    coverage : float
        Share of the cells of all assets whose value is known, now.
    """

    on: str
    signal: str
    title: str
    unit: str
    now: pd.DataFrame | None
    before: pd.DataFrame | None
    coverage: float


def summaries(
    twin: TwinReader, kinds: Collection[str], *, span: Span, before: Span, assets: Sequence[str] | None = None
) -> Iterator[Summary]:
    """Yield the gauges of some asset types; positions aren't gauges that rise or fall.

    Parameters
    ----------
    assets : sequence of str, optional
        Only these.
    """
    for on in kinds:
        kind = twin.model.asset_types[on]
        for name, spec in kind.signals.items():
            if spec.kind != "gauge" or name in (kind.position or ()):
                continue
            now, coverage = _read(twin, _call(on, name, span, assets))
            earlier, _ = _read(twin, _call(on, name, before, assets))
            yield Summary(on, name, spec.title or name, spec.unit, now, earlier, coverage)


def summary_plan(
    summary: Summary,
    sentence: str,
    *,
    language: str,
    span: Span,
    versus: Span | None = None,
    assets: list[str] | None = None,
) -> Plan:
    """Return the plan that gives the numbers of a summary again."""
    call = _call(summary.on, summary.signal, span, assets)
    return Plan(question=sentence, language=language, call=call, versus=versus)


def _call(on: str, signal: str, span: Span, assets: Sequence[str] | None) -> SummaryCall:
    return SummaryCall(
        on=on, signal=signal, statistic="range", span=span, assets=None if assets is None else list(assets)
    )


def _read(twin: TwinReader, call: SummaryCall) -> tuple[pd.DataFrame | None, float]:
    """Return the values of each asset, and the share of known values of all; nothing where there are no data."""
    try:
        found = run_summary(twin, call)
    except NotUnderstoodError:
        return None, 0.0
    return found.table.set_index("asset"), float(found.evidence.coverage or 0.0)
