"""When a change is in effect: the whole run, a window of instants, of times since the start, or of times of day."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator

from twinlab.model.basics import parse_duration, yaml_text
from twinlab.simulate.network.calendars import minutes_of

__all__ = ["Moment", "Span", "form_of", "nanoseconds", "spans", "window_fault", "window_words"]

Form = Literal["instant", "since start", "daily"]
Span = tuple[np.datetime64, np.datetime64]

_CLOCK: Final = re.compile(r"\d{1,2}:\d{2}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
#: No time since the start: the start itself, which `parse_duration` refuses.
_AT_THE_START: Final = re.compile(r"\s*0+(\.0+)?\s*(ms|s|min|h|d)\s*")
_DAY: Final = np.timedelta64(1, "D")


def nanoseconds(instant: Any) -> Any:  # noqa: ANN401  (numpy's instants have a type for each unit)
    """Return an instant as datetime64[ns]."""
    return np.asarray(instant).astype("datetime64[ns]")[()]


def form_of(text: str) -> Form:
    """Return what a moment is stated as.

    >>> form_of("2026-01-05T06:00"), form_of("6h"), form_of("06:00")
    ('instant', 'since start', 'daily')
    """
    if _CLOCK.fullmatch(text):
        return "daily"
    return "instant" if _DATE.match(text) else "since start"


def _instant(text: str) -> np.datetime64:
    found = datetime.fromisoformat(text)
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(found, "ns")


def _is_moment(text: str) -> str:
    form = form_of(text)
    try:
        if form == "daily":
            minutes_of(text)
        elif form == "instant":
            _instant(text)
        else:
            _since_start(text)
    except ValueError as error:
        msg = f"expected an instant (2026-01-05T06:00), a time since the start (6h) or a time of day (06:00), got {text!r}"
        raise ValueError(msg) from error
    return text


def _since_start(text: str) -> int:
    """Return a time since the start of the run in nanoseconds."""
    return 0 if _AT_THE_START.fullmatch(text) else parse_duration(text)


#: An instant (UTC unless it states an offset), a duration since the start of the run, or a time of each day (UTC).
Moment = Annotated[str, BeforeValidator(yaml_text), AfterValidator(_is_moment)]


def window_fault(start: str | None, stop: str | None) -> str:
    """Return what is wrong with a window, or nothing.

    >>> window_fault("0h", "6h"), window_fault(None, "0h")
    ('', "expected `stop` after the start of the run, got '0h'")
    """
    forms = {form_of(text) for text in (start, stop) if text is not None}
    if len(forms) > 1:
        return f"expected `start` and `stop` in the same form, got {start!r} and {stop!r}"
    if forms == {"daily"}:
        if start is None or stop is None:
            return "expected both `start` and `stop`, because a time of day alone is no window"
        return (
            "" if minutes_of(start) != minutes_of(stop) else f"expected a window of some length, got {start} to {stop}"
        )
    if start is not None and stop is not None and not _offset(start) < _offset(stop):
        return f"expected `stop` after `start`, got {start!r} and {stop!r}"
    if start is None and stop is not None and form_of(stop) == "since start" and _since_start(stop) == 0:
        return f"expected `stop` after the start of the run, got {stop!r}"
    return ""


def _offset(text: str) -> int:
    return int(_instant(text).astype(np.int64)) if form_of(text) == "instant" else _since_start(text)


def spans(start: str | None, stop: str | None, *, first: np.datetime64, last: np.datetime64) -> list[Span]:
    """Return the parts of a run from ``first`` to ``last`` that are in a window, in order.

    >>> run = {"first": np.datetime64("2026-01-05"), "last": np.datetime64("2026-01-06")}
    >>> [str(b - a) for a, b in spans("06:00", "18:00", **run)], spans("3d", None, **run)
    (['43200000000000 nanoseconds'], [])
    """
    first, last = nanoseconds(first), nanoseconds(last)
    found: list[Span] = []
    if (start is None and stop is None) or form_of(start or stop or "") != "daily":
        found = [(_at(start, first, first), _at(stop, first, last))]
    else:
        begin, end = minutes_of(start or ""), minutes_of(stop or "")
        length = np.timedelta64(end - begin if end > begin else end - begin + 24 * 60, "m")
        day = first.astype("datetime64[D]") - _DAY
        while day < last:
            at = (day + np.timedelta64(begin, "m")).astype("datetime64[ns]")
            found.append((at, at + length))
            day += _DAY
    clipped = [(max(a, first), min(b, last)) for a, b in found]
    return [(a, b) for a, b in clipped if a < b]


def _at(text: str | None, first: np.datetime64, otherwise: np.datetime64) -> np.datetime64:
    if text is None:
        return otherwise
    return _instant(text) if form_of(text) == "instant" else first + np.timedelta64(_since_start(text), "ns")


def window_words(start: str | None, stop: str | None) -> str:
    """Return a window in words, with a space in front; nothing for the whole run.

    >>> window_words("06:00", "18:00"), window_words("6h", None), window_words(None, "2026-01-05T18:00")
    (' 06:00-18:00 each day', ' from 6h after the start', ' until 2026-01-05 18:00')
    """
    forms = {form_of(text) for text in (start, stop) if text is not None}
    if not forms:
        return ""
    tail = {"daily": " each day", "since start": " after the start", "instant": ""}[forms.pop()]
    begin, end = (text and text.replace("T", " ") for text in (start, stop))
    if begin and end:
        same_day = _DATE.match(begin) and begin[:10] == end[:10] and len(end) > 10
        return f" {begin}-{end[11:] if same_day else end}{tail}"
    return f" from {begin}{tail}" if begin else f" until {end}{tail}"
