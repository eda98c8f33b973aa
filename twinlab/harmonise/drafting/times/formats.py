"""Formats of times written as text: found from the shapes of all values, with every order of day and month that fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Cells
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.times.formats import from_format

__all__ = ["Fit", "clock_format", "fitting_formats", "looks_like_time", "suffixes"]

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_NAMED = dict.fromkeys(_MONTHS, "%B") | {name[:3]: "%b" for name in _MONTHS}
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_WEEKDAYS = dict.fromkeys(_DAYS, "%A") | {name[:3]: "%a" for name in _DAYS}
_WORD = r"[^\W\d_]{3,9}"
_NUMERIC = re.compile(r"(?P<a>\d{1,4})(?P<s>[./\- ])(?P<b>\d{1,2})(?P=s)(?P<c>\d{4}|\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(
    rf"(?P<d>\d{{1,2}})(?P<s>[./\- ]{{0,2}})(?P<m>{_WORD})(?P<t>[./\-, ]{{0,2}})(?P<y>\d{{4}}|\d\d)(?!\d)"
)
_MONTH_FIRST = re.compile(
    rf"(?P<m>{_WORD})(?P<s>[./\- ]{{1,2}})(?P<d>\d{{1,2}})(?P<t>[./\-, ]{{1,2}})(?P<y>\d{{4}}|\d\d)(?!\d)"
)
_YEAR_FIRST = re.compile(
    rf"(?P<y>\d{{4}})(?P<s>[./\- ]{{1,2}})(?P<m>{_WORD})(?P<t>[./\- ]{{1,2}})(?P<d>\d{{1,2}})(?!\d)"
)
_COMPACT = re.compile(r"(?P<date>(?:19|20|21)\d{6})(?P<s>[T _\-]?)(?P<clock>\d{6}|\d{4}|\d\d)?(?!\d)")
_COMPACT_DATE = re.compile(r"(?:19|20|21)\d{6}(?!\d)")
_BETWEEN = re.compile(r"[T_:]|,? ?-? ?")
_CLOCK = re.compile(
    r"(?P<h>\d{1,2})(?:(?P<s>[:.h])(?P<m>\d\d)(?:(?P=s)(?P<x>\d\d)(?P<f>[.,]\d{1,9})?)?)?(?P<g> ?)(?P<p>[AaPp]\.?[Mm]\.?)?(?![\d:])"
)
_SUFFIX = re.compile(r"(?P<g> ?)(?:(?P<o>[+-]\d\d(?::?\d\d)?)|(?P<w>[A-Za-z]{1,5}))$")
_WEEKDAY = re.compile(rf"(?P<w>{_WORD})(?P<g>[,.]? )")
_LOOKS = re.compile(
    r"\d{1,4}[./\-]\d{1,2}[./\-]\d{1,4}|\d{1,2}:\d\d|\d{1,2}[./\- ]?[^\W\d_]{3,9}[./\- ,]*\d{2,4}|(?:19|20)\d{10,12}"
)
_ORDERS = ("dmy", "mdy", "ymd")
#: Minimal share of the values that must parse.
MIN_SHARE = 0.95


@dataclass(frozen=True)
class Fit:
    """Formats that together read a column, and the times they give."""

    formats: tuple[str, ...]
    # int64[n] ns on the source's clock, NAT where a cell is empty or wasn't read.
    wall: Ints = field(repr=False)
    # Every value has its offset.
    fixed: bool = False


@dataclass(frozen=True)
class _Shape:
    """The shape of a text: a strptime format in which the three numbers of the date may be open."""

    # Format with {0} for the date.
    frame: str
    # Date's format, or its separator and the number of digits of first and last number if the order is open.
    date: str | tuple[str, int, int]

    def format(self, order: str) -> str | None:
        """Return the format for an order of day, month and year; None if the shape doesn't fit it."""
        if isinstance(self.date, str):
            return self.frame.replace("{0}", self.date)
        separator, first, last = self.date
        if (first == 4) != (order[0] == "y" and first > 2) or (last == 4 and order[2] != "y"):
            return None
        year = "%Y" if 4 in (first, last) else "%y"
        return self.frame.replace("{0}", separator.join({"d": "%d", "m": "%m", "y": year}[part] for part in order))


def looks_like_time(terms: Sequence[str]) -> bool:
    """Return whether most texts look like a date, a time of day, or both.

    >>> looks_like_time(["30/Feb/24 10:00", "1/Feb/24 10:00"]), looks_like_time(["A-1", "10.5"])
    (True, False)
    """
    some = terms[:: max(1, len(terms) // 200)]
    return bool(some) and sum(_LOOKS.search(term) is not None for term in some) >= 0.8 * len(some)


def fitting_formats(cells: Cells, texts: pa.Array, terms: Sequence[str], *, wanted: int) -> list[Fit]:
    """Return all ways to read a column of times, one for each order of day, month and year that fits.

    Parameters
    ----------
    cells : Cells
        The column.
    texts : Array
        The column as text, string[n].
    terms : sequence of str
        Its distinct texts, without those that mean "no time".
    wanted : int
        Number of rows whose text is one of ``terms``.
    """
    some = terms[:: max(1, len(terms) // 50)]
    if sum(_shape(term) is not None for term in some) < 0.3 * len(some):
        return []
    shapes = dict.fromkeys(shape for term in terms if (shape := _shape(term)) is not None)
    if not shapes or len(shapes) > 12:
        return []
    open_order = any(not isinstance(shape.date, str) for shape in shapes)
    found: list[Fit] = []
    for order in _ORDERS if open_order else _ORDERS[:1]:
        formats = tuple(dict.fromkeys(form for shape in shapes if (form := shape.format(order)) is not None))
        if any(fit.formats == formats for fit in found):
            continue
        wall, fixed = np.full(len(texts), NAT), np.zeros(len(texts), dtype=bool)
        used = []
        for form in sorted(formats, key=lambda form: (-form.count("%"), formats.index(form))):
            times, utc = from_format(cells, lambda: texts, form, column=texts)
            new = (wall == NAT) & (times != NAT)
            if new.any():
                used.append(form)
                wall, fixed = np.where(new, times, wall), np.where(new, utc, fixed)
        known = wall != NAT
        if known.any() and int(known.sum()) >= MIN_SHARE * wanted:
            found.append(Fit(tuple(used), wall, fixed=bool(fixed[known].all())))
    return found


def clock_format(terms: Sequence[str]) -> tuple[str, ...]:
    """Return the formats of clock times without a date; empty if some text isn't one.

    >>> clock_format(["6.30 pm", "12.00 am"]), clock_format(["18h30"]), clock_format(["B12"])
    (('%I.%M %p',), ('%Hh%M',), ())
    """
    found: dict[str, None] = {}
    for term in terms:
        match = _CLOCK.fullmatch(term)
        form = None if match is None else _clock(match)
        if form is None:
            return ()
        found[form] = None
    return tuple(sorted(found, key=lambda form: -form.count("%")))


def suffixes(terms: Iterable[str]) -> set[str]:
    """Return the words after the clock, which may be names of zones: {"CET", "CEST"}.

    >>> suffixes(["5.1.2026 10:00 CET", "5.1.2026 10:00"]) == {"CET", ""}
    True
    """
    found = set()
    for term in terms:
        parts = _parts(term)
        found.add("" if parts is None or parts[2] in ("%z", "") else parts[2].strip())
    return found


def _shape(term: str) -> _Shape | None:
    parts = _parts(term)
    if parts is None:
        return None
    date, clock, suffix = parts
    head, middle = date[0], date[1]
    return _Shape(f"{head}{{0}}{clock}{suffix}", middle)


@lru_cache(maxsize=65_536)
def _parts(term: str) -> tuple[tuple[str, str | tuple[str, int, int]], str, str] | None:
    """Return ((weekday, date), separator and clock, suffix) of a text."""
    head, at = "", 0
    weekday = _WEEKDAY.match(term)
    if weekday is not None and weekday["w"].casefold() in _WEEKDAYS:
        head, at = _WEEKDAYS[weekday["w"].casefold()] + weekday["g"], weekday.end()
    compact = _COMPACT.match(term, at)
    if compact is not None and compact["clock"]:
        clock = {6: "%H%M%S", 4: "%H%M", 2: "%H"}[len(compact["clock"])]
        rest = _suffix(term[compact.end() :])
        if rest is not None:
            return (head, f"%Y%m%d{compact['s']}{clock}"), "", rest
    dated = _date(term, at)
    if dated is None:
        return None
    date, at = dated
    if at == len(term):
        return (head, date), "", ""
    between = _BETWEEN.match(term, at)
    gap = between[0] if between is not None else ""
    match = _CLOCK.match(term, at + len(gap))
    clock_form = _clock(match) if match is not None and gap else None
    if match is not None and clock_form is not None:
        rest = _suffix(term[match.end() :] if match["p"] else match["g"] + term[match.end() :])
        return None if rest is None else ((head, date), gap + clock_form, rest)
    rest = _suffix(term[at:])
    return None if rest is None else ((head, date), "", rest)


def _date(term: str, at: int) -> tuple[str | tuple[str, int, int], int] | None:
    match = _COMPACT_DATE.match(term, at)
    if match is not None:
        return "%Y%m%d", match.end()
    match = _NUMERIC.match(term, at)
    if match is not None:
        first, last = len(match["a"]), len(match["c"])
        if first == 3 or (first == 4 and last == 4):
            return None
        return (match["s"], 4 if first == 4 else 2, 4 if last == 4 else 2), match.end()
    for pattern, order in ((_DAY_FIRST, "dmy"), (_MONTH_FIRST, "mdy"), (_YEAR_FIRST, "ymd")):
        match = pattern.match(term, at)
        if match is not None and match["m"].casefold() in _NAMED:
            code = {"d": "%d", "m": _NAMED[match["m"].casefold()], "y": "%Y" if len(match["y"]) == 4 else "%y"}
            return f"{code[order[0]]}{match['s']}{code[order[1]]}{match['t']}{code[order[2]]}", match.end()
    return None


def _clock(match: re.Match[str]) -> str | None:
    if match["p"] is not None and "." in match["p"]:
        return None  # strptime doesn't read "a.m."
    separator, hour = match["s"], "%I" if match["p"] else "%H"
    form = hour if separator is None else f"{hour}{separator}%M"
    if match["x"]:
        form += f"{separator}%S" + (f"{match['f'][0]}%f" if match["f"] else "")
    return form + (f"{match['g']}%p" if match["p"] else "")


def _suffix(rest: str) -> str | None:
    if not rest.strip():
        return rest
    match = _SUFFIX.fullmatch(rest)
    if match is None:
        return None
    return match["g"] + ("%z" if match["o"] else match["w"])
