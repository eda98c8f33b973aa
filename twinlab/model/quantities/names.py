"""The name of a column: the quantity it names, and a name for the signal with the quantity spelt out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from twinlab.model.quantities.table import fits, quantities, quantity_of_unit

__all__ = ["Name", "name_parts"]

_CAMEL = re.compile(r"(?<=[a-zà-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|(?<=[A-ZÀ-ÖØ-Þ])(?=[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ])")
_WORD = re.compile(r"pm2[._]5|[^\W_]+", re.IGNORECASE)
#: Names that say nothing about the quantity.
_GENERIC = frozenset(
    [
        "value",
        "values",
        "val",
        "wert",
        "messwert",
        "reading",
        "measurement",
        "result",
        "data",
        "sensor",
        "signal",
        "raw",
        "mean",
        "x",
        "y",
        "z",
    ]
)
#: Kinds of average at the end of a logger's name; the mean over the interval is what a signal is anyway.
_DROPPED = frozenset(["avg", "average", "mean", "smp", "sample", "moy", "mittel", "mw"])
_SPELT = {"tot": "total", "min": "minimum", "max": "maximum", "std": "deviation", "batt": "battery"}
#: Units that names spell out beside the quantity ("temperature_celsius").
_UNIT_WORDS = {
    "celsius": "degC",
    "fahrenheit": "degF",
    "kelvin": "K",
    "percent": "%",
    "pct": "%",
    "volts": "V",
    "amps": "A",
}
#: Endings of compounds (German, Dutch) are at least this long.
_MIN_ENDING = 6
#: Spellings that are also everyday terms without their accent.
_ACCENT_NEEDED = frozenset({"débit"})
_MAX_PHRASE = 4


@dataclass(frozen=True)
class Name:
    """The quantity that a column measures, and a name for its signal."""

    # Name of the quantity; None if the column's name and unit leave it open.
    quantity: str | None
    # Words of the signal's name, in lower case: ("supply", "temperature"); empty without a quantity.
    words: tuple[str, ...]


def name_parts(column: str, *, unit: str | None = None) -> Name:
    """Return the quantity and the signal's name for a column's name without its unit.

    Parameters
    ----------
    column : str
        Name of the column, such as "AirTC_Avg".
    unit : str, optional
        Canonical unit, if it is known; a quantity that the unit doesn't fit is not considered.

    >>> name_parts("AirTC_Avg", unit="degC").words, name_parts("Vorlauftemperatur").words
    (('air', 'temperature'), ('vorlauf', 'temperature'))
    >>> name_parts("BattV_Min", unit="V").words, name_parts("line_a").quantity
    (('battery', 'voltage', 'minimum'), None)
    """
    tokens = _tokens(column)
    found = _best(tokens, unit)
    if found is None:
        quantity = quantity_of_unit(unit) if unit and _says_nothing(tokens) else None
        return Name(quantity, (quantity,) if quantity else ())
    start, stop, quantity, head = found
    before = [*tokens[:start], *([head] if head else [])]
    words = [*before, quantity, *tokens[stop:]]
    if quantity == "battery" and unit and fits("voltage", unit):
        words.insert(words.index("battery") + 1, "voltage")
    kept = [_SPELT.get(word, word) for word in words if word not in _DROPPED and not _is_unit(word, unit)]
    return Name(quantity, tuple(kept))


def _says_nothing(tokens: Sequence[str]) -> bool:
    return all(token in _GENERIC or len(token) == 1 for token in tokens)


def _is_unit(word: str, unit: str | None) -> bool:
    if unit is None:
        return False
    return word in (unit.casefold(), unit.casefold()[-1]) or _UNIT_WORDS.get(word) == unit


def _tokens(column: str) -> list[str]:
    tokens: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFC", column)):
        if _variants(word.casefold()) & _spellings().keys():
            tokens.append(word.casefold())
            continue
        for part in _CAMEL.split(word):
            folded = part.casefold()
            numbered = re.fullmatch(r"(\D+)(\d+)", folded)
            if numbered and folded not in _spellings() and _known(numbered[1]):
                tokens += [numbered[1], numbered[2]]
            else:
                tokens.append(folded)
    return tokens


def _known(text: str) -> bool:
    return text in _spellings() or text in _symbols()


def _best(tokens: Sequence[str], unit: str | None) -> tuple[int, int, str, str] | None:
    """Return (start, stop, quantity, first part of a compound) of the phrase that names the quantity: the last that fits."""
    found: list[tuple[int, int, str, str]] = []
    at = 0
    while at < len(tokens):
        match = next(
            (one for size in range(_MAX_PHRASE, 0, -1) if (one := _phrase(tokens, at, size, unit)) is not None), None
        )
        if match is None:
            at += 1
            continue
        found.append(match)
        at = match[1]
    fitting = [match for match in found if unit is None or unit == "unknown" or fits(match[2], unit)]
    return fitting[-1] if fitting else None


def _phrase(tokens: Sequence[str], at: int, size: int, unit: str | None) -> tuple[int, int, str, str] | None:
    if at + size > len(tokens):
        return None
    text = " ".join(tokens[at : at + size])
    quantity = _spellings().get(text) or _spellings().get(text.replace(" ", ""))
    if quantity is None and size == 1:
        if unit is not None:
            quantity = next((name for name in _symbols().get(text, ()) if fits(name, unit)), None)
        if quantity is None:
            return _compound(text, at)
    return None if quantity is None else (at, at + size, quantity, "")


def _compound(text: str, at: int) -> tuple[int, int, str, str] | None:
    for cut in range(2, len(text) - _MIN_ENDING + 1):
        quantity = _spellings().get(text[cut:])
        if quantity is not None:
            return at, at + 1, quantity, text[:cut]
    return None


def _variants(text: str) -> set[str]:
    """Return a spelling with its accents, with German umlauts written out, and without accents."""
    spelt = text
    for one, other in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        spelt = spelt.replace(one, other)
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return {text, spelt} | (set() if text in _ACCENT_NEEDED else {bare})


@cache
def _spellings() -> dict[str, str]:
    return {form: one.name for one in quantities().values() for text in one.spellings for form in _variants(text)}


@cache
def _symbols() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in quantities().values():
        for text in one.symbols:
            for form in _variants(text):
                found[form] = (*found.get(form, ()), one.name)
    return found
