"""What may come next in an expression that somebody is writing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from twinlab.model.expressions.contexts import Context
from twinlab.model.expressions.functions import FUNCTIONS
from twinlab.model.expressions.syntax import COMPARISONS

__all__ = ["Completion", "completions"]

_PIECES = re.compile(r"`[^`]*`?|\"[^\"]*\"?|'[^']*'?|[^\W\d]\w*|[0-9.]+|[<>=!]=?|\S")
_NUMBER = re.compile(r"[0-9.]+")
_WORD = re.compile(r"\w*\Z")
#: A number and the beginning of its unit.
_IN_UNIT = re.compile(r"(?<![\w.`])[0-9][0-9.]*\s*([^\s\d()<>=!,+*/\"'`-][^\s()<>=!,+*\"'`-]*)\Z")
_DURATIONS = ("5 min", "15 min", "1h", "1d")
_DURATION_UNITS = ("s", "min", "h", "d")
_AFTER_VALUE = ("and", "or", "for at least", "within")
_MOST = 200


@dataclass(frozen=True)
class Completion:
    """A text that may replace the columns ``start .. stop``."""

    text: str
    kind: Literal["name", "state", "function", "operator", "keyword", "duration", "unit", "asset type"]
    start: int
    stop: int
    detail: str = ""


def completions(text: str, column: int, context: Context) -> list[Completion]:
    """Return what may be written at a column, given what is before it.

    Parameters
    ----------
    text : str
        The expression, finished or not.
    column : int
        Where the cursor is, counted from 0.
    context : Context
        What names mean.

    Returns
    -------
    list of Completion
        Those that begin with the word at the cursor, if there is one, in a useful order.

    >>> from twinlab.model import parse_model
    >>> from twinlab.model.expressions import AssetContext
    >>> model = parse_model("{twin: x, asset_types: {room: {signals: {warmth: {unit: degC, resolution: 1}}}}}")
    >>> [one.text for one in completions("wa", 2, AssetContext(model, "room"))]
    ['warmth']
    """
    before = text[:column]
    unit = _IN_UNIT.search(before)
    if unit is not None and not unit[1].isidentifier():
        # As in ``80 km/`` and ``8 °``: what else begins with a letter may be a keyword.
        pieces = _PIECES.findall(before[: unit.start(1)][-2000:])
        return _beginning(unit[1], _unit(pieces, context), unit.start(1), column)
    word = _WORD.search(before)
    start = column if word is None else word.start()
    pieces = _PIECES.findall(before[:start][-2000:])
    return _beginning(before[start:], _next(pieces, context), start, column)


_Found = list[
    tuple[str, Literal["name", "state", "function", "operator", "keyword", "duration", "unit", "asset type"], str]
]


def _beginning(typed: str, found: _Found, start: int, stop: int) -> list[Completion]:
    """Return what begins with a text."""
    hits = [one for one in found if one[0].casefold().startswith(typed.casefold())]
    return [Completion(text, kind, start, stop, detail) for text, kind, detail in hits[:_MOST]]


def _next(pieces: list[str], context: Context) -> _Found:  # noqa: PLR0911  (one for each place)
    last = pieces[-1] if pieces else ""
    if last in ("==", "!=") and len(pieces) > 1:
        known = context.known(pieces[-2].strip("`"))
        if known is not None and known.sort == "state":
            return [(_quoted(one), "state", "") for one in known.states]
        if known is not None and known.sort == "boolean":
            return [("true", "keyword", ""), ("false", "keyword", "")]
    if last == "in":
        return [(one, "asset type", "") for one in context.others()]
    if last == "for":
        return [("at least", "keyword", "")]
    if not pieces or last in ("and", "or", "not", "(", ",", "where", "after", "+", "-", "*", "/", *COMPARISONS):
        return _values(context, first=not pieces or last in ("and", "or", "not", "(", "where", "after"))
    duration = _in_duration(pieces, context)
    if duration is not None:
        return duration
    if _NUMBER.fullmatch(last):
        return [*_unit(pieces, context), *_keywords(context)]
    if last == ")":
        return [*_operators(), ("over", "keyword", "such as over 15 min"), *_keywords(context)]
    known = context.known(last.strip("`"))
    if known is not None and known.sort in ("state", "text"):
        return [("==", "operator", ""), ("!=", "operator", "")]
    if known is not None:
        return [*_operators(), *_keywords(context)]
    return _keywords(context)


def _in_duration(pieces: list[str], context: Context) -> _Found | None:
    """Return what continues a duration, or comes after one; None if there is none."""
    match pieces[-3:]:
        case [*_, "over" | "least" | "within"]:
            return [(one, "duration", "") for one in _DURATIONS]
        case [*_, "over" | "least" | "within", number] if _NUMBER.fullmatch(number):
            return [(one, "unit", "") for one in _DURATION_UNITS]
        case ["within", number, _] if _NUMBER.fullmatch(number):
            return [("after", "keyword", "")]
        case ["over", number, _] if _NUMBER.fullmatch(number):
            return [*_operators(), *_keywords(context)]
    return None


def _values(context: Context, *, first: bool) -> _Found:
    names: _Found = []
    for name in context.names():
        known = context.known(name)
        if known is not None and not known.refused:
            names.append((name if re.fullmatch(r"[^\W\d]\w*", name) else f"`{name}`", "name", known.value.unit))
    functions: _Found = [
        (f"{one}(", "function", how) for one, how in FUNCTIONS.items() if context.has_time or one == "abs"
    ]
    before: _Found = [("not", "keyword", "")] if first else []
    if first and context.others():
        before.append(("in", "keyword", "such as in truck where truck.speed > 80 km/h"))
    return [*names, *functions, *before]


def _unit(pieces: list[str], context: Context) -> _Found:
    """Return the unit of what a number is compared with."""
    for piece in reversed(pieces[:-1]):
        known = context.known(piece.strip("`"))
        if known is not None:
            return (
                [(known.value.unit, "unit", "")]
                if known.sort == "number" and known.value.unit not in ("1", "unknown")
                else []
            )
    return []


def _operators() -> _Found:
    return [(one, "operator", "") for one in (*COMPARISONS, "+", "-", "*", "/")]


def _keywords(context: Context) -> _Found:
    return [(one, "keyword", "") for one in _AFTER_VALUE if context.has_time or one in ("and", "or")]


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else f'"{name}"'
