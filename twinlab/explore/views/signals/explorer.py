"""The signal explorer: select assets and signals, zoom from years to single samples, compare periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import panel as pn
import param

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.figures import one_message
from twinlab.explore.charts.legend import legend_html, title_html
from twinlab.explore.charts.reading import Window, same_on_screen
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.live.settled import settled_text
from twinlab.explore.kit.panes import Html
from twinlab.explore.views.signals.code import view_code
from twinlab.explore.views.signals.controls import signal_controls
from twinlab.explore.views.signals.figure import signal_figure
from twinlab.explore.views.signals.live_charts import ChartStyle, LiveCharts, instant
from twinlab.explore.views.signals.navigation import SignalNavigation
from twinlab.explore.views.signals.parameters import MAX_ASSETS, MAX_MULTIPLES, MAX_SIGNALS
from twinlab.explore.views.signals.request import (
    LIMITED,
    limit_notice,
    max_assets,
    requested_periods,
    requested_signals,
)
from twinlab.explore.views.signals.tables import view_settings, view_tables
from twinlab.explore.views.signals.view import SignalRequest, View, read_view
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["MAX_ASSETS", "MAX_MULTIPLES", "MAX_SIGNALS", "SignalExplorer"]

_NO_SIGNALS = mark("This twin has no signals yet. Ingest a source whose mapping names signals, then reload the page.")
_NO_DATA = mark("No asset of this twin has observations yet. Ingest a source with observations, then reload the page.")


class SignalExplorer(SignalNavigation):
    """Charts of signals of some assets, zoomable from the whole history down to raw samples.

    The charts follow the parameters, and ``window`` follows a zoom. The same object works in JupyterLab and in a served
    page. Signals of one unit share a chart, other charts are stacked on one time axis; in small multiples each asset has
    its own chart.

    Parameters
    ----------
    twin, link, shared, session, open_code
        As for `Explorer`.
    patient : bool
        Has no effect: charts are read from rollups and need no deferred loading. A page that must be shown before its
        first chart creates the explorer later, as `Workspace` does.
    """

    name_in_link = "history"
    label = mark("Signals")

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
        self._view: View | None = None
        self._charts_pane = LiveCharts(on_zoom=self._zoomed, on_brush=self._brushed)
        self._heading = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._legend = Html("", sizing_mode="stretch_width", margin=(2, 10))
        #: The charts with heading and legend, without widgets.
        self.charts = pn.Column(self._heading, self._charts_pane.pane, self._legend, sizing_mode="stretch_width")
        self.param.asset_type.objects = self.shared.choices.kinds()
        self.apply(self.first_link)

    @param.depends("selecting", watch=True)
    def _selecting_changed(self) -> None:
        # The end of selecting clears the selection.
        if not self.selecting:
            self.brush = None

    @param.depends("show_flags", "full_range", "marked", "brush", "selecting", watch=True)
    def _style_changed(self) -> None:
        if not self._quiet and self._view is not None:
            with one_message():
                self._draw(move=False)

    # -- reading and drawing ------------------------------------------------------------------------------------------

    @property
    def view(self) -> View | None:
        """Content of the charts; None if nothing is shown."""
        return self._view

    @property
    def title(self) -> str:
        """Titles of the signals and their assets."""
        if not self.signals:
            return tr("No signal")
        specs = self.twin.model.asset_types[str(self.asset_type)].signals
        labels, drawn = self.labels(), self.drawn()
        name = ", ".join(specs[s].title or readable_name(s) for s in requested_signals(self))
        assets = (
            ", ".join(labels.get(a, a) for a in drawn)
            if len(drawn) <= MAX_ASSETS
            else tr("{count} assets", count=len(drawn))
        )
        return f"{name[:1].upper()}{name[1:]} · {assets}"

    def labels(self) -> dict[str, str]:
        """Return asset -> label of the selectable assets."""
        return {asset: label for label, asset in self.param.assets.names.items()}

    def drawn(self) -> list[str]:
        """Return the drawn assets: as many of the selected ones as the limits allow."""
        others = 0 if self._view is None else len(self._view.request.periods)
        return list(self.assets)[: max_assets(self.layout, signals=len(self.signals), periods=1 + others)]

    @property
    def settled(self) -> str:
        """Whether the drawn window is settled, and until when; "" for a twin without live sources."""
        if self._view is None:
            return ""
        request = self._view.request
        return settled_text(self.twin, request.asset_type, request.signals, request.window[1])

    def _request(self, shown: Window) -> SignalRequest:
        kind, signals = str(self.asset_type), requested_signals(self)
        since, periods, problem = requested_periods(self, shown)
        fits = max_assets(self.layout, signals=len(signals), periods=1 + len(periods))
        assets = tuple(self.assets[:fits])
        if len(self.assets) > fits or len(self.signals) > len(signals):
            problem = problem or limit_notice(self, signals, assets)
        if problem or self.notice.startswith(tr(LIMITED)):
            self.notice = problem
        layout: Literal["together", "multiples"] = "multiples" if self.layout == "multiples" else "together"
        return SignalRequest(kind, signals, assets, shown, self.labels(), periods, since, layout)

    def _read(self) -> bool:
        """Read the requested data; False if there is nothing new to draw."""
        shown = self.shown
        if not self.signals or shown is None or not self.assets:
            self._view = None
            return True

        def action() -> None:
            self._view = read_view(self.twin, self._request(shown))

        return self._guarded(action)

    def _redraw(self, *, move: bool = True) -> None:
        # The charts first: the browser draws them while the server prepares link, code and tables.
        with one_message():
            if self._read():
                self._draw(move=move)
            elif self._view is None:
                self._show_empty()
        with one_message():
            self.revision += 1

    def _draw(self, *, move: bool) -> None:
        """Draw the data that was read."""
        view = self._view
        if view is None:
            self._show_empty()
            return
        self._heading.object = title_html(self.title, " · ".join(text for text in (view.title, self.settled) if text))
        self._legend.object = legend_html(
            view.traces, show_flags=self.show_flags, event=self.marked is not None, brush=self.brush is not None
        )
        self._charts_pane.show(view, self._style(), move=move)

    def _style(self) -> ChartStyle:
        return ChartStyle(self.show_flags, self.full_range, self.marked, self.brush, self.selecting)

    def _show_empty(self) -> None:
        self._charts_pane.show_message(*self._empty_message())
        self._heading.object = title_html(self.title, "") if self.signals else ""
        self._legend.object = ""

    def _empty_message(self) -> tuple[str, str]:
        if not self.param.asset_type.objects:
            some = any(kind.signals for kind in self.twin.model.asset_types.values())
            return tr("Nothing to draw yet"), tr(_NO_DATA if some else _NO_SIGNALS)
        if not self.signals:
            return tr("Choose a signal"), tr("Up to four can be drawn at once.")
        if not self.assets:
            return tr("Choose at least one asset"), tr("Type a part of its name above.")
        if self._known and self._span is None and self.window is None:
            return tr("No samples of this signal have arrived yet"), tr("They are drawn here once they arrive.")
        return tr("Nothing can be shown"), tr("The notice above says why.")

    # -- zooming and selecting in a chart -----------------------------------------------------------------------------

    def _zoomed(self, ends: tuple[Any, Any]) -> None:
        since = None if self._view is None else self._view.request.since
        self._on_zoom((instant(ends[0], since), instant(ends[1], since)))

    def _on_zoom(self, window: Window) -> None:
        """Take over the zoomed window, without moving the axis of the plot."""
        shown = self.shown
        if self._view is None or window[1] <= window[0] or (shown is not None and same_on_screen(window, shown)):
            return
        self._history.push(self._own_window)
        with self._silently():
            # A zoom stops following: the window must not move while it is looked at.
            self.param.update(window=window, follow=False)
        self._redraw(move=False)

    def _brushed(self, ends: tuple[Any, Any]) -> None:
        since = None if self._view is None else self._view.request.since
        start, stop = sorted((instant(ends[0], since), instant(ends[1], since)))
        self.brush = (start, stop) if start < stop else None

    # -- actions ------------------------------------------------------------------------------------------------------

    def can_draw(self, asset_type: str, asset: str) -> bool:
        """Whether an asset has observations."""
        return asset in self.shared.choices.assets(asset_type).values()

    # -- exports ------------------------------------------------------------------------------------------------------

    def code(self) -> str:
        """Return Python that reads the shown data as ``data`` in a fresh kernel, and draws it."""
        return "" if self._view is None else view_code(self._view, opening=self.open_code)

    def data(self) -> xr.Dataset | None:
        """Return the drawn data, equal to that of `code`."""
        return None if self._view is None else self._view.data

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return one table per signal."""
        return {} if self._view is None else view_tables(self._view, self.twin.model)

    def settings(self) -> dict[str, str]:
        """Return the settings as text: label -> value."""
        if self._view is None:
            return {}
        flags = "marked" if self.show_flags else tr("not marked")
        settled = {tr("Window"): self.settled} if self.settled else {}
        return {**view_settings(self._view, self.twin.model), tr("Quality flags"): flags, **settled}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the charts without widgets."""
        return (
            None if self._view is None else signal_figure(self._view, self._style(), title=self.title, backend=backend)
        )

    def link(self) -> Link:
        """Return the view's state."""
        compare = self.anchor.text if self.compare == "event" and self.anchor else self.compare
        if compare and self.zone and self.compare != "event":
            compare = f"{compare}@{self.zone}"
        return Link(
            asset_type=self.asset_type,
            signals=tuple(self.signals[:MAX_SIGNALS]) or None,
            assets=tuple(self.drawn()) or None,
            window=self._own_window,
            show_flags=None if self.show_flags else False,
            full_range=self.full_range or None,
            layout=None if self.layout == "together" else self.layout,
            compare=compare or None,
        )

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets of the explorer."""
        return signal_controls(self)

    def __panel__(self) -> pn.viewable.Viewable:
        if not self.param.asset_type.objects:
            return pn.Column(self._alert, self._charts_pane.pane, sizing_mode="stretch_width")
        return pn.Column(
            self._alert,
            self.controls(),
            self.charts,
            sizing_mode="stretch_width",
        )
