"""The Quality page: how good every signal is, and the rows behind each bad sample.

In: flags over a window. Out: a table of signals, a heat map of flags, the source rows of a cell.
Read in order: `page`, `counts` (pure), `tables`.
Never: a value changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.model.reader import TwinReader

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.quality.page import QualityView  # noqa: PLC0415  (imported when the page is first opened)

    return QualityView


def _has_signals(twin: TwinReader) -> bool:
    return any(kind.signals for kind in twin.model.asset_types.values())


PAGE = PageSpec("quality", "Quality", "fact_check", _load, has=_has_signals, roles=("analyst", "steward"))
