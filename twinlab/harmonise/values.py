"""Convert cells to values of a signal: scale and offset, units, missing-value codes, states."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Cells, MissingCodes, encode, parse_number
from twinlab.harmonise.claims import Bools, Floats
from twinlab.harmonise.tags import Meaning
from twinlab.harmonise.words import swap_words
from twinlab.model.mapping import TagRule
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import Signal
from twinlab.model.units import conversion

__all__ = ["Affine", "Converted", "affine", "convert_cells", "state_codes"]

#: Spellings of booleans in Arrow -> those in mappings (YAML's true is written True).
_BOOLEANS = {"true": "True", "false": "False"}


class Affine(NamedTuple):
    """``value = ((written * scale + offset) + pre) * factor + post``."""

    scale: float
    # Sum of the rule's offset and the unit's offset; both are added before the unit's factor.
    pre: float
    factor: float
    post: float

    def apply(self, written: Floats) -> Floats:
        """Return the values in the signal's unit; NaN stays NaN."""
        value = written if self.scale == 1.0 else written * self.scale
        if self.pre:
            value = value + self.pre
        if self.factor != 1.0:
            value = value * self.factor
        return value + self.post if self.post else value


def affine(rule: TagRule, signal: Signal, *, unit: str | None = None) -> Affine:
    """Return the conversion from a rule's written values to the signal's unit.

    Parameters
    ----------
    rule : TagRule
        Its `unit` takes precedence over the unit that the source states, so that a mapping can correct the source.
    signal : Signal
        Its unit is the target; values without a stated unit are read in this unit.
    unit : str, optional
        Unit as the source spells it.

    Raises
    ------
    UnitError
        If a unit is unknown or the two don't fit.

    >>> affine(TagRule(signal="t", unit="degF"), Signal(unit="degC", resolution=0.1)).apply(np.array([212.0])).tolist()
    [100.0]
    """
    source = rule.unit or unit
    if signal.kind == "state" or source is None:
        return Affine(rule.scale, rule.offset, 1.0, 0.0)
    pre, factor, post = conversion(source, signal.unit)
    return Affine(rule.scale, rule.offset + pre, factor, post)


def state_codes(rule: TagRule, signal: Signal) -> dict[str, int]:
    """Return the source's text for a state -> the state's code in the model; names that aren't in the model are left out.

    >>> door = Signal(kind="state", states={0: "closed", 1: "open"}, cadence="1min")
    >>> state_codes(TagRule(signal="door", states={"zu": "closed", "auf": "open"}), door)
    {'zu': 0, 'auf': 1}
    """
    names = {name: code for code, name in (signal.states or {}).items()}
    if rule.states is not None:
        return {written: names[name] for written, name in rule.states.items() if name in names}
    # A state whose name is a number takes precedence over another state with that code.
    return {str(code): code for code in (signal.states or {})} | names


@dataclass(frozen=True, slots=True)
class Converted:
    """Values of one column converted by one rule."""

    # float64[n] in the signal's unit; NaN where there is no value.
    value: Floats
    # bool[n]: the cell is empty or has a missing-value code.
    missing: Bools
    # bool[n]: the cell isn't empty, but is no valid value.
    bad: Bools


def convert_cells(cells: Cells, meaning: Meaning, *, unit: str | None = None) -> Converted:
    """Return a column's values, converted by one rule.

    Parameters
    ----------
    cells : Cells
        The column.
    meaning : Meaning
        The rule, with its signal.
    unit : str, optional
        Unit as the source states it; the rule's own unit takes precedence.

    Raises
    ------
    UnitError
        If a unit is unknown or doesn't fit the signal's.
    """
    none = MissingCodes(meaning.rule.missing)
    missing = cells.empty
    if none.numbers:
        missing |= np.isin(cells.number, none.numbers)
    if none and cells.text is not None:
        codes, terms = encode(cells.text)
        folded = [_BOOLEANS.get(term, term) for term in terms]
        missing |= np.array([*map(any, zip(none.among(terms), none.among(folded), strict=True)), False])[codes]
    if meaning.signal.kind == "state":
        value = _states(cells, state_codes(meaning.rule, meaning.signal))
    else:
        number = cells.number
        if meaning.rule.swapped_words is not None:
            number = swap_words(number, meaning.rule.swapped_words)
        value = affine(meaning.rule, meaning.signal, unit=unit).apply(number)
        value = np.where(np.isfinite(value), value, np.nan)
    value = np.where(missing, np.nan, value)
    if meaning.rule.blank is not None:
        empty = cells.empty
        value, missing = np.where(empty, _blank(meaning, unit), value), missing & ~empty
    return Converted(value, missing, np.isnan(value) & ~missing)


def _blank(meaning: Meaning, unit: str | None) -> float:
    """Return the value of an empty cell."""
    written = meaning.rule.blank or ""
    if meaning.signal.kind == "state":
        names = {name: code for code, name in (meaning.signal.states or {}).items()}
        return float(names.get(written, np.nan))
    number = np.array([parse_number(written)])
    return float(affine(meaning.rule, meaning.signal, unit=unit).apply(number)[0])


def reason(meaning: Meaning, text: str) -> str:
    """Return why a cell is no valid value of this signal."""
    if meaning.rule.swapped_words is not None and math.isfinite(parse_number(text)):
        return f"expected a {meaning.rule.swapped_words} for {meaning.name!r}, whose words are swapped, got {text!r}"
    if meaning.signal.kind != "state":
        return f"expected a number for {meaning.name!r}, got {text!r}; if it means no value, add it to `missing:`"
    known = state_codes(meaning.rule, meaning.signal)
    return f"{text!r} is no state of {meaning.name!r}: add it to `states:` of the mapping{nearest(text, known)}"


def _states(cells: Cells, codes: Mapping[str, int]) -> Floats:
    value = np.full(len(cells.number), np.nan)
    by_number: dict[float, float] = {}
    for written, code in codes.items():
        try:
            by_number[float(written)] = float(code)
        except ValueError:
            continue
    for number, found in by_number.items():
        value[cells.number == number] = found
    if cells.text is None:
        return value
    spelt = _lookup(cells.text, {written: float(code) for written, code in codes.items()})
    return np.where(np.isnan(spelt), value, spelt)


def _lookup(text: pa.Array, known: Mapping[str, float]) -> Floats:
    codes, terms = encode(text)
    lut = [known.get(term, known.get(_BOOLEANS.get(term, term), np.nan)) for term in terms]
    return np.array([*lut, np.nan])[codes]
