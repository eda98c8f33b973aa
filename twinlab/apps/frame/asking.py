"""The field for questions on every page, and the drawer with plans and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn

from twinlab.apps.frame.browser_side import BrowserSide, Drawer
from twinlab.explore.views.asking.view import AskView
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.ask import Planner
    from twinlab.explore.workspace import Workspace

__all__ = ["ASK_WIDTH", "AskField"]

#: Pixels of the drawer on a wide screen, and of the strip with the field.
ASK_WIDTH, _STRIP = 480, 48
_STYLES = {
    "position": "sticky",
    "top": "0",
    # Over a drawer, under menus and the list of pages.
    "z-index": "1160",
    "background": "var(--panel-background-color, #fff)",
    "padding": "6px 10px",
    "box-sizing": "border-box",
    "height": f"{_STRIP}px",
}


class AskField:
    """A strip with the field, and the drawer, of one page.

    Parameters
    ----------
    workspace : Workspace
        Whose twin is asked, as the reader sees it; an answer's page is opened there.
    browser : BrowserSide
        Reports whether the screen is that of a phone.
    planner : Planner or None
    on_toggle : callable
        Called with True when the drawer opens and with False when it closes.
    """

    def __init__(
        self,
        workspace: Workspace,
        browser: BrowserSide,
        *,
        planner: Planner | None,
        on_toggle: Callable[[bool], object],
    ) -> None:
        self._workspace, self._browser = workspace, browser
        names = [spec.name for spec in workspace.pages]
        self.view = AskView(workspace.twin, planner=planner, pages=names, shortcut=True, scope=workspace.link)
        self.strip = pn.Column(self.view.field, sizing_mode="stretch_width", margin=0, styles=_STYLES)
        # The focus stays in the field: Enter once more runs the plan.
        self.drawer = Drawer(
            content=self.view.body, label=tr("Answers"), width_px=ASK_WIDTH, top_px=_STRIP, takes_focus=False
        )
        self.view.param.watch(self._shown, "turns")
        self.view.param.watch(self._visit, "asked")
        self.drawer.param.watch(lambda event: on_toggle(event.new), "open")

    def propose_later(self, question: str | None) -> None:
        """Plan the question of a link once the page is shown; it doesn't run by itself."""
        if question and question.strip() and question != self.view.question:
            pn.state.onload(lambda: self.view.propose(question))

    def _shown(self, _: object) -> None:
        self.drawer.open = True

    def _visit(self, event: Any) -> None:
        if event.new is None:
            return
        if self._browser.phone:
            self.drawer.open = False
        self._workspace.visit(event.new)
