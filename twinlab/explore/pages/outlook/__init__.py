"""The page Outlook: what will fail, what comes next, how good earlier predictions were, and the state of the models.

In: a twin that predicts. Out: the view `twinlab.explore.views.outlook` as a page.
Never: a prediction that the reader didn't ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.explore.views.outlook.possible import has_outlook
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.views.outlook.explorer import OutlookExplorer  # noqa: PLC0415  (imported when first opened)

    return OutlookExplorer


PAGE = PageSpec("outlook", mark("Outlook"), "trending_up", _load, has=has_outlook, roles=("analyst", "planner"))
