"""Event tables as spans with a key, and spans as event tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.events.algebra.spans import ALWAYS, NEVER, NOT_A_TIME, Integers, Spans
from twinlab.events.reading import duration_ns, instant_ns
from twinlab.model.schema import EVENT_COLUMNS
from twinlab.model.terms import nearest

__all__ = [
    "Duration",
    "Key",
    "as_times",
    "key_columns",
    "nanoseconds",
    "new_events",
    "parts_of",
    "span_length",
    "spans_of",
    "window_ns",
]

#: Columns that say which events belong together, or "all": all belong together.
Key = str | Sequence[str]
#: Text such as "10min", or what pandas, numpy and Python have for it.
Duration = str | dt.timedelta | np.timedelta64


def spans_of(*tables: pd.DataFrame, by: Key = "asset", instants: bool = False) -> tuple[Spans, ...]:
    """Return the times of event tables as spans whose keys are comparable between the tables.

    Parameters
    ----------
    *tables : DataFrame
        With ``start``, ``end`` and the columns of ``by``.
    by : str or sequence of str
        Columns of the key; "all": there is one key.
    instants : bool
        An event without duration lasts a nanosecond, so that it overlaps what is then; otherwise it has no instant.

    Returns
    -------
    tuple of Spans
        In nanoseconds; without an end up to `NEVER`. The key is negative where a column of the key is missing, the event has
        no start, or its end is before its start: such an event has no time.

    Raises
    ------
    SchemaError
        If a time column is missing or isn't naive.
    UnknownTermError
        If a column of the key is missing.
    """
    times = [(_column_ns(table, "start"), _column_ns(table, "end")) for table in tables]
    codes, size = _codes(tables, by)
    out = []
    for (start, stated_end), key in zip(times, codes, strict=True):
        end = np.where(stated_end == NOT_A_TIME, NEVER, stated_end)
        timeless = (start == NOT_A_TIME) | (end < start)
        if instants:
            end = end + (end == start)
        if timeless.any():
            key = np.where(timeless, -1, key)  # noqa: PLW2901  (the same keys, less some)
        out.append(Spans(key, start, end, size))
    return tuple(out)


def key_columns(by: Key) -> list[str]:
    """Return the columns of a key; none for "all".

    >>> key_columns("asset"), key_columns("all"), key_columns(["asset", "type"])
    (['asset'], [], ['asset', 'type'])
    """
    if isinstance(by, str):
        return [] if by == "all" else [by]
    return list(by)


def _codes(tables: Sequence[pd.DataFrame], by: Key) -> tuple[list[NDArray[np.int64]], int]:
    names = key_columns(by)
    for name, table in ((name, table) for table in tables for name in names):
        if name not in table:
            msg = f"events have no column {name!r} to group by{nearest(name, map(str, table.columns))}; 'all' groups by none"
            raise UnknownTermError(msg)
    total = sum(map(len, tables))
    code, size = np.zeros(total, dtype=np.int64), min(total, 1)
    for name in names:
        column = (
            tables[0][name] if len(tables) == 1 else pd.concat([table[name] for table in tables], ignore_index=True)
        )
        found, values = pd.factorize(column)
        missing = (found < 0) | (code < 0)
        code = np.where(missing, -1, code * len(values) + found)
        size *= len(values)
        if len(names) > 1:
            # As few numbers as there are combinations, so that they can't overflow.
            code, combinations = pd.factorize(np.where(missing, np.nan, code) if missing.any() else code)
            code, size = code.astype(np.int64), len(combinations)
    ends = np.cumsum([len(table) for table in tables])
    return np.split(code, ends[:-1]), size


def _column_ns(table: pd.DataFrame, name: str) -> Integers:
    if name not in table:
        msg = f"an event table needs the columns start and end; it has {', '.join(map(str, table.columns))}"
        raise SchemaError(msg)
    column = table[name]
    if not len(column):
        return np.empty(0, dtype=np.int64)
    if column.isna().all():
        return np.full(len(column), NOT_A_TIME)
    if not isinstance(column.dtype, np.dtype) or column.dtype.kind != "M":
        msg = (
            f"expected instants in UTC without a zone (datetime64[ns]) in column {name!r}, got {column.dtype}; "
            "convert them with pandas.to_datetime, and those with a zone with .dt.tz_convert('UTC').dt.tz_localize(None)"
        )
        raise SchemaError(msg)
    return column.to_numpy(dtype="datetime64[ns]").view(np.int64)


def as_times(nanoseconds: Integers) -> NDArray[np.datetime64]:
    """Return nanoseconds since 1970 as instants; the begin and the end of all time are NaT."""
    outside = (nanoseconds == NEVER) | (nanoseconds == ALWAYS)
    return np.where(outside, NOT_A_TIME, nanoseconds).view("datetime64[ns]")


def parts_of(
    events: pd.DataFrame, rows: Integers, start: Integers, end: Integers, *, ids: NDArray[np.object_] | None = None
) -> pd.DataFrame:
    """Return parts of events as a table: all other columns are those of their event, a column ``duration`` is computed.

    A part that isn't the whole event has the id of its event (or of ``ids``), "@" and its own start.
    """
    out = events.take(rows).reset_index(drop=True)
    first, last = (_column_ns(out, name) for name in ("start", "end"))
    out["start"], out["end"] = as_times(start), as_times(end)
    if "event_id" in out:
        texts = out["event_id"].to_numpy(dtype=object, copy=True) if ids is None else ids
        cut = np.flatnonzero((first != start) | (last != _column_ns(out, "end")))
        texts[cut] = texts[cut] + "@" + np.datetime_as_string(as_times(start[cut])).astype(object)
        out["event_id"] = pd.Series(texts, index=out.index, dtype=events["event_id"].dtype)
    if "duration" in out:
        out["duration"] = out["end"] - out["start"]
    return out


def new_events(name: str, keys: Mapping[str, pd.Series], start: Integers, end: Integers) -> pd.DataFrame:
    """Return a table of events of type ``name``; each id is made of the name, the key and the start."""
    times = as_times(start)
    ids = np.full(len(start), name, dtype=object)
    for column in keys.values():
        ids = ids + "/" + column.astype("str").to_numpy(dtype=object)
    ids = ids + "/" + np.datetime_as_string(times).astype(object)
    given = {"event_id": ids, "type": np.full(len(start), name, dtype=object), "start": times, "end": as_times(end)}
    columns = {column: given.get(column) for column in EVENT_COLUMNS} | dict(keys)
    return pd.DataFrame(
        {
            column: pd.Series(
                values, index=range(len(start)), dtype=_DTYPES.get(column) if column not in keys else None
            )
            for column, values in columns.items()
        }
    )


_DTYPES = {name: "str" if dtype == "string" else dtype for name, dtype in EVENT_COLUMNS.items()}


def span_length(duration: Duration, what: str) -> int:
    """Return a duration in nanoseconds, zero or longer.

    Raises
    ------
    SchemaError
        If it isn't one; names the parameter.

    >>> span_length("10min", "gap"), span_length(dt.timedelta(0), "gap")
    (600000000000, 0)
    """
    found = nanoseconds(duration, what)
    if found < 0:
        msg = f"expected {what} to be zero or longer, got {duration!r}"
        raise SchemaError(msg)
    return found


def nanoseconds(duration: Duration, what: str) -> int:
    """Return a duration in nanoseconds; in text it may have a sign, such as "-5min".

    Raises
    ------
    SchemaError
        If it isn't one; names the parameter.
    """
    try:
        if not isinstance(duration, str):
            found: Any = pd.Timedelta(duration)
            if found is pd.NaT:
                msg = f"expected a duration such as '10min', got {duration!r}"
                raise SchemaError(msg)
            return int(found.as_unit("ns").value)
        unsigned = duration.strip().removeprefix("-")
        # Zero is a duration here, but not in a model.
        size = 0 if unsigned.rstrip("dhminsu ") in {"0", "0.0"} else duration_ns(unsigned)
    except (ValueError, TypeError) as error:
        msg = f"{what}: {error}"
        raise SchemaError(msg) from error
    return -size if duration.strip().startswith("-") else size


def window_ns(start: object, stop: object) -> tuple[int, int]:
    """Return a window in nanoseconds; None is the begin, or the end, of all time.

    Raises
    ------
    SchemaError
        If ``start`` isn't before ``stop``, or one is no instant.
    """
    low = ALWAYS if start is None else instant_ns(start)
    high = NEVER if stop is None else instant_ns(stop)
    if not low < high:
        msg = f"expected start before stop, got {start} and {stop}; swap them or widen the window"
        raise SchemaError(msg)
    return low, high
