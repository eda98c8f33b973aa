"""Who does something on a page."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Session

__all__ = ["author_of"]


def author_of(session: Session) -> str:
    """Return the author of notes and decisions: the user who has logged in, else the user of this computer."""
    if session.user:
        return session.user
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # In a container, the user id may have no name.
        return "somebody"
