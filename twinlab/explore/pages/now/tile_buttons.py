"""The tiles as buttons on a screen: rewritten in place when data move on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.exception_text import time_text
from twinlab.explore.kit.panes import Html

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.explore.kit.present import Now
    from twinlab.explore.pages.now.tiles import Tile

__all__ = ["TileStrip", "calm_html"]

# Two tiles a row on a phone; on a desk all of them in one, so that the table stands in sight.
_PLACE = {"flex": "1 1 118px", "max-width": "240px", "align-self": "stretch"}
# A tile of two lines is as tall as its neighbour of three.
_TALL = [":host { height: auto !important; } :host > div { height: 100%; }"]
_BUTTON = {
    "display": "block",
    "width": "100%",
    "height": "100%",
    "minHeight": "72px",
    "textAlign": "left",
    "textTransform": "none",
    "whiteSpace": "pre-line",
    "lineHeight": 1.3,
    "padding": "6px 10px",
    "fontWeight": 400,
    "fontSize": "13px",
    "&::first-line": {"fontSize": "22px", "fontWeight": 500, "lineHeight": 1.3},
    "&.MuiButton-outlined": {"color": "text.primary", "borderColor": "divider"},
}
_PLAIN = (
    '<div style="font:13px/1.3 Roboto,system-ui,sans-serif;box-sizing:border-box;min-height:72px;height:100%;'
    'padding:7px 11px;border:1px dashed rgba(127,127,127,.4);border-radius:4px">'
    '<span style="font-size:22px;font-weight:500;line-height:1.3">{{ tile.main }}</span>'
    "<br>{{ tile.title }}<br>{{ tile.detail }}</div>"
)


class TileStrip:
    """Tiles wherever ``pane`` is; pressing one again lets go of it.

    Parameters
    ----------
    on_press : callable
        Called with the tile's filter, "" when it's let go.
    """

    def __init__(self, *, on_press: Callable[[str], None]) -> None:
        self._on_press = on_press
        self._active = ""
        self._pieces: list[pmui.Button | Html] = []
        self._filters: list[str] = []
        # A column: what a FlexBox that stands is given later asks a notebook's browser for styles from elsewhere.
        self.pane = pn.Column(sizing_mode="stretch_width")

    def show(self, tiles: Sequence[Tile], *, active: str) -> None:
        """Show tiles; those that stand already are rewritten in place."""
        self._active = active
        filters = [tile.filter for tile in tiles]
        if filters != self._filters:
            self._filters = filters
            self._pieces = [self._piece(tile) for tile in tiles]
            look = {"sizing_mode": "stretch_width", "margin": (2, 10), "gap": "6px", "align_items": "stretch"}
            self.pane[:] = [pn.FlexBox(*self._pieces, **look)]
        for piece, tile in zip(self._pieces, tiles, strict=True):
            if isinstance(piece, Html):
                piece.object = _plain(tile)
            else:
                pressed = bool(active) and tile.filter == active
                piece.param.update(label=_text(tile), variant="contained" if pressed else "outlined")

    def _piece(self, tile: Tile) -> pmui.Button | Html:
        if not tile.filter:
            return Html(_plain(tile), margin=0, sizing_mode="stretch_width", styles=_PLACE, stylesheets=_TALL)
        button = pmui.Button(
            label=_text(tile),
            variant="outlined",
            margin=0,
            sizing_mode="stretch_width",
            sx=_BUTTON,
            styles=_PLACE,
            stylesheets=_TALL,
        )
        button.on_click(partial(self._pressed, tile.filter))
        return button

    def _pressed(self, asked: str, _: object) -> None:
        self._on_press("" if asked == self._active else asked)


def _text(tile: Tile) -> str:
    return f"{tile.main}\n{tile.title}\n{tile.detail}"


def _plain(tile: Tile) -> Markup:
    return html(_PLAIN, tile=tile)


def calm_html(now: Now, *, only: str, rules: bool) -> Markup:
    """Return what stands in place of the table where nothing is wrong.

    Parameters
    ----------
    now : Now
    only : str
        The tile that narrows the table, "" if none does.
    rules : bool
        Whether the twin's model has rules.
    """
    if now.at is None:
        head, told = "Nothing has come yet", "Tiles and exceptions show as soon as the twin has observations."
    elif not rules:
        head = "No rules yet"
        told = "Add rules to the twin's model (rules: in twin.yaml), and what breaks them stands here, worst first."
    elif only:
        head, told = "Nothing here", "No exception of this kind stands. Press the tile again to see all."
    else:
        head, told = "✓ Nothing needs you", f"No exception stands as of {time_text(now.at)} UTC."
    return html(
        '<div role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;padding:26px 10px;text-align:center">'
        '<div style="font-size:20px;font-weight:500">{{ head }}</div><div style="opacity:.85">{{ told }}</div></div>',
        head=head,
        told=told,
    )
