"""How many events, and of what duration, by cause or by length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.event_spans import Duration, span_length, spans_of
from twinlab.events.algebra.spans import NEVER, NOT_A_TIME
from twinlab.events.reading import instant_ns
from twinlab.model.terms import nearest

__all__ = ["HISTOGRAM_EDGES", "duration_histogram", "durations", "latest_ns", "pareto"]

#: Borders of the default bins: durations that people say.
HISTOGRAM_EDGES = (
    *("0s", "1min", "2min", "5min", "10min", "15min", "30min", "1h", "2h", "4h", "8h", "12h"),
    *("1d", "2d", "7d", "14d", "30d"),
)


def durations(events: pd.DataFrame, *, now: object = None) -> pd.Series:
    """Return the duration of each event, NaT for one without a time.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``.
    now : instant, optional
        An event that isn't over counts up to then; by default up to the latest time in the table.

    >>> times = pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-04"])
    >>> durations(pd.DataFrame({"start": times[:2], "end": [times[2], pd.NaT]})).dt.days.tolist()
    [3, 2]
    """
    (spans,) = spans_of(events, by="all")
    end = np.where(spans.end == NEVER, np.maximum(latest_ns(events, now), spans.start), spans.end)
    known = spans.key >= 0
    length = np.where(known, end - np.where(known, spans.start, end), NOT_A_TIME)
    return pd.Series(length.view("timedelta64[ns]"), index=events.index, name="duration")


def pareto(events: pd.DataFrame, by: str, *, weight: str | pd.Series | None = None, now: object = None) -> pd.DataFrame:
    """Return how much each value of a column contributes, the most first.

    Parameters
    ----------
    events : DataFrame
    by : str
        Column, such as a cause, ``asset`` or ``type``. Events without a value are a row of their own.
    weight : str or Series, optional
        What is added up: "duration" for the time that events last, another column of numbers or durations, or a Series with
        one for each event, such as ``event_statistics(…)["integral_above"]``. Each event counts once by default. A missing
        weight is zero.
    now : instant, optional
        For durations: an event that isn't over counts up to then; by default up to the latest time in the table.

    Returns
    -------
    DataFrame
        Indexed by the values: ``count``, ``weight``, ``share`` of all weight, ``cumulative`` share up to and including the row.

    Raises
    ------
    UnknownTermError
        If there is no such column.
    SchemaError
        If weights aren't numbers or durations, one is negative, or a Series has another index.

    >>> pareto(pd.DataFrame({"cause": ["door", "door", "power", None]}), "cause")["share"].tolist()
    [0.5, 0.25, 0.25]
    """
    _need(events, by)
    weights = _weights(events, weight, now)
    groups = pd.DataFrame({"by": events[by], "weight": weights}).groupby("by", dropna=False, sort=False, observed=True)
    found = pd.DataFrame({"count": groups["weight"].size(), "weight": groups["weight"].sum()})
    found = found.sort_values(["weight", "count"], ascending=False, kind="stable")
    numbers = found["weight"].to_numpy()
    sizes = (numbers.view(np.int64) if numbers.dtype.kind == "m" else numbers).astype(np.float64)
    total = sizes.sum()
    found["share"] = sizes / total if total > 0 else 0.0
    found["cumulative"] = np.cumsum(sizes) / total if total > 0 else 0.0
    found.index.name = by
    return found


def duration_histogram(
    events: pd.DataFrame, bins: Sequence[Duration] | int | None = None, *, now: object = None
) -> pd.DataFrame:
    """Return how many events lasted how long.

    Parameters
    ----------
    events : DataFrame
        With ``start`` and ``end``.
    bins : sequence of durations, or int, optional
        Borders such as ``["0s", "10min", "1h"]``, rising; longer events are in a last bin without an upper border. A number: so
        many bins of equal width up to the longest event. By default borders from a minute to 30 days, those without
        events at both ends left out.
    now : instant, optional
        An event that isn't over counts up to then; by default up to the latest time in the table.

    Returns
    -------
    DataFrame
        For each bin ``low`` (included) and ``high`` (NaT: none), the ``count`` of events, how many of them are ``not_over``, and
        their ``duration`` in total. Events without a time aren't counted.

    Raises
    ------
    SchemaError
        If the borders don't rise or aren't durations.

    >>> times = pd.to_datetime(["2026-03-01 00:00", "2026-03-01 00:03", "2026-03-01 03:00"])
    >>> duration_histogram(pd.DataFrame({"start": times[[0, 0]], "end": times[[1, 2]]}), ["0s", "1h"])["count"].tolist()
    [1, 1]
    """
    lengths = durations(events, now=now)
    known = lengths.notna().to_numpy()
    found = lengths.to_numpy(dtype="timedelta64[ns]").view(np.int64)[known]
    edges = _edges(bins, int(found.max(initial=0)))
    place = np.searchsorted(edges, found, side="right") - 1
    inside = place >= 0
    size = len(edges)
    not_over = events["end"].isna().to_numpy()[known] & inside
    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, place[inside], found[inside])
    table = pd.DataFrame(
        {
            "low": edges.view("timedelta64[ns]"),
            "high": np.append(edges[1:], NOT_A_TIME).view("timedelta64[ns]"),
            "count": np.bincount(place[inside], minlength=size),
            "not_over": np.bincount(place[not_over], minlength=size),
            "duration": total.view("timedelta64[ns]"),
        }
    )
    if bins is None and len(found):
        full = np.flatnonzero(table["count"])
        table = table.iloc[full[0] : full[-1] + 1].reset_index(drop=True)
    elif isinstance(bins, int):
        # The longest event is in the last of so many bins.
        table = table.iloc[:bins]
    return table


def _edges(bins: Sequence[Duration] | int | None, longest: int) -> NDArray[np.int64]:
    if isinstance(bins, int):
        if bins < 1:
            msg = f"expected at least one bin, got {bins}"
            raise SchemaError(msg)
        # One border more than bins; the longest event is below the last one.
        return np.arange(bins + 1, dtype=np.int64) * (longest // bins + 1)
    edges = np.array([span_length(one, "bins") for one in (HISTOGRAM_EDGES if bins is None else bins)], dtype=np.int64)
    if not len(edges) or (np.diff(edges) <= 0).any():
        msg = f"bins: expected borders that rise, such as ['0s', '10min', '1h'], got {bins!r}"
        raise SchemaError(msg)
    return edges


def _weights(events: pd.DataFrame, weight: str | pd.Series | None, now: object) -> pd.Series:
    if weight is None:
        return pd.Series(1, index=events.index)
    if isinstance(weight, pd.Series):
        if not weight.index.equals(events.index):
            msg = "weight: expected a Series with the index of the events, such as one of their columns"
            raise SchemaError(msg)
        found = weight
    elif weight == "duration":
        found = durations(events, now=now)
    else:
        _need(events, weight)
        found = events[weight]
    if not (pd.api.types.is_numeric_dtype(found) or pd.api.types.is_timedelta64_dtype(found)):
        msg = f"weight: expected numbers or durations, got {found.dtype} in {found.name!r}"
        raise SchemaError(msg)
    zero = pd.Timedelta(0) if pd.api.types.is_timedelta64_dtype(found) else 0
    found = found.fillna(zero)
    if (found < zero).any():
        msg = f"weight: expected no negative ones, got {found.min()} in {found.name!r}; a share of them says nothing"
        raise SchemaError(msg)
    return found


def _need(events: pd.DataFrame, column: str) -> None:
    if column not in events:
        msg = f"events have no column {column!r}{nearest(column, map(str, events.columns))}"
        raise UnknownTermError(msg)


def latest_ns(events: pd.DataFrame, now: object) -> int:
    """Return up to when events that are not over count: ``now``, or the latest time in the table."""
    if now is not None:
        return instant_ns(now)
    latest = pd.concat([events["start"], events["end"]]).max()
    return NOT_A_TIME if pd.isna(latest) else instant_ns(latest)
