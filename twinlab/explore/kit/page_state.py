"""What goes along when a reader changes pages: what was chosen, and when."""

from __future__ import annotations

from dataclasses import replace

from twinlab.explore.kit.link import Link

__all__ = ["Carried", "with_carried"]

#: What is carried as one: assets mean nothing without their type.
_PARTS = (("asset_type", "assets"), ("window",), ("at",))


class Carried:
    """What readers have chosen on the pages they come from, and on which of them it was last said.

    A page that doesn't know of something (an instant, on a chart of years) loses it for nobody: it's carried past that
    page. A page that took something over and says nothing of it any more has cleared it.

    >>> carried = Carried()
    >>> carried.leave("now", Link(asset_type="room", assets=("3",)))
    >>> carried.leave("events", Link())
    >>> carried.link.assets
    ('3',)
    """

    def __init__(self) -> None:
        self.link = Link()
        # Part -> the page that said it last.
        self._said: dict[tuple[str, ...], str] = {}

    def leave(self, page: str, link: Link) -> None:
        """Take along what a page says when it's left."""
        for part in _PARTS:
            says = {name: getattr(link, name) for name in part}
            if says[part[0]] is not None or self._said.get(part) == page:
                self.link = replace(self.link, **says)
                self._said[part] = page

    def arrive(self, page: str, link: Link) -> None:
        """Note what a page took over: from now on it may clear it."""
        for part in _PARTS:
            if all(getattr(link, name) == getattr(self.link, name) for name in part):
                self._said[part] = page


def with_carried(own: Link, carried: Link) -> Link:
    """Return a page's own link with what is carried to it; what isn't carried stays as the page has it.

    >>> with_carried(Link(asset_type="room", assets=("3",), layout="rows"), Link(asset_type="truck")).layout
    'rows'
    """
    says: dict[str, object] = {}
    for part in _PARTS:
        if getattr(carried, part[0]) is not None:
            says |= {name: getattr(carried, name) for name in part}
    if carried.asset_type in (None, own.asset_type) and carried.assets is None:
        says.pop("assets", None)
    return replace(own, **says)  # type: ignore[arg-type]
