"""The heat map explorer: one signal of all assets of a type over time, as values or as quality flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import panel as pn
import param

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.legend import title_html
from twinlab.explore.charts.reading import READING_ERRORS, Window, as_window, data_span, same_on_screen
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.panes import Html, empty_pane, error_pane
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.heatmap.controls import asset_properties, find_assets, heat_controls
from twinlab.explore.views.heatmap.live_figure import LiveHeatMap
from twinlab.explore.views.heatmap.plot import draw_heat
from twinlab.explore.views.heatmap.reading import HeatRequest, heat_dataset, measures, read_heat
from twinlab.explore.views.heatmap.rows import (
    ORDERS,
    SHARE_FLAGS,
    HeatRows,
    bin_span,
    drawn_span,
    heat_rows,
    picked_place,
    worst_member,
)
from twinlab.explore.views.heatmap.style import HeatStyle, values_title
from twinlab.explore.views.heatmap.text import (
    SHARES,
    caption,
    format_heat,
    heat_code,
    heat_legend,
    heat_settings,
    heat_tables,
    parse_heat,
)
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["HeatExplorer"]

_NO_DATA = (
    mark("No samples yet"),
    mark("No asset of this twin has observations. Ingest a source with observations, then reload the page."),
)
_NO_SAMPLES = (mark("No samples of this signal have arrived yet"), mark("They are drawn here once they arrive."))


class HeatExplorer(Explorer):
    """One signal of all assets of a type as an image of assets x time, zoomable down to raw samples.

    The image follows the parameters, ``window`` follows a zoom, and ``picked`` and ``chosen`` follow a click on a cell.

    Parameters
    ----------
    heat : {"values", "flags"}
        Initial content, unless the link says otherwise.
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link = "heat"
    label = mark("Heat map")

    asset_type = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="kind of asset")
    signal = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="what is measured")
    heat = param.Selector(default="values", objects=["values", "flags"], check_on_set=True, doc="what cells show")
    measure = param.Selector(default=None, objects=[], check_on_set=True, allow_None=True, doc="statistic of values")
    share = param.Selector(default="worst", objects=list(SHARES.values()), check_on_set=True, doc="measure of flags")
    order = param.Selector(default="id", objects=list(ORDERS.values()), check_on_set=True, doc="order of rows")
    by = param.Selector(default="", objects=[""], check_on_set=True, doc="property whose values make the rows; '' none")
    find = param.String(default="", doc="only assets whose id, name or properties contain this text")
    window = param.DateRange(default=None, allow_None=True, doc="visible span, UTC, half-open; None is everything")
    picked = param.Parameter(default=None, allow_None=True, doc="(asset, (start, stop)) of the cell clicked, or None")

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
        heat: Literal["values", "flags"] = "values",
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._default = heat
        self._quiet = True
        self._rows: HeatRows | None = None
        self._span: Window | None = None
        self._request: HeatRequest | None = None
        self._map = LiveHeatMap(on_zoom=self._on_zoom, on_pick=self._on_pick)
        self._heading = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._legend = Html("", sizing_mode="stretch_width", margin=(2, 10))
        self.param.asset_type.objects = self.shared.choices.kinds()
        self._quiet = False
        self.apply(self.first_link)

    # -- state --------------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice, and missing ones the default."""
        problems = list(link.problems)
        types = list(self.param.asset_type.objects)
        if not types:
            self.notice = " · ".join(problems)
            self._map.show_placeholder(empty_pane(*_NO_DATA))
            return
        with self._silently():
            self.asset_type = known_or_problem(link.asset_type, types, "asset type", problems) or types[0]
            self._update_choices()
            signals = list(self.param.signal.objects)
            self.signal = known_or_problem(link.signal, signals, "signal", problems) or self.signal
            self._update_measures()
            self._apply_heat(link, problems)
            self.find = link.find or ""
            self.window = link.window
            self.picked = None
        self.notice = " · ".join(problems)
        self._selection_changed()
        self._restore(link)

    def _apply_heat(self, link: Link, problems: list[str]) -> None:
        parsed = parse_heat(link.heat or self._default)
        known = list(self.param.heat.objects)
        self.heat = known_or_problem(parsed["heat"], known, tr("heat map"), problems) or self._default
        target = "share" if self.heat == "flags" else "measure"
        defaults = {"share": "worst", "order": "id", "by": ""} | (
            {} if target == "share" else {"measure": next(iter(self.param.measure.objects))}
        )
        for name in (target, "order", "by"):
            known = list(self.param[name].objects)
            found = known_or_problem(parsed[name if name != target else "shows"], known, name, problems)
            setattr(self, name, defaults[name] if found is None else found)

    def _restore(self, link: Link) -> None:
        """Select the cell that a link names, if it's drawn."""
        if link.at is None or not link.assets or self._rows is None:
            return
        span = drawn_span(self._rows, link.assets[0], link.at)
        if span is not None:
            self.picked = (link.assets[0], span)

    def _update_choices(self) -> None:
        """Update the choices for the selected asset type; a signal that is still valid stays selected."""
        signals = self.shared.choices.signals(str(self.asset_type))
        signal = self.signal if self.signal in signals.values() else next(iter(signals.values()))
        self.param.update(signal=None)
        self.param.signal.objects = signals
        self.signal = signal
        properties = self.twin.model.asset_types[str(self.asset_type)].properties
        self.param.update(by="")
        self.param.by.objects = {tr("each asset"): ""} | {p.title or readable_name(n): n for n, p in properties.items()}
        self._update_measures()

    def _update_measures(self) -> None:
        choices = measures(self._spec)
        measure = self.measure if self.measure in choices.values() else next(iter(choices.values()))
        self.param.update(measure=None)
        self.param.measure.objects = choices
        self.measure = measure

    @property
    def _spec(self) -> Any:
        return self.twin.model.asset_types[str(self.asset_type)].signals[str(self.signal)]

    @param.depends("asset_type", watch=True)
    def _type_changed(self) -> None:
        if self._quiet:
            return
        with self._silently():
            self._update_choices()
            self.picked = None
        self._selection_changed()

    @param.depends("signal", watch=True)
    def _signal_changed(self) -> None:
        if self._quiet:
            return
        with self._silently():
            self._update_measures()
            self.picked = None
        self._selection_changed()

    def _selection_changed(self) -> None:
        kind, signal = str(self.asset_type), str(self.signal)
        try:
            self._span = self.shared.cached(
                ("span", kind, signal), lambda: data_span(self.twin, asset_type=kind, signal=signal)
            )
        except READING_ERRORS as error:
            self._span = None
            self._fail(error)
        else:
            self._show(move=True)

    @param.depends("window", "heat", "measure", "share", "order", "by", "find", watch=True)
    def _style_changed(self) -> None:
        if not self._quiet:
            self._show(move=True)

    @param.depends("picked", watch=True)
    def _picked_changed(self) -> None:
        if not self._quiet:
            self._draw(move=False)
            self.revision += 1

    # -- reading and drawing ------------------------------------------------------------------------------------------

    @property
    def shown(self) -> Window | None:
        """The shown span: the window, or everything."""
        return self._span if self.window is None else as_window(*self.window)

    @property
    def rows(self) -> HeatRows | None:
        """The drawn rows; None if nothing is shown."""
        return self._rows

    @property
    def title(self) -> str:
        """Titles of the signal and the asset type."""
        name = self._name
        kinds = {value: label for label, value in self.param.asset_type.names.items()}
        return f"{name[:1].upper()}{name[1:]} · {kinds.get(str(self.asset_type), self.asset_type)}"

    @property
    def _name(self) -> str:
        return str(self._spec.title or readable_name(str(self.signal)))

    def read_again(self) -> None:
        """Read and draw the shown span again, after the data changed."""
        self._show(move=False)

    def _show(self, *, move: bool) -> None:
        shown = self.shown
        if self.signal is None or shown is None:
            self._rows = None
            self._replace(empty_pane(*_NO_SAMPLES))
            self.revision += 1
            return
        try:
            self._read(shown)
        except READING_ERRORS as error:
            self._fail(error)
            return
        self._draw(move=move)
        self.revision += 1

    def _replace(self, content: pn.viewable.Viewable) -> None:
        """Show a placeholder instead of the image."""
        self._map.show_placeholder(content)
        self._heading.object = title_html(self.title, "") if self.signal else ""
        self._legend.object = ""

    def _fail(self, error: Exception) -> None:
        """Show a read error: as a notice above the image, or instead of it."""
        if self._rows is not None:
            self.notice = tr("The data can't be read: {error}", error=error)
        else:
            self._replace(error_pane(tr("The heat map"), str(error), retry=self._selection_changed))
        self.revision += 1

    def _read(self, shown: Window) -> None:
        labels = self.shared.labels(str(self.asset_type))
        drawn = list(self.shared.choices.assets(str(self.asset_type)).values())
        found = find_assets(self.find, {a: labels.get(a, a) for a in drawn}, self._table()) if self.find else None
        request = HeatRequest(str(self.asset_type), str(self.signal), shown, str(self.measure), found)
        cells = read_heat(self.twin, request)
        share = SHARE_FLAGS.get(self.share, ()) if self.heat == "flags" else ()
        groups = asset_properties(self._table(), self.by) if self.by else None
        self._rows = heat_rows(cells, labels=labels, order=self.order, groups=groups, share=share)
        self._request = request

    def _table(self) -> pd.DataFrame:
        kind = str(self.asset_type)
        return self.shared.cached(("assets", kind), lambda: self.twin.assets(kind))

    def _style(self) -> HeatStyle:
        picked = picked_place(self._rows, self.picked)
        if self.heat == "flags":
            title = {value: tr(label) for label, value in SHARES.items()}[self.share]
            return HeatStyle("flags", self.share, title, picked)
        label = {value: label for label, value in measures(self._spec).items()}[str(self.measure)]
        unit = "" if self._rows is None else self._rows.cells.unit
        return HeatStyle("values", str(self.measure), values_title(self._name, label, unit), picked)

    def _draw(self, *, move: bool) -> None:
        shown = self.shown
        if self._rows is None or shown is None:
            return
        style = self._style()
        self._heading.object = title_html(self.title, caption(self._rows, shown))
        self._legend.object = heat_legend(self._rows, style)
        if not self._rows.labels:
            message = empty_pane(tr("No asset matches “{find}”", find=self.find), tr("Search for a shorter text above."))  # fmt: skip
            self._map.show_placeholder(message)
        else:
            self._map.show(self._rows, style, window=shown, move=move)

    def _on_zoom(self, window: Window) -> None:
        """Take over the zoomed window, without moving the axis of the plot."""
        shown = self.shown
        if shown is None or window[1] <= window[0] or same_on_screen(window, shown):
            return
        with self._silently():
            self.window = window
        self._show(move=False)

    def _on_pick(self, row: int, column: int) -> None:
        if self._rows is None:
            return
        asset = worst_member(self._rows, row, column)
        self.picked = (asset, bin_span(self._rows, column))
        self.chosen = (str(self.asset_type), asset)

    # -- actions and exports ------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Show everything."""
        self.window = None

    def go_to(self, *, asset_type: str, signal: str) -> None:
        """Show another signal in the same window."""
        with self._silently():
            self.picked = None
            if asset_type != self.asset_type:
                self.asset_type = asset_type
                self._update_choices()
            self.signal = signal
            self._update_measures()
        self._selection_changed()

    def code(self) -> str:
        """Return Python that reads the shown data in a fresh kernel as ``data``."""
        if self._rows is None or self._request is None:
            return ""
        return heat_code(self._request, self._rows.cells.plan, opening=self.open_code)

    def data(self) -> xr.Dataset | None:
        """Return the arrays behind the image, one column per asset, equal to those of `code`."""
        if self._rows is None or self._request is None:
            return None
        return heat_dataset(self.twin, self._request, self._rows.cells.plan)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the drawn values, one row per bin and one column per row of the image, and the samples of each flag."""
        return {} if self._rows is None else heat_tables(self._rows, self._style())

    def settings(self) -> dict[str, str]:
        """Return the settings as text: label -> value."""
        if self._rows is None or self.shown is None:
            return {}
        first = {tr("kind of asset"): str(self.asset_type), "signal": str(self.signal), tr("cells show"): self._style().title}  # fmt: skip
        return first | heat_settings(self._rows, self.shown, order=self.order, find=self.find)

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the image as a HoloViews object."""
        if self._rows is None or not self._rows.labels:
            return None
        return draw_heat(self._rows, self._style(), backend=backend, window=self.shown)

    def link(self) -> Link:
        """Return the view's state."""
        if self.signal is None:
            return Link()
        shows = self.share if self.heat == "flags" else str(self.measure)
        return Link(
            asset_type=self.asset_type,
            signals=(str(self.signal),),
            assets=None if self.picked is None else (self.picked[0],),
            window=None if self.window is None else self.shown,
            at=None if self.picked is None else self.picked[1][0],
            heat=format_heat(self.heat, shows, order=self.order, by=self.by),
            find=self.find or None,
        )

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets of the explorer."""
        return heat_controls(self.param, on_reset=self.reset)

    def __panel__(self) -> pn.viewable.Viewable:
        if not self.param.asset_type.objects:
            return pn.Column(self._alert, self._map.pane, sizing_mode="stretch_width")
        parts = (self._alert, self.controls(), self._heading, self._map.pane, self._legend)
        return pn.Column(*parts, sizing_mode="stretch_width")
