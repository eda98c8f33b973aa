"""Freshness of one asset in words: state, age of the last row, latency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from twinlab.explore.kit.exception_text import age_text
from twinlab.languages import mark, tr

__all__ = ["SHAPES", "asset_age", "asset_line", "seconds_text"]

#: State of an asset -> shape; the word follows.
SHAPES = {mark("live"): "●", mark("stale"): "▲", mark("rows missing"): "▲", mark("no connection"): "○"}


def asset_age(seconds: float, state: str) -> str:
    """Return the age of a last row; of a live asset to the minute, so that a table changes once a minute.

    >>> asset_age(42, "live"), asset_age(42, "no connection")
    ('< 1 min', '42 s')
    """
    return tr("< 1 min") if state == "live" and seconds < 60 else age_text(pd.Timedelta(seconds, unit="s"))


def seconds_text(seconds: float) -> str:
    """Return a latency or an offset with a sensible number of digits.

    >>> seconds_text(0.0421), seconds_text(18.6), seconds_text(7200)
    ('0.04 s', '18.6 s', '2 h')
    """
    if abs(seconds) < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if abs(seconds) < 60 else age_text(pd.Timedelta(abs(seconds), unit="s"))


def asset_line(row: Mapping[str, Any]) -> str:
    """Return the freshness of an asset in a line, from its row of ``twin.freshness()``.

    >>> asset_line({"state": "stale", "age": 7200.0, "source": "gps", "event_p50": 1.5, "event_p99": 3.0})
    '▲ stale: last row 2 h ago from gps, stored after 1.50 s (p50), 3.00 s (p99)'
    """
    line = tr(
        "{state} {state2}: last row {age} ago from {source}",
        state=SHAPES[row["state"]],
        state2=tr(row["state"]),
        age=asset_age(row["age"], ""),
        source=row["source"],
    )
    if pd.isna(row["event_p50"]):
        return line
    return tr(
        "{line}, stored after {event_p50} (p50), {event_p99} (p99)",
        line=line,
        event_p50=seconds_text(row["event_p50"]),
        event_p99=seconds_text(row["event_p99"]),
    )
