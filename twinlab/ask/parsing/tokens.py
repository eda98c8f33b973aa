"""Split a question into words, numbers, dates and signs, with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Token", "tokenize"]

Kind = Literal["quoted", "date", "clock", "number", "word", "sign"]

_PATTERN = re.compile(
    r"""
    (?P<quoted>"[^"]{1,200}"|“[^”]{1,200}”|„[^“”"]{1,200}[“”"])
  | (?P<date>\d{4}-\d{2}-\d{2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?Z?|\d{1,2}\.\d{1,2}\.(?:\d{4})?|\d{1,2}/\d{1,2}/\d{4})
  | (?P<clock>\d{1,2}:\d{2}(?::\d{2})?)
  | (?P<number>(?<![\w.])[-−+]?\d+(?:[.,]\d+)?(?:st|nd|rd|th)?(?![\w]))
  | (?P<glued>(?<![\w.])[-−+]?\d+(?:[.,]\d+)?(?=(?:ms|min|km/h|km|kg|m/s|mm|°|%|[dhsmLl])(?!\w)|°))
  | (?P<word>[a-z_]+/[\w./-]*\w|[^\W_][\w’'/-]*(?:\.(?=m\b)[^\W_]\.?)?|_\w+)
  | (?P<sign>>=|<=|[<>≥≤%°$€])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES = '"“”„'


@dataclass(frozen=True)
class Token:
    """One word, number, date or sign of a question.

    Parameters
    ----------
    kind : str
    text : str
        As it is written, without quotes.
    start, stop : int
        Its place in the question.
    """

    kind: Kind
    text: str
    start: int
    stop: int

    @property
    def key(self) -> str:
        """What it is looked up by: lower case, one kind of apostrophe."""
        return self.text.casefold().replace("’", "'")


def tokenize(question: str) -> list[Token]:
    """Return the tokens of a question; other signs separate.

    >>> [token.text for token in tokenize('Which rooms were above 8°C on 2026-01-05, or "Kühlraum 1"?')]
    ['Which', 'rooms', 'were', 'above', '8', '°', 'C', 'on', '2026-01-05', 'or', 'Kühlraum 1']
    """
    found: list[Token] = []
    for match in _PATTERN.finditer(question):
        kind = match.lastgroup or "word"
        text = match.group()
        if kind == "quoted":
            text = text.strip(_QUOTES)
        found.append(Token("number" if kind == "glued" else kind, text, match.start(), match.end()))  # type: ignore[arg-type]
    return found
