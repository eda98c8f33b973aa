"""A value for each day, week or month of a span: the windows, and a result with one row for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from twinlab.ask.plans.plan import instant_text
from twinlab.ask.running.result import Evidence, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from twinlab.ask.plans.plan import Order, Span

__all__ = ["by_window", "window_of", "windows"]

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PERIODS = {"day": "D", "week": "W-SUN", "month": "M"}


def window_of(times: pd.Series, per: str) -> pd.Series:
    """Return the start of the day, week from Monday on, or month of each time; its weekday, or hour of the day.

    >>> times = pd.Series(pd.to_datetime(["2026-01-07T12:00", "2026-02-01T00:00"]))
    >>> [str(one.date()) for one in window_of(times, "week")]
    ['2026-01-05', '2026-01-26']
    """
    if per == "weekday":
        weekdays: pd.Series = times.dt.day_name()
        return weekdays
    if per == "hour":
        hours: pd.Series = times.dt.hour.astype("Int64")
        return hours
    begins: pd.Series = times.dt.to_period(_PERIODS[per]).dt.start_time.astype("datetime64[ns]")
    return begins


def windows(start: pd.Timestamp, stop: pd.Timestamp, per: str) -> Iterator[tuple[pd.Timestamp, pd.Timestamp]]:
    """Yield the parts of a span that are in each day, week or month, the first and the last may be shorter.

    >>> for low, high in windows(pd.Timestamp("2026-01-30"), pd.Timestamp("2026-02-03"), "month"):
    ...     print(low.date(), high.date())
    2026-01-30 2026-02-01
    2026-02-01 2026-02-03
    """
    low = start
    while low < stop:
        high = min((low.to_period(_PERIODS[per]) + 1).start_time, stop)
        yield low, high
        low = high


def by_window(
    table: pd.DataFrame,
    *,
    unit: str,
    per: str,
    order: Order | None,
    top: int | None,
    subject: str,
    span: Span,
    evidence: Evidence,
    notes: Sequence[tuple[str, dict[str, str]]] = (),
) -> Result:
    """Return a result with a row for each window, or with those that have the highest or lowest value.

    Parameters
    ----------
    table : DataFrame
        Columns ``time`` (start of the window, weekday or hour) and ``value``, and others beside them.
    """
    names: dict[str, Any] = {"subject": subject, "per": per, "count": len(table), "span": span}
    value: Any = None
    key = "windows"
    if per == "weekday":
        table = table.sort_values("time", key=lambda days: days.map(_WEEKDAYS.index))
    if order is not None and len(table):
        table = table.sort_values("value", ascending=order == "lowest", kind="stable").head(top or 1)
        first, time = table.iloc[0], table["time"].iloc[0]
        value, key = (str(time) if per in ("weekday", "hour") else pd.Timestamp(time)), "window_first"
        best = f"{first['value']:,.4g}" if isinstance(first["value"], float) else f"{first['value']:,}"
        names |= {
            "best": f"{best} {unit}".strip(),
            "first": instant_text(value)[:10] if isinstance(value, pd.Timestamp) else value,
        }
        key = key if isinstance(value, pd.Timestamp) else "window_of_all"
    return Result(table.reset_index(drop=True), value, unit, key, names, evidence, list(notes))
