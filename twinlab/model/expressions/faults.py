"""Errors of expressions: each shows the expression with a caret below the column that is wrong."""

from __future__ import annotations

from twinlab.errors import SchemaError, UnitError, UnknownTermError

__all__ = ["ExpressionError", "ExpressionTermError", "ExpressionUnitError", "Pointing", "fault", "quoted"]

#: Columns of a long expression that a message shows on each side of the caret.
_AROUND = 50
#: Longest expression that a message shows whole.
_WHOLE = 110


class Pointing(Exception):  # noqa: N818  (a part of the errors below, never raised itself)
    """What all errors of expressions have: `text`, the whole expression, and `column`, where it is wrong, counted from 0."""

    text: str = ""
    column: int = 0


class ExpressionError(Pointing, SchemaError):
    """An expression that can't be read: correct it at the column that the message shows."""


class ExpressionTermError(Pointing, UnknownTermError):
    """A name in an expression isn't defined: write the nearest one, which the message shows."""


class ExpressionUnitError(ExpressionError, UnitError):
    """Units in an expression don't fit each other, or one is unknown."""


def fault(text: str, column: int, message: str, kind: type[Pointing] = ExpressionError) -> Pointing:
    """Return an error about a column of an expression, to be raised.

    >>> print(fault("temperature >", 13, "expected a value, got the end; write a number, a name or a parenthesis"))
    expected a value, got the end; write a number, a name or a parenthesis
      temperature >
                   ^
    """
    found = kind(f"{message}\n{quoted(text, column)}")
    found.text, found.column = text, column
    return found


def quoted(text: str, column: int) -> str:
    """Return the expression in one line, and a line with a caret below a column; of a long one the part around it."""
    line = "".join(" " if char.isspace() else char for char in text)
    first, stop = (0, len(line)) if len(line) <= _WHOLE else (max(0, column - _AROUND), column + _AROUND)
    before, after = "…" if first else "", "…" if stop < len(line) else ""
    return f"  {before}{line[first:stop]}{after}\n  {' ' * (len(before) + column - first)}^"
