"""The Quality page: flags of every signal, a heat map of flags, and the source rows of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.charts.reading import READING_ERRORS, Window
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import Html, error_pane
from twinlab.explore.pages.quality.counts import flag_counts
from twinlab.explore.pages.quality.repair import RepairView
from twinlab.explore.pages.quality.tables import lineage_grid, sample_rows, summary_grid, verdict_html
from twinlab.explore.pages.quality.twins import can_repair
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.heatmap.explorer import HeatExplorer
from twinlab.explore.views.heatmap.style import span_text
from twinlab.explore.views.signals.explorer import SignalExplorer
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["QualityView"]

#: The chart of a selected cell shows at least this many samples before and after it.
_AROUND = 30


class QualityView(Explorer):
    """Data quality: a table of flags by signal, worst first, a heat map, and the samples of a cell with their sources.

    A signal selected in the table is shown on the heat map. A click on a cell of the heat map shows its samples, each
    with the source, the file and the row that it was read from.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link = "quality"
    label = mark("Quality")

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
        self.heat = HeatExplorer(
            twin,
            link=self.first_link,
            shared=self.shared,
            session=self.session,
            open_code=self.open_code,
            heat="flags",
        )
        self.signals: SignalExplorer | None = None
        #: Findings and fixes; None for a twin that can't be revised, such as a view of its past.
        self.repair = (
            RepairView(twin, session=self.session, window=lambda: self.heat.shown, promoted=self._promoted)
            if can_repair(twin)
            else None
        )
        self._summary = pd.DataFrame()
        self._counted: object = None
        self._rows = pd.DataFrame()
        self._verdict = Html("", sizing_mode="stretch_width", margin=(6, 10))
        self._table = pn.Column(sizing_mode="stretch_width")
        self._beneath = pn.Column(sizing_mode="stretch_width")
        self._grid: pn.widgets.Tabulator | None = None
        self.heat.param.watch(self._changed, "revision")
        self.heat.param.watch(self._picked_changed, "picked")
        self.heat.param.watch(lambda _: self.param.update(notice=self.heat.notice), "notice")
        self.heat.param.watch(lambda _: self.param.update(chosen=self.heat.chosen), "chosen")
        self.notice = self.heat.notice
        self._count()
        self._picked_changed()

    # -- following the heat map ---------------------------------------------------------------------------------------

    def _changed(self, *_: object) -> None:
        self._count()
        self.revision += 1

    def _count(self) -> None:
        """Count the flags of the shown window, unless they are counted already."""
        shown = self.heat.shown
        if shown is None or shown == self._counted:
            return
        try:
            key = (tr("flag counts"), *(str(t) for t in shown))
            self._summary = self.shared.cached(key, lambda: flag_counts(self.twin, shown))
        except READING_ERRORS as error:
            self._not_counted(error)
            return
        self._counted = shown
        self._verdict.object = verdict_html(self._summary, shown)
        if self._grid is None:
            self._grid = summary_grid(self._summary)
            self._grid.param.watch(self._choose, "selection")
            self._table[:] = [self._grid]
        else:
            self._grid.param.update(value=self._summary, selection=[])

    def _promoted(self) -> None:
        """Read everything again: the history is another one now."""
        self.shared.forget()
        self._counted = None
        self.heat.picked = None
        self.heat.read_again()

    def _not_counted(self, error: Exception) -> None:
        """Show that counting has failed: as a notice beside an existing table, or in place of the table."""
        if self._grid is None:
            self._table[:] = [error_pane(tr("The table of flags"), str(error), retry=self._count)]
        else:
            self.heat.notice = tr("The flags can't be counted: {error}", error=error)

    def _choose(self, event: Any) -> None:
        """Show the signal selected in the table on the heat map."""
        if not event.new:
            return
        row = self._summary.iloc[event.new[-1]]
        if (self.heat.asset_type, self.heat.signal) != (row["asset_type"], row["signal"]):
            self.heat.go_to(asset_type=str(row["asset_type"]), signal=str(row["signal"]))

    def _picked_changed(self, *_: object) -> None:
        if self.heat.picked is None:
            self._rows, self._beneath[:] = pd.DataFrame(), []
            return
        asset, window = self.heat.picked
        kind, signal = str(self.heat.asset_type), str(self.heat.signal)
        around = self._around(window)
        link = Link(asset_type=kind, signals=(signal,), assets=(asset,), window=around)
        if self.signals is None:
            self.signals = SignalExplorer(self.twin, link=link, open_code=self.open_code)
        else:
            self.signals.apply(link)
        self.signals.marked = window
        try:
            self._rows = sample_rows(self.twin, kind, asset, signal, window)
        except READING_ERRORS as error:
            self._rows = pd.DataFrame()
            # The heat map shows the notices of the page too.
            self.heat.notice = tr("The rows can't be read: {error}", error=error)
        self._beneath[:] = self._samples(asset, window)

    def _around(self, window: Window) -> Window:
        """Return a window around the samples of a cell."""
        spec = self.twin.model.asset_types[str(self.heat.asset_type)].signals[str(self.heat.signal)]
        margin = max(window[1] - window[0], np.timedelta64(_AROUND * spec.cadence_ns, "ns"))
        return window[0] - margin, window[1] + margin

    def _samples(self, asset: str, window: Window) -> list[pn.viewable.Viewable]:
        assert self.signals is not None
        label = self.shared.labels(str(self.heat.asset_type)).get(asset, asset)
        chart = self.signals
        # Without its own widgets: those of the heat map choose.
        parts = [chart.charts]
        close = pmui.Button(label=tr("Close"), variant="outlined", size="small", margin=(4, 10))
        close.on_click(lambda _: setattr(self.heat, "picked", None))
        head = Html(
            html(
                '<h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:14px 0 0">Samples of the selected cell</h2>'
                '<div style="font:13px/1.4 Roboto,system-ui,sans-serif;opacity:.85">{{ label }}, {{ span }}</div>',
                label=label,
                span=span_text(window[0], window[1] - window[0]),
            ),
            sizing_mode="stretch_width",
            margin=(0, 10),
        )
        return [pmui.Divider(sizing_mode="stretch_width", margin=(8, 0)), head, *parts, self._lineage(), close]

    def _lineage(self) -> pn.viewable.Viewable:
        """Return the table of the cell's rows, or a sentence if there are none."""
        if not len(self._rows):
            return pmui.Typography(tr("No row was read for this cell."), variant="body1", margin=(10, 10))
        spec = self.twin.model.asset_types[str(self.heat.asset_type)].signals[str(self.heat.signal)]
        return lineage_grid(self._rows, unit=spec.unit)

    # -- state, code and data -----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the state of the heat map, with the selected cell."""
        return self.heat.link()

    def apply(self, link: Link) -> None:
        """Show the state of a link."""
        self.heat.apply(link)

    def code(self) -> str:
        """Return Python that reads the data of the heat map."""
        return self.heat.code()

    def data(self) -> xr.Dataset | None:
        """Return the data of the heat map."""
        return self.heat.data()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the counts of flags, the heat map and the rows of the selected cell."""
        out = {tr("flags by signal"): self._summary} if len(self._summary) else {}
        out |= self.heat.tables()
        return out | ({"samples": self._rows} if len(self._rows) else {})

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        out = self.heat.settings()
        if self.heat.picked is not None:
            asset, (start, stop) = self.heat.picked
            out["samples of"] = f"{asset}, {span_text(start, stop - start)}"
        return out

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the heat map."""
        return self.heat.figure(backend=backend)

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the heat map's widgets."""
        return self.heat.controls()

    def __panel__(self) -> pn.viewable.Viewable:
        repair = [] if self.repair is None else [self.repair]
        return pn.Column(self._verdict, self._table, self.heat, self._beneath, *repair, sizing_mode="stretch_width")
