"""Errors as clients read them: what was expected, what came, what to do; no path, no traceback, no internals."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from pydantic import ValidationError

from twinlab.ask.errors import NotUnderstoodError
from twinlab.ask.languages import load_language
from twinlab.assistants.results.texts import visible_text, without_paths
from twinlab.errors import (
    ControlError,
    CorruptionError,
    HistoryConflictError,
    PurposeError,
    SchemaError,
    SourceError,
    UnknownTermError,
)

__all__ = ["BusyError", "TooLongError", "client_text"]

_LOG = logging.getLogger(__name__)
_LONGEST = 1_500
_MOST_FAULTS = 10
#: Errors whose text is about what was asked.
_OF_THE_CALL = (SchemaError, UnknownTermError, ControlError, PurposeError)


class TooLongError(Exception):
    """A call took longer than it may."""


class BusyError(Exception):
    """More calls wait than may."""


def client_text(error: BaseException, *, tool: str) -> str:
    """Return what a client reads about an error of a call.

    Errors about the arguments keep their text, without folders. Of any other error the client gets a number, under which the server's
    log has the rest.
    """
    if isinstance(error, ValidationError):
        return visible_text(f"{tool}: " + "; ".join(_faults(error)), most=_LONGEST)
    if isinstance(error, TooLongError | BusyError):
        return str(error)
    if isinstance(error, NotUnderstoodError):
        return visible_text(load_language("en").sentence(error.key, **error.values), most=_LONGEST)
    if isinstance(error, _OF_THE_CALL):
        return visible_text(without_paths(str(error)), most=_LONGEST)
    number = secrets.token_hex(4)
    _LOG.error("error %s of the tool %s", number, tool, exc_info=error)
    if isinstance(error, CorruptionError | HistoryConflictError | SourceError):
        return f"{tool}: the twin's data can't be read now (error {number}); whoever runs the server finds the cause in its log"
    return f"{tool}: the call failed (error {number}); whoever runs the server finds the cause in its log. Other arguments may work"


def _faults(error: ValidationError) -> Iterable[str]:
    """Return the faults of arguments, each with its place and what was expected; values aren't repeated."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    for one in found[:_MOST_FAULTS]:
        place = ".".join(str(part) for part in one["loc"]) or "arguments"
        said = one["msg"].removeprefix("Value error, ")
        yield f"{place}: {'there is no such argument' if one['type'] == 'extra_forbidden' else said}"
    if len(found) > _MOST_FAULTS:
        yield f"and {len(found) - _MOST_FAULTS} more"
