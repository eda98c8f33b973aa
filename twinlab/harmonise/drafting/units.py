"""Recognise units of columns: from the units row or the header; a range of values is only a hint in a comment."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinlab.errors import UnitError
from twinlab.model.units import canonical_unit

__all__ = ["Hint", "range_hint", "unit_of"]

_BRACKETS = re.compile(r"^(?P<stem>.*?)\s*(?:\[(?P<a>[^\]]+)\]|\((?P<b>[^)]+)\)|\{(?P<c>[^}]+)\}|<(?P<d>[^>]+)>)\s*$")
_TAIL = re.compile(r"^(?P<stem>.+?)(?:[\s_]+|,\s*|\s+in\s+|/)(?P<unit>[^\s_,]+)$")
#: Last words of a header that are read as units without brackets; a single letter would too often be a name.
_TAILS = frozenset(
    [
        "degc",
        "degf",
        "°c",
        "°f",
        "celsius",
        "fahrenheit",
        "kelvin",
        "kwh",
        "wh",
        "mwh",
        "kw",
        "mw",
        "kva",
        "kvar",
        "mph",
        "kmh",
        "km/h",
        "kph",
        "m/s",
        "knots",
        "kn",
        "pa",
        "hpa",
        "kpa",
        "mbar",
        "bar",
        "psi",
        "mm",
        "cm",
        "km",
        "mi",
        "miles",
        "ft",
        "inch",
        "kg",
        "lbs",
        "lb",
        "g/m3",
        "t",
        "l/h",
        "l/min",
        "m3",
        "m3/h",
        "m³",
        "m³/h",
        "%",
        "pct",
        "percent",
        "rh%",
        "ppm",
        "ppb",
        "lux",
        "lx",
        "hz",
        "khz",
        "mhz",
        "rpm",
        "ms",
        "sec",
        "min",
        "hours",
        "v",
        "w",
        "mv",
        "ma",
        "db",
        "dba",
        "dbm",
        "liters",
        "litres",
    ]
)
#: Words for a temperature, after which a single letter (C or F) is read as a unit.
_TEMPERATURE = re.compile(r"temp|tmp|dew|wärme|kühl|cool|heat", re.IGNORECASE)


@dataclass(frozen=True)
class Hint:
    """A unit and where it was found, or why there is none."""

    # As written in the file, and known to `twinlab.model.units`; None where the file states none.
    unit: str | None = None
    evidence: str = ""
    # The column's name without its unit.
    stem: str | None = None


def _known(text: str) -> bool:
    try:
        canonical_unit(text)
    except UnitError:
        return False
    return True


def unit_of(name: str, *, units_row: str | None = None) -> Hint:
    """Return the unit stated by a header or a units row.

    >>> unit_of("Temp [°F]").unit, unit_of("wind_mph").unit, unit_of("line_a").unit
    ('°F', 'mph', None)
    """
    bracket = _BRACKETS.match(name)
    stem = bracket["stem"] if bracket else None
    if units_row:
        if _known(units_row):
            return Hint(units_row, f"the units row says {units_row!r}", stem)
        return Hint(None, f"the units row says {units_row!r}, which isn't known", stem)
    if bracket:
        text = next(part for part in bracket.groups()[1:] if part)
        if _known(text):
            return Hint(text, f"the header says {text!r}", stem or None)
        return Hint(None, f"{text!r} in the header isn't known as a unit", stem or None)
    tail = _TAIL.match(name)
    if tail is None:
        return Hint()
    text = tail["unit"]
    single = len(text) == 1 and text.casefold() in "cf" and _TEMPERATURE.search(tail["stem"]) is not None
    if (text.casefold() in _TAILS or single) and _known(text):
        return Hint(text, f"the header ends in {text!r}", tail["stem"])
    return Hint()


def range_hint(name: str, low: float, high: float) -> str:
    """Return a comment on the units that a range of values fits; it is never used as the unit.

    >>> range_hint("temp", 34, 101)
    'values 34..101 look like degF'
    """
    values = f"values {low:g}..{high:g}"
    folded = name.casefold()
    if _TEMPERATURE.search(folded):
        if low >= 250 and high <= 330:
            return f"{values} look like K"
        if high > 60:
            return f"{values} look like degF"
        return f"{values} fit degC and degF" if low >= -5 else f"{values} look like degC"
    if re.search(r"hum|feucht|rh", folded) and low >= 0 and high <= 100:
        return f"{values} look like %" if high > 1 else f"{values} look like a share of 1"
    if re.search(r"press|druck|baro", folded) and low > 850 and high < 1100:
        return f"{values} look like hPa"
    return values
