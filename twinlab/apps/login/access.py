"""Who may see what: the one function that decides, and who is reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import panel as pn

__all__ = ["User", "current_user", "known_roles", "may_see"]

#: The role that opens every page.
_ADMIN = "admin"


@dataclass(frozen=True)
class User:
    """Somebody who has logged in."""

    name: str
    # Any text; those of `known_roles` open pages.
    roles: tuple[str, ...] = ("viewer",)
    # Folder in which this person's own settings are kept.
    home: Path | None = None


def known_roles() -> dict[str, frozenset[str]]:
    """Return role -> the pages it opens, as the pages state it; ``"*"`` is every page.

    >>> sorted(known_roles()["viewer"])
    ['events', 'history', 'map', 'now']
    """
    from twinlab.explore.page_registry import PAGES  # noqa: PLC0415  (``twinlab user list`` needs no xarray)

    roles: dict[str, frozenset[str]] = {}
    for page in PAGES:
        for role in page.roles:
            roles[role] = roles.get(role, frozenset()) | {page.name}
    return roles | {_ADMIN: frozenset({"*"})}


def may_see(user: User | None, what: str) -> bool:
    """Decide whether somebody may see a page: ask before its data are read, not before it's shown.

    Parameters
    ----------
    user : User or None
        None is the one reader at this machine, served without login: sees everything.
    what : str
        A page's name, as in `twinlab.explore.PAGES`.

    Returns
    -------
    bool
        False also for an unknown page, except for the role ``admin``, and for a role that no page lists.

    Examples
    --------
    >>> may_see(User("dora", roles=("dispatcher",)), "now"), may_see(User("dora", roles=("dispatcher",)), "quality")
    (True, False)
    """
    if user is None:
        return True
    opened = known_roles()
    return any(not {"*", what}.isdisjoint(opened.get(role, frozenset())) for role in user.roles)


def current_user() -> User | None:
    """Return who reads the page of this Panel session; None in a notebook, and where no login is asked for.

    The login gate puts the user on the request after having checked it, and lets no request through without one.
    """
    document = pn.state.curdoc
    context = document.session_context if document is not None else None
    request = getattr(context, "request", None)
    user = getattr(request, "twinlab_user", None) if request is not None else None
    return user if isinstance(user, User) else None
