"""The Security page: what was found, who sends with which keys, what waits for a decision, who read personal data."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link, known_or_problem, merge_problems
from twinlab.explore.kit.panes import Html, empty_pane, error_pane, verdict_heading
from twinlab.explore.kit.people import author_of
from twinlab.explore.pages.security.messages import Deciding
from twinlab.explore.pages.security.panels import TablePanel, event_html
from twinlab.explore.pages.security.texts import (
    SEVERITIES,
    SPANS,
    budget_rows,
    event_rows,
    gateway_rows,
    message_rows,
    read_rows,
    verdict,
)
from twinlab.explore.views.base import Explorer
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.explore.pages.security.twins import SecuredTwin

__all__ = ["SecurityView"]

_LOG = logging.getLogger(__name__)
_REFRESH_MS = 5_000
_NOTHING = (
    mark("This twin has no security events"),
    mark(
        "A twin in a folder has them if its twin.yaml states gateways (a source of the kind mqtt), commands or personal data."
    ),
)
_READS = 200


@dataclass(frozen=True)
class _Read:
    """What is read of the twin at a time."""

    events: pd.DataFrame
    gateways: pd.DataFrame
    messages: pd.DataFrame
    reads: pd.DataFrame
    budget: pd.DataFrame
    now: pd.Timestamp


class SecurityView(Explorer):
    """Security events with their evidence, gateways with their keys, quarantined messages, reads of personal data.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "security"
    label: ClassVar[str] = mark("Security")

    event = param.String(default="", doc="id of the chosen event, or an empty text")
    span = param.Selector(default="7 days", objects=list(SPANS), doc="how far back events are shown")
    severity = param.Selector(default="all", objects=list(SEVERITIES), doc="which events are shown")

    def __init__(
        self,
        twin: SecuredTwin,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._secured, self._secures = twin, hasattr(twin, "security_events")
        self._last: _Read | None = None
        self._timer: Any = None
        self._verdict = Html("", sizing_mode="stretch_width", margin=(6, 10))
        self._evidence = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._events = TablePanel(tr("Security events"), tr("No security event in this span."), chosen=self._choose)
        self._gateways = TablePanel(
            tr("Gateways and keys"), tr("No gateway is known: the twin has no source of the kind mqtt.")
        )
        self._messages = TablePanel(tr("Quarantine"), tr("No message is in quarantine."), chosen=self._choose_message)
        self._reads = TablePanel(tr("Who read personal data"), tr("Nobody has read, released or erased personal data."))
        self._budget = TablePanel(tr("Privacy budget"), tr("The twin states no purposes with a privacy budget."))
        self._deciding = Deciding(
            twin, author=author_of(self.session), fixed=bool(self.session.user), done=self.refresh
        )
        self._body = pn.Column(sizing_mode="stretch_width")
        self._parts = [
            self._filters(), self._events.pane, self._evidence, self._messages.pane, self._deciding.pane, self._gateways.pane,
            self._reads.pane, self._budget.pane,
        ]  # fmt: skip
        if not self._secures:
            self._body[:] = [empty_pane(*_NOTHING)]
        self.apply(self.first_link)

    # -- state --------------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; an unknown choice becomes a notice."""
        problems: list[str] = []
        with self._silently():
            self.span = known_or_problem(link.within, list(SPANS), "span", problems) or "7 days"
            self.severity = known_or_problem(link.find, list(SEVERITIES), "severity", problems) or "all"
            self.event = link.part or ""
        self.notice = merge_problems((link.problems, problems))
        self.refresh()

    def link(self) -> Link:
        """Return the state of the page: the chosen event, span and severity."""
        span = None if self.span == "7 days" else str(self.span)
        severity = None if self.severity == "all" else str(self.severity)
        return Link(part=self.event or None, within=span, find=severity)

    def data(self) -> pd.DataFrame | None:
        """Return all security events."""
        return None if self._last is None else self._last.events

    def code(self) -> str:
        """Return Python that gives the security events."""
        return f"{self.open_code}\n\ndata = twin.security_events()\n"

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what is shown."""
        shown = {
            "security events": self._events.rows, "quarantine": self._messages.rows, "gateways": self._gateways.rows,
            "personal data": self._reads.rows, "privacy budget": self._budget.rows,
        }  # fmt: skip
        return {name: table for name, table in shown.items() if len(table)}

    def settings(self) -> dict[str, str]:
        """Return span, severity and the chosen event."""
        return {"span": str(self.span), "severity": str(self.severity), "event": self.event or "none"}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return None: the page has tables only."""
        del backend
        return None

    # -- reading ------------------------------------------------------------------------------------------------------

    @param.depends("event", "span", "severity", watch=True)
    def _chosen_changed(self) -> None:
        if self._quiet:
            return
        if self._last is not None:
            self._fill(self._last)
        self.revision += 1

    def refresh(self) -> None:
        """Read what the twin has, and show it."""
        if not self._secures:
            return
        try:
            read = self._read()
        except READING_ERRORS as error:
            self._fail(error)
        else:
            self._fill(read)

    def _read(self) -> _Read:
        twin = self._secured
        now = pd.Timestamp.now("UTC").tz_localize(None)
        return _Read(
            twin.security_events(),
            twin.gateways(),
            twin.quarantine(),
            twin.personal_reads(count=_READS),
            twin.privacy_budget(),
            now,
        )

    async def _tick(self) -> None:
        try:
            read = await asyncio.to_thread(self._read)
        except READING_ERRORS as error:
            self._fail(error)
            return
        self._fill(read)

    def _start_refreshing(self) -> None:
        if self._timer is None:
            self._timer = pn.state.add_periodic_callback(cast("Any", self._tick), period=_REFRESH_MS)

    def _fail(self, error: Exception) -> None:
        _LOG.error("security can't be read", exc_info=error)
        if self._last is None:
            self._body[:] = [error_pane(self.label, str(error), retry=self.refresh)]
        else:
            self.notice = tr("The page may be out of date: {error}", error=error)

    def _fill(self, read: _Read) -> None:
        if self._last is None:
            self._body[:] = self._parts
        self._last = read
        found = verdict(read.events, read.messages, read.gateways, now=read.now)
        heading = verdict_heading(found.head, found.detail, good=found.good)
        if self._verdict.object != heading:
            self._verdict.object = heading
        rows = event_rows(read.events, span=str(self.span), severity=str(self.severity), now=read.now)
        self._events.show(rows, tr("Choose one to see its evidence."), selected=self.event)
        chosen = read.events[read.events["event_id"] == self.event]
        evidence = "" if chosen.empty else event_html({str(name): value for name, value in chosen.iloc[0].items()})
        if self._evidence.object != evidence:
            self._evidence.object = evidence
        waiting = tr(
            "Messages that weren't taken, and aren't acknowledged. Choose one that waits to release or discard it."
        )
        self._messages.show(message_rows(read.messages), waiting)
        keys = tr("Whose messages are signed, by which key; epoch and sequence of the latest one.")
        self._gateways.show(gateway_rows(read.gateways, now=read.now), keys)
        self._budget.show(budget_rows(read.budget), tr("What releases with noise have cost, by purpose (epsilon)."))
        self._reads.show(read_rows(read.reads), tr("The newest {reads}, as the audit has them.", reads=_READS))

    def _choose(self, event_id: str) -> None:
        self.event = event_id

    def _choose_message(self, message_id: str) -> None:
        waits = False
        if self._last is not None and message_id:
            known = self._last.messages.set_index("id")["state"]
            waits = known.get(message_id) == "quarantined"
        self._deciding.choose(message_id if waits else "")

    # -- layout -------------------------------------------------------------------------------------------------------

    def _filters(self) -> pn.FlexBox:
        chosen = {"size": "small", "width": 170, "margin": (8, 10, 0, 10), "description": None}
        return pn.FlexBox(
            pmui.Select.from_param(self.param["span"], label=tr("Span"), **chosen),
            pmui.Select.from_param(self.param["severity"], label=tr("Severity"), **chosen),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        if pn.state.curdoc is not None and self._secures:
            self._start_refreshing()
        return pn.Column(self._alert, self._verdict, self._body, sizing_mode="stretch_width")
