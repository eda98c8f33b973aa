"""The pages of a twin, in the order of the rail: each is one view. None knows a twin's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twinlab.explore.base import Explorer
    from twinlab.explore.link import Link
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["PAGES", "PageSpec", "pages_for"]


@dataclass(frozen=True)
class PageSpec:
    """One page."""

    # As a link names it, and as `twinlab.apps.may_see` is asked for it.
    name: str
    label: str
    # Name of a Material icon.
    icon: str
    # The view's class; imported when the page is first looked at.
    load: Callable[[], type[Explorer]]
    # Whether a twin can have the page at all.
    fits: Callable[[TwinModel], bool] = lambda _: True


def _history() -> type[Explorer]:
    from twinlab.explore.base import Explorer  # noqa: PLC0415  (views load when they're looked at)
    from twinlab.explore.history_view import HistoryView  # noqa: PLC0415

    if issubclass(HistoryView, Explorer):
        return HistoryView
    return _adapted(HistoryView)


def _adapted(kind: Any) -> type[Explorer]:
    """The history view in its older form, as an explorer."""
    import panel as pn  # noqa: PLC0415

    from twinlab.explore.base import Explorer  # noqa: PLC0415

    class Adapted(Explorer):
        def __init__(self, twin: TwinReader, **asked: Any) -> None:
            super().__init__(twin, **asked)
            self.view = kind(
                twin, link=self.first_link, tables=self.shared.tables, patient=self.patient, open_code=self.open_code
            )
            # The page has such buttons at its bottom.
            self.view.actions = pn.Spacer
            self.view.param.watch(lambda _: self._changed(), "revision")
            self.view.signals.param.watch(lambda _: self._changed(), "notice")
            self._changed()

        def _changed(self) -> None:
            self.param.update(revision=self.revision + 1, notice=self.view.signals.notice)

        def link(self) -> Link:
            return self.view.link()

        def apply(self, link: Link) -> None:
            self.view.apply(link)

        def code(self) -> str:
            return self.view.code()

        def data(self) -> None:
            return None

        def tables(self) -> dict[str, Any]:
            return {}

        def settings(self) -> dict[str, str]:
            return {}

        def figure(self, *, backend: str = "bokeh") -> None:  # noqa: ARG002
            return None

        def __panel__(self) -> Any:
            return self.view.__panel__()

    return Adapted


#: All pages, first one first.
PAGES: tuple[PageSpec, ...] = (PageSpec("history", "History", "timeline", _history),)


def pages_for(twin: TwinReader) -> tuple[PageSpec, ...]:
    """Return the pages that a twin can fill: no map where nothing has a position, no events where there are none.

    >>> from twinlab.testing import FakeTwin
    >>> "history" in [page.name for page in pages_for(FakeTwin.example(days=1, trips=1))]
    True
    """
    return tuple(spec for spec in PAGES if spec.fits(twin.model))
