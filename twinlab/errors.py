"""What can go wrong, grouped by what the reader does about it.

Every message says what was expected, what came, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "CommandExpiredError",
    "CommandRejectedError",
    "ControlError",
    "CorruptionError",
    "HistoryConflictError",
    "SchemaError",
    "SourceError",
    "TwinlabError",
    "UnitError",
    "UnknownTermError",
]


class TwinlabError(Exception):
    """Base of all errors that twinlab raises on purpose."""


class SourceError(TwinlabError):
    """A source can't be read now: retry, or carry on without it."""


class SchemaError(TwinlabError, ValueError):
    """The data or a model file breaks its schema: fix what the message names (file, row, column)."""


class UnitError(SchemaError):
    """A unit is unknown or doesn't fit: fix the unit in the mapping."""


class UnknownTermError(TwinlabError, KeyError):
    """A name that the twin doesn't know: fix the name; the message shows the nearest known one."""

    # KeyError prints the repr of its argument, which would put quotes round a sentence.
    __str__ = Exception.__str__


class HistoryConflictError(TwinlabError):
    """Somebody else holds or changed the history: reopen and retry."""


class CorruptionError(TwinlabError):
    """Stored bytes aren't what was written: run ``twinlab verify``, then ``twinlab rebuild``."""


class ControlError(TwinlabError):
    """A command to the plant did not go through."""


class CommandRejectedError(ControlError):
    """The command was refused: do not retry."""


class CommandExpiredError(ControlError):
    """The command's deadline passed: decide again on fresh state."""
