"""The page What-if: futures of a twin in scenarios, and what differs between them.

In: a twin that can simulate. Out: the view `twinlab.explore.views.what_if` as a page.
Never: a run that the reader didn't ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.explore.views.what_if.possible import has_trips
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.views.what_if.explorer import WhatIfExplorer  # noqa: PLC0415  (imported when first opened)

    return WhatIfExplorer


PAGE = PageSpec("what_if", mark("What-if"), "call_split", _load, has=has_trips, roles=("analyst", "planner"))
