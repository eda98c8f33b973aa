"""Who may see what: the one function that decides, and who is reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import panel as pn

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ROLES", "User", "current_user", "may_see"]

_EVERYDAY = frozenset({"now", "map", "history", "events"})

#: Role -> the pages it opens; "*" is every page. A role that stands nowhere here opens nothing.
ROLES: Mapping[str, frozenset[str]] = {
    "viewer": _EVERYDAY,
    "dispatcher": _EVERYDAY,
    "analyst": _EVERYDAY | {"quality"},
    "steward": _EVERYDAY | {"quality"},
    "admin": frozenset({"*"}),
}


@dataclass(frozen=True)
class User:
    """Somebody who has logged in."""

    name: str
    # Free text; those that `ROLES` knows open pages.
    roles: tuple[str, ...] = ("viewer",)
    # Folder in which this person's own settings are kept.
    home: Path | None = None


def may_see(user: User | None, what: str) -> bool:
    """Decide whether somebody may see a page: ask before its data are read, not before it's shown.

    Parameters
    ----------
    user : User or None
        None is the one reader at this machine, served without login: sees everything.
    what : str
        A page's name: "now", "map", "history", "events", "quality".

    Returns
    -------
    bool
        False also for pages and roles that nobody has listed.

    Examples
    --------
    >>> may_see(User("dora", roles=("dispatcher",)), "now"), may_see(User("dora", roles=("dispatcher",)), "quality")
    (True, False)
    """
    if user is None:
        return True
    return any(not {"*", what}.isdisjoint(ROLES.get(role, frozenset())) for role in user.roles)


def current_user() -> User | None:
    """Return who reads the page of this Panel session; None in a notebook, and where no login is asked for.

    The login gate puts the user on the request after having checked it, and lets no request through without one.
    """
    document = pn.state.curdoc
    context = document.session_context if document is not None else None
    request = getattr(context, "request", None)
    user = getattr(request, "twinlab_user", None) if request is not None else None
    return user if isinstance(user, User) else None
