"""Columns of durations: numbers in a unit of time, or texts such as 1:30:00."""

from __future__ import annotations

import re

import numpy as np

from twinlab.harmonise.cells import Rows, encode
from twinlab.harmonise.claims import NAT, Ints
from twinlab.model.mapping import ColumnRule
from twinlab.model.units import conversion

__all__ = ["durations", "shifted"]

_HOURS = re.compile(r"(\d+):(\d\d)(?::(\d\d(?:[.,]\d+)?))?")


def durations(rule: ColumnRule, rows: Rows) -> Ints:
    """Return a column of durations as int64[n] ns; NAT where empty, or where it can't be read (reported)."""
    cells = rows.without_codes(rule.column, rule.missing)
    found = np.full(rows.count, NAT)
    if rule.unit is not None:
        seconds = cells.number * conversion(rule.unit, "s").scale
        with np.errstate(invalid="ignore"):
            good = np.isfinite(seconds) & (np.abs(seconds) < 2.0**62 / 1e9)
        found = np.where(good, np.rint(np.where(good, seconds, 0.0) * 1e9).astype(np.int64), NAT)
    if cells.text is not None:
        codes, terms = encode(cells.text)
        lut = np.array([*map(_duration, terms), NAT], dtype=np.int64)
        found = np.where(found == NAT, lut[codes], found)
    bad = (found == NAT) & ~cells.empty
    if bad.any():
        hint = "a number or" if rule.unit is not None else "state its unit, such as unit: min, or give it as"
        reason = f"expected a duration: {hint} a text such as 1:30"
        rows.findings.problem_rows(bad, column=rule.column, texts=rows.texts(rule.column), reason=reason)
    return found


def _duration(text: str) -> int:
    match = _HOURS.fullmatch(text)
    if match is None or int(match[2]) > 59:
        return NAT
    second = float((match[3] or "0").replace(",", "."))
    return NAT if second >= 60 else (int(match[1]) * 60 + int(match[2])) * 60 * 10**9 + round(second * 1e9)


def shifted(times: Ints, by: Ints) -> Ints:
    """Return times plus durations, int64[n] ns; NAT where one of them is.

    >>> shifted(np.array([5, NAT]), np.array([2, 2])).tolist() == [7, NAT]
    True
    """
    good = (times != NAT) & (by != NAT)
    return np.where(good, np.where(good, times, 0) + np.where(good, by, 0), NAT)
