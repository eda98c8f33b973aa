"""The map explorer: positions of assets at an instant, and their tracks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param
from panel.io import hold

from twinlab.explore.charts.basemap import base_map, extent_of
from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.reading import READING_ERRORS, shown_instant
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.panes import Html, empty_pane, error_pane
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.kit.time_player import TimePlayer
from twinlab.explore.kit.widgets import TOGGLES, TOGGLES_LABEL, row, without_debounce
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.map.colors import ColorScale, color_scale
from twinlab.explore.views.map.layers import MapLayer, asset_layers, base_map_layers, overlay
from twinlab.explore.views.map.legend import map_legend, summary
from twinlab.explore.views.map.live_figure import LiveMap, pixel_size
from twinlab.explore.views.map.planned_stops import planned_stops
from twinlab.explore.views.map.preload import PreloadingReader
from twinlab.explore.views.map.reading import (
    MapRequest,
    MapSnapshot,
    color_choices,
    contained_kinds,
    first_fix,
    map_code,
    placed_kinds,
    snapshot,
    table_of_positions,
)
from twinlab.explore.views.map.tables import map_sheets
from twinlab.explore.views.map.track import Track, read_track, track_layers
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["MapView"]

_NO_PLACES = (
    mark("No kind of asset of this twin has a position"),
    mark("Name two properties or signals in twin.yaml: position: [latitude, longitude]."),
)
_NO_DATA = (
    mark("Nothing to show on a map yet"),
    mark("No asset has a place and nothing was observed. Ingest a source, then reload the page."),
)


class MapView(Explorer):
    """Assets of selected types on a map, at an instant; one selected asset with its track.

    The parameters are those of `Explorer`. Setting ``at`` updates the map in place.
    """

    name_in_link: ClassVar[str] = "map"
    label: ClassVar[str] = mark("Map")

    kinds = param.ListSelector(default=[], objects=[], check_on_set=True, doc="asset types that are shown")
    color = param.Selector(default="", objects=[""], check_on_set=True, doc="colour of the markers")
    at = param.Parameter(default=None, allow_None=True, doc="the shown instant, UTC")
    selected = param.Parameter(default=(), doc="assets in the selected box, as (asset type, asset)")
    track_hours = param.Selector(
        default=6, objects=[0, 2, 6, 24], check_on_set=True, doc="length of the track in hours"
    )

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._reader = PreloadingReader(self.shared.reader)
        self._quiet = True
        self._shot: MapSnapshot | None = None
        # Message of the last read error.
        self._failure = ""
        self._scale: ColorScale | None = None
        self._track: Track | None = None
        self._map = LiveMap(on_choose=self._pick, on_scale=self._update_names)
        self._summary = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._legend = Html("", sizing_mode="stretch_width", margin=(4, 10))
        placed = placed_kinds(twin.model)
        self.param.kinds.objects = {self._title(kind): kind for kind in (*placed, *contained_kinds(twin.model))}
        self.param.color.objects = color_choices(twin.model, placed)
        self._player = TimePlayer(on_move=self._move)
        self._quiet = False
        self.apply(self.first_link)

    # -- state --------------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice."""
        problems = list(link.problems)
        with self._silently():
            known = list(self.twin.model.asset_types)
            asset_type = known_or_problem(link.asset_type, known, "asset type", problems)
            self.kinds = list(self.param.kinds.objects)
            self.color = known_or_problem(link.layout, list(self.param.color.objects), "colour", problems) or ""
            self._player.span = self._span()
            latest = self.shared.latest()
            when = link.at if link.at is not None else (link.window[1] if link.window is not None else latest)
            self.at = when if when is not None else np.datetime64("2000-01-01", "ns")
            self._player.show(self.at)
            assets = tuple((asset_type, one) for one in link.assets or ()) if asset_type in self.kinds else ()
            self.chosen = assets[0] if len(assets) == 1 else None
            self.selected = assets if len(assets) > 1 else ()
        self.notice = " · ".join(problems)
        self._read()
        self._show()
        self.revision += 1

    def _span(self) -> tuple[np.datetime64, np.datetime64] | None:
        """Return the span from the first fix to the newest data."""
        latest = self.shared.latest()
        if latest is None:
            return None
        start = self.shared.cached("first fix", lambda: first_fix(self.twin))
        return (latest if start is None else min(start, latest), latest)

    def _title(self, kind: str) -> str:
        return self.twin.model.asset_types[kind].title or readable_name(kind)

    def _request(self) -> MapRequest:
        placed = placed_kinds(self.twin.model)
        contained = [kind for kind in self.kinds if kind not in placed]
        drawn = [kind for kind in placed if kind in self.kinds]
        return MapRequest(np.datetime64(self.at, "ns"), tuple(drawn), tuple(contained), str(self.color))

    # -- reading and drawing ------------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read the snapshot, or store the error message."""
        try:
            self._shot = snapshot(self._reader, self._request())
            self._scale = color_scale(self._shot, self.twin.model, previous=self._scale)
            self._read_track()
        except READING_ERRORS as error:
            self._shot, self._failure = None, str(error)

    def _read_track(self) -> None:
        self._track = None
        if self.chosen is not None and self.track_hours and self.chosen[0] in self.kinds:
            at = np.datetime64(self.at, "ns")
            track = read_track(self._reader, self.chosen, at=at, hours=self.track_hours)
            if track is not None:
                stops = planned_stops(self._reader, self.chosen, at=at)
                track = replace(track, stops=stops)
            self._track = track

    def _parts(self, metres_a_pixel: float) -> list[MapLayer]:
        if self._shot is None:
            return []
        labels = {kind: self.shared.labels(kind) for kind in self._shot.request.asset_types}
        return asset_layers(
            self._shot,
            self.twin.model,
            scale=self._scale,
            labels=labels,
            chosen=self.chosen,
            track=track_layers(self._track),
            metres_a_pixel=metres_a_pixel,
        )

    def _show(self) -> None:
        """Build the map, or show why there is none."""
        if not self.param.kinds.objects:
            self._map.show_placeholder(empty_pane(*_NO_PLACES))
        elif self._empty:
            self._map.show_placeholder(empty_pane(*_NO_DATA))
        elif not self.kinds:
            self._map.show_placeholder(
                empty_pane(tr("Choose at least one kind of asset"), tr("They are above, on the left."))
            )
        elif self._shot is None:
            self._map.show_placeholder(error_pane(tr("The map"), self._failure, retry=self._changed))
        else:
            view = self._extent()
            self._map.show(self._parts(self._map.scale_for(view)), view)
        self._update_texts()

    @property
    def _empty(self) -> bool:
        """Whether the twin has no data at all for a map."""
        return self._shot is not None and self._shot.table.empty and self._player.span is None

    def _extent(self) -> Any:
        table = self._shot.table if self._shot is not None else pd.DataFrame({"latitude": [], "longitude": []})
        return extent_of(table["latitude"].to_numpy(dtype=float), table["longitude"].to_numpy(dtype=float))

    def _refresh(self) -> None:
        """Update the map in place, or build it."""
        if self._map.is_shown and self._shot is not None and self.kinds and not self._empty:
            self._map.refresh(self._parts(self._map.metres_a_pixel))
            self._update_texts()
        else:
            self._show()

    def _update_names(self) -> None:
        """Update the names of assets, which depend on the scale."""
        if self._shot is not None:
            self._map.refresh(self._parts(self._map.metres_a_pixel))

    def _update_texts(self) -> None:
        if self._shot is None or self._empty:
            self._summary.object = self._legend.object = ""
            return
        self._summary.object = summary(self._shot, self.twin.model, self.shared)
        self._legend.object = map_legend(self._shot, self.twin.model, self._scale, track=self._track)

    @param.depends("at", "color", "kinds", "track_hours", watch=True)
    def _changed(self) -> None:
        if self._quiet:
            return
        with hold():
            if self._player.at != np.datetime64(self.at, "ns"):
                self._player.show(np.datetime64(self.at, "ns"))
            self._read()
            self._refresh()
            self.revision += 1

    @param.depends("chosen", watch=True)
    def _chosen_changed(self) -> None:
        if self._quiet or self._shot is None:
            return
        with hold():
            try:
                self._read_track()
            except READING_ERRORS as error:
                self.notice = tr("The track can't be read: {error}", error=error)
            self._refresh()
            self.revision += 1

    def _move(self, when: np.datetime64) -> None:
        self.at = when

    def _pick(self, rows: list[int]) -> None:
        """Take over a tapped marker or a selected box."""
        if self._shot is None:
            return
        table = self._shot.table
        found = [(str(table["asset_type"][k]), str(table["asset"][k])) for k in rows if k < len(table)]
        self.selected = tuple(found) if len(found) > 1 else ()
        if len(found) == 1:
            self.chosen = found[0]
        elif not found:
            self.chosen = None
        self._update_texts()
        self.revision += 1

    def show_all(self) -> None:
        """Zoom to all assets."""
        if self._map.is_shown:
            self._map.go_to(self._extent())

    # -- exports ------------------------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the view's state."""
        picked = self.selected or ((self.chosen,) if self.chosen is not None else ())
        kind = picked[0][0] if picked else None
        return Link(
            asset_type=kind,
            assets=tuple(asset for one, asset in picked if one == kind) or None,
            at=None if self.at is None else np.datetime64(self.at, "ns"),
            layout=self.color or None,
        )

    def code(self) -> str:
        """Return Python that reads the shown positions in a fresh kernel as ``data``."""
        return "" if self._shot is None or not self.kinds else map_code(self._shot.request, opening=self.open_code)

    def data(self) -> pd.DataFrame | None:
        """Return the positions of all assets of the selected types, equal to those of `code`."""
        if self._shot is None or not self.kinds:
            return None
        request = self._shot.request
        return table_of_positions(
            self._reader, kinds=(*request.asset_types, *request.contained), at=request.at, within=request.within
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return one table per asset type: names, positions, ages of fixes, last values."""
        return {} if self._shot is None else map_sheets(self._shot, self.twin.model, self.shared)

    def settings(self) -> dict[str, str]:
        """Return the settings as text: label -> value."""
        color = next((label for label, value in self.param.color.names.items() if value == self.color), "")
        out = {
            tr("Instant (UTC)"): "" if self.at is None else shown_instant(np.datetime64(self.at, "ns")),
            tr("Kinds of asset"): ", ".join(self._title(kind) for kind in self.kinds),
            tr("Colour"): color,
        }
        if self.chosen is not None:
            out["Chosen"] = f"{self._title(self.chosen[0])} {self.chosen[1]}"
        return out

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the map as a HoloViews object."""
        if self._shot is None or not self.kinds:
            return None
        view = self._extent()
        plot = overlay([*base_map_layers(base_map(view)), *self._parts(pixel_size(view))], backend=backend)
        limits = {"xlim": (view.left, view.right), "ylim": (view.bottom, view.top), "xaxis": None, "yaxis": None}
        if backend == "matplotlib":
            return plot.opts(
                **limits, aspect="equal", fig_size=250, title=tr("Outlines: Natural Earth"), backend="matplotlib"
            )
        shape = {"frame_width": 800, "frame_height": max(200, min(800, round(800 * view.height / view.width)))}
        return plot.opts(**limits, **shape, show_legend=False, backend="bokeh")

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets of the explorer."""
        kinds = pmui.CheckButtonGroup.from_param(
            self.param.kinds,
            label=tr("Kinds of asset"),
            size="small",
            sx=TOGGLES,
            stylesheets=[TOGGLES_LABEL],
            description="",
        )
        color = pmui.Select.from_param(self.param.color, label=tr("Colour by"), width=220, size="small", description="")
        hours = pmui.Select.from_param(
            self.param.track_hours,
            label=tr("Track of the chosen"),
            options={tr("none"): 0, tr("2 hours"): 2, tr("6 hours"): 6, tr("24 hours"): 24},
            width=150,
            size="small",
            description="",
        )
        for choice in (kinds, color, hours):
            without_debounce(choice)
        everything = pmui.Button(label=tr("Show all"), variant="outlined", size="small")
        everything.on_click(lambda _: self.show_all())
        return row([kinds, color, hours, everything], margin=(8, 0, 4, 0))

    def __panel__(self) -> pn.viewable.Viewable:
        if not self.param.kinds.objects or self._empty:
            return pn.Column(self._alert, self._map.pane, sizing_mode="stretch_width")
        return pn.Column(
            self._alert,
            self.controls(),
            self._player.panel(),
            self._summary,
            self._map.pane,
            self._legend,
            sizing_mode="stretch_width",
        )
