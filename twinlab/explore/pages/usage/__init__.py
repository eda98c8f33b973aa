"""The page Use: which pages are opened and which tasks done, by week; nothing about who.

In: a twin that counts use. Out: a bar a week, and tables of weeks, with small counts as "< 5".
Read in order: `twins` (what the page needs of a twin), `weeks` (counts as rows of weeks, and as HTML), `page`.
Never: a count of a person, or one smaller than five.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.explore.pages.usage.twins import has_usage
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.pages.usage.page import UsageView  # noqa: PLC0415  (imported when first opened)

    return UsageView


PAGE = PageSpec("usage", mark("Use"), "groups", _load, has=has_usage, roles=("steward", "security"))
