"""The Now page: exceptions with the highest severity first, the place of any asset, notes and acknowledgements.

In: a twin with rules and an instant. Out: tiles, the table of exceptions, a map, a search, the dispatcher's workbook.
Read in order: `page`, `tiles`, `tile_buttons`, `rows`, `table`, `columns`, `row_actions`, `why`, `notes`, `instant`, `map`,
`search`, `search_result`, `workbook_exchange` with `dispatch`; `live` (freshness, follow and pause of a live twin).
Never: a row that moves while somebody types in it, a lost note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.now.page import NowView  # noqa: PLC0415  (imported when the page is first opened)

    return NowView


PAGE = PageSpec("now", mark("Now"), "dashboard", _load, roles=("viewer", "dispatcher", "analyst", "steward"))
