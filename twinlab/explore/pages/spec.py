"""What a page states about itself: name, label, icon, which twins have it, which roles see it, and its view."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.model.reader import TwinReader

__all__ = ["PageSpec"]

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def _every_twin(_: TwinReader) -> bool:
    return True


@dataclass(frozen=True)
class PageSpec:
    """One page of a twin, as `twinlab.explore.PAGES` lists it.

    Parameters
    ----------
    name : str
        How links and entry points name the page: lower case, digits and underscores.
    label : str
        How the page is called on screen.
    icon : str
        Name of a Material icon, such as ``"timeline"``.
    load : callable
        Returns the class of the page's view, an `Explorer` whose ``name_in_link`` and ``label`` are the page's. Called
        when the page is first opened, so that an unused page is never imported.
    has : callable, optional
        Called with a `TwinReader`; returns whether that twin has the page. Reads the twin's model, never its data. By
        default every twin has it.
    roles : tuple of str, optional
        Roles of users who see the page where a login is required. The role ``admin`` sees every page; by default,
        nobody else does.

    Raises
    ------
    SchemaError
        If the name, the label, the icon or a role has the wrong form.

    Examples
    --------
    >>> from twinlab.explore import MapView
    >>> PageSpec("rounds", "Rounds", "route", load=lambda: MapView, roles=("dispatcher",)).name
    'rounds'
    """

    name: str
    label: str
    icon: str
    load: Callable[[], type[Explorer]]
    has: Callable[[TwinReader], bool] = _every_twin
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, text in (("name", self.name), ("icon", self.icon)):
            if not _NAME.fullmatch(text):
                msg = f"expected the {what} of a page in lower case, such as 'cold_chain', got {text!r}"
                raise SchemaError(msg)
        if not self.label.strip():
            msg = f"expected a label for the page {self.name!r}, got {self.label!r}"
            raise SchemaError(msg)
        roles: object = self.roles
        if not isinstance(roles, tuple) or not all(isinstance(role, str) and role for role in roles):
            msg = f"expected roles of the page {self.name!r} as a tuple such as ('viewer',), got {self.roles!r}"
            raise SchemaError(msg)
