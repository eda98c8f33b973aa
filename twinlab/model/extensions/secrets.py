"""Secrets come from the environment or from a file of their own: a YAML file only says where."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from twinlab.errors import SourceError

__all__ = ["PlainUrl", "Secret", "secret_of"]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_FILE = "file:"


def _named(text: str) -> str:
    if _VARIABLE.fullmatch(text) is None and not (text.startswith(_FILE) and len(text) > len(_FILE)):
        msg = (
            "expected the name of an environment variable such as ${SMTP_PASSWORD}, or of a file such as file:/run/secrets/smtp, "
            "got a text; a secret doesn't belong in a file that others read"
        )
        raise ValueError(msg)
    return text


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if "@" in parts.netloc and ":" in parts.netloc.rpartition("@")[0]:
        msg = "expected an address without a password: state it with `password: ${NAME}`, as an environment variable"
        raise ValueError(msg)
    return url


#: Where a secret is: an environment variable, ``${SMTP_PASSWORD}``, or a file that contains it alone, ``file:/run/secrets/smtp``.
Secret = Annotated[str, AfterValidator(_named)]
#: An address in which no password is written.
PlainUrl = Annotated[str, AfterValidator(_without_password)]


def secret_of(named: str, what: str) -> str:
    """Return the secret that a `Secret` names.

    Parameters
    ----------
    named : str
        As validated with the options.
    what : str
        What needs it, for messages.

    Raises
    ------
    SourceError
        If the variable isn't set or the file can't be read or is empty; names it.

    >>> os.environ["DOCTEST_TOKEN"] = "t"
    >>> secret_of("${DOCTEST_TOKEN}", "webhook")
    't'
    """
    match = _VARIABLE.fullmatch(named)
    if match is not None:
        found = os.environ.get(match["name"], "")
        if not found:
            msg = f"{what}: the environment variable {match['name']} isn't set; set it for this process"
            raise SourceError(msg)
        return found
    path = Path(named.removeprefix(_FILE))
    try:
        found = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{what}: expected a secret in the file {path}, which can't be read ({error}); check its path and permissions"
        raise SourceError(msg) from error
    if not found:
        msg = f"{what}: expected a secret in the file {path}, which is empty; write the secret into it"
        raise SourceError(msg)
    return found
