"""The Now page: exceptions, tiles, map and search, for the newest data or for a chosen instant."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.exception_text import LabelsByType, records, time_text
from twinlab.explore.kit.link import Link, merge_problems
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.kit.panes import error_pane, loading_pane
from twinlab.explore.kit.people import author_of
from twinlab.explore.kit.present import Now, now_at, preload_search
from twinlab.explore.kit.widgets import row
from twinlab.explore.pages.now.alerts import NowAlerts
from twinlab.explore.pages.now.columns import ColumnsDialog
from twinlab.explore.pages.now.foresight.lists import Ahead, Foresight
from twinlab.explore.pages.now.instant import InstantWidgets
from twinlab.explore.pages.now.live.follow import Follow
from twinlab.explore.pages.now.map import NowMap
from twinlab.explore.pages.now.notes import NoteWriter, can_note
from twinlab.explore.pages.now.row_actions import RowActions
from twinlab.explore.pages.now.rows import exception_rows, exceptions_code, filtered, shown_table
from twinlab.explore.pages.now.search import AssetSearch
from twinlab.explore.pages.now.table import ExceptionTable
from twinlab.explore.pages.now.tile_buttons import BODY_CSS, TileStrip, no_exceptions_html
from twinlab.explore.pages.now.tiles import filters, tile_table, tiles
from twinlab.explore.pages.now.why import RowWhy
from twinlab.explore.pages.now.workbook_exchange import WorkbookContent, WorkbookExchange
from twinlab.explore.views.base import Explorer, on_event_loop
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import numpy as np

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.explore.pages.now.live.freshness import Freshness
    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.model.reader import TwinReader

    #: State, map, freshness, what is unusual and what is probably late, which are shown together.
    _Read = tuple[Now, MapSnapshot | None, Freshness | None, Ahead]

__all__ = ["NowView"]

_LOG = logging.getLogger(__name__)
#: Milliseconds between two readings of the newest data, and of those of a live twin.
_REFRESH_MS, _LIVE_MS = 60_000, 2_000


class NowView(Explorer):
    """Tiles, exceptions with the highest severity first, a map, and a search for any asset.

    Rows of the table keep their places while new data arrive: values are updated, and a bar above the table counts new
    and ended exceptions, which the button "Update" then shows.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "now"
    label: ClassVar[str] = mark("Now")

    at = param.Parameter(
        default=None, allow_None=True, doc="instant shown, datetime64 UTC; None follows the newest data"
    )
    only = param.String(default="", doc="tile that filters the table, such as severity:high")
    asked = param.Parameter(default=None, allow_None=True, doc="Link of the page that the reader wants to open")

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
        self._now: Now | None = None
        self._linked_assets: tuple[str, tuple[str, ...]] | None = None
        self._notes = NoteWriter(twin, author=author_of(self.session), on_written=self._notes_written)
        self._timer: Any = None
        self._alert = pmui.Alert(
            object="", severity="warning", visible=False, closeable=True, margin=(4, 10), sizing_mode="stretch_width"
        )
        self._instant = InstantWidgets(
            on_change=lambda at: self.param.update(at=at), on_problem=lambda text: self.param.update(notice=text)
        )
        self._search = AssetSearch(
            self.shared,
            on_found=self._found,
            on_go=self._go,
            on_details=self._choose,
            pages={"map": tr("Show on map"), "history": tr("Show in history")},
        )
        self._strip = TileStrip(on_press=lambda only: self.param.update(only=only))
        self._alerts = NowAlerts(twin)
        self.follow = Follow(twin, self.shared, on_change=self._go_to) if has_live_sources(twin) else None
        extra = [name for name, has in (("fresh", self.follow is not None), ("alert", self._alerts.any)) if has]
        self.table = ExceptionTable(
            settings=self.session.settings,
            on_pick=self._pick,
            on_note=lambda key, text: self._notes.write([key], text=text),
            on_tick=self._ticked,
            extra=extra,
        )
        self.map = NowMap(self.shared, settings=self.session.settings, on_choose=self._choose)
        self._foresight = Foresight(self, author=author_of(self.session))
        self._actions = RowActions(
            on_acknowledge=self.acknowledge,
            on_note=lambda text: self._notes.write(self.table.selected, text=text),
            on_snooze=self.snooze if self._alerts.any else None,
        )
        self._why = RowWhy(twin, lambda: pd.DataFrame(columns=["key"]) if self._now is None else self._now.exceptions)
        self._columns = ColumnsDialog(self.table.columns, on_change=self.table.set_columns, extra=extra)
        self.sheet = WorkbookExchange(
            twin, author=author_of(self.session), content=self._workbook_content, on_written=self._show_notes
        )
        self._body = pn.Column(sizing_mode="stretch_width", stylesheets=[BODY_CSS])
        self.apply(self.first_link)
        if self._now is None:
            self._reload(replace_rows=True)

    # -- state --------------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; a wrong value becomes a notice."""
        problems: list[str] = []
        only = link.layout or ""
        if only and only not in filters(self.twin.model):
            problems.append(tr("unknown tile {only!r}; all exceptions are shown", only=only))
            only = ""
        self._linked_assets = (link.asset_type, link.assets or ()) if link.asset_type else None
        with param.parameterized.batch_call_watchers(self):
            self.param.update(at=link.at, only=only)
        self.notice = merge_problems((link.problems, problems))
        if (link.find or "") != self._search.text and self._now is not None:
            self._search.find(link.find or "")
        elif self._now is None:
            self._search.text = link.find or ""

    def link(self) -> Link:
        """Return the state of the page, with the selected asset; of a paused page, its instant."""
        kind, assets = self._linked_assets or (None, ())
        if self.chosen is not None:
            kind, assets = self.chosen[0], (self.chosen[1],)
        at = self.follow.paused_at if self.at is None and self.follow is not None else self.at
        return Link(
            asset_type=kind, assets=assets or None, at=at, layout=self.only or None, find=self._search.text or None
        )

    def data(self) -> pd.DataFrame | None:
        """Return the exceptions at the instant, highest severity first, filtered by the pressed tile."""
        now = self._now
        return None if now is None or now.at is None else filtered(now.exceptions, self.only).reset_index(drop=True)

    def code(self) -> str:
        """Return Python that gives the same exceptions."""
        now = self._now
        return "" if now is None or now.at is None else exceptions_code(now.at, self.only, opening=self.open_code)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the table with the reader's columns, and the tiles."""
        rows = self.table.rows
        if rows is None or self._now is None:
            return {}
        return {"exceptions": shown_table(rows, self.table.columns), "tiles": tile_table(self._tiles())}

    def settings(self) -> dict[str, str]:
        """Return instant and filter: label -> value."""
        when = None if self._now is None else self._now.at
        return {tr("as of"): tr("no data yet") if when is None else tr("{when} UTC", when=time_text(when)), "only": self.only.replace(":", " ") or tr("all exceptions")}  # fmt: skip

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the map; None if no map is shown."""
        return self.map.figure(backend=backend)

    # -- reading ------------------------------------------------------------------------------------------------------

    @param.depends("at", watch=True)
    def _at_changed(self) -> None:
        if self.follow is not None:
            self.follow.release()
        self._reload(replace_rows=True)

    @param.depends("only", watch=True)
    def _only_changed(self) -> None:
        if self._now is not None:
            self._fill_table(self._now, replace_rows=True)
            self.revision += 1

    def refresh(self) -> None:
        """Read the current state; shown rows keep their places."""
        self._reload(replace_rows=False)

    def _reload(self, *, replace_rows: bool) -> None:
        served = self.patient and pn.state.curdoc is not None
        if served and (self._now is not None or on_event_loop()):
            if self._now is None:
                self._body[:] = [loading_pane(self.label)]
            pn.state.onload(partial(self._read_later, replace_rows=replace_rows))
            return
        try:
            read = self._read(self.at)
        except READING_ERRORS as error:
            self._fail(error)
        else:
            self._fill(read, replace_rows=replace_rows)
            if served:
                pn.state.execute(self._start_refreshing, schedule=True)

    def _read(self, at: np.datetime64 | None) -> _Read:
        now = now_at(self.shared, at)
        live = self.follow
        return now, self.map.read(now.at), None if live is None else live.read(), self._foresight.read(now.at)

    async def _read_later(self, *, replace_rows: bool) -> None:
        """Read in a thread, so that the page can be used meanwhile."""
        asked = self.at
        try:
            read = await asyncio.to_thread(self._read, asked)
        except READING_ERRORS as error:
            self._fail(error)
            return
        if asked is self.at and (self._follows or replace_rows):
            # Otherwise the reader has chosen another instant meanwhile, or paused.
            self._fill(read, replace_rows=replace_rows)
            await self._start_refreshing()

    @property
    def _follows(self) -> bool:
        return self.follow is None or self.follow.mode != "paused"

    async def _start_refreshing(self) -> None:
        if self._timer is None:
            period = _REFRESH_MS if self.follow is None else _LIVE_MS
            self._timer = pn.state.add_periodic_callback(cast("Any", self._tick), period=period)
        await asyncio.to_thread(preload_search, self.shared)

    async def _tick(self) -> None:
        if self._now is not None and self.at is None and self._follows:
            await self._read_later(replace_rows=False)
        elif self._now is not None and self.follow is not None:
            # Rows and map stay as they are; the ages of sources are still updated.
            await self.follow.refresh(at=self._now.at, chosen=self.at)

    def _go_to(self, at: np.datetime64 | None) -> None:
        """Show another instant, None for the newest data, unless the page is paused."""
        if at is not self.at:
            self.at = at
        elif self._follows:
            self._reload(replace_rows=False)
        else:
            self._strip.show(self._tiles(), active=self.only)
        self.revision += 1

    def _fail(self, error: Exception) -> None:
        _LOG.error("the current state can't be read", exc_info=error)
        if self._now is None:
            self._body[:] = [error_pane(self.label, str(error), retry=lambda: self._reload(replace_rows=True))]
        else:
            self.notice = tr("The page may be out of date: {error}", error=error)

    def _fill(self, read: _Read, *, replace_rows: bool) -> None:
        now, shot, freshness, ahead = read
        first, texts = self._now is None, None if self.follow is None else self.follow.texts
        same = now is self._now and not replace_rows
        self._now = now
        self._foresight.show(ahead)
        if self.follow is not None and freshness is not None:
            self.follow.show(freshness, at=now.at, chosen=self.at)
            if same and self.follow.texts == texts:
                self._strip.show(self._tiles(), active=self.only)
                return
        self.map.show(shot, stale=None if self.follow is None else self.follow.stale)
        self._fill_table(now, replace_rows=replace_rows)
        self._search.at = self.at
        if first:
            self._body[:] = self._layout()
            if self._search.text:
                self._search.find(self._search.text)
        else:
            self._search.refresh()
        self._instant.show(now.at, chosen=self.at)
        self.revision += 1

    def _fill_table(self, now: Now, *, replace_rows: bool) -> None:
        self._strip.show(self._tiles(), active=self.only)
        rows = self._rows(now)
        if len(rows) or (not replace_rows and self.table.rows is not None):
            (self.table.show if replace_rows else self.table.refresh)(rows)
        else:
            self.table.show_message(no_exceptions_html(now, only=self.only, rules=bool(self.twin.model.rules)))

    def _rows(self, now: Now) -> pd.DataFrame:
        shown = replace(now, exceptions=filtered(now.exceptions, self.only))
        # An alert is of the present, not of a chosen instant.
        texts = self._alerts.texts(now.exceptions["key"]) if self.at is None else {}
        labels, fresh = LabelsByType(self.shared), None if self.follow is None else self.follow.of_rows
        return exception_rows(
            shown, self.twin.model, labels=labels, notes=self._notes.read(), alerts=texts, freshness=fresh
        )

    def _tiles(self) -> list[Any]:
        assert self._now is not None
        fresh, newest = None if self.follow is None else self.follow.of_rows, self.shared.latest()
        return tiles(self._now, self.twin.model, newest=newest, freshness=fresh, paused=not self._follows)

    def _pick(self, key: str) -> None:
        assert self._now is not None
        for hit in records(self._now.exceptions[self._now.exceptions["key"] == key]):
            self._choose((str(hit["asset_type"]), str(hit["asset"])))

    def _choose(self, asset: tuple[str, str]) -> None:
        self.chosen = asset
        self.revision += 1

    def _found(self, found: tuple[str, str] | None) -> None:
        """Pass the found asset on to other pages. The drawer stays closed, since this page shows the result."""
        if found is not None:
            self.chosen, self._linked_assets = None, (found[0], (found[1],))
        self.revision += 1

    def _go(self, page: str, asset: tuple[str, str]) -> None:
        self.asked = Link(page=page, asset_type=asset[0], assets=(asset[1],), at=self.at)

    def acknowledge(self) -> None:
        """Acknowledge the ticked rows."""
        self._notes.write(self.table.selected, acknowledged=True)

    def snooze(self, hours: int) -> None:
        """Snooze the alerts of the ticked rows: nothing of them is sent for some hours."""
        self.notice = self._alerts.snooze(self.table.selected, hours=hours, author=author_of(self.session))
        self._show_notes()

    def _notes_written(self, messages: str) -> None:
        self.notice = messages
        self._show_notes()

    def _show_notes(self) -> None:
        """Show the written notes; rows keep their places."""
        if self._now is not None and self.table.rows is not None:
            self.table.refresh(self._rows(self._now))

    def _workbook_content(self) -> WorkbookContent | None:
        rows = self.table.rows
        now = self._now
        if rows is None or now is None or now.at is None:
            return None
        return WorkbookContent(now.at, now.exceptions, rows, self.table.columns, self.settings(), self.code())

    def _ticked(self, keys: list[str]) -> None:
        self._actions.ticked(len(keys))
        self._why.ticked(keys)

    @param.depends("notice", watch=True)
    def _notice_changed(self) -> None:
        self._alert.param.update(object=self.notice, visible=bool(self.notice), closed=False)

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets for search and instant."""
        find = pn.Column(self._search.field, sizing_mode="stretch_width", styles={"flex": "1 1 300px"})
        return pn.FlexBox(find, self._instant.row(), align_items="center", sizing_mode="stretch_width")

    def _layout(self) -> list[pn.viewable.Viewable]:
        noting = [*self._actions.pieces, *self.sheet.pieces] if can_note(self.twin) else []
        tools = row([*noting, *self._why.pieces, self._columns.button, *self.map.pieces], margin=(4, 8, 4, 8))
        overview = pn.FlexBox(
            self._strip.pane, self.map.pane, sizing_mode="stretch_width", gap="0px", css_classes=["tl-overview"]
        )
        return [
            self._instant.text if self.follow is None else self.follow.bar.pane,
            overview,
            tools,
            self.sheet.panel,
            self._why.pane,
            self._alerts.pane,
            self.table.pane,
            self._foresight.pane,
            self._columns.dialog,
        ]

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self._alert, self.controls(), self._search.answer, self._body, sizing_mode="stretch_width")
