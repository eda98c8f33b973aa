"""The drawer at the right: the asset that was picked, on whichever page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn

from twinlab.apps.browser_side import BrowserSide, Drawer
from twinlab.explore.card import AssetCard
from twinlab.explore.states import reading

if TYPE_CHECKING:
    from twinlab.explore.workspace import Workspace

__all__ = ["asset_drawer"]


def asset_drawer(workspace: Workspace, browser: BrowserSide, *, moved: Callable[[bool], None]) -> Drawer:
    """Return the drawer that shows what is picked in a workspace; ``moved`` is told when it opens and closes."""
    body = pn.Column(sizing_mode="stretch_width")
    drawer = Drawer(content=body)

    def make(asset_type: str, asset: str) -> AssetCard:
        return AssetCard(workspace.twin, asset_type, asset, at=workspace.link().at, shared=workspace.shared)

    async def fill() -> None:
        picked = workspace.chosen
        if picked is None:
            return
        card = await asyncio.to_thread(make, *picked)
        # The reader may have picked another one meanwhile.
        if workspace.chosen == picked:
            card.param.watch(go, "asked")
            body[:] = [card]

    def go(event: Any) -> None:
        if browser.phone:
            drawer.open = False
        workspace.visit(event.new)

    def pick(*_: object) -> None:
        asset_type, asset = workspace.chosen
        drawer.label = f"{asset_type.replace('_', ' ')} {asset}"
        if not drawer.open:
            body[:] = [reading(drawer.label)]
        drawer.open = True
        pn.state.execute(fill)

    workspace.param.watch(pick, "picks")
    drawer.param.watch(lambda event: moved(event.new), "open")
    return drawer
