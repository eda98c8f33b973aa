"""``twinlab user token`` and ``twinlab user revoke``."""

from __future__ import annotations

from pathlib import Path

from twinlab.apps.login.tokens.tokens import Tokens
from twinlab.apps.login.users import Users
from twinlab.errors import SchemaError

__all__ = ["manage_tokens"]


def manage_tokens(what: str, file: Path, *, name: str | None, days: int) -> str:
    """Make a token, or end all tokens of a user.

    Parameters
    ----------
    what : str
        "token" or "revoke".
    file : Path
        The users file.
    name : str or None
        The user.
    days : int
        For how long a new token is valid.

    Returns
    -------
    str
        What was done, as text for the terminal; of "token" the last line is the token.

    Raises
    ------
    SchemaError
        If the name is missing.
    """
    if name is None:
        msg = f"expected a name: twinlab user {what} {file} NAME"
        raise SchemaError(msg)
    tokens = Tokens(Users(file))
    if what == "revoke":
        number = tokens.revoke(name)
        return f"{number} token{'' if number == 1 else 's'} of {name} ended"
    text, token = tokens.make(name, days=days)
    return f"a token of {token.user}, valid until {token.until}; it is shown only now:\n{text}"
