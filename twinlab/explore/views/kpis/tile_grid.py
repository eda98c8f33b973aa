"""The tiles of all KPIs on a page: drawings that are pressed like buttons, updated in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.panes import Html
from twinlab.explore.views.kpis.tiles import KpiTile, error_tile_html, tile_html, tile_of
from twinlab.languages import tr

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["TileGrid"]

_PLACE = {
    "flex": "1 1 165px",
    "max-width": "300px",
    "min-width": "150px",
    "position": "relative",
    "align-self": "stretch",
}
# The button covers the drawing: its text is for screen readers.
_OVER = {"position": "absolute", "inset": "0", "width": "100%", "height": "100%"}
_BUTTON = {
    "width": "100%",
    "height": "100%",
    "color": "transparent",
    "fontSize": "1px",
    "&:hover": {"backgroundColor": "rgba(127,127,127,.10)"},
    "&:focus-visible": {"outline": "3px solid #0072B2", "outlineOffset": "-3px"},
}
_FULL = [":host { height: auto !important; } :host > div { height: 100%; }"]


class TileGrid:
    """Tiles (``pane``), one for each KPI.

    Parameters
    ----------
    names : mapping of str to str
        KPI -> title.
    on_press : callable
        Called with the name of the KPI whose tile is pressed.
    live : bool
        Whether the twin has live sources: tiles then say up to when nothing more is expected.
    """

    def __init__(self, names: Mapping[str, str], *, on_press: Callable[[str], None], live: bool = False) -> None:
        self._names, self._live = names, live
        self._tiles: dict[str, KpiTile | str] = {}
        self._drawings = {
            name: Html("", sizing_mode="stretch_width", margin=0, styles={"height": "100%"}, stylesheets=_FULL)
            for name in names
        }
        self._buttons = {
            name: pmui.Button(label=title, variant="text", margin=0, styles=_OVER, sx=_BUTTON)
            for name, title in names.items()
        }
        places = []
        for name in names:
            self._buttons[name].on_click(partial(self._pressed, on_press, name))
            places.append(
                pn.Column(
                    self._drawings[name], self._buttons[name], margin=0, sizing_mode="stretch_width", styles=_PLACE
                )
            )
        self.pane = pn.FlexBox(*places, sizing_mode="stretch_width", margin=(6, 10), gap="8px", align_items="stretch")

    def show(self, data: Mapping[str, xr.Dataset | str], *, chosen: str | None) -> None:
        """Draw the tiles; a text instead of data says why there is none."""
        for name, one in data.items():
            found = one if isinstance(one, str) else tile_of(one, live=self._live)
            self._tiles[name] = tr("No windows in this period.") if found is None else found
        self.choose(chosen)

    def choose(self, chosen: str | None) -> None:
        """Mark the tile of the drawn KPI."""
        for name, tile in self._tiles.items():
            if isinstance(tile, str):
                self._drawings[name].object = error_tile_html(self._names[name], tile)
                continue
            self._drawings[name].object = tile_html(tile, chosen=name == chosen)
            said = tr("target {verdict}", verdict=tr(tile.verdict)) if tile.verdict else ""
            parts = [
                self._names[name],
                f"{tile.number} {tile.unit}".strip(),
                tile.bounds,
                tile.known,
                said,
                tile.settled,
            ]
            self._buttons[name].label = ", ".join(part for part in parts if part)

    @staticmethod
    def _pressed(on_press: Callable[[str], None], name: str, _: object) -> None:
        on_press(name)
