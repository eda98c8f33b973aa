"""Which pages a user may see, and which user a page is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twinlab.apps.rights.pages import opens_page, stated_roles
from twinlab.apps.rights.rights import Rights
from twinlab.model.access.policy import DEFAULT_POLICY, AccessPolicy

__all__ = ["User", "current_user", "known_roles", "may_see"]


@dataclass(frozen=True)
class User:
    """A user who has logged in."""

    name: str
    # Any text; those of `known_roles` open pages.
    roles: tuple[str, ...] = ("viewer",)
    # Folder of this user's own settings.
    home: Path | None = None
    # Name that is shown; "" shows the name.
    label: str = ""

    @property
    def shown(self) -> str:
        """The name for people to read."""
        return self.label or self.name


def known_roles(policy: AccessPolicy = DEFAULT_POLICY) -> dict[str, frozenset[str]]:
    """Return role -> the pages it opens, as the policy or the pages themselves state it; ``"*"`` is every page.

    >>> sorted(known_roles()["viewer"])
    ['events', 'history', 'map', 'now']
    """
    stated = stated_roles()
    return {
        role: frozenset([page for page, roles in stated.items() if role in roles] if rule.pages is None else rule.pages)
        for role, rule in policy.roles.items()
    }


def may_see(user: User | None, what: str, *, policy: AccessPolicy = DEFAULT_POLICY) -> bool:
    """Return whether a user may see a page. Call it before the page's data are read, not only before it is shown.

    Parameters
    ----------
    user : User or None
        None is the reader at this machine, served without a login, who may see everything.
    what : str
        A page's name, as in `twinlab.explore.PAGES`.
    policy : AccessPolicy, optional
        By default that of a twin without an ``access.yaml``.

    Returns
    -------
    bool
        False also for an unknown page, except for a role that opens ``"*"``, and for a role that the policy doesn't name.

    Examples
    --------
    >>> may_see(User("dora", roles=("dispatcher",)), "now"), may_see(User("dora", roles=("dispatcher",)), "quality")
    (True, False)
    """
    return user is None or opens_page(Rights(policy, user.roles), what)


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
