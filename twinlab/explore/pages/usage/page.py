"""The page Use: adoption over weeks, without a person in it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd
import panel as pn

from twinlab._html import html
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import Html, empty_pane, error_pane, verdict_heading
from twinlab.explore.pages.usage.weeks import PAGE_LABELS, TASKS, TIMES, bars_html, recent_weeks, table_html, totals
from twinlab.explore.views.base import Explorer
from twinlab.languages import mark, tr, tr_values

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.explore.pages.usage.twins import CountedTwin

__all__ = ["UsageView"]

_LOG = logging.getLogger(__name__)
_NOTHING = (
    mark("Nothing has been counted yet"),
    mark("Served pages count themselves, and add it up each minute. usage: off in twin.yaml, or TWINLAB_USAGE=off where they are served, turns it off."),
)  # fmt: skip


class UsageView(Explorer):
    """Which pages are opened and which tasks done, by week; nothing about who.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "usage"
    label: ClassVar[str] = mark("Use")

    def __init__(
        self,
        twin: CountedTwin,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._counted = twin
        self._table: pd.DataFrame | None = None
        self._body = pn.Column(sizing_mode="stretch_width")
        self.apply(self.first_link)

    def apply(self, link: Link) -> None:
        """Show the newest counts; a link states nothing else."""
        self.notice = " · ".join(link.problems)
        self.refresh()

    def link(self) -> Link:
        """Return the state of the page: it has none."""
        return Link()

    def data(self) -> pd.DataFrame | None:
        """Return the counts by week."""
        return self._table

    def code(self) -> str:
        """Return Python that gives the counts."""
        return f"{self.open_code}\n\ndata = twin.usage()\n"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the counts by week, small ones as a text."""
        if self._table is None or self._table.empty:
            return {}
        return {"use": self._table.drop(columns="count")}

    def settings(self) -> dict[str, str]:
        """Return nothing: the page has no choices."""
        return {}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return None: the page has tables only."""
        del backend
        return None

    def refresh(self) -> None:
        """Read the counts and show them."""
        try:
            self._table = self._counted.usage() if hasattr(self._counted, "usage") else None
        except READING_ERRORS as error:
            _LOG.exception("use can't be read")
            self._body[:] = [error_pane(tr(self.label), str(error), retry=self.refresh)]
            return
        table, weeks = self._table, recent_weeks(pd.Timestamp.now("UTC").tz_localize(None))
        if table is None or table.empty:
            self._body[:] = [empty_pane(*map(tr, _NOTHING))]
            return
        parts = [self._verdict(table, weeks), bars_html(table, weeks), *self._tables(table, weeks), _note()]
        self._body[:] = [Html(part, sizing_mode="stretch_width", margin=(0, 10)) for part in parts]
        self.revision += 1

    def _verdict(self, table: pd.DataFrame, weeks: list[pd.Timestamp]) -> str:
        """Return a sentence on the last whole week; the present one isn't over."""
        pages, tasks = (totals(table, kind, weeks)[-2] for kind in ("page", "task"))
        before = totals(table, "page", weeks)[-3]
        head = tr("Last week pages were opened {pages:,} times, and {tasks:,} tasks done", pages=pages, tasks=tasks)
        detail = tr("In the week before: {before:,} pages. Counts below five aren't in the sums.", before=before)
        if not self._counted.counts_usage:
            detail += " " + tr("Use isn't counted now.")
        return verdict_heading(head, detail, good=None)

    def _tables(self, table: pd.DataFrame, weeks: list[pd.Timestamp]) -> list[str]:
        # On a phone the first columns are seen: the newest weeks.
        newest = weeks[::-1]
        return [
            table_html(table, "page", tr_values(PAGE_LABELS), newest, title=tr("Pages"), first=tr("Page")),
            table_html(table, "task", tr_values(TASKS), newest, title=tr("Tasks done"), first=tr("Task")),
            table_html(table, "answer", tr_values(TIMES), newest, title=tr("Time until an answer was there"), first=tr("Time")),
        ]  # fmt: skip

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self._alert, self._body, sizing_mode="stretch_width")


def _note() -> str:
    text = tr(
        "Counted by page, task and day: no names, no times of day, no addresses. Of a team of one or two it still shows when they worked; then turn it off."
    )
    return html('<p style="font:13px/1.5 Roboto,system-ui,sans-serif;opacity:.85;max-width:80ch">{{ text }}</p>', text=text)  # fmt: skip
