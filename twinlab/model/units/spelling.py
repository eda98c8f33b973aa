"""Spellings of units: one canonical unit for each, and an error where reading it would be a guess.

`twinlab.model.units.table` says what a spelling means. pint's own parser isn't asked for short spellings: it takes ``pct``
for picocarat and ``cfm`` for centifermi.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from twinlab.errors import UnitError
from twinlab.model.units.table import ALIASES, ATOMS, DEFINITIONS, DELTAS, PREFIXED, PREFIXES, REFUSED

if TYPE_CHECKING:
    import pint

__all__ = ["UNKNOWN", "canonical_unit", "combined", "is_known", "known_units", "pint_names", "powers_of", "registry"]

#: The unit of values whose unit isn't stated. It converts to nothing; "1" is the unit of bare numbers.
UNKNOWN = "unknown"

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_TO_SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOOKALIKES = str.maketrans("º˚∙⋅×−″′", "°°···-\"'")
_LONGEST = 60
# Names of twinlab's own definitions, which aren't combined with prefixes: "pico" + "decibel_ratio" ...
_OWN = tuple(line.split()[0] for line in DEFINITIONS)
_TOKEN = re.compile(
    r"\s*(?:(?P<one>1(?![0-9.]))|(?P<op>/|\bper\b|\*|·|\.|-(?=\D))|(?P<atom>(?:[^\W\d]|[°%$€£ΔΩ])+)(?P<power>(?:\^|\*\*)?[-+]?[1-9](?!\d))?"
    r"|(?P<open>\()|(?P<close>\)(?:\^|\*\*)?))"
)

_NEGATIVE = re.compile(r"[^\W\d]\^?(?:\*\*)?-\d")


@cache
def canonical_unit(spelling: str) -> str:
    """Return the one spelling that twinlab uses for a unit.

    Parameters
    ----------
    spelling : str
        As a source, a header or a person writes it. Case is ignored where only one unit fits: ``KWH`` is kWh,
        ``mw`` may be mW or MW and is refused. ``F`` is Fahrenheit and ``C`` Celsius (see `twinlab.model.units.table`).

    Raises
    ------
    UnitError
        If the spelling is unknown or ambiguous; the message shows the nearest known unit.

    >>> canonical_unit("deg. F"), canonical_unit("m3/h"), canonical_unit("W m-2"), canonical_unit("in Hg")
    ('degF', 'm³/h', 'W/m²', 'inHg')
    """
    text = _normal(spelling)
    if text.casefold() == UNKNOWN:
        return UNKNOWN
    if len(text) > _LONGEST:
        msg = f"unknown unit {text[:_LONGEST] + '…'!r}: expected a unit such as 'degC', 'km/h' or '1' for a bare number"
        raise UnitError(msg)
    found = _lookup(text)
    if found is None:
        found = _render(_parse(text, spelling))
    return found


def is_known(spelling: str) -> bool:
    """Return whether each symbol of a spelling is in the catalogue; quick, without a search for the nearest one.

    >>> is_known("W m-2"), is_known("W per day of rain")
    (True, False)
    """
    text = _normal(spelling)
    if len(text) > _LONGEST:
        return False
    try:
        if text.casefold() == UNKNOWN or _lookup(text) is not None:
            return True
        symbols = [token["atom"] for token in _tokens(text, spelling) if token["atom"]]
        return bool(symbols) and all(_lookup(each) is not None for each in symbols)
    except UnitError:
        return False


def known_units() -> tuple[str, ...]:
    """Return all canonical spellings of the catalogue, sorted (compounds can be built from them)."""
    return tuple(sorted({*pint_names(), *ALIASES}))


@cache
def registry() -> pint.UnitRegistry[Fraction]:
    """Return the pint registry of this process: exact fractions, with the dimensions that pint lacks."""
    import pint  # noqa: PLC0415  (takes 0.7 s, and only a conversion needs it)

    units: pint.UnitRegistry[Fraction] = pint.UnitRegistry(
        autoconvert_offset_to_baseunit=False, non_int_type=Fraction, on_redefinition="ignore"
    )
    for line in DEFINITIONS:
        units.define(line)
    return units


def _normal(spelling: str) -> str:
    # Before NFKC, which makes an "o" of the ordinal sign that people type for a degree.
    text = str(spelling).translate(_SUPERSCRIPTS).translate(_LOOKALIKES)
    # NFKC folds compatibility signs (℃, ㎥, full-width letters); mu has two code points and Ohm too.
    text = unicodedata.normalize("NFKC", text).replace("μ", "µ").replace("Ω", "Ω")
    text = " ".join(text.split())
    while len(text) > 1 and text[0] + text[-1] in ("[]", "()", "{}", "<>"):
        text = text[1:-1].strip()
    return text


@cache
def pint_names() -> dict[str, str]:
    """Return the units of the catalogue: canonical spelling -> name in pint."""
    made = dict(ATOMS)
    for symbol, (name, prefixes) in PREFIXED.items():
        for prefix in prefixes.split():
            key = prefix.replace("-", "")
            made[key + symbol] = PREFIXES[key] + name
    return made


@cache
def _spellings() -> tuple[dict[str, str], dict[str, set[str]], dict[str, set[str]]]:
    """Return exact spelling -> canonical; casefolded -> canonicals; squeezed hand-written spelling -> canonicals."""
    exact = {name: name for name in pint_names()}
    for symbol, (name, prefixes) in PREFIXED.items():
        for prefix in prefixes.split():
            key = prefix.replace("-", "")
            words = [f"{PREFIXES[key]}{name}", f"{PREFIXES[key]}{name}s".replace("ss", "s")]
            words += [f"u{symbol}"] if key == "µ" else []
            words += [word.replace("meter", "metre").replace("liter", "litre") for word in words]
            exact |= {word: key + symbol for word in words if name not in _OWN or word.startswith("u")}
    exact |= {_normal(name): name for name in pint_names()}
    for canonical, spellings in ALIASES.items():
        exact |= {_normal(text): canonical for text in (canonical, *spellings.split("|"))}
    loose: dict[str, set[str]] = {}
    for canonical, spellings in ALIASES.items():
        for text in spellings.split("|"):
            loose.setdefault(_squeezed(_normal(text)), set()).add(canonical)
    folded: dict[str, set[str]] = {}
    for text, canonical in exact.items():
        folded.setdefault(text.casefold(), set()).add(canonical)
    return exact, folded, loose


def _squeezed(text: str) -> str:
    return re.sub(r"[\s._]+", "", text).casefold()


def _lookup(text: str) -> str | None:
    """Return the canonical unit of a whole spelling, or None if it isn't in the catalogue."""
    exact, folded, loose = _spellings()
    if text in exact:
        return _rendered(exact[text])
    if text in REFUSED:
        msg = f"ambiguous unit {text!r}: {REFUSED[text]}"
        raise UnitError(msg)
    if len(text) < 2:  #   (case decides: m and M, s and S, h and H)
        return None
    squeezed = _squeezed(text)
    candidates = folded.get(text.casefold()) or (loose.get(squeezed) if len(squeezed) > 3 else None)
    if not candidates:
        return None
    if len(candidates) > 1:
        msg = f"ambiguous unit {text!r}: case decides between {' and '.join(sorted(candidates))}; write the one it is"
        raise UnitError(msg)
    return _rendered(next(iter(candidates)))


def _rendered(name: str) -> str:
    return name if name in pint_names() else _render(_parse(_normal(name), name))


@cache
def _atom(text: str, spelling: str) -> tuple[tuple[str, int], ...]:
    """Return the factors of one symbol inside a compound."""
    found = _lookup(text)
    if found is None:
        found = _long_name(text)
    if found is None:
        raise UnitError(_unknown(spelling, text))
    if found in pint_names() or found == text:
        return ((found, 1),)
    return tuple(_parse(_normal(found), spelling).items())


def _long_name(text: str) -> str | None:
    """Accept a long name that pint writes the same way ("furlong"); its symbols and prefixes are too easily misread."""
    if len(text) < 5 or not text.isascii() or not text.islower():
        return None
    import pint  # noqa: PLC0415

    try:
        name = str(registry().get_name(text))
    except (pint.UndefinedUnitError, KeyError, ValueError, TypeError):
        return None
    return text if name == text and not name.endswith(_OWN) else None


def _unknown(spelling: str, part: str) -> str:
    exact = _spellings()[0]
    folded = {text.casefold(): name for text, name in exact.items()}
    close = get_close_matches(spelling, exact, n=1, cutoff=0.8) or get_close_matches(part, exact, n=1, cutoff=0.6)
    close = close or get_close_matches(part.casefold(), folded, n=1, cutoff=0.6)
    where = "" if part == spelling else f" ({part!r} is unknown)"
    hint = f"; did you mean {exact.get(close[0]) or folded[close[0].casefold()]!r}?" if close else ""
    return f"unknown unit {spelling!r}{where}: expected a unit such as 'degC', 'km/h' or '1' for a bare number{hint}"


def _tokens(text: str, spelling: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise UnitError(_unknown(spelling, text))
        at = match.end()
        yield match


def _parse(text: str, spelling: str) -> dict[str, int]:
    """Return a compound's factors: canonical unit -> power. Left to right; ``a/b c`` is refused as ambiguous.

    A space multiplies in brackets and beside a negative power only (``W m-2``): ``A B`` is more likely a slip.
    """
    powers: dict[str, int] = {}
    sign, group, divided, expected = 1, 0, False, True
    spaced = bool(_NEGATIVE.search(text))
    for token in _tokens(text, spelling):
        if token["op"]:
            if expected:
                raise UnitError(_unknown(spelling, text))
            expected, slash = True, token["op"] in ("/", "per")
            sign = -1 if slash or group else 1
            if slash and group:
                msg = f"unit {spelling!r}: a division inside brackets can't be read; write it without"
                raise UnitError(msg)
            divided = divided or slash
            if divided and not slash and not group:
                raise UnitError(_unclear(spelling))
        elif token["open"]:
            if not (expected and sign < 0) or group:
                raise UnitError(_unknown(spelling, text))
            group = 1
        elif token["close"]:
            if not group or expected or token["close"] != ")":
                raise UnitError(_unknown(spelling, text))
            group, divided = 0, True
        else:
            if not expected and divided and not group:
                raise UnitError(_unclear(spelling))
            if not expected and not group and not spaced:
                raise UnitError(_unknown(spelling, text))
            _collect(powers, token, sign, spelling)
            expected = False
            sign = sign if group else 1
    if expected or group:
        raise UnitError(_unknown(spelling, text))
    powers = {name: power for name, power in powers.items() if power}
    if list(powers.values()) == [1]:
        return powers
    # In a compound a degree is a step, not a reading: 2 degC/h is a change.
    return {name.removeprefix("delta_") if name in DELTAS else name: power for name, power in powers.items()}


def _collect(powers: dict[str, int], token: re.Match[str], sign: int, spelling: str) -> None:
    if token["one"]:
        return
    text, power = token["atom"], int((token["power"] or "1").lstrip("^*"))
    whole = text + (token["power"] or "")
    if _spellings()[0].get(whole) in pint_names():
        # The digit belongs to the name: "Nm3" is a normal cubic metre, not a cubed newton-metre.
        text, power = whole, 1
    for name, inner in _atom(text, spelling):
        if name != "1":
            powers[name] = powers.get(name, 0) + sign * power * inner


def _unclear(spelling: str) -> str:
    return f"unit {spelling!r} is ambiguous after the division; write brackets, for example 'W/(m²·K)'"


def _render(powers: dict[str, int]) -> str:
    above = [name + _raised(power) for name, power in powers.items() if power > 0]
    below = [name + _raised(-power) for name, power in powers.items() if power < 0]
    if not below:
        return "·".join(above) or "1"
    tail = below[0] if len(below) == 1 else f"({'·'.join(below)})"
    return f"{'·'.join(above) or '1'}/{tail}"


def _raised(power: int) -> str:
    return "" if power == 1 else str(power).translate(_TO_SUPERSCRIPT)


def combined(one: str, other: str, *, power: int = 1) -> str:
    """Return the unit of ``one * other ** power``, each canonical; a degree in it is a step, not a reading.

    >>> combined("km", "h", power=-1), combined("km/h", "h"), combined("kWh", "kWh", power=-1)
    ('km/h', 'km', '1')
    """
    powers: dict[str, int] = {}
    for unit, sign in ((one, 1), (other, power)):
        for name, count in powers_of(unit).items():
            step = name.removeprefix("delta_") if name in DELTAS else name
            if name != "1":
                powers[step] = powers.get(step, 0) + count * sign
    return _render({name: count for name, count in powers.items() if count})


def powers_of(canonical: str) -> dict[str, int]:
    """Return the factors of a canonical unit: unit of the catalogue -> power."""
    return {canonical: 1} if canonical in pint_names() else _parse(_normal(canonical), canonical)
