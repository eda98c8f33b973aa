"""Whom a request's token belongs to: a user of the users file, with the roles that they have now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.errors import SourceError

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken
    from starlette.requests import Request

    from twinlab.assistants.caller import Caller, Callers

__all__ = ["TokenUsers"]


class TokenUsers:
    """Checks tokens; a `TokenVerifier` of the SDK.

    Parameters
    ----------
    tokens : Tokens
    callers : Callers
    """

    def __init__(self, tokens: Tokens, callers: Callers) -> None:
        self._tokens, self._callers = tokens, callers

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the SDK knows of a token's user; None for a token that doesn't count."""
        from mcp.server.auth.provider import AccessToken  # noqa: PLC0415  (an extra)

        user = self._tokens.user(token)
        return None if user is None else AccessToken(token=token, client_id=user.name, scopes=[], subject=user.name)

    def caller_of(self, request: Request | None) -> Caller:
        """Return the caller of a request whose token was checked; roles are looked up again.

        Raises
        ------
        SourceError
            If the token doesn't count any more.
        """
        verified: Any = None if request is None else request.scope.get("user")
        user = None if verified is None else self._tokens.user(verified.access_token.token)
        if user is None:
            msg = "the token doesn't count any more; ask for a new one"
            raise SourceError(msg)
        return self._callers.user(user.name, user.roles)
