"""The command ``twinlab user``: add, remove and list users, and set passwords."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

from twinlab.apps.login.access import known_roles
from twinlab.apps.login.users import Users, normalized_name
from twinlab.errors import SchemaError

__all__ = ["manage_users"]


def manage_users(
    what: str, file: Path, *, name: str | None = None, roles: Sequence[str] | None = None, stdin: bool = False
) -> str:
    """Change or list a users file.

    Parameters
    ----------
    what : str
        "add", "passwd", "remove" or "list".
    file : Path
        The users file.
    name : str, optional
        Name of the user; required except for "list".
    roles : sequence of str, optional
        For "add"; by default ``["viewer"]``.
    stdin : bool
        Read the password from standard input instead of asking for it twice.

    Returns
    -------
    str
        What was done, as text for the terminal.

    Raises
    ------
    SchemaError
        If an argument is missing or doesn't fit.
    """
    users = Users(file)
    if what == "list":
        return _listing(users)
    if name is None:
        msg = f"expected a name: twinlab user {what} {file} NAME"
        raise SchemaError(msg)
    who = normalized_name(name)
    if roles is not None and what != "add":
        msg = f"expected --role with add only, got it with {what}; remove this user and add it again with other roles"
        raise SchemaError(msg)
    if what == "remove":
        users.remove(name)
        return f"{who} can't log in any more"
    if what == "passwd":
        users.require(name)
        users.set_password(name, _password(who, stdin=stdin))
        return f"{who} has a new password; logins with the old one have ended"
    users.require_new(name)
    given = tuple(roles or ("viewer",))
    users.add(name, _password(who, stdin=stdin), roles=given)
    unknown = sorted({role.casefold() for role in given} - set(known_roles()))
    note = (
        f"\n(no page opens to the role {', '.join(unknown)}; known are {', '.join(known_roles())})" if unknown else ""
    )
    return f"{who} can log in now, as {', '.join(given)}{note}"


def _listing(users: Users) -> str:
    accounts = users.accounts()
    if not accounts:
        return "nobody can log in"
    wide = max(len(name) for name in accounts)
    return "\n".join(
        f"{name:{wide}}  {', '.join(account.roles)}  (password of {account.changed[:10]})"
        for name, account in accounts.items()
    )


def _password(name: str, *, stdin: bool) -> str:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        msg = "expected a terminal in which to ask for the password; use --stdin to read it from standard input"
        raise SchemaError(msg)
    first = getpass.getpass(f"Password for {name}: ")
    if getpass.getpass("Once more: ") != first:
        msg = "the two passwords differ; nothing was changed"
        raise SchemaError(msg)
    return first
