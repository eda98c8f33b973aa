"""Small map of the Now page: assets with the severity of their exceptions; a click selects an asset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.basemap import base_map, extent_of
from twinlab.explore.kit.exception_text import LabelsByType
from twinlab.explore.kit.present import now_at
from twinlab.explore.views.map.colors import color_scale
from twinlab.explore.views.map.layers import MapLayer, asset_layers, base_map_layers, overlay
from twinlab.explore.views.map.live_figure import LiveMap
from twinlab.explore.views.map.reading import EXCEPTIONS, MapRequest, MapSnapshot, placed_kinds, snapshot
from twinlab.languages import tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.charts.outlines import Box
    from twinlab.explore.kit.session import Shared

__all__ = ["NowMap"]

_HEIGHT = 220
#: Smallest and largest width beside the tiles, and the width of the tools beside the map, pixels.
_WIDTHS, _TOOLS_WIDTH = (320, 680), 50
_SETTING = "now_map"


class NowMap:
    """A map (``pane``) and a button that hides it (``pieces``); both empty for a twin without positions.

    Parameters
    ----------
    shared : Shared
    settings : mutable mapping
        Settings of the reader; whether the map is shown is stored under ``now_map``.
    on_choose : callable
        Called with the (asset type, asset) that was clicked.
    """

    def __init__(
        self,
        shared: Shared,
        *,
        settings: MutableMapping[str, object],
        on_choose: Callable[[tuple[str, str]], None],
    ) -> None:
        self._shared, self._settings, self._on_choose = shared, settings, on_choose
        self._kinds = tuple(placed_kinds(shared.twin.model))
        self._shot: MapSnapshot | None = None
        # Assets that aren't live -> state and age in words.
        self._stale: Mapping[tuple[str, str], str] = {}
        # Instant of the page.
        self._at: np.datetime64 | None = None
        self.shown = bool(self._kinds) and settings.get(_SETTING) is not False
        self._live_map = LiveMap(on_choose=self._tapped, on_scale=self._update_labels, height=_HEIGHT)
        self.pane = pn.Column(self._live_map.pane, sizing_mode="stretch_width", margin=(2, 10), visible=self.shown)
        self._fit(_WIDTHS[0])
        self._button = pmui.Button(label="", icon="map", variant="outlined", size="small", margin=4)
        self._button.on_click(lambda _: self.toggle())
        self._label_button()
        self.pieces = [self._button] if self._kinds else []

    def read(self, at: np.datetime64 | None) -> MapSnapshot | None:
        """Return positions and exceptions of the assets at an instant; None if no map is shown."""
        self._at = at
        if not self.shown or at is None:
            return None
        found = now_at(self._shared, at).exceptions
        ask = MapRequest(at, self._kinds, (), EXCEPTIONS)
        return self._shared.cached(("now map", str(at)), lambda: snapshot(self._shared.reader, ask, exceptions=found))

    def show(self, shot: MapSnapshot | None, *, stale: Mapping[tuple[str, str], str] | None = None) -> None:
        """Show a snapshot; an existing map is updated in place.

        Parameters
        ----------
        shot : MapSnapshot or None
        stale : mapping of (asset type, asset) to its state and age in words
            Assets of a live twin that aren't live: hollow, grey and with these words.
        """
        self._stale = stale or {}
        self._shot = shot = _with_stale(shot, self._stale)
        if shot is None or not len(shot.table):
            self.pane.visible = False
            return
        self.pane.visible = True
        view = _extent(shot)
        self._fit(round(_HEIGHT * view.width / view.height) + _TOOLS_WIDTH)
        if self._live_map.is_shown:
            self._live_map.refresh(self._parts(shot))
        else:
            self._live_map.show(self._parts(shot), view)

    def _fit(self, width: int) -> None:
        """Take the width that the extent needs: a wider map would show what has no assets. Alone in a line, it's filled."""
        basis = min(max(width, _WIDTHS[0]), _WIDTHS[1])
        self.pane.styles = {"flex": f"1 1 {basis}px", "min-width": "0"}

    def toggle(self) -> None:
        """Show or hide the map, and store the choice."""
        self.shown = not self.shown
        self._settings[_SETTING] = self.shown
        self._label_button()
        self.show(self.read(self._at), stale=self._stale)

    def figure(self, *, backend: Literal["bokeh", "matplotlib"]) -> hv.core.Dimensioned | None:
        """Return the map as a HoloViews object; None if no map is shown."""
        if self._shot is None or not len(self._shot.table):
            return None
        view = _extent(self._shot)
        plot = overlay([*base_map_layers(base_map(view)), *self._parts(self._shot)], backend=backend)
        limits: dict[str, Any] = {
            "xlim": (view.left, view.right),
            "ylim": (view.bottom, view.top),
            "xaxis": None,
            "yaxis": None,
        }
        if backend == "matplotlib":
            return plot.opts(**limits, aspect="equal", fig_size=250, backend="matplotlib")
        height = max(200, min(800, round(800 * view.height / view.width)))
        return plot.opts(**limits, frame_width=800, frame_height=height, show_legend=False, backend="bokeh")

    def _parts(self, shot: MapSnapshot) -> list[MapLayer]:
        model = self._shared.twin.model
        return asset_layers(
            shot,
            model,
            scale=color_scale(shot, model),
            labels=_labels(shot, LabelsByType(self._shared), self._stale),
            metres_a_pixel=self._live_map.metres_a_pixel or self._live_map.scale_for(_extent(shot)),
        )

    def _update_labels(self) -> None:
        """Show the labels that fit at the current scale."""
        if self._shot is not None:
            self._live_map.refresh(self._parts(self._shot))

    def _tapped(self, rows: list[int]) -> None:
        if self._shot is not None and len(rows) == 1 and rows[0] < len(self._shot.table):
            row = self._shot.table.iloc[rows[0]]
            self._on_choose((str(row["asset_type"]), str(row["asset"])))

    def _label_button(self) -> None:
        self._button.label = tr("Hide map") if self.shown else tr("Show map")


def _with_stale(shot: MapSnapshot | None, stale: Mapping[tuple[str, str], str]) -> MapSnapshot | None:
    """Return a snapshot in which moving assets that aren't live are stale."""
    if shot is None or not stale or not len(shot.table):
        return shot
    moving = shot.table["time"].notna()
    old = np.array(
        [key in stale for key in zip(shot.table["asset_type"], shot.table["asset"], strict=True)], dtype=bool
    )
    return replace(shot, table=shot.table.assign(stale=shot.table["stale"] | (moving & old)))


def _labels(
    shot: MapSnapshot, labels: Mapping[str, Mapping[str, str]], stale: Mapping[tuple[str, str], str]
) -> Mapping[str, Mapping[str, str]]:
    """Return the labels of the assets on a map, with state and age of those that aren't live."""
    if not stale:
        return labels
    out: dict[str, dict[str, str]] = {}
    for kind, asset in zip(shot.table["asset_type"], shot.table["asset"], strict=True):
        name = labels.get(kind, {}).get(asset, asset)
        out.setdefault(kind, {})[asset] = f"{name} · {stale[kind, asset]}" if (kind, asset) in stale else name
    return out


def _extent(shot: MapSnapshot) -> Box:
    table = shot.table
    return extent_of(table["latitude"].to_numpy(dtype=float), table["longitude"].to_numpy(dtype=float))
