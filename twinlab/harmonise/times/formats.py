"""Formats of times: ISO 8601, Excel serial numbers, seconds since 1970, strptime formats, date parts, HHMM clock times."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from twinlab.errors import SchemaError
from twinlab.harmonise.cells import Cells, as_texts, encode, to_nanoseconds
from twinlab.harmonise.claims import NAT, Bools, Floats, Ints

__all__ = ["DAY_NS", "clock_from_format", "from_format", "from_parts", "instant", "parse_clock", "parse_iso"]

DAY_NS = 86_400 * 10**9

#: 1899-12-30 and 1904-01-01 as days since 1970. Excel counts 29 February 1900, which didn't exist, so serials below 60
#: (before 1900-03-01) are one day later.
_EXCEL = {"excel1900": -25_569, "excel1904": -24_107}
_EPOCHS = {"epoch_s": 10**9, "epoch_ms": 10**6, "epoch_us": 10**3, "epoch_ns": 1}
_OFFSET = r"[T ]?\d\d:?\d\d.*([Zz]|[+-]\d\d(:?\d\d)?)$"
#: "2024-01-01T24:00" is midnight at the end of that day.
_ISO_24 = re.compile(r"[T ](24)(?::?00(?::?00)?)?(?=$|Z$|[+-]\d\d(?::?\d\d)?$)")
_ISO_FRACTION = re.compile(r"(?:\d\d:\d\d:\d\d|[Tt ]\d{6})[.,](\d+)(?=$|[ Zz+-])")
_UTC_SUFFIX = re.compile(r" ?(?:UTC|GMT|Z)$")
_LIMIT = float(np.iinfo(np.int64).max)

Parsed = tuple[Ints, Bools]


def from_format(cells: Cells, texts: Callable[[], pa.Array], form: str, *, column: pa.Array) -> Parsed:
    """Return the times of cells in one format.

    Parameters
    ----------
    cells : Cells
        The column as numbers, texts and times.
    texts : callable
        Returns the column as text, for strptime formats of numbers (20130517).
    form : str
        "iso", "excel1900", "excel1904", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns" or a strptime format.
    column : Array
        The column with its original type, for whole numbers that float64 can't represent exactly.

    Returns
    -------
    (times, utc) : int64[n], bool[n]
        ns on the source's clock, NAT where the cell doesn't have the format; and where the time is UTC already, because
        it has an offset or is a count since an instant.
    """
    none = np.zeros(len(cells.number), dtype=bool)
    if form == "iso":
        times, utc = _iso(cells.text) if cells.text is not None else (np.full(len(none), NAT), none)
        return times, utc
    if form in _EXCEL:
        return _excel(cells.number, form), none
    if form in _EPOCHS:
        times = _epoch(cells.number, _EPOCHS[form], column)
        return times, times != NAT
    return _strptime(texts(), form)


def _scaled(numbers: Floats, factor: float) -> Ints:
    with np.errstate(invalid="ignore", over="ignore"):
        product = np.rint(numbers * factor)
        fits = np.abs(product) < _LIMIT
    return np.where(fits, np.where(fits, product, 0).astype(np.int64), NAT)


def _excel(serial: Floats, form: str) -> Ints:
    # Excel displays milliseconds at most; float64 serials of current dates are exact to about a microsecond.
    milliseconds = _scaled(serial, 86_400_000.0)
    good = (milliseconds != NAT) & (np.abs(milliseconds) < 106_000 * 86_400_000)
    days = np.full(len(serial), _EXCEL[form], dtype=np.int64)
    if form == "excel1900":
        with np.errstate(invalid="ignore"):
            days += serial < 60
            good &= (serial >= 1) & ~((serial >= 60) & (serial < 61))
    return np.where(good, np.where(good, milliseconds, 0) * 10**6 + days * DAY_NS, NAT)


def _epoch(numbers: Floats, factor: int, column: pa.Array) -> Ints:
    if pa.types.is_integer(column.type):
        whole = pc.cast(column, pa.int64(), safe=False).fill_null(NAT).to_numpy(zero_copy_only=False)
        fits = np.abs(whole.astype(np.float64)) * factor < _LIMIT
        return np.where(fits, np.where(fits, whole, 0) * factor, NAT)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_dictionary(column.type):
        # Whole numbers of more than 15 digits come as text; float64 would round them.
        codes, terms = encode(as_texts(column))
        exact = [int(term) * factor if re.fullmatch(r"-?\d{1,19}", term) else NAT for term in terms]
        lut = np.array([*(at if abs(at) < _LIMIT else NAT for at in exact), NAT], dtype=np.int64)
        if (lut[codes] != NAT).sum() >= np.isfinite(numbers).sum():
            return lut[codes]
    with np.errstate(invalid="ignore"):
        whole = np.floor(numbers)
    # Digits of float64 seconds beyond the microsecond are noise.
    fraction = np.rint((numbers - whole) * factor / 1000) * 1000 if factor >= 1000 else np.zeros(len(numbers))
    seconds, rest = _scaled(whole, factor), _scaled(fraction, 1.0)
    return np.where((seconds == NAT) | (rest == NAT), NAT, seconds + np.where(rest == NAT, 0, rest))


def _iso(text: pa.Array) -> Parsed:
    if pa.types.is_dictionary(text.type):
        times, utc = _iso(text.dictionary)
        codes = text.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.append(times, NAT)[codes], np.append(utc, False)[codes]
    naive = _cast(text, pa.timestamp("ns"))
    if naive is not None:
        return naive, np.zeros(len(text), dtype=bool)
    offset = pc.fill_null(pc.match_substring_regex(text, _OFFSET), fill_value=False)
    utc = offset.to_numpy(zero_copy_only=False)
    if utc.all() or bool(pc.all(pc.or_(offset, text.is_null())).as_py()):
        aware = _cast(text, pa.timestamp("ns", "UTC"))
        if aware is not None:
            return aware, utc
    codes, terms = encode(text)
    lut = np.array([*(parse_iso(term) for term in terms), (NAT, False)], dtype=np.int64)
    return lut[codes, 0], lut[codes, 1].astype(bool)


def _cast(text: pa.Array, kind: pa.DataType) -> Ints | None:
    try:
        return to_nanoseconds(pc.cast(text, kind))
    except pa.ArrowInvalid:
        return None


def parse_iso(text: str) -> tuple[int, bool]:
    """Return ``(ns since 1970, whether the text has an offset)`` of an ISO 8601 time; NAT where it isn't one.

    A time without an offset is counted on its own clock.

    >>> parse_iso("1970-01-01T01:00:00.5+01:00"), parse_iso("tomorrow")[0] == NAT
    ((500000000, True), True)
    """
    fraction = _ISO_FRACTION.search(text)
    nanoseconds = int(fraction[1][:9].ljust(9, "0")) if fraction else 0
    bare = text if fraction is None else text[: fraction.start(1) - 1] + text[fraction.end() :]
    if "." in bare or "," in bare:
        # Only seconds have a fraction: "10.30.15" is no ISO time, although Python reads it as 10 h.
        return NAT, False
    bare = _UTC_SUFFIX.sub("Z", bare.upper())
    late = _ISO_24.search(bare) if nanoseconds == 0 else None
    if late is not None:
        bare = f"{bare[: late.start(1)]}00{bare[late.end(1) :]}"
    try:
        when = datetime.fromisoformat(bare.replace(" ", "T", 1) if bare[10:11] == " " else bare)
    except ValueError:
        return NAT, False
    aware = when.tzinfo is not None
    seconds = round((when if aware else when.replace(tzinfo=UTC)).timestamp()) + (86_400 if late is not None else 0)
    fits = abs(seconds) * 10**9 < _LIMIT - 10**9
    return (seconds * 10**9 + nanoseconds if fits else NAT), aware


def instant(text: str | None, default: int) -> int:
    """Return an instant such as ``2013-01-01T00:00Z`` (UTC if it has no offset) as ns since 1970.

    Raises
    ------
    SchemaError
        If the text isn't an ISO 8601 time.

    >>> instant("1970-01-02", 0)
    86400000000000
    """
    if text is None:
        return default
    when, _ = parse_iso(text)
    if when == NAT:
        msg = f"expected an instant such as 2013-01-01 or 2013-01-01T00:00Z in valid_from or valid_until, got {text!r}"
        raise SchemaError(msg)
    return when


def _strptime(text: pa.Array, form: str) -> Parsed:
    codes, terms = encode(text)
    aware = "%z" in form
    # Hour 24 is midnight at the end of the day; strptime knows no such hour.
    written = [_without_hour_24(term, form) for term in terms]
    parsed = pd.to_datetime(
        pd.Series([term for term, _ in written], dtype=object), format=form, errors="coerce", utc=aware
    )
    raw = pa.Array.from_pandas(parsed)
    if not pa.types.is_timestamp(raw.type):
        return np.full(len(text), NAT), np.zeros(len(text), dtype=bool)
    lut = to_nanoseconds(raw)
    late = np.array([later for _, later in written], dtype=np.int64)
    times = np.append(np.where(lut == NAT, NAT, lut + late), NAT)[codes]
    return times, (times != NAT) & aware


def _without_hour_24(term: str, form: str) -> tuple[str, int]:
    """Return a text with hour 24 as hour 0, and the ns to add: a day, if the text has an hour 24 and nothing after it."""
    if "24" not in term or "%H" not in form:
        return term, 0
    match = _hour_24(form).fullmatch(term)
    if match is None or any(part and int(part) for part in match.groups()[1:]):
        return term, 0
    return term[: match.start(1)] + "00" + term[match.end(1) :], DAY_NS


@cache
def _hour_24(form: str) -> re.Pattern[str]:
    """Return the pattern of texts of a strptime format whose hour is 24; minutes, seconds and fraction are groups."""
    groups = {"%H": "(24)", "%M": r"(\d{1,2})", "%S": r"(\d{1,2})", "%f": r"(\d{1,9})", "%Y": r"\d{4}", "%y": r"\d\d"}
    groups |= {"%d": r"\d{1,2}", "%m": r"\d{1,2}", "%j": r"\d{1,3}", "%z": "(?:[Zz]|[+-][0-9:]+)"}
    parts = re.split(r"(%[A-Za-z%])", form)
    return re.compile(
        "".join(groups.get(part, r"[^\d\s]+" if part.startswith("%") else re.escape(part)) for part in parts)
    )


def clock_from_format(cells: Cells, texts: Callable[[], pa.Array], form: str) -> Ints:
    """Return clock times in a strptime format as int64[n] ns since midnight; NAT where the cell doesn't have the format.

    Numbers in the format ``%H.%M`` are read with two decimals: 18.3 is 18:30.
    """
    if form == "%H.%M" and cells.text is None:
        with np.errstate(invalid="ignore"):
            hour = np.floor(cells.number + 1e-9)
            minute = np.rint((cells.number - hour) * 100)
            good = (np.abs(cells.number * 100 - np.rint(cells.number * 100)) < 1e-6) & (minute < 60)
            good &= (hour >= 0) & ((hour < 24) | ((hour == 24) & (minute == 0)))
        seconds = np.where(good, np.where(good, hour, 0) * 3600 + np.where(good, minute, 0) * 60, 0)
        return np.where(good, seconds.astype(np.int64) * 10**9, NAT)
    # The day is stated, because strptime assumes different ones where the format has none.
    codes, terms = encode(texts())
    dated = pc.binary_join_element_wise("2000-01-01", pa.array(terms, pa.string()), " ")
    times = np.append(_strptime(dated, f"%Y-%m-%d {form}")[0], NAT)[codes]
    start = int(np.datetime64("2000-01-01", "ns").astype(np.int64))
    return np.where(times == NAT, NAT, np.where(times == NAT, start, times) - start)


def from_parts(parts: Mapping[str, Floats]) -> Ints:
    """Return the times of year, month, day, hour, minute, second columns; NAT where they are no valid date.

    Hour 24 is midnight at the end of the day; seconds may have a fraction.

    >>> from_parts({"year": np.array([1970.0]), "month": np.array([1.0]), "day": np.array([2.0])}).tolist()
    [86400000000000]
    """
    count = len(parts["year"])
    get = {name: parts.get(name, np.full(count, low)) for name, low in _LOWEST.items()}
    good = np.ones(count, dtype=bool)
    with np.errstate(invalid="ignore"):
        for name, low in _LOWEST.items():
            good &= (get[name] >= low) & (get[name] <= _HIGHEST[name])
            if name != "second":
                good &= get[name] == np.floor(get[name])
        good &= (get["hour"] < 24) | ((get["minute"] == 0) & (get["second"] == 0))
    whole = {name: np.where(good, get[name], low).astype(np.int64) for name, low in _LOWEST.items() if name != "second"}
    months = (whole["year"] - 1970) * 12 + whole["month"] - 1
    first = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    length = (months + 1).astype("M8[M]").astype("M8[D]").astype(np.int64) - first
    good &= whole["day"] <= length
    seconds = (first + whole["day"] - 1) * 86_400 + whole["hour"] * 3600 + whole["minute"] * 60
    fraction = np.rint(np.where(good, get["second"], 0.0) * 1e9).astype(np.int64)
    return np.where(good, np.where(good, seconds, 0) * 10**9 + fraction, NAT)


_LOWEST = {"year": 1678.0, "month": 1.0, "day": 1.0, "hour": 0.0, "minute": 0.0, "second": 0.0}
_HIGHEST = {"year": 2261.0, "month": 12.0, "day": 31.0, "hour": 24.0, "minute": 59.0, "second": 59.999999999}

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:[.,]\d+)?))?\s*(am|pm|a\.m\.|p\.m\.|[ap])?$", re.IGNORECASE)
_DOTTED_CLOCK = re.compile(r"(\d{1,2})\.(\d\d)\.(\d\d(?:,\d+)?)()$")


def parse_clock(cells: Cells) -> Ints:
    """Return clock times as ns since midnight: HHMM integers (2400 is the end of the day), "0517", "05:17", "5:17 PM", "5:17p", "05.17.00".

    NAT where the cell isn't a clock time.

    >>> hours = parse_clock(Cells(np.array([530.0, 2400.0, 2575.0]), None)) / 3.6e12
    >>> hours[:2].tolist()
    [5.5, 24.0]
    """
    with np.errstate(invalid="ignore"):
        hour = np.floor(cells.number / 100)
        minute = cells.number - hour * 100
        good = (cells.number >= 0) & (minute == np.floor(minute)) & (minute < 60)
        good &= (hour < 24) | ((hour == 24) & (minute == 0))
    minutes = np.where(good, np.where(good, hour, 0) * 60 + np.where(good, minute, 0), 0).astype(np.int64)
    clock: Ints = np.where(good, minutes * 60 * 10**9, NAT)
    if cells.time is not None:
        clock = np.where(cells.time != NAT, cells.time % DAY_NS, clock)
    if cells.text is not None:
        codes, terms = encode(cells.text)
        lut: npt.NDArray[np.int64] = np.array([*(_clock_one(term) for term in terms), NAT], dtype=np.int64)
        spelt = lut[codes]
        clock = np.where(spelt != NAT, spelt, clock)
    return clock


def _clock_one(term: str) -> int:
    match = _CLOCK.match(term) or _DOTTED_CLOCK.match(term)
    if match is None:
        return NAT
    hour, minute = int(match[1]), int(match[2])
    second = float(match[3].replace(",", ".")) if match[3] else 0.0
    if match[4]:
        if not 1 <= hour <= 12:
            return NAT
        hour = hour % 12 + (12 if match[4][0] in "pP" else 0)
    if minute > 59 or second >= 60 or hour > 24 or (hour == 24 and (minute or second)):
        return NAT
    return (hour * 60 + minute) * 60 * 10**9 + math.floor(second * 1e9 + 0.5)
