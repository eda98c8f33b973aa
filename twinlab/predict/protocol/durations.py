"""Durations and instants as NumPy has them, in nanoseconds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration

__all__ = ["duration", "instant", "lead_times", "text_of"]

_UNITS = (("d", 86400 * 10**9), ("h", 3600 * 10**9), ("min", 60 * 10**9), ("s", 10**9), ("ms", 10**6))


def duration(text: str, *, what: str) -> np.timedelta64:
    """Return a duration such as ``"1h"`` as ``timedelta64[ns]``; ``"0s"`` is none.

    Raises
    ------
    SchemaError
        If it isn't one; names ``what``.

    >>> duration("90min", what="the lag")
    np.timedelta64(5400000000000,'ns')
    """
    if text.strip() in {"0s", "0min", "0h", "0d"}:
        return np.timedelta64(0, "ns")
    try:
        return np.timedelta64(parse_duration(text), "ns")
    except ValueError as error:
        msg = f"{what}: {error}"
        raise SchemaError(msg) from None


def text_of(lasting: np.timedelta64) -> str:
    """Return a duration in the largest unit that gives a whole number.

    >>> text_of(np.timedelta64(90, "m")), text_of(np.timedelta64(48, "h"))
    ('90min', '2d')
    """
    ns = int(lasting.astype("timedelta64[ns]").astype("int64"))
    for unit, size in _UNITS:
        if ns and ns % size == 0:
            return f"{ns // size}{unit}"
    return f"{ns / 1e9:g}s"


def instant(when: object, *, what: str) -> np.datetime64:
    """Return an instant as ``datetime64[ns]``, UTC; a naive one is UTC.

    Raises
    ------
    SchemaError
        If it isn't one; names ``what``.
    """
    try:
        stamp = pd.Timestamp(when)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        msg = f"{what}: expected an instant such as '2026-03-01T12:00', got {when!r}"
        raise SchemaError(msg) from error
    if str(stamp) == "NaT":
        msg = f"{what}: expected an instant such as '2026-03-01T12:00', got {when!r}"
        raise SchemaError(msg)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    return np.datetime64(stamp.as_unit("ns").value, "ns")


def lead_times(horizon: str, *, every: str) -> tuple[str, ...]:
    """Return the lead times from ``every`` to ``horizon``.

    >>> lead_times("3h", every="1h")
    ('1h', '2h', '3h')
    """
    step, stop = duration(every, what="every"), duration(horizon, what="horizon")
    count = int(stop // step)
    if count < 1 or count * step != stop:
        msg = f"expected a horizon that is a multiple of every={every!r}, got {horizon!r}"
        raise SchemaError(msg)
    return tuple(text_of(step * (k + 1)) for k in range(count))
