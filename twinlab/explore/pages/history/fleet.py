"""The layout *fleet* of the History page: a heat map of all assets, synchronized with the charts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import panel as pn
import param

from twinlab.explore.kit.link import Link
from twinlab.explore.views.signals.explorer import SignalExplorer

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.explore.views.heatmap.explorer import HeatExplorer

__all__ = ["Fleet", "HistoryCharts"]


class HistoryCharts(SignalExplorer):
    """Signal explorer with the additional layout *fleet*, in which a heat map replaces its charts."""

    layout = param.Selector(
        default="together",
        objects=["together", "multiples", "fleet"],
        check_on_set=True,
        doc="one chart for all assets, one chart for each, or a heat map of all assets",
    )

    def _redraw(self, *, move: bool = True) -> None:
        if self.layout == "fleet":
            # The charts are hidden, and read again when they are shown.
            self.revision += 1
        else:
            super()._redraw(move=move)


class Fleet:
    """Heat map in the place of the charts, built when it is first shown.

    Asset type, signal and window of charts and heat map are synchronized. A click on a cell shows the chart of its asset.

    Parameters
    ----------
    view : Explorer
        The page, which shows the notices and selections of the heat map.
    charts : HistoryCharts
        The charts that the heat map replaces.
    """

    def __init__(self, view: Explorer, charts: HistoryCharts) -> None:
        self.body = pn.Column(sizing_mode="stretch_width", visible=False)
        self._view, self._charts = view, charts
        self._heat: HeatExplorer | None = None
        self._asked: Link | None = None
        self._moving = False

    @property
    def heat(self) -> HeatExplorer | None:
        """The heat map while it is shown; None while the charts are."""
        return self._heat if self.body.visible else None

    def ask(self, link: Link) -> None:
        """Store the parts of a link for the heat map; `follow` applies them."""
        self._asked = link

    def link(self, link: Link) -> Link:
        """Return a link of the charts with the state of the heat map."""
        if self.heat is None:
            return link
        own = self.heat.link()
        return replace(link, heat=own.heat, find=own.find)

    def follow(self) -> None:
        """Show charts or heat map, by the layout of the charts."""
        charts = self._charts
        shown = charts.layout == "fleet" and bool(charts.param.asset_type.objects)
        if shown and not self._moving:
            with self._without_feedback():
                self._follow_charts()
        self.body.visible, charts.charts.visible = shown, not shown

    def _follow_charts(self) -> None:
        """Apply asset type, signal and window of the charts to the heat map."""
        charts, asked, heat = self._charts, self._asked, self._heat
        window = None if charts.window is None else charts.shown
        where = Link(asset_type=charts.asset_type, signals=tuple(charts.signals[:1]) or None, window=window)
        if asked is not None:
            where = replace(where, heat=asked.heat, find=asked.find)
        self._asked = None
        if heat is None:
            self._heat = self._make(where)
            self.body[:] = [self._heat]
        elif asked is not None:
            heat.apply(where)
        else:
            if where.signal is not None and (heat.asset_type, heat.signal) != (where.asset_type, where.signal):
                heat.go_to(asset_type=str(where.asset_type), signal=where.signal)
            heat.window = window

    def _make(self, link: Link) -> HeatExplorer:
        from twinlab.explore.views.heatmap.explorer import HeatExplorer  # noqa: PLC0415  (imported when the layout is first used)

        view = self._view
        heat = HeatExplorer(
            view.twin,
            link=link,
            shared=view.shared,
            session=view.session,
            open_code=view.open_code,
            heat="values",
        )
        heat.param.watch(self._moved, "revision")
        heat.param.watch(self._picked, "chosen", onlychanged=False)
        heat.param.watch(lambda event: view.param.update(notice=event.new), "notice")
        view.notice = heat.notice or view.notice
        return heat

    @contextmanager
    def _without_feedback(self) -> Iterator[None]:
        """Update one of the two without updating the other in return."""
        self._moving = True
        try:
            yield
        finally:
            self._moving = False

    def _moved(self, *_: object) -> None:
        """Apply asset type, signal and window of the heat map to the charts."""
        heat, charts = self.heat, self._charts
        if self._moving or heat is None or heat.signal is None:
            return
        signal, same = str(heat.signal), heat.asset_type == charts.asset_type
        window = None if heat.window is None else heat.shown
        with self._without_feedback(), charts.as_one():
            charts.go_to(asset_type=str(heat.asset_type))
            others = [s for s in charts.signals if s != signal] if same and signal in charts.signals else []
            charts.param.update(signals=[signal, *others], signal=signal)
            if window != (None if charts.window is None else charts.shown):
                charts.follow = False
                charts.see(window)

    def _picked(self, event: Any) -> None:
        """Show the chart of the selected asset."""
        heat, charts = self.heat, self._charts
        if event.new is None or heat is None:
            return
        asset_type, asset = event.new
        with self._without_feedback():
            # The same cell can then be selected again.
            heat.picked = None
        with charts.as_one():
            charts.go_to(asset_type=asset_type, assets=(asset,))
            charts.layout = "together"
        self._view.chosen = (asset_type, asset)
