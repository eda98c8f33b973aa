"""Profiles of columns: kind, range, decimals, missing-value codes, distinct values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from twinlab.harmonise.cells import Rows, encode, parse_number
from twinlab.harmonise.claims import Floats, Ints
from twinlab.harmonise.drafting.samples import Sample
from twinlab.harmonise.drafting.units import Hint, unit_of
from twinlab.harmonise.drafting.yaml_text import YAML_WORDS
from twinlab.sources.loggers.pi import DIGITAL_STATES

__all__ = [
    "NO_VALUE_NUMBERS",
    "NO_VALUE_TEXTS",
    "Profile",
    "name_of",
    "profile_of",
    "profiles_of",
    "words_among",
]

#: Maximal number of distinct texts in a profile.
_TERMS = 5_000
#: Largest integer up to which float64 has every integer: a value divided by its resolution must not exceed it.
_EXACT = 2**53
#: Relative precision of float32: half of its last bit, 2**-24, rounded up.
_SINGLE_PRECISION = 6.5e-8
#: Relative precision of decimal numbers as they're written; float64 has five digits more.
_DOUBLE_PRECISION = 1e-11
#: Maximal number of different words among numbers or times.
_MAX_WORDS = 12
#: Minimal number of different texts in a column of numbers that is mostly one word.
_MIN_NUMBERS = 8

NO_VALUE_TEXTS = frozenset(
    [
        "n/a",
        "na",
        "#n/a",
        "nan",
        "null",
        "none",
        "nil",
        "-",
        "--",
        "---",
        "?",
        "missing",
        "\\n",
        "n.a.",
        "k.a.",
        "#value!",
        "#ref!",
        "#div/0!",
    ]
)
#: Numbers that loggers write for "no value"; they count as such only if they are far from all other values.
NO_VALUE_NUMBERS = (
    -9999.0,
    -999.0,
    -99.0,
    -9999.9,
    -999.9,
    -99.9,
    -200.0,
    999.0,
    9999.0,
    999.9,
    9999.9,
    99999.0,
    999999.0,
    -32768.0,
    32767.0,
    65535.0,
)


@dataclass(frozen=True)
class Profile:
    """Properties of one column of the sample."""

    name: str
    # "number", "text", "time" (the column has a date or time type), "bool" or "empty".
    kind: str
    filled: int
    # Number of distinct values, missing-value codes excluded.
    distinct: int
    # These values as text, sorted; empty for numbers with decimals.
    terms: tuple[str, ...] = ()
    low: float = float("nan")
    high: float = float("nan")
    decimals: int = 0
    # Some values have more decimals than that.
    more_decimals: bool = False
    # Never falls from one row to the next.
    rising: bool = False
    missing: tuple[float | str, ...] = ()
    # Texts in a column of numbers that are neither known texts for "no value" nor words.
    odd: tuple[str, ...] = ()
    # Words in a column of numbers or times, each with its number of cells: ("Date Not Captured", 12).
    words: tuple[tuple[str, int], ...] = ()
    unit: Hint = field(default_factory=Hint)

    @property
    def no_values(self) -> tuple[float | str, ...]:
        """Numbers and texts that seem to mean "no value" in a column of numbers or times."""
        return (*self.missing, *(word for word, _ in self.words))

    @property
    def whole(self) -> bool:
        """Whether the column has whole numbers only."""
        return self.kind == "number" and self.decimals == 0


def name_of(text: str, *, fallback: str = "column") -> str:
    """Return a valid name of the model (lower case, underscores) for a name of a file.

    >>> name_of("Temperatur Kühlraum [°C]")
    'temperatur_kuehlraum_c'
    """
    folded = text.casefold()
    for one, other in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("é", "e"), ("è", "e"), ("°", "")):
        folded = folded.replace(one, other)
    words = re.sub(r"[^a-z0-9]+", "_", folded).strip("_")
    if not words:
        return fallback
    # A name that YAML reads as a boolean or null would need quotes wherever a person writes it.
    return words if words[0].isalpha() and words not in YAML_WORDS else f"{fallback}_{words}"


def profiles_of(sample: Sample) -> dict[str, Profile]:
    """Return the profile of every column of a sample."""
    rows = Rows(sample)
    return {name: profile_of(name, rows, units_row=sample.units.get(name)) for name in rows.names}


def profile_of(name: str, rows: Rows, *, units_row: str | None = None) -> Profile:
    """Return the profile of one column."""
    array = rows.array(name)
    kind = array.type
    texts = rows.texts(name)
    codes, terms = encode(texts)
    no_value = [term for term in terms if term.casefold() in NO_VALUE_TEXTS]
    filled = int((codes >= 0).sum())
    shown = tuple(sorted(term for term in terms if term not in no_value)[:_TERMS])
    if not shown:
        return Profile(name, "empty", filled, 0, missing=tuple(sorted(no_value)))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return Profile(name, "time", filled, len(shown), shown)
    if pa.types.is_boolean(kind):
        return Profile(name, "bool", filled, len(shown), shown)
    words = words_among(codes, terms)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if words and _mostly_numbers(terms, words):
            return _numbers(name, rows, units_row=units_row, filled=filled, words=words)
        missing = tuple(sorted(no_value))
        return Profile(name, "text", filled, len(terms) - len(no_value), shown, missing=missing, words=words)
    return _numbers(name, rows, units_row=units_row, filled=filled, words=words)


def words_among(codes: Ints, terms: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return texts without a digit, with counts, if they are few kinds among many texts with digits.

    Parameters
    ----------
    codes, terms
        As of `twinlab.harmonise.cells.encode`.

    >>> words_among(np.array([0, 1, 2, 2]), ["8-Jan-24", "9-Jan-24", "Not captured"])
    (('Not captured', 2),)
    """
    counts = np.bincount(codes[codes >= 0], minlength=len(terms))
    plain = [place for place, term in enumerate(terms) if not any(map(str.isdigit, term))]
    words = [place for place in plain if terms[place].casefold() not in NO_VALUE_TEXTS]
    numbered = int(counts.sum()) - int(counts[plain].sum())
    if not 0 < len(words) <= _MAX_WORDS or len(terms) - len(plain) < len(words):
        return ()
    # One word may be in most cells, such as the M of a weather report; several are a column of words.
    if counts[words].sum() > numbered and (len(words) > 1 or len(terms) < _MIN_NUMBERS):
        return ()
    return tuple(sorted((terms[place], int(counts[place])) for place in words))


def _mostly_numbers(terms: Sequence[str], words: Sequence[tuple[str, int]]) -> bool:
    """Return whether all texts but a few are numbers; numbers with a leading zero are ids."""
    left = {word for word, _ in words}
    others = [t for t in terms if t not in left and t.casefold() not in NO_VALUE_TEXTS]
    numbers = [t for t in others if math.isfinite(parse_number(t)) and not re.match(r"[-+]?0\d", t)]
    return len(numbers) >= 0.95 * len(others) > 0


def _numbers(
    name: str, rows: Rows, *, units_row: str | None, filled: int, words: tuple[tuple[str, int], ...] = ()
) -> Profile:
    cells = rows.cells(name)
    number = cells.number[np.isfinite(cells.number)]
    codes = _no_value_codes(number)
    values = number[~np.isin(number, codes)] if codes else number
    spelt = [] if cells.text is None else sorted({text for text in cells.text.to_pylist() if text is not None})
    named = {word for word, _ in words}
    states = DIGITAL_STATES - {word.casefold() for word in named}
    no_value = [text for text in spelt if text.casefold() in NO_VALUE_TEXTS | states]
    odd = tuple(text for text in spelt if text not in no_value and text not in named and math.isnan(parse_number(text)))
    if not len(values):
        return Profile(name, "empty", filled, 0)
    missing: tuple[float | str, ...] = (*codes, *no_value)
    decimals, more = _decimals(values)
    distinct = np.unique(values)
    terms = (
        tuple(str(int(value)) for value in distinct[:_TERMS]) if decimals == 0 and abs(distinct).max() < 2**53 else ()
    )
    return Profile(
        name=name,
        kind="number",
        filled=filled,
        distinct=len(distinct),
        terms=terms,
        low=float(values.min()),
        high=float(values.max()),
        decimals=decimals,
        more_decimals=more,
        rising=bool((np.diff(values) >= 0).all()) and len(distinct) > 1,
        missing=missing,
        odd=odd,
        words=words,
        unit=unit_of(name, units_row=units_row),
    )


def _no_value_codes(number: Floats) -> list[float]:
    """Return the numbers that mean "no value": known codes, far outside the range of all other values."""
    codes = [code for code in NO_VALUE_NUMBERS if (number == code).any()]
    rest = number[~np.isin(number, codes)]
    if not len(rest):
        return []
    low, high = float(rest.min()), float(rest.max())
    reach = max(high - low, 1.0)
    found = []
    for code in codes:
        away = low - code if code < low else code - high
        # Among values that are never negative, a repeated negative code is no measurement, either.
        alone = code < 0 <= low and int((number == code).sum()) > 1
        if away > 0 and (away > reach or alone):
            found.append(code)
    return found


def _decimals(values: Floats) -> tuple[int, bool]:
    """Return the largest number of decimals of the values, and whether some have more.

    It's limited so that values a thousand times as large, and in most cases up to a million, can be stored; at least six
    significant digits of the largest value are left.

    >>> _decimals(np.array([0.25, 20.0])), _decimals(np.array([1.5e-7, 0.0])), _decimals(np.array([1 / 3]))
    ((2, False), (8, False), (9, True))
    """
    distinct = np.unique(values)[:20_000]
    reach = float(np.abs(distinct).max())
    if reach == 0.0:
        return 0, False
    # Values that were float32 have about seven digits; what follows was never measured.
    with np.errstate(over="ignore"):
        single = bool((distinct == distinct.astype(np.float32)).all())
    digits = _SINGLE_PRECISION if single else _DOUBLE_PRECISION
    most = max(0, math.floor(math.log10(_EXACT) - math.log10(max(1e3 * reach, min(1e6, 1e9 * reach)))))
    for decimals in range(most + 1):
        scaled = np.abs(distinct) * 10.0**decimals
        # Zero after a subtraction of large numbers is a thousandth of their precision.
        precision = digits * np.maximum(scaled, 1e-3 * reach * 10.0**decimals)
        if (np.abs(scaled - np.rint(scaled)) <= precision).all():
            return decimals, False
    return most, True
