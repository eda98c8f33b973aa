"""Recognise the times in one column: typed, written as text, counted since an instant, or times of day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Cells, Rows, encode
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.drafting.profiles import NO_VALUE_TEXTS, Profile
from twinlab.harmonise.drafting.times.formats import (
    MIN_SHARE,
    Fit,
    clock_format,
    fitting_formats,
    looks_like_time,
    suffixes,
)
from twinlab.harmonise.drafting.times.zones import StatedZone, zone_in_header, zone_in_values
from twinlab.harmonise.times.formats import DAY_NS, clock_from_format, from_format, parse_clock, parse_iso

__all__ = ["CLOCK_NAME", "Asked", "Clock", "TimeColumn", "clock_of", "disorder", "time_column", "unread_column"]

NAMED = re.compile(
    r"time|date|datum|zeit|uhr|stamp|(^|[_\s])ts($|[_\s])|epoch|when|heure|fecha|hora|(^|[_\s])(data|ora)($|[_\s])|dep|arr|start|end",
    re.IGNORECASE,
)
#: Names that say "this is a time", without the words that other quantities have too ("start", "end", "data").
_SAYS_TIME = re.compile(r"time|date(?!\w*r)|datum|zeit|stamp|epoch|heure|fecha|(^|[_\s])hora($|[_\s])", re.IGNORECASE)
_CLOCKED = re.compile(
    r"time|zeit|uhr|hhmm|clock|heure|hora|(^|[_\s])(ora|klo|klokka|tid|kello|czas|godzina|tijd|start|stop|end|begin)($|[_\s])",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"duration|dauer|dur[eé]e|durata|elapsed|length|lasted|delay|latency|lead", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_HOUR = re.compile(r"(hour|hr|hh|stunde|std|ora|heure|hora)s?(\s*of\s*day)?", re.IGNORECASE)
#: Names of a clock's column, and of nothing else: "runtime" and "time to failure" are other numbers.
CLOCK_NAME = re.compile(
    r"(local\s*)?(time|zeit|uhrzeit|clock|ora|hora|heure|tid|tijd)(\s*of\s*day)?(\s*[\[(].*)?", re.IGNORECASE
)
#: Maximal number of distinct texts without a digit among times, such as "Date Not Captured".
_MOST_WORDS = 8
_COUNTED = (
    ("epoch_s", 5e8, 4.2e9, "seconds"),
    ("epoch_ms", 5e11, 4.2e12, "milliseconds"),
    ("epoch_us", 5e14, 4.2e15, "microseconds"),
    ("epoch_ns", 5e17, 4.2e18, "nanoseconds"),
)
#: Numbers of this many digits may be a date and a clock without separators.
_DIGITS = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True)
class Asked:
    """A question about one key of a time rule."""

    key: str
    ask: str
    evidence: str
    # Values that fit, the drafted one first; without them, the question is open until its entry is removed.
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class TimeColumn:
    """A column of times, or a column of dates with one of clock times."""

    # Keys of a TimeRule -> values, without zone: {"column": "t", "format": "iso"}.
    rule: Mapping[str, object]
    # int64[n] ns on the source's clock (NAT where empty); used for cadence and order.
    wall: Ints = field(repr=False)
    columns: tuple[str, ...]
    # Comment for people, written after the format.
    note: str = ""
    # Every value has its offset, or is a count since an instant.
    fixed: bool = False
    # The zone that the source states.
    zone: StatedZone | None = None
    # Texts that mean "no time" -> number of rows.
    words: Mapping[str, int] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    # Whether the times were read; if not, the column only looks like times.
    read: bool = True

    @property
    def name(self) -> str:
        """The first column, whose name is used."""
        return self.columns[0]

    @property
    def is_date(self) -> bool:
        """Whether this is one column of dates without a clock."""
        known = self.wall[self.wall != NAT]
        return self.read and "column" in self.rule and not self.fixed and bool((known % DAY_NS == 0).all())


@dataclass(frozen=True)
class Clock:
    """A column of clock times without a date."""

    column: str
    clock: Ints = field(repr=False)
    # Formats, where a mapping reads them only with `clock_format`.
    format: tuple[str, ...] = ()
    # How the numbers are read, if they could be read in another way.
    note: str = ""


def time_column(profile: Profile, rows: Rows) -> TimeColumn | None:
    """Return the times of a column; None if it has none, or they can't be read."""
    cells = rows.cells(profile.name)
    if profile.kind == "time" and cells.time is not None:
        kind = rows.array(profile.name).type
        aware = pa.types.is_timestamp(kind) and kind.tz is not None
        rule = {"column": profile.name, "format": "iso"}
        zone = None if aware else zone_in_header(profile.name)
        return TimeColumn(rule, cells.time, (profile.name,), "typed as a time in the file", fixed=aware, zone=zone)
    if profile.kind == "number":
        return _counted(profile, cells, rows)
    if profile.kind != "text":
        return None
    texts = rows.texts(profile.name)
    dated, words, wanted = _terms(texts)
    if not dated:
        return None
    if all(re.fullmatch(r"\d{16,19}", term) for term in dated):
        # Whole numbers that float64 can't represent come as text.
        span = replace(profile, low=float(min(map(int, dated))), high=float(max(map(int, dated))))
        return _counted(span, cells, rows)
    wall, fixed = np.full(rows.count, NAT), np.zeros(rows.count, dtype=bool)
    if any(parse_iso(term)[0] != NAT for term in dated[:: max(1, len(dated) // 100)]):
        wall, fixed = from_format(cells, lambda: texts, "iso", column=texts)
    covered = int((wall != NAT).sum())
    fits = [] if covered >= wanted else fitting_formats(cells, texts, dated, wanted=wanted)
    if covered >= MIN_SHARE * wanted and not any(int((fit.wall != NAT).sum()) > covered for fit in fits):
        aware = bool(fixed[wall != NAT].all())
        note = "every value has its offset" if aware else "ISO 8601"
        rule = {"column": profile.name, "format": "iso"}
        zone = None if aware else zone_in_header(profile.name)
        return TimeColumn(rule, wall, (profile.name,), note, fixed=aware, zone=zone, words=words)
    return _written(profile, fits, dated, words) if fits else None


def _terms(texts: pa.Array) -> tuple[list[str], dict[str, int], int]:
    """Return the texts with digits, the few without any (and their rows), and the number of rows of the former."""
    codes, terms = encode(texts)
    counts = np.bincount(codes[codes >= 0], minlength=len(terms)).tolist()
    rows = dict(zip(terms, counts, strict=True))
    dated = [term for term in terms if _DIGIT.search(term)]
    plain = [term for term in terms if not _DIGIT.search(term)]
    words = {term: rows[term] for term in plain if term.casefold() not in NO_VALUE_TEXTS}
    if len(words) > _MOST_WORDS:
        return [], {}, 0
    return dated, dict(sorted(words.items())), sum(rows[term] for term in dated)


def disorder(wall: Ints) -> tuple[int, int, int]:
    """Return how uneven a series of times is: steps against its direction, steps that differ from the usual, span."""
    known = wall[wall != NAT]
    steps = np.diff(known)
    if not len(steps):
        return 0, 0, 0
    _, counts = np.unique(steps[steps != 0], return_counts=True)
    uneven = int(counts.sum() - counts.max()) if len(counts) else 0
    return int(min((steps < 0).sum(), (steps > 0).sum())), uneven, int(known.max() - known.min())


def _written(profile: Profile, fits: list[Fit], dated: list[str], words: dict[str, int]) -> TimeColumn:
    # Clocks with AM and PM are usual where the month comes first; without evidence it is drafted first, with a question.
    american = [any("%p" in form and not form.startswith("%m") for form in fit.formats) for fit in fits]
    order = sorted(range(len(fits)), key=lambda place: (disorder(fits[place].wall), american[place]))
    fits = [fits[place] for place in order]
    best, shown = fits[0], [" | ".join(fit.formats) for fit in fits]
    asked: tuple[Asked, ...] = ()
    spelt = any("%b" in form or "%B" in form or form.startswith("%Y") for form in best.formats)
    note = "" if len(fits) > 1 or spelt else "day and month told apart by the values"
    if len(fits) > 1:
        even = disorder(best.wall) != disorder(fits[1].wall)
        why = "this order gives more even steps" if even else "no value decides"
        note = f"day and month could be swapped ({', '.join(shown[1:])}): check; {why}"
        note = note if even else f"ambiguous: {note}"
        ask = "Which comes first, the day or the month?"
        asked = (Asked("format", ask, f"{profile.terms[0]!r} … {profile.terms[-1]!r}: {why}", tuple(shown)),)
    zone = None
    if not best.fixed:
        zone = zone_in_values(suffixes(dated)) or zone_in_header(profile.name)
    return TimeColumn(
        {"column": profile.name, "format": list(best.formats) if len(best.formats) > 1 else best.formats[0]},
        best.wall, (profile.name,), note, fixed=best.fixed, zone=zone, words=words, asked=asked,
    )  # fmt: skip


def _counted(profile: Profile, cells: Cells, rows: Rows) -> TimeColumn | None:
    """Return numbers that are dates without separators, counts since 1970, or Excel's dates."""
    named = NAMED.search(profile.name) is not None
    array = rows.array(profile.name)
    digits = len(str(int(profile.low))) if profile.whole and 0 < profile.low < 1e15 else 0
    form = _DIGITS.get(digits)
    if form is not None and len(str(int(profile.high))) == digits:
        wall, _ = from_format(cells, lambda: rows.texts(profile.name), form, column=array)
        known = int(np.isfinite(cells.number).sum())
        if int((wall != NAT).sum()) >= MIN_SHARE * known and (named or _steady(wall)):
            note = f"numbers {profile.low:.0f}..{profile.high:.0f}: year, month and day in one number"
            zone = zone_in_header(profile.name)
            return TimeColumn({"column": profile.name, "format": form}, wall, (profile.name,), note, zone=zone)
    for form, low, high, unit in _COUNTED:
        if not (low <= profile.low and profile.high <= high):
            continue
        wall, _ = from_format(cells, lambda: rows.texts(profile.name), form, column=array)
        if not named and not _steady(wall):
            return None
        note = f"numbers {profile.low:.16g}..{profile.high:.16g}: {unit} since 1970"
        asked = () if named else (Asked("format", f"Are these {unit} since 1970?", note, (form,)),)
        return TimeColumn(
            {"column": profile.name, "format": form}, wall, (profile.name,), note, fixed=True, asked=asked
        )
    if named and profile.low >= 2e4 and profile.high <= 7e4 and profile.distinct > 1:
        wall, _ = from_format(cells, lambda: rows.texts(profile.name), "excel1900", column=array)
        note = f"numbers {profile.low:g}..{profile.high:g}: look like Excel dates"
        return TimeColumn({"column": profile.name, "format": "excel1900"}, wall, (profile.name,), note)
    return None


def _steady(wall: Ints) -> bool:
    """Whether times without a telling name go forward in mostly equal steps, as a logger's do."""
    known = wall[wall != NAT]
    steps = np.diff(np.unique(known))
    if len(known) < 5 or not len(steps) or len(steps) + 1 < 0.02 * len(known):
        return False
    against = disorder(wall)[0]
    usual = np.median(steps)
    return bool(against <= 0.02 * len(known) and (np.abs(steps - usual) <= 0.1 * usual).mean() >= 0.8)


def clock_of(profile: Profile, rows: Rows) -> Clock | None:
    """Return a column of clock times without a date; None if it is none."""
    name, cells = profile.name, rows.cells(profile.name)
    if _LENGTH.search(name):
        return None
    if profile.kind == "number":
        return _clock_numbers(profile, cells)
    if profile.kind != "text":
        return None
    dated, _, wanted = _terms(rows.texts(name))
    if not dated or not all(
        re.match(r"\d{1,2}(?:[:.h]\d\d|$|\s*[ap])|\d{3,4}$", term, re.IGNORECASE) for term in dated[:200]
    ):
        return None
    named = _CLOCKED.search(name) is not None
    if named and all(re.fullmatch(r"\d{1,2}", term) and int(term) <= 24 for term in dated):
        return _whole_hours(name, cells)
    if not named and not all(re.match(r"\d{1,2}(?::\d\d|\.\d\d\.\d\d)", term) for term in dated[:200]):
        return None
    clock = parse_clock(cells)
    if int((clock != NAT).sum()) >= MIN_SHARE * wanted:
        return Clock(name, clock)
    forms = clock_format(dated)
    clock = np.full(rows.count, NAT)
    for form in forms:
        clock = np.where(clock == NAT, clock_from_format(cells, lambda: rows.texts(name), form), clock)
    return Clock(name, clock, forms) if forms and int((clock != NAT).sum()) >= MIN_SHARE * wanted else None


def _clock_numbers(profile: Profile, cells: Cells) -> Clock | None:
    if profile.low < 0 or profile.high > 2400 or profile.odd:
        return None
    name = profile.name.strip()
    if profile.whole and _CLOCKED.search(name) and profile.high >= 100:
        clock = parse_clock(cells)
        return Clock(profile.name, clock) if _covers(clock, cells) else None
    if profile.whole and profile.high <= 24 and (_HOUR.fullmatch(name) or CLOCK_NAME.fullmatch(name)):
        return _whole_hours(profile.name, cells)
    if profile.decimals == 2 and CLOCK_NAME.fullmatch(name) and profile.high <= 24:
        note = f"{name!r} is read as hours and minutes, so 18.3 as 18:30; 18.5 could mean half past six"
        clock = clock_from_format(cells, lambda: pa.nulls(len(cells.number), pa.string()), "%H.%M")
        return Clock(profile.name, clock, ("%H.%M",), note) if _covers(clock, cells) else None
    return None


def _whole_hours(name: str, cells: Cells) -> Clock:
    known = np.isfinite(cells.number)
    hours = np.where(known, np.where(known, cells.number, 0).astype(np.int64) * 3600 * 10**9, NAT)
    note = (
        ""
        if _HOUR.fullmatch(name.strip())
        else f"the numbers up to 24 in {name!r} are read as whole hours, so 7 as 07:00"
    )
    return Clock(name, hours, ("%H",), note)


def _covers(times: Ints, cells: Cells) -> bool:
    filled = np.isfinite(cells.number)
    return bool(filled.any()) and int((times[filled] != NAT).sum()) >= MIN_SHARE * int(filled.sum())


def unread_column(profile: Profile, rows: Rows) -> TimeColumn | None:
    """Return a column that looks like times, with what was tried, although it can't be read."""
    terms = [term for term in profile.terms if any(char.isdigit() for char in term)]
    many = profile.distinct > max(4, 0.3 * profile.filled)
    named = _SAYS_TIME.search(profile.name) is not None and not _LENGTH.search(profile.name)
    if profile.kind == "text":
        if not many or not terms or not (looks_like_time(terms) or (named and len(terms) > 0.8 * len(profile.terms))):
            return None
        tried = "ISO 8601, and all orders of day, month and year with clocks such as 18:00, 18.00.00 and 6:00 PM"
    elif profile.kind == "number" and named and many and profile.rising:
        terms = [f"{profile.low:.15g}", f"{profile.high:.15g}"]
        tried = "seconds, ms, us and ns since 1970, Excel's dates, and numbers such as 20260105"
    else:
        return None
    shown = ", ".join(repr(term) for term in (terms[0], terms[len(terms) // 2], terms[-1]))
    asked = Asked(
        "format",
        f"{profile.name!r} looks like times, but couldn't be read: which format is it?",
        f"{shown}; tried {tried}",
    )
    return TimeColumn(
        {"column": profile.name, "format": "iso"}, np.full(rows.count, NAT), (profile.name,),
        "looks like times, but isn't ISO 8601: state its format", asked=(asked,), read=False, zone=zone_in_header(profile.name),
    )  # fmt: skip
