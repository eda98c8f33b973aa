"""Findings about what a view shows, for its report: sentences, each with the Python that gives its numbers again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.languages import current_language, tr

if TYPE_CHECKING:
    from twinlab.explore.kit.link import Link
    from twinlab.model.reader import TwinReader

__all__ = ["shown_findings"]

_LOG = logging.getLogger(__name__)
#: Values of the twin in the span and the one before, from which on a report doesn't wait for findings.
_MOST_VALUES = 40_000_000
_WEEK_NS = 7 * 86_400_000_000_000


def shown_findings(twin: TwinReader, link: Link) -> list[tuple[str, str]]:
    """Return a sentence and its code for each finding about the asset type, assets and period of a view's link.

    A view without signals has none; of a span with too many values, a sentence says that there are none.
    """
    from twinlab.ask.findings.explaining import explain  # noqa: PLC0415  (loaded with the first report)
    from twinlab.ask.languages import LANGUAGES  # noqa: PLC0415
    from twinlab.ask.plans.code import python_code  # noqa: PLC0415

    model = twin.model
    kinds = [
        name for name, kind in model.asset_types.items() if any(one.kind == "gauge" for one in kind.signals.values())
    ]
    on = link.asset_type if link.asset_type in kinds else None
    if not kinds or (link.asset_type is not None and on is None):
        return []
    start, stop = link.window or (None, None)
    assets = link.assets if on is not None else None
    try:
        span_ns = (
            _WEEK_NS
            if link.window is None
            else int((link.window[1] - link.window[0]).astype("timedelta64[ns]").astype(int))
        )
        if _values(twin, kinds if on is None else [on], span_ns, assets) > _MOST_VALUES:
            return [(tr("No findings: the period has too many values for a report. Choose a shorter one."), "")]
        code = current_language()
        found = explain(
            twin, on=on, assets=assets, start=start, stop=stop, language=code if code in LANGUAGES else "en"
        )
    except READING_ERRORS as error:
        _LOG.warning("a report has no findings: %s", error)
        return []
    return [(one.sentence, "" if one.plan is None else python_code(one.plan)) for one in found]


def _values(twin: TwinReader, kinds: list[str], span_ns: int, assets: tuple[str, ...] | None) -> int:
    """Return how many values findings would read."""
    count = 0
    for on in kinds:
        size = len(twin.assets(on)) if assets is None else len(assets)
        gauges = [one for one in twin.model.asset_types[on].signals.values() if one.kind == "gauge"]
        count += sum(2 * size * span_ns // one.cadence_ns for one in gauges)
    return count
