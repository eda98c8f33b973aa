"""Which pages a user may see, and which user a page is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["User", "current_user", "known_roles", "may_see"]

#: The role that opens every page.
_ADMIN = "admin"


@dataclass(frozen=True)
class User:
    """A user who has logged in."""

    name: str
    # Any text; those of `known_roles` open pages.
    roles: tuple[str, ...] = ("viewer",)
    # Folder of this user's own settings.
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
    """Return whether a user may see a page. Call it before the page's data are read, not only before it is shown.

    Parameters
    ----------
    user : User or None
        None is the reader at this machine, served without a login, who may see everything.
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
    """Return the user of this Panel session; None in a notebook, and where no login is required.

    The request guard sets the user on each request that it accepts, and accepts none without a user.
    """
    from panel.io.state import state  # noqa: PLC0415  (``twinlab user`` and the process before the workers need no Panel)

    document = state.curdoc
    context = document.session_context if document is not None else None
    request = getattr(context, "request", None)
    user = getattr(request, "twinlab_user", None) if request is not None else None
    return user if isinstance(user, User) else None
