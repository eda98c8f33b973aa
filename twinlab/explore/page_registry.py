"""All pages by name: those of twinlab, and those that other packages add through the entry points ``twinlab.pages``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError
from twinlab.explore.pages.spec import PageSpec
from twinlab.model.registry import Registry

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["PAGES", "PageRegistry", "PageSpec", "available_pages", "pages_for"]

_LOG = logging.getLogger(__name__)


class PageRegistry(Registry[PageSpec]):
    """Pages by name, in the order in which they are listed.

    Iterating yields every page that can be loaded. A page of another package that can't be loaded is left out, logged
    once, and explained by `faults`; the other pages stay usable.

    Parameters
    ----------
    built_in : mapping of str to str
        Name -> ``"module:object"`` of a `PageSpec`.

    Examples
    --------
    >>> [page.label for page in PAGES][:2]
    ['Now', 'Map']
    """

    def __init__(self, built_in: Mapping[str, str]) -> None:
        super().__init__("twinlab.pages", kind="page", built_in=built_in, check=_fault)
        self._faults: dict[str, str] = {}

    def __iter__(self) -> Iterator[PageSpec]:
        for name in self.names():
            if name in self._faults:
                continue
            try:
                spec = self.get(name)
            except SchemaError as error:
                self._note(name, str(error))
            else:
                yield spec

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, page: object) -> bool:
        """Whether a page, or a page of this name, is listed."""
        return super().__contains__(page.name if isinstance(page, PageSpec) else page)

    def faults(self) -> dict[str, str]:
        """Return why pages can't be loaded: name -> a sentence that names the package."""
        for _ in self:
            pass
        return dict(self._faults)

    def refresh(self) -> None:
        """Look for entry points again, for packages that were installed or repaired since."""
        super().refresh()
        self._faults.clear()

    def _entry_points(self) -> dict[str, EntryPoint]:
        try:
            return super()._entry_points()
        except SchemaError as error:
            # Two packages add one name. twinlab can't choose between them, and its own pages don't depend on it.
            self._note("", str(error))
            self._added = {}
            return self._added

    def _note(self, name: str, fault: str) -> None:
        if name not in self._faults:
            _LOG.error("%s", fault)
        self._faults[name] = fault


def _fault(name: str, loaded: object) -> str:
    """Return what is wrong with the object of an entry point; "" if nothing is."""
    if not isinstance(loaded, PageSpec):
        return f"expected a twinlab.explore.PageSpec, got {type(loaded).__name__}"
    if loaded.name != name:
        return f"its entry point is called {name!r}, the page {loaded.name!r}; give both the same name"
    return ""


#: All pages. The order is that of the navigation; pages of other packages follow.
PAGES = PageRegistry(
    {
        "now": "twinlab.explore.pages.now:PAGE",
        "map": "twinlab.explore.pages.map:PAGE",
        "history": "twinlab.explore.pages.history:PAGE",
        "events": "twinlab.explore.pages.events:PAGE",
        "quality": "twinlab.explore.pages.quality:PAGE",
        "sources": "twinlab.explore.pages.sources:PAGE",
        "security": "twinlab.explore.pages.security:PAGE",
        "what_if": "twinlab.explore.pages.what_if:PAGE",
        "outlook": "twinlab.explore.pages.outlook:PAGE",
        "control": "twinlab.explore.pages.control:PAGE",
        "usage": "twinlab.explore.pages.usage:PAGE",
    }
)


def available_pages(
    twin: TwinReader, *, allowed: Callable[[str], bool] | None = None
) -> tuple[tuple[PageSpec, ...], dict[str, str]]:
    """Return the pages that a reader of a twin can open, and why others fail.

    Parameters
    ----------
    twin : TwinReader
        Whose pages are wanted.
    allowed : callable, optional
        Called with a page's name; returns whether the reader may see it. By default they may see all.

    Returns
    -------
    pages : tuple of PageSpec
        In the order of the navigation.
    faults : dict of str to str
        Name -> what is wrong, for pages that the reader may see and that can't be loaded.
    """
    permitted = allowed or (lambda _: True)
    pages: list[PageSpec] = []
    faults = {name: fault for name, fault in PAGES.faults().items() if permitted(name)}
    for spec in PAGES:
        if not permitted(spec.name):
            continue
        try:
            has = spec.has(twin)
        except Exception as error:  # noqa: BLE001  (a fault of one page, shown to the reader, leaves the others)
            faults[spec.name] = (
                f"the page {spec.name!r} of {PAGES.origin(spec.name)} can't determine whether this twin has it: "
                f"{type(error).__name__}: {error}; repair or uninstall that package"
            )
            _LOG.exception("%s", faults[spec.name])
            continue
        if has:
            pages.append(spec)
    return tuple(pages), faults


def pages_for(twin: TwinReader) -> tuple[PageSpec, ...]:
    """Return the pages that a twin has: no map where nothing has a position, no events where there are none.

    >>> from twinlab.testing import FakeTwin
    >>> "history" in [page.name for page in pages_for(FakeTwin.example(days=1, trips=1))]
    True
    """
    return available_pages(twin)[0]
