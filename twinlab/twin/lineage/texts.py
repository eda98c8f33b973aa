"""Instants, values and counts as the texts of a lineage."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.model.signal import Signal

__all__ = ["count_text", "instant_text", "span_text", "value_text"]


def instant_text(at: object) -> str:
    """Return an instant as text, in UTC, with seconds only where they aren't zero.

    >>> instant_text(np.datetime64("2026-01-05T12:00:00"))
    '2026-01-05 12:00'
    """
    if pd.isna(at):  # type: ignore[call-overload]
        return "an unknown time"
    stamp = pd.Timestamp(at).floor("s")  # type: ignore[arg-type]  # any of its many kinds
    return stamp.strftime("%Y-%m-%d %H:%M" if stamp.second == 0 else "%Y-%m-%d %H:%M:%S")


def span_text(start: object, stop: object) -> str:
    """Return a span as text; the day of its end only where it is another one.

    >>> span_text("2026-01-05T12:00", "2026-01-05T12:05")
    '2026-01-05 12:00 to 12:05'
    """
    if pd.isna(stop):  # type: ignore[call-overload]
        return f"since {instant_text(start)}"
    first, last = instant_text(start), instant_text(stop)
    return f"{first} to {last[11:] if first[:10] == last[:10] else last}"


def value_text(value: float, signal: Signal) -> str:
    """Return a value with its unit, or the name of a state.

    >>> value_text(4.25, Signal(unit="degC", resolution=0.01))
    '4.25 degC'
    """
    if np.isnan(value):
        return "no value"
    if signal.states is not None:
        return signal.states.get(int(value), f"{value:g}")
    return f"{value:.10g}" + ("" if signal.unit == "1" else f" {signal.unit}")


def count_text(number: int, what: str) -> str:
    """Return a number of things.

    >>> count_text(1, "row"), count_text(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"
