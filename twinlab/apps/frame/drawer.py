"""Drawer at the right of every page: the card of the selected asset."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import panel as pn

from twinlab.apps.frame.browser_side import BrowserSide, Drawer
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.views.card.card import AssetCard

if TYPE_CHECKING:
    from twinlab.explore.workspace import Workspace

__all__ = ["ASSET_WIDTH", "asset_drawer"]

#: Pixels of the drawer on a wide screen.
ASSET_WIDTH = 380
#: Milliseconds between two readings of a live twin's card.
_LIVE_MS = 5_000


def asset_drawer(workspace: Workspace, browser: BrowserSide, *, on_toggle: Callable[[bool], None]) -> Drawer:
    """Return the drawer that shows the asset selected in a workspace.

    Parameters
    ----------
    workspace : Workspace
        Whose selection is followed.
    browser : BrowserSide
        Reports whether the screen is that of a phone.
    on_toggle : callable
        Called with True when the drawer opens and with False when it closes.
    """
    body = pn.Column(sizing_mode="stretch_width")
    drawer = Drawer(content=body, width_px=ASSET_WIDTH)
    # Made for the first asset, then updated in place.
    cards: list[AssetCard] = []

    def visit(event: Any) -> None:
        if browser.phone:
            drawer.open = False
        workspace.visit(event.new)

    def show(*_: object) -> None:
        asset_type, asset = workspace.chosen
        drawer.label = f"{asset_type.replace('_', ' ')} {asset}"
        at = workspace.link().at
        if not cards:
            card = AssetCard(workspace.twin, asset_type, asset, at=at, shared=workspace.shared, patient=True)
            card.param.watch(visit, "asked")
            cards.append(card)
            body[:] = [card]
        cards[0].turn_to(asset_type, asset, at=at)
        if not drawer.open:
            cards[0].say_reading()
        drawer.open = True
        pn.state.execute(cards[0].refresh_later)

    async def follow() -> None:
        """Read the card of a live twin again, unless the page shows another instant than the present."""
        if drawer.open and cards and cards[0].at is None and workspace.link().at is None:
            await cards[0].refresh_later()

    async def start() -> None:
        pn.state.add_periodic_callback(cast("Any", follow), period=_LIVE_MS)

    if has_live_sources(workspace.twin) and pn.state.curdoc is not None:
        pn.state.onload(start)
    workspace.param.watch(show, "picks")
    drawer.param.watch(lambda event: on_toggle(event.new), "open")
    return drawer
