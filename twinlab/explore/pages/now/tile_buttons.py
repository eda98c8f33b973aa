"""Tiles as buttons, updated in place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.exception_text import time_text
from twinlab.explore.kit.panes import Html
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.explore.kit.present import Now
    from twinlab.explore.pages.now.tiles import Tile

__all__ = ["BODY_CSS", "TileStrip", "no_exceptions_html"]

#: On a phone, tiles and map come after the table, so that exceptions are seen first.
BODY_CSS = "@media (max-width: 700px) { .tl-overview { order: 1 } }"

# Two tiles in a row on a phone, all in one row on a desktop, so that the table is visible below them.
_PLACE = {"flex": "1 1 118px", "max-width": "240px", "align-self": "stretch"}
# All tiles of a row have the same height.
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
#: A dashed frame and dimmed letters; the tile's text says why.
_STALE = {**_BUTTON, "opacity": 0.66, "fontStyle": "italic", "borderStyle": "dashed"}
_PLAIN = (
    '<div style="font:13px/1.3 Roboto,system-ui,sans-serif;box-sizing:border-box;min-height:72px;height:100%;'
    'padding:7px 11px;border:1px dashed rgba(127,127,127,.4);border-radius:4px{% if tile.stale %};opacity:.66;font-style:italic{% endif %}">'
    '<span style="font-size:22px;font-weight:500;line-height:1.3">{{ tile.main }}</span>'
    "<br>{{ tile.title }}<br>{{ tile.detail }}</div>"
)


class TileStrip:
    """Row of tiles (``pane``); pressing the active tile again removes its filter.

    Parameters
    ----------
    on_press : callable
        Called with the filter of the pressed tile; with "" when its filter is removed.
    """

    def __init__(self, *, on_press: Callable[[str], object]) -> None:
        self._on_press = on_press
        self._active = ""
        self._pieces: list[pmui.Button | Html] = []
        self._filters: list[str] = []
        # A column, because children added to a FlexBox later load their styles from a CDN in a notebook.
        # Beside other content it takes the width that this doesn't need.
        self.pane = pn.Column(sizing_mode="stretch_width", styles={"flex": "1000 1 400px", "min-width": "0"})

    def show(self, tiles: Sequence[Tile], *, active: str) -> None:
        """Show tiles; existing ones are updated in place."""
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
                piece.param.update(
                    label=_text(tile),
                    variant="contained" if pressed else "outlined",
                    sx=_STALE if tile.stale else _BUTTON,
                )

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


def no_exceptions_html(now: Now, *, only: str, rules: bool) -> Markup:
    """Return the message that replaces an empty table.

    Parameters
    ----------
    now : Now
    only : str
        Filter of the pressed tile, "" without one.
    rules : bool
        Whether the twin's model has rules.
    """
    if now.at is None:
        heading, text = tr("No data yet"), tr("Tiles and exceptions appear as soon as the twin has observations.")
    elif not rules:
        heading = tr("No rules yet")
        text = tr(
            "Add rules to the twin's model (rules: in twin.yaml), and their exceptions appear here, the most severe first."
        )
    elif only:
        heading, text = tr("No such exceptions"), tr("Press the tile again to see all exceptions.")
    else:
        heading, text = tr("✓ No exceptions"), tr("No rule is broken as of {at} UTC.", at=time_text(now.at))
    return html(
        '<div role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;padding:26px 10px;text-align:center">'
        '<div style="font-size:20px;font-weight:500">{{ heading }}</div><div style="opacity:.85">{{ text }}</div></div>',
        heading=heading,
        text=text,
    )
