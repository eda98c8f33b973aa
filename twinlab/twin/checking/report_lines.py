"""Parts of lines of a report: shares, spans, places, what is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.quality.findings import Finding
    from twinlab.twin.checking.touched import Touched

__all__ = [
    "duration_text",
    "flagged_text",
    "minute_text",
    "percent_text",
    "place_text",
    "share_text",
    "span_text",
    "touched_text",
]


def share_text(share: float) -> str:
    """Return a confidence as a percentage, never rounded up to certainty.

    >>> share_text(1.0), share_text(0.9996), share_text(0.5)
    ('100 %', '> 99 %', '50 %')
    """
    return "> 99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def percent_text(share: float) -> str:
    """Return a share with two digits; a small one isn't zero.

    >>> percent_text(0.5), percent_text(0.0079), percent_text(1.0), percent_text(0.9996)
    ('50 %', '0.79 %', '100 %', '> 99 %')
    """
    return f"{100 * share:.2g} %" if share < 0.095 else share_text(share)


def duration_text(span: np.timedelta64) -> str:
    """Return a duration in minutes, hours or, from two days on, days.

    >>> import numpy as np
    >>> [duration_text(np.timedelta64(minutes, "m")) for minutes in (15, 90, 4320)]
    ['15 min', '1.5 h', '3 days']
    """
    hours = float(span / np.timedelta64(1, "h"))
    if hours >= 48:
        return f"{hours / 24:.3g} days"
    return f"{hours:.3g} h" if hours >= 1 else f"{60 * hours:.3g} min"


def minute_text(at: np.datetime64) -> str:
    """Return an instant to the minute.

    >>> import numpy as np
    >>> minute_text(np.datetime64("2026-01-05T08:30:12"))
    '2026-01-05 08:30'
    """
    return str(at.astype("datetime64[m]")).replace("T", " ")


def yaml_instant(at: np.datetime64) -> str:
    """Return an instant as mappings have it.

    >>> import numpy as np
    >>> yaml_instant(np.datetime64("2026-01-05T08:30"))
    '2026-01-05T08:30:00Z'
    """
    return f"{np.datetime_as_string(at.astype('datetime64[s]'))}Z"


def span_text(since: np.datetime64 | None, until: np.datetime64 | None) -> str:
    """Return a half-open span as text; empty if it is open on both sides.

    >>> import numpy as np
    >>> span_text(np.datetime64("2026-01-05T08:30"), None)
    'since 2026-01-05 08:30'
    """
    low, high = (None if one is None else minute_text(one) for one in (since, until))
    if low and high:
        return f"{low} to {high}"
    return f"since {low}" if low else f"until {high}" if high else ""


def flagged_text(fails: int, suspects: int, of: int, by: str, *, what: str = "values") -> str:
    """Return how many values a test flags.

    >>> flagged_text(1, 0, 1800, "the test 'spike'")
    "1 of 1,800 values fail the test 'spike' (0.056 %)"
    >>> flagged_text(0, 20, 100, "the source's own status", what="observations")
    "20 of 100 observations are suspect to the source's own status (20 %)"
    """
    number, verb = (fails, "fail") if fails else (suspects, "are suspect to")
    text = f"{number:,} of {of:,} {what} {verb} {by} ({percent_text(number / of)})"
    return f"{text}, {suspects:,} are suspect" if fails and suspects else text


def place_text(found: Finding) -> str:
    """Return which signal of which asset.

    >>> from twinlab.quality import Finding
    >>> place_text(Finding("unit", tag="temp_c", asset="B2", signal="temperature"))
    'B2 temperature (temp_c)'
    """
    where = " ".join(part for part in (found.asset, found.signal) if part)
    return f"{where} ({found.tag})" if found.tag else where


def touched_text(touched: Sequence[Touched]) -> str:
    """Return what is touched as one line.

    >>> touched_text([("rule", "too_warm", None), ("event", "delivery", 3)])
    'rule too_warm, 3 delivery events'
    """
    return ", ".join(
        f"{what} {name}" if count is None else f"{count:,} {name} {what}{'' if count == 1 else 's'}"
        for what, name, count in touched
    )
