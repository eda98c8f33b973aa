"""Recognise units of columns: from the units row or the header; a range of values is only a hint in a comment."""

from __future__ import annotations

import re
from dataclasses import dataclass

from twinlab.errors import UnitError
from twinlab.model.quantities.codes import parameter_code
from twinlab.model.quantities.names import name_parts
from twinlab.model.quantities.table import choices, fits
from twinlab.model.units import canonical_unit

__all__ = ["Hint", "range_hint", "serial_of", "unit_of"]

_BRACKETS = re.compile(r"^(?P<stem>.*?)\s*(?:\[(?P<a>[^\]]+)\]|\((?P<b>[^)]+)\)|\{(?P<c>[^}]+)\}|<(?P<d>[^>]+)>)\s*$")
_COMMA = re.compile(r"^(?P<stem>.+?)\s*[,;]\s*(?P<unit>[^,;]{1,30})$")
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
#: Units that are also kinds of value ("BattV_Min"): read from the end of a name only if it names a duration.
_DURATIONS = frozenset({"min", "sec", "ms", "hours"})
_DURATION = re.compile(
    r"time|dur|delay|late|lag|wait|run|uptime|elapsed|interval|age|dauer|zeit|durée|tiempo|tempo|tijd", re.IGNORECASE
)
#: Processing of a logger's table, in its own header line: no unit.
_PROCESSING = frozenset(["avg", "min", "max", "smp", "tot", "std", "wvc", "med", "sum", "mean", "average", "sample"])
_SERIAL = re.compile(r"(?:LGR|logger)\s*S/?N:?\s*(?P<serial>[\w-]+)", re.IGNORECASE)


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


def serial_of(name: str) -> str | None:
    """Return the logger's serial number that a header states.

    >>> serial_of("Temp, °F (LGR S/N: 20111111, SEN S/N: 7)"), serial_of("Temp")
    ('20111111', None)
    """
    match = _SERIAL.search(name)
    return match["serial"] if match else None


def unit_of(name: str, *, units_row: str | None = None) -> Hint:
    """Return the unit stated by a header or a units row.

    >>> unit_of("Temp [°F]").unit, unit_of("wind_mph").unit, unit_of("line_a").unit
    ('°F', 'mph', None)
    >>> unit_of("RH, % (LGR S/N: 12, SEN S/N: 13)").stem, unit_of("BattV_Min").unit
    ('RH', None)
    """
    code = parameter_code(name)
    if code is not None:
        return Hint(code.unit, f"USGS parameter code {code.code}: {code.title}", code.name)
    if units_row and units_row.strip().casefold() not in _PROCESSING:
        stem = _in_header(name).stem
        if _known(units_row):
            return Hint(units_row, f"the units row says {units_row!r}", stem)
        return Hint(None, f"the units row says {units_row!r}, which isn't known", stem)
    return _in_header(name)


def _in_header(name: str) -> Hint:
    bracket = _BRACKETS.match(name)
    if bracket is not None:
        text = next(part for part in bracket.groups()[1:] if part)
        if _known(text):
            return Hint(text, f"the header says {text!r}", bracket["stem"] or None)
        # A serial number or a remark in brackets; the unit may be before it.
        inner = _in_header(bracket["stem"]) if bracket["stem"] else Hint()
        if inner.unit:
            return inner
        remark = inner.evidence or (
            "" if text.casefold() in _PROCESSING or "S/N" in text else f"{text!r} in the header isn't known as a unit"
        )
        return Hint(None, remark, inner.stem or bracket["stem"] or None)
    comma = _COMMA.match(name)
    if comma is not None and _known(comma["unit"]) and _fits(comma["stem"], comma["unit"]):
        return Hint(comma["unit"], f"the header says {comma['unit']!r}", comma["stem"])
    tail = _TAIL.match(name)
    if tail is None:
        whole = name.strip()
        return Hint(whole, f"the header is {whole!r}", None) if _is_tail(whole, alone=True) else Hint()
    text = tail["unit"]
    if _is_tail(text) or len(text) == 1:
        # "battery_v": names in lower case spell units so, too.
        for unit in (text, text.upper()):
            if _known(unit) and _fits(tail["stem"], unit):
                return Hint(unit, f"the header ends in {text!r}", tail["stem"])
    return Hint()


def _is_tail(text: str, *, alone: bool = False) -> bool:
    folded = text.casefold()
    return (folded in _TAILS or folded[:1] in ("°", "*")) and not (
        alone and (len(folded) < 3 or folded in _DURATIONS or not folded.isalpha())
    )


def _fits(stem: str, text: str) -> bool:
    """Return whether a unit fits the quantity that the rest of the header names; a single letter needs a quantity."""
    unit = canonical_unit(text)
    if text.casefold() in _DURATIONS:
        return _DURATION.search(stem) is not None
    named = name_parts(stem).quantity
    if named is None:
        return len(text) > 1
    return fits(named, unit) or name_parts(stem, unit=unit).quantity is not None


def range_hint(name: str, low: float, high: float) -> str:
    """Return a comment on the units that a range of values fits; it is never used as the unit.

    >>> range_hint("temp", 34, 101)
    'values 34..101 fit degF and degC'
    """
    values = f"values {low:g}..{high:g}"
    quantity = name_parts(name).quantity
    units = choices(quantity, low, high) if quantity else ()
    if not units:
        return values
    return f"{values} look like {units[0]}" if len(units) == 1 else f"{values} fit {' and '.join(units[:4])}"
