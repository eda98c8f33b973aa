"""The page Control & audit: setpoints, plans of commands, the emergency stop, and the audit with its proof.

In: a twin whose model has ``commands:``, or that has an audit. Out: the view `twinlab.explore.views.control` as a page.
Never: a command that wasn't proposed, simulated and signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.explore.views.control.possible import has_control
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.views.control.explorer import ControlExplorer  # noqa: PLC0415  (imported when first opened)

    return ControlExplorer


PAGE = PageSpec(
    "control", mark("Control & audit"), "admin_panel_settings", _load, has=has_control, roles=("operator", "security")
)
