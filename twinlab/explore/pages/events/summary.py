"""Summary of a table of events in one line: counts, punctuality, delays, cancelled and unfinished events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.languages import local_number, tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["ON_TIME_MINUTES", "EventSummary", "summarise", "summary_html"]

#: An event is on time if it ends less than this many minutes after its plan, as the U.S. DOT counts flights.
ON_TIME_MINUTES = 15.0


@dataclass(frozen=True)
class EventSummary:
    """Counts of events and their delays in minutes; NaN without any known delay."""

    count: int
    # Events with a known delay: ended, with a planned end.
    judged: int
    on_time: float
    median: float
    p90: float
    cancelled: int
    # Running and planned events, whose delay isn't known yet.
    open: int
    # Events without an end, or that never started.
    lost: int


def summarise(table: pd.DataFrame) -> EventSummary:
    """Summarise a table of events. Delays are those of the end, of events that have ended.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.explore.shown_table` gives it.

    >>> table = pd.DataFrame({"status": ["done", "done", "running"], "end_delay": [5.0, 25.0, np.nan]})
    >>> found = summarise(table)
    >>> found.on_time, found.median, found.open
    (0.5, 15.0, 1)
    """
    status = table["status"].value_counts()
    delay = table["end_delay"].to_numpy(dtype=float)
    delay = delay[np.isfinite(delay)]
    nothing = float("nan")
    return EventSummary(
        count=len(table),
        judged=len(delay),
        on_time=float((delay < ON_TIME_MINUTES).mean()) if len(delay) else nothing,
        median=float(np.median(delay)) if len(delay) else nothing,
        p90=float(np.quantile(delay, 0.9)) if len(delay) else nothing,
        cancelled=int(status.get("cancelled", 0)),
        open=int(status.get("planned", 0) + status.get("running", 0)),
        lost=int(status.get("no end", 0) + status.get("not started", 0)),
    )


_SUMMARY = (
    '<div role="status" style="font:14px/1.6 Roboto,system-ui,sans-serif;display:flex;flex-wrap:wrap;gap:0 18px">'
    "<span><b>{{ count }}</b> {{ noun }}</span>"
    "{% if on_time %}"
    "<span><b>{{ on_time }}</b> on time (less than {{ limit }} min after the plan)</span>"
    "<span>median delay <b>{{ median }}</b></span>"
    "<span>9 of 10 under <b>{{ p90 }}</b></span>"
    "{% endif %}"
    "{% if cancelled %}<span><b>{{ cancelled }}</b> cancelled</span>{% endif %}"
    "<span>{{ judged }}</span></div>"
)


def summary_html(found: EventSummary) -> Markup:
    """Return the summary as one line of HTML, which wraps on a phone."""
    unknown = [
        text
        for count, text in (
            (found.open, tr("{open:,} not ended yet", open=found.open)),
            (found.lost, tr("{lost:,} without an end or a start", lost=found.lost)),
        )
        if count
    ]
    judged = tr("delays of the {judged:,} that ended", judged=found.judged) if found.judged else tr("no delay is known")
    if unknown and found.judged:
        judged += tr("; {unknown} aren't in them", unknown=tr(" and ").join(unknown))
    return html(
        _SUMMARY,
        count=local_number(f"{found.count:,}"),
        noun=tr("event") if found.count == 1 else tr("events"),
        on_time=local_number(f"{found.on_time:.1%}") if found.judged else "",
        limit=f"{ON_TIME_MINUTES:g}",
        median=_minutes(found.median),
        p90=_minutes(found.p90),
        cancelled=local_number(f"{found.cancelled:,}") if found.cancelled else "",
        judged=judged,
    )


def _minutes(value: float) -> str:
    return tr("{value:,.0f} min", value=value) if abs(value) < 240 else local_number(f"{value / 60:,.1f}") + " h"
