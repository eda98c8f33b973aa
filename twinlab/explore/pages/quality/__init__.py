"""The Quality page: how good every signal is, the rows behind each bad sample, and fixes that are tried and decided.

In: a twin. Out: a table of signals, a heat map of flags, the source rows of a cell; findings, their fixes, decisions.
Read in order: `page`, `counts` (pure), `tables`; then `repair` (findings), `replay` (a changed mapping), `calibrating` (a
calibration), `decisions` (calibrations and annotations so far), `work` (threads, progress), `twins` (what a twin must have).
Never: a stored value changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.model.reader import TwinReader

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.quality.page import QualityView  # noqa: PLC0415  (imported when the page is first opened)

    return QualityView


def _has_signals(twin: TwinReader) -> bool:
    return any(kind.signals for kind in twin.model.asset_types.values())


PAGE = PageSpec("quality", mark("Quality"), "fact_check", _load, has=_has_signals, roles=("analyst", "steward"))
