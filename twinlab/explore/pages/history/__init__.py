"""The History page: signals over time, with the events beside them and the whole fleet as a heat map.

In: a window, assets and signals. Out: the signal explorer, the event explorer and the heat map, moving together.
Read in order: `page`, `fleet`.
Never: reading or drawing of its own; the views do both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.history.page import HistoryView  # noqa: PLC0415  (imported when the page is first opened)

    return HistoryView


PAGE = PageSpec("history", mark("History"), "timeline", _load, roles=("viewer", "dispatcher", "analyst", "steward"))
