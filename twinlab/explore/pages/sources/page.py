"""The Sources page: all live sources in a table that refreshes, and one of them in detail."""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import pandas as pd
import panel as pn
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link, known_or_problem, merge_problems
from twinlab.explore.kit.live.states import source_rows, verdict
from twinlab.explore.kit.panes import Html, error_pane, verdict_heading
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.pages.sources.details import SourceDetails
from twinlab.explore.views.base import Explorer
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.kit.live.live_twins import LiveTwin, Status
    from twinlab.explore.kit.session import Session, Shared

__all__ = ["SourcesView"]

_LOG = logging.getLogger(__name__)
_REFRESH_MS = 2_000
_LAST_ROWS = 20


@dataclass(frozen=True)
class _Read:
    """What is read of the twin at a time."""

    status: Status
    at_ns: int
    name: str
    gaps: pd.DataFrame
    rows: pd.DataFrame


class SourcesView(Explorer):
    """State, rate, latency, gaps and clock of each live source; a selected one with its gaps and last rows.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "sources"
    label: ClassVar[str] = mark("Sources")

    source = param.String(default="", doc="the selected source, or an empty text")

    def __init__(
        self,
        twin: LiveTwin,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._live = twin
        self._names = [name for name, one in twin.mappings.items() if one.live is not None]
        self._last: _Read | None = None
        self._timer: Any = None
        self._verdict = Html("", sizing_mode="stretch_width", margin=(6, 10))
        self._details = SourceDetails()
        self._table = pn.Column(sizing_mode="stretch_width")
        self._grid: pn.widgets.Tabulator | None = None
        self._rows = pd.DataFrame()
        self.apply(self.first_link)
        if self._last is None:
            self.refresh()

    # -- state --------------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; an unknown source becomes a notice."""
        problems: list[str] = []
        name = known_or_problem(link.part, self._names, "source", problems) or ""
        self.notice = merge_problems((link.problems, problems))
        self.source = name

    def link(self) -> Link:
        """Return the state of the page: the selected source."""
        return Link(part=self.source or None)

    def data(self) -> pd.DataFrame | None:
        """Return the status of every source, as ``twin.sources`` does."""
        return None if self._last is None else cast("Any", self._last.status).table()

    def code(self) -> str:
        """Return Python that gives the status of every source."""
        return f"{self.open_code}\n\ndata = twin.sources\n"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the sources, and of the selected one the gaps and the last rows."""
        out = {"sources": self._rows.reset_index()} if len(self._rows) else {}
        if self.source:
            out |= {"gaps": self._details.gaps, tr("last rows"): self._details.rows}
        return {name: table for name, table in out.items() if len(table)}

    def settings(self) -> dict[str, str]:
        """Return the selected source, and when the status was written."""
        at = 0 if self._last is None else self._last.status.updated_ns
        written = tr("{at:%Y-%m-%d %H:%M:%S} UTC", at=pd.Timestamp(at)) if at else "never"
        return {"source": self.source or "all", tr("status written"): written}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return None: the page has tables only."""
        del backend
        return None

    # -- reading ------------------------------------------------------------------------------------------------------

    @param.depends("source", watch=True)
    def _source_changed(self) -> None:
        self.refresh()
        self.revision += 1

    def refresh(self) -> None:
        """Read the status and show it."""
        try:
            read = self._read(self.source)
        except READING_ERRORS as error:
            self._fail(error)
        else:
            self._fill(read)

    def _read(self, name: str) -> _Read:
        status = self._live.live_status()
        gaps = self._live.gaps(name) if name else pd.DataFrame(columns=["source"])
        rows = self._live.recent_rows(name, rows=_LAST_ROWS) if name else pd.DataFrame()
        return _Read(status, time.time_ns(), name, gaps, rows)

    async def _tick(self) -> None:
        try:
            read = await asyncio.to_thread(self._read, self.source)
        except READING_ERRORS as error:
            self._fail(error)
            return
        if read.name == self.source:
            self._fill(read)

    def _start_refreshing(self) -> None:
        if self._timer is None:
            self._timer = pn.state.add_periodic_callback(cast("Any", self._tick), period=_REFRESH_MS)

    def _fail(self, error: Exception) -> None:
        _LOG.error("the status of the sources can't be read", exc_info=error)
        if self._last is None:
            self._table[:] = [error_pane(self.label, str(error), retry=self.refresh)]
        else:
            self.notice = tr("The page may be out of date: {error}", error=error)

    def _fill(self, read: _Read) -> None:
        self._last = read
        folder = getattr(self.twin, "folder", "TWIN")
        found = verdict(read.status, self._names, command=f"twinlab run {shlex.quote(str(folder))}", now_ns=read.at_ns)
        self._verdict.object = verdict_heading(found.head, found.detail, good=found.good)
        self._show_rows(source_rows(read.status, now_ns=read.at_ns))
        if read.name:
            self._details.show(read.name, read.status.sources.get(read.name), read.gaps, read.rows)
        else:
            self._details.hide()

    def _show_rows(self, rows: pd.DataFrame) -> None:
        if rows.empty:
            self._table[:] = []
        elif self._grid is None or list(rows.index) != list(self._rows.index):
            self._grid = _grid(rows)
            self._grid.param.watch(self._selected, "selection")
            self._table[:] = [self._grid]
        elif not rows.equals(self._rows):
            self._grid.value = rows
        self._rows = rows
        if self._grid is not None:
            self._grid.selection = [list(rows.index).index(self.source)] if self.source in rows.index else []

    def _selected(self, event: Any) -> None:
        chosen = self._rows.index[event.new[-1]] if event.new else ""
        if chosen != self.source and (chosen or event.old):
            self.source = str(chosen)

    # -- layout -------------------------------------------------------------------------------------------------------

    def __panel__(self) -> pn.viewable.Viewable:
        if pn.state.curdoc is not None:
            self._start_refreshing()
        return pn.Column(self._alert, self._verdict, self._table, self._details.pane, sizing_mode="stretch_width")


def _grid(rows: pd.DataFrame) -> pn.widgets.Tabulator:
    right: Mapping[str, str] = dict.fromkeys(
        ("rows/s", "rows", tr("stored after (p50 / p99)"), tr("open gaps"), tr("lost gaps")), "right"
    )
    return pn.widgets.Tabulator(
        rows,
        selectable=1,
        disabled=True,
        layout="fit_data_fill",
        text_align=dict(right),
        stylesheets=[TABLE_SHEET],
        sizing_mode="stretch_width",
        margin=(4, 10),
    )
