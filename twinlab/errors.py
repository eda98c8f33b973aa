"""Errors of twinlab, grouped by what a user can do about them.

Every message states what was expected, what was found, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "ClusterError",
    "CommandExpiredError",
    "CommandRejectedError",
    "ControlError",
    "CorruptionError",
    "DatabaseUnreachableError",
    "HistoryConflictError",
    "NoAnswerError",
    "PurposeError",
    "SchemaError",
    "SourceError",
    "TwinlabError",
    "UnitError",
    "UnknownTermError",
]


class TwinlabError(Exception):
    """Base class of all errors that twinlab raises."""


class SourceError(TwinlabError):
    """A source can't be read now: retry, or continue without it."""


class ClusterError(TwinlabError):
    """Workers of a cluster can't do the work, or were lost: change what the message names about the cluster, then repeat the call."""


class DatabaseUnreachableError(SourceError):
    """The database that several servers share doesn't answer: nothing was written; retry once it answers again."""


class SchemaError(TwinlabError, ValueError):
    """Data or a model file don't fit their schema: fix the file, row or column that the message names."""


class UnitError(SchemaError):
    """A unit is unknown or incompatible: fix the unit in the mapping."""


class UnknownTermError(TwinlabError, KeyError):
    """A name isn't defined in the twin: fix the name; the message shows the nearest known one."""

    # KeyError prints the repr of its argument, which would put quotes around the message.
    __str__ = Exception.__str__


class HistoryConflictError(TwinlabError):
    """Another process has locked or changed the history: reopen and retry."""


class CorruptionError(TwinlabError):
    """Stored bytes differ from those written: run ``twinlab verify``, then ``twinlab rebuild``."""


class ControlError(TwinlabError):
    """A command to the plant failed."""


class CommandRejectedError(ControlError):
    """The command was refused: do not retry."""


class CommandExpiredError(ControlError):
    """The command's deadline has passed: decide again with the current state."""


class NoAnswerError(ControlError):
    """A command was sent, or may have been, and its device didn't answer: read back, and decide again."""


class PurposeError(TwinlabError, PermissionError):
    """A field isn't shown for the stated purpose: open the twin for a purpose that the message names."""
