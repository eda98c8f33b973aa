"""The pages of a twin, in the order of the rail: each is one view. None knows a twin's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
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


def _now() -> type[Explorer]:
    from twinlab.explore.pages.now.page import NowView  # noqa: PLC0415  (views load when they're looked at)

    return NowView


def _map() -> type[Explorer]:
    from twinlab.explore.views.map.explorer import MapView  # noqa: PLC0415

    return MapView


def _history() -> type[Explorer]:
    from twinlab.explore.pages.history.page import HistoryView  # noqa: PLC0415

    return HistoryView


def _events() -> type[Explorer]:
    from twinlab.explore.pages.events.page import EventsView  # noqa: PLC0415

    return EventsView


def _quality() -> type[Explorer]:
    from twinlab.explore.pages.quality.page import QualityView  # noqa: PLC0415

    return QualityView


def _has_positions(model: TwinModel) -> bool:
    return any(kind.position is not None for kind in model.asset_types.values())


def _has_events(model: TwinModel) -> bool:
    return bool(model.event_types)


def _has_signals(model: TwinModel) -> bool:
    return any(kind.signals for kind in model.asset_types.values())


#: All pages, first one first.
PAGES: tuple[PageSpec, ...] = (
    PageSpec("now", "Now", "dashboard", _now),
    PageSpec("map", "Map", "map", _map, _has_positions),
    PageSpec("history", "History", "timeline", _history),
    PageSpec("events", "Events", "event_note", _events, _has_events),
    PageSpec("quality", "Quality", "fact_check", _quality, _has_signals),
)


def pages_for(twin: TwinReader) -> tuple[PageSpec, ...]:
    """Return the pages that a twin can fill: no map where nothing has a position, no events where there are none.

    >>> from twinlab.testing import FakeTwin
    >>> "history" in [page.name for page in pages_for(FakeTwin.example(days=1, trips=1))]
    True
    """
    return tuple(spec for spec in PAGES if spec.fits(twin.model))
