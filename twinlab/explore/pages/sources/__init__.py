"""The Sources page: state, rate, latency, gaps and clock of each live source, and its last rows.

In: a twin whose mappings have ``live:``, and the status that its historian writes. Out: a table, and what is known about one source.
Read in order: `kit.live` (what the page needs of a twin, what a status means), `details` (one source), `page`.
Never: a command to the historian or to a source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.sources.page import SourcesView  # noqa: PLC0415  (imported when the page is first opened)

    return SourcesView


PAGE = PageSpec("sources", mark("Sources"), "sensors", _load, has=has_live_sources, roles=("analyst", "steward"))
