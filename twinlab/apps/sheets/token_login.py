"""Who asks for a sheet: the user of the token in the request."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.apps.login.users import Users

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from twinlab.apps.login.access import User

__all__ = ["TokenLogin", "token_of"]

_LONGEST = 500


class TokenLogin:
    """Finds the user of a request by its token.

    Parameters
    ----------
    users : Users
        The users file, beside which the tokens are.
    """

    def __init__(self, users: Users) -> None:
        self._tokens = Tokens(users)

    def user(self, request: HTTPServerRequest) -> User | None:
        """Return the user; None without a token that counts, or if it is somebody else's than the name says."""
        name, token = token_of(request.headers.get("Authorization", ""))
        found = self._tokens.user(token) if token else None
        return None if found is None or (name and name.casefold() != found.name.casefold()) else found


def token_of(header: str) -> tuple[str, str]:
    """Return name and token of a header ``Authorization``: Basic has both (the token as password), Bearer the token.

    Spreadsheet programs ask for the name and password of Basic themselves, and store them outside of the file.

    >>> token_of("Bearer twinlab_x"), token_of("Basic ZG9yYTp0d2lubGFiX3g="), token_of("Digest x")
    (('', 'twinlab_x'), ('dora', 'twinlab_x'), ('', ''))
    """
    kind, _, value = header.strip().partition(" ")
    value = value.strip()
    if len(value) > _LONGEST:
        return "", ""
    if kind.casefold() == "bearer":
        return "", value
    if kind.casefold() != "basic":
        return "", ""
    try:
        name, found, token = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return (name, token) if found else ("", "")
