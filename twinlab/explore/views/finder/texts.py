"""Sentences about found events, and about conditions that can't be read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from twinlab._html import html
from twinlab.events.rules.exception_table import duration_text
from twinlab.events.statistics.counts import durations
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["comparison", "fault_html", "summary_text"]

_FAULT = """<div role="alert" style="font:14px/1.45 Roboto,system-ui,sans-serif;overflow-x:auto">{{ message }}\
{% if lines %}<pre style="font:13px/1.3 ui-monospace,monospace;margin:4px 0 0">{{ lines }}</pre>{% endif %}</div>"""


def fault_html(error: Exception) -> Markup:
    r"""Return why a condition can't be read, with the caret below the column that is wrong.

    >>> "<pre" in fault_html(ValueError("expected a value, got the end\n  a >\n     ^"))
    True
    """
    message, _, lines = str(error).partition("\n")
    return html(_FAULT, message=message[:1].upper() + message[1:], lines=lines)


def summary_text(events: pd.DataFrame, assets: int, seconds: float) -> str:
    """Return how many events there are, on how many assets, and for how long.

    Parameters
    ----------
    events : DataFrame
    assets : int
        Number of assets that were searched.
    seconds : float
        How long the search took.

    >>> times = pd.to_datetime(["2026-03-01 08:00", "2026-03-01 09:30"])
    >>> summary_text(pd.DataFrame({"asset": ["R1"], "start": times[:1], "end": times[1:]}), 6, 0.021)
    '1 event on 1 of 6 assets, 1 h 30 min in all, the longest 1 h 30 min; found in 0.02 s'
    """
    took = tr("found in {seconds:.2f} s", seconds=max(seconds, 0.01))
    if not len(events):
        return tr("no event on {assets:,} assets; {took}", assets=assets, took=took)
    lasted = durations(events).dropna()
    seconds_of = lasted.dt.total_seconds()
    total, longest = (duration_text(1e9 * float(one)) for one in (seconds_of.sum(), seconds_of.max()))
    count = f"{len(events):,} event{'s' if len(events) != 1 else ''}"
    return tr(
        "{count} on {asset:,} of {assets:,} assets, {total} in all, the longest {longest}; {took}",
        count=count,
        asset=events["asset"].nunique(),
        assets=assets,
        total=total,
        longest=longest,
        took=took,
    )


def comparison(name: str, operator: str, value: str, unit: str) -> str:
    """Return a comparison as it is written in an expression; a unit is added to a bare number.

    >>> comparison("warmth", ">", "8", "degC"), comparison("warmth", ">", "46 degF", "degC"), comparison("door", "==", "open", "")
    ('warmth > 8 degC', 'warmth > 46 degF', 'door == open')
    """
    text = value.strip()
    try:
        float(text)
    except ValueError:
        return f"{name} {operator} {text}"
    return f"{name} {operator} {text} {unit}".strip()
