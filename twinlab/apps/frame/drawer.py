"""The drawer at the right: the asset that was picked, on whichever page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn

from twinlab.apps.frame.browser_side import BrowserSide, Drawer
from twinlab.explore.views.card.card import AssetCard

if TYPE_CHECKING:
    from twinlab.explore.workspace import Workspace

__all__ = ["asset_drawer"]


def asset_drawer(workspace: Workspace, browser: BrowserSide, *, moved: Callable[[bool], None]) -> Drawer:
    """Return the drawer that shows what is picked in a workspace; ``moved`` is told when it opens and closes."""
    body = pn.Column(sizing_mode="stretch_width")
    drawer = Drawer(content=body)
    # Made at the first pick; then it turns from one asset to the next.
    cards: list[AssetCard] = []

    def go(event: Any) -> None:
        if browser.phone:
            drawer.open = False
        workspace.visit(event.new)

    def pick(*_: object) -> None:
        asset_type, asset = workspace.chosen
        drawer.label = f"{asset_type.replace('_', ' ')} {asset}"
        at = workspace.link().at
        if not cards:
            card = AssetCard(workspace.twin, asset_type, asset, at=at, shared=workspace.shared, patient=True)
            card.param.watch(go, "asked")
            cards.append(card)
            body[:] = [card]
        cards[0].turn_to(asset_type, asset, at=at)
        if not drawer.open:
            cards[0].say_reading()
        drawer.open = True
        pn.state.execute(cards[0].refresh_later)

    workspace.param.watch(pick, "picks")
    drawer.param.watch(lambda event: moved(event.new), "open")
    return drawer
