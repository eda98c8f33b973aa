"""Cut an expression into tokens: numbers with their units, names, texts in quotes, operators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from twinlab.errors import UnitError
from twinlab.model.expressions.faults import fault
from twinlab.model.units.spelling import canonical_unit, is_known

__all__ = ["KEYWORDS", "LONGEST", "Token", "tokens_of"]

#: Longest expression, in characters.
LONGEST = 10_000
#: Words that join conditions; a unit can't begin with one. "in" isn't among them: after a number it is an inch.
KEYWORDS = frozenset({"and", "or", "not", "for", "within", "after", "over", "where", "via"})

Kind = Literal["number", "name", "text", "operator", "end"]

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?(?![0-9.])")
_NAME = re.compile(r"[^\W\d]\w*")
_QUOTED = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`")
_OPERATOR = re.compile(r"<=|>=|==|!=|[-+*/<>(),.]")
# A unit begins with a first piece; it ends after the last further piece with which it is in the catalogue.
_UNIT = re.compile(r"(?:1\s*/\s*)?(?:[^\W\d]|[°%$€£])[\w°%^⁻$€£]*")
_MORE_UNIT = re.compile(
    r"\s*[/·]\s*(?:\((?:[\w°%^⁻·*. ]{1,40})\)|(?:[^\W\d]|[°%$€£])[\w°%^⁻]*)"  # /h, /(m²·K)
    r"|\s+(?:[^\W\d]|[°%$€£])[\w°%^⁻]*(?:-[0-9])?"  # W m-2, deg C
)
_MOST_PIECES = 4

#: What people write in other languages -> what it is here.
_ELSEWHERE = {
    "=": "to compare, write ==",
    "=>": "write >=",
    "=<": "write <=",
    "%": "a % belongs directly after a number, as in 80 %",
    "&": "write and",
    "|": "write or",
    "!": "write not",
    "~": "write not",
    "≥": "write >=",
    "≤": "write <=",
    "≠": "write !=",
    "^": "write a product such as a * a",
    "×": "write *",
    "÷": "write /",
    "−": "write the minus of the keyboard, -",
    "–": "write the minus of the keyboard, -",
    ";": "join conditions by and",
    "[": "use parentheses ( )",
    "]": "use parentheses ( )",
    "{": "use parentheses ( )",
    "}": "use parentheses ( )",
    "“": "use straight quotes",
    "”": "use straight quotes",
    "„": "use straight quotes",
    '"': 'close the text by another "',
    "'": "close the text by another '",
    "`": "close the name by another `",
}


@dataclass(frozen=True)
class Token:
    """A piece of an expression; `at` are its columns."""

    kind: Kind
    at: tuple[int, int]
    # Of a text or a name in backquotes without the quotes.
    text: str
    number: float = 0.0
    # As it is spelt; None of a bare number.
    unit: str | None = None
    # In backquotes: a name, whatever it is spelt like.
    plain: bool = True

    def __str__(self) -> str:
        """Return how a message names the token."""
        return "the end" if self.kind == "end" else f"'{self.text}'" if self.kind != "text" else f'"{self.text}"'


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of an expression; the last one is of kind ``"end"``.

    Raises
    ------
    SchemaError
        If the expression is longer than 10,000 characters, or a character can't begin a token.

    >>> [token.text for token in tokens_of("speed > 80 km/h and door == open")]
    ['speed', '>', '80 km/h', 'and', 'door', '==', 'open', '']
    """
    if len(text) > LONGEST:
        msg = f"expected at most {LONGEST:,} characters, got {len(text):,}; split the expression"
        raise fault(text, LONGEST, msg)
    found: list[Token] = []
    at = _after_space(text, 0)
    while at < len(text):
        found.append(_token(text, at))
        at = _after_space(text, found[-1].at[1])
    # Behind the last token, not behind the spaces after it.
    last = found[-1].at[1] if found else 0
    found.append(Token("end", (last, last), ""))
    return found


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _token(text: str, at: int) -> Token:
    if match := _NUMBER.match(text, at):
        return _number(text, match)
    if match := _NAME.match(text, at):
        return Token("name", match.span(), match[0])
    if match := _QUOTED.match(text, at):
        if match[3] is not None:
            return Token("name", match.span(), match[3], plain=False)
        return Token("text", match.span(), match[1] if match[1] is not None else match[2])
    if match := _OPERATOR.match(text, at):
        return Token("operator", match.span(), match[0])
    char = text[at]
    hint = _ELSEWHERE.get(text[at : at + 2]) or _ELSEWHERE.get(
        char, "names consist of letters, digits and underscores; write any other name in `backquotes`"
    )
    if char.isdigit() or char in "0123456789":
        hint = "write a number such as 8, -2.5 or 1e3"
    msg = f"expected a name, a number, a text in quotes or an operator, got '{char}'; {hint}"
    raise fault(text, at, msg)


def _number(text: str, match: re.Match[str]) -> Token:
    number = float(match[0])
    if number == float("inf"):
        raise fault(text, match.start(), "expected a number below 1e308; write a smaller one")
    stop = _unit_stop(text, match.end())
    unit = text[match.end() : stop].strip() or None
    return Token("number", (match.start(), stop), text[match.start() : stop], number, unit)


def _unit_stop(text: str, at: int) -> int:
    """Return where the unit after a number ends: the longest spelling that is known, else its first word."""
    begin = _after_space(text, at)
    first = _UNIT.match(text, begin)
    if first is None or first[0].casefold() in KEYWORDS:
        return at
    stops = [first.end()]
    while len(stops) < _MOST_PIECES and (more := _MORE_UNIT.match(text, stops[-1])):
        if more[0].strip().casefold() in KEYWORDS:
            break
        stops.append(more.end())
    return next((stop for stop in reversed(stops) if _known(text[begin:stop])), stops[0])


@lru_cache(maxsize=4096)
def _known(spelling: str) -> bool:
    if not is_known(spelling):
        return False
    try:
        canonical_unit(spelling)
    except UnitError:
        return False
    return True
