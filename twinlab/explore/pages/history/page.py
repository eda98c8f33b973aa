"""The History page: charts of signals above a table of events, synchronized with each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import Html, code_html
from twinlab.explore.pages.history.fleet import Fleet, HistoryCharts
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.events.explorer import EventExplorer
from twinlab.explore.views.signals.periods import Anchor
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import xarray as xr

    from twinlab.explore.charts.reading import Window
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.explore.views.heatmap.explorer import HeatExplorer
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType

__all__ = ["HistoryView", "event_asset", "event_window"]

#: Shortest time shown before and after a selected event.
_AROUND = np.timedelta64(6, "h")


class HistoryView(Explorer):
    """Signal explorer above an event table. A selected event moves the charts to its time, and a span selected on the
    charts filters the table. In the layout *fleet*, a heat map of all assets replaces the charts.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link = "history"
    label = mark("History")

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
        link, self._narrowed = self.first_link, False
        self.signals = HistoryCharts(
            twin, link=link, shared=self.shared, session=self.session, patient=patient, open_code=open_code
        )
        self.fleet = Fleet(self, self.signals)
        self.fleet.ask(link)
        self.events = EventExplorer(
            twin,
            # The search text belongs to the heat map.
            link=replace(link, find=None),
            shared=self.shared,
            session=self.session,
            patient=patient,
            open_code=open_code,
        )
        self._code = Html("", visible=False, sizing_mode="stretch_width", margin=(4, 10))
        self.signals.param.watch(self._follow, ["revision", "brush"])
        self.signals.param.watch(self._choose, "chosen")
        self.notice = self.signals.notice
        self.signals.param.watch(lambda event: self.param.update(notice=event.new), "notice")
        self.events.param.watch(self._go_to, "selected")
        self.events.param.watch(self._changed, ["event_type", "in_view"])
        self._follow()

    def _follow(self, *_: object) -> None:
        """Pass the selected span of the charts, or their window, to the table."""
        brush = self.signals.brush
        self.events.window = self.signals.shown if brush is None else brush
        if brush is not None and not self.events.in_view:
            self._narrowed, self.events.in_view = True, True
        elif brush is None and self._narrowed:
            self._narrowed, self.events.in_view = False, False
        self.fleet.follow()
        self._changed()

    def _choose(self, *_: object) -> None:
        self.chosen = self.signals.chosen

    def _go_to(self, *_: object) -> None:
        """Move the charts to the selected event."""
        event = self.events.selected
        if event is None:
            self.signals.param.update(marked=None, anchor=None)
            return
        kind = str(self.events.event_type)
        window = event_window(event)
        found = event_asset(
            event,
            self.twin.model.event_types[kind],
            prefer=self.signals.asset_type,
            drawn=self.signals.can_draw,
        )
        asset_type, asset = found or (None, None)
        if found is not None:
            self.chosen = found
        with self.signals.as_one():
            self.signals.param.update(
                marked=None if window is None else window[0], anchor=Anchor(kind, str(event["event_id"]))
            )
            # The selected row must stay in the table although the charts move.
            self.signals.go_to(
                asset_type=asset_type,
                assets=() if asset is None else (asset,),
                window=None if window is None else window[1],
            )

    def _changed(self, *_: object) -> None:
        if self._code.visible:
            self._show_code()
        self.revision += 1

    def _show_code(self) -> None:
        self._code.object = code_html(self.code())

    def link(self) -> Link:
        """Return the state of charts and table."""
        kinds = list(self.events.param.event_type.objects)
        several = self.events.event_type if len(kinds) > 1 else None
        in_view = self.events.in_view and not self._narrowed
        return replace(self.fleet.link(self.signals.link()), event_type=several, in_view=in_view or None)

    def apply(self, link: Link) -> None:
        """Show the state of a link."""
        self.fleet.ask(link)
        self.signals.apply(link)
        self.events.apply(replace(link, find=None))

    @property
    def _drawn(self) -> HeatExplorer | HistoryCharts:
        """Return the charts, or the heat map that replaces them."""
        return self.fleet.heat or self.signals

    def code(self) -> str:
        """Return Python that reads the data of the charts or of the heat map."""
        return self._drawn.code()

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return the data of the charts or of the heat map."""
        return self._drawn.data()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the signals and the shown events as tables."""
        out = self._drawn.tables()
        if self.events.event_type is not None:
            try:
                spec = self.twin.model.event_types[str(self.events.event_type)]
                out[spec.title or str(self.events.event_type).replace("_", " ")] = self.events.shown()
            except READING_ERRORS as error:
                self.notice = tr("The events can't be read: {error}", error=error)
        return out

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        return self._drawn.settings()

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the charts or the heat map as a HoloViews object."""
        return self._drawn.figure(backend=backend)

    def actions(self) -> pn.viewable.Viewable:
        """Return the buttons for code and link, for notebooks."""
        code = pmui.Button(label=tr("Show as Python"), variant="outlined", size="small")

        def toggle(_: object) -> None:
            self._show_code()
            self._code.visible = not self._code.visible
            code.label = tr("Hide Python") if self._code.visible else tr("Show as Python")

        code.on_click(toggle)
        copy = pmui.Button(label=tr("Copy link"), variant="outlined", size="small")
        copy.js_on_click(code="navigator.clipboard.writeText(window.location.href)")
        return pn.FlexBox(code, copy, sizing_mode="stretch_width")

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(
            self.signals,
            self.fleet.body,
            *([self.actions(), self._code] if self.signals.param.asset_type.objects and not _on_a_page() else []),
            pmui.Divider(sizing_mode="stretch_width", margin=(8, 0)),
            self.events,
            sizing_mode="stretch_width",
        )


def _on_a_page() -> bool:
    """Return whether the view is in a served page, which has such buttons in its action bar."""
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def event_window(event: pd.Series) -> tuple[Window, Window] | None:
    """Return the span of an event, and a window around it; None if the event has no time.

    >>> times = {"start": None, "end": None, "planned_start": "2013-01-01T06:00", "planned_end": "2013-01-01T08:00"}
    >>> [str(t)[:16] for t in event_window(pd.Series({k: pd.Timestamp(v) for k, v in times.items()}))[1]]
    ['2013-01-01T00:00', '2013-01-01T14:00']
    """
    start = event["planned_start"] if pd.isna(event["start"]) else event["start"]
    end = event["planned_end"] if pd.isna(event["end"]) else event["end"]
    if pd.isna(start):
        start = end
    if pd.isna(start):
        return None
    first = pd.Timestamp(start).to_datetime64().astype("datetime64[ns]")
    last = first if pd.isna(end) else max(first, pd.Timestamp(end).to_datetime64().astype("datetime64[ns]"))
    around = max(_AROUND, last - first)
    return (first, last), (first - around, last + around)


def event_asset(
    event: pd.Series, spec: EventType, *, prefer: str | None, drawn: Callable[[str, str], bool]
) -> tuple[str, str] | None:
    """Return type and id of the first asset of an event that has signals, preferably one of type ``prefer``."""
    ends = {"asset": spec.asset, **spec.links}
    named = [(kind, str(event[name])) for name, kind in ends.items() if kind is not None and name in event]
    fits = [(kind, asset) for kind, asset in named if drawn(kind, asset)]
    return next((fit for fit in fits if fit[0] == prefer), fits[0] if fits else None)
