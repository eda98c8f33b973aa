"""Secrets come from the environment: a file names the variable only."""

from __future__ import annotations

import os
import re
from typing import Annotated

from pydantic import AfterValidator

from twinlab.errors import SourceError

__all__ = ["Secret", "secret_of"]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")


def _named(text: str) -> str:
    if _VARIABLE.fullmatch(text) is None:
        msg = "expected the name of an environment variable such as ${SMTP_PASSWORD}, got a text; a secret doesn't belong in a file"
        raise ValueError(msg)
    return text


#: The name of an environment variable, ``${SMTP_PASSWORD}``.
Secret = Annotated[str, AfterValidator(_named)]


def secret_of(named: str, what: str) -> str:
    """Return the value of the environment variable that a `Secret` names.

    Raises
    ------
    SourceError
        If it isn't set; names the variable.

    >>> os.environ["DOCTEST_TOKEN"] = "t"
    >>> secret_of("${DOCTEST_TOKEN}", "webhook")
    't'
    """
    match = _VARIABLE.fullmatch(named)
    assert match is not None  # validated with the options
    found = os.environ.get(match["name"])
    if not found:
        msg = f"{what}: the environment variable {match['name']} isn't set; set it for the process that delivers alerts"
        raise SourceError(msg)
    return found
