"""Which pages rights open: those of the policy, or those that name the role themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.apps.rights.rights import Rights

__all__ = ["opens_page", "stated_roles"]


def stated_roles() -> dict[str, tuple[str, ...]]:
    """Return page -> roles that it states itself.

    >>> "steward" in stated_roles()["quality"]
    True
    """
    from twinlab.explore.page_registry import PAGES  # noqa: PLC0415  (``twinlab user list`` needs no xarray)

    return {page.name: page.roles for page in PAGES}


def opens_page(rights: Rights, page: str) -> bool:
    """Return whether rights open a page."""
    return rights.sees_page(page, stated=stated_roles().get(page, ()))
