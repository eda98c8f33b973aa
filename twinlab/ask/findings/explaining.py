"""Explain a span: three findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab.ask.findings.counts import changes_of_days
from twinlab.ask.findings.explanation import Explanation
from twinlab.ask.findings.rules import change_finding, coverage_finding, exception_finding
from twinlab.ask.findings.summaries import summaries
from twinlab.ask.plans.plan import Span
from twinlab.ask.present import present
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.model.reader import TwinReader

__all__ = ["explain"]

_USUAL = pd.Timedelta(days=7)


def explain(
    twin: TwinReader,
    *,
    on: str | None = None,
    assets: Sequence[str] | None = None,
    start: object = None,
    stop: object = None,
    kpis: bool = False,
    language: str = "en",
) -> Explanation:
    """Return three findings about a span: the largest change, the worst exception, how much is known.

    Parameters
    ----------
    twin : TwinReader
        Only what it shows is read.
    on : str, optional
        Only this asset type; by default all that have signals.
    assets : sequence of str, optional
        Only these assets of the type.
    start, stop : instant, optional
        Half-open, naive is UTC; by default the last seven days of the data. The change is that against the span of the same length before.
    kpis : bool
        Whether changes of the KPIs are compared, too; those of signals and of numbers of events always are, the latter in spans of whole days.
    language : str
        "en" or "de".

    Raises
    ------
    UnknownTermError
        If the twin has no such asset type.
    SchemaError
        If the start isn't before the stop.

    Examples
    --------
    >>> from twinlab.testing import FakeTwin
    >>> found = explain(FakeTwin.example(days=4, trips=10), start="2026-01-03", stop="2026-01-04")
    >>> [one.kind for one in found]
    ['change', 'exception', 'coverage']
    """
    known = {name: spec for name, spec in twin.model.asset_types.items() if spec.signals}
    if on is not None and on not in twin.model.asset_types:
        msg = f"expected an asset type, got {on!r}{nearest(on, known)}"
        raise UnknownTermError(msg)
    kinds = list(known) if on is None else [on]
    ends = present(twin) if stop is None else _instant(stop)
    begins = ends - _USUAL if start is None else _instant(start)
    if not begins < ends:
        msg = f"expected start before stop, got {begins} and {ends}; swap them or widen the span"
        raise SchemaError(msg)
    span = _span(begins, ends)
    before = _span(begins - (ends - begins), begins)
    found = list(summaries(twin, kinds, span=span, before=before, assets=assets))
    others = (
        []
        if assets is not None
        else list(changes_of_days(twin, on=on, span=span, before=before, kpis=kpis, language=language))
    )
    findings = (
        change_finding(found, others, span=span, before=before, language=language),
        exception_finding(twin, kinds, span=span, language=language, assets=assets),
        coverage_finding(found, span=span, language=language, assets=assets),
    )
    return Explanation(findings, span, before, language, twin)


def _instant(when: object) -> pd.Timestamp:
    found = pd.Timestamp(when)  # type: ignore[arg-type]
    return found if found.tzinfo is None else found.tz_convert("UTC").tz_localize(None)


def _span(start: pd.Timestamp, stop: pd.Timestamp) -> Span:
    return Span(start=start.isoformat(), stop=stop.isoformat())
