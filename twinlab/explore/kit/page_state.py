"""Page state that other pages take over: the selected assets, the window and the instant."""

from __future__ import annotations

from dataclasses import replace

from twinlab.explore.kit.link import Link

__all__ = ["PageState", "with_page_state"]

#: Fields of `Link` that are taken over together: assets mean nothing without their type.
_PARTS = (("asset_type", "assets"), ("window",), ("at",))


class PageState:
    """The latest selection, and the page that set each part of it.

    A page without a parameter for a part (an instant, on a chart of years) leaves it as it is. Only a page that took a
    part over, or set it, clears it.

    >>> state = PageState()
    >>> state.leave("now", Link(asset_type="room", assets=("3",)))
    >>> state.leave("events", Link())
    >>> state.link.assets
    ('3',)
    """

    def __init__(self) -> None:
        self.link = Link()
        # Part -> the page that set it last.
        self._set_by: dict[tuple[str, ...], str] = {}

    def leave(self, page: str, link: Link) -> None:
        """Update the state from the link of a page that is left."""
        for part in _PARTS:
            values = {name: getattr(link, name) for name in part}
            if values[part[0]] is not None or self._set_by.get(part) == page:
                self.link = replace(self.link, **values)
                self._set_by[part] = page

    def arrive(self, page: str, link: Link) -> None:
        """Record which parts a page has taken over: from now on it may clear them."""
        for part in _PARTS:
            if all(getattr(link, name) == getattr(self.link, name) for name in part):
                self._set_by[part] = page


def with_page_state(own: Link, state: Link) -> Link:
    """Return a page's own link, updated from the state of other pages.

    >>> with_page_state(Link(asset_type="room", assets=("3",), layout="rows"), Link(asset_type="truck")).layout
    'rows'
    """
    values: dict[str, object] = {}
    for part in _PARTS:
        if getattr(state, part[0]) is not None:
            values |= {name: getattr(state, name) for name in part}
    if state.asset_type in (None, own.asset_type) and state.assets is None:
        values.pop("assets", None)
    return replace(own, **values)  # type: ignore[arg-type]
