"""FinderExplorer: events in which a condition is true, over the whole fleet, while the condition is written."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import pandas as pd
import panel as pn
import param

from twinlab._html import html
from twinlab.events.finding.finder import find
from twinlab.events.statistics.per_event import event_statistics
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.charts.scale import axis_label
from twinlab.explore.kit.lineage_pane import plain_table
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.panes import Html, empty_pane
from twinlab.explore.views.base import Explorer, on_event_loop
from twinlab.explore.views.finder.charts import CHARTS, event_chart
from twinlab.explore.views.finder.condition import ConditionWidgets
from twinlab.explore.views.finder.texts import fault_html, summary_text
from twinlab.languages import mark, tr
from twinlab.model.expressions import AssetContext, bind_condition
from twinlab.model.expressions.walk import signals_of

if TYPE_CHECKING:
    import holoviews as hv

    from twinlab.explore.charts.reading import Window
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["FinderExplorer", "Found"]

#: Seconds without a key before a condition is searched for, and after which a search is announced.
_PAUSE, _ANNOUNCED = 0.25, 0.5
#: Events whose statistics are shown.
_MOST_STATISTICS = 20_000
_NO_SIGNALS = (
    mark("This twin has no signals"),
    mark("Conditions are about signals, and its model, twin.yaml, names none."),
)


@dataclass(frozen=True)
class Found:
    """The events of a condition."""

    on: str
    condition: str
    lasting: str
    gap: str
    window: Window | None
    events: pd.DataFrame
    # The first gauge or counter of the condition; None if there is none.
    signal: str | None
    # Statistics of it during each event.
    statistics: pd.DataFrame
    seconds: float


class FinderExplorer(Explorer):
    """A condition, written with completion or put together by clicks, and the events of all assets in which it is true.

    Events are found while the condition is written; one that can't be read yet leaves the last events, and says why under it.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "find"
    label: ClassVar[str] = mark("Found events")

    on = param.Selector(default=None, objects=[], allow_None=True, check_on_set=True, doc="asset type that is searched")
    when = param.String(default="", doc="the condition")
    lasting = param.String(default="", doc="least duration of an event, such as 10 min")
    gap = param.String(default="", doc="two events at most this far apart are one")
    chart = param.Selector(default="timeline", objects=CHARTS, check_on_set=True, doc="what is drawn of the events")
    window = param.Parameter(default=None, allow_None=True, doc="period (start, stop), datetime64 UTC; None: all data")
    selected = param.Parameter(default=None, allow_None=True, doc="the selected event, a row of the events, or None")

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
        self.found: Found | None = None
        self._asked = 0
        self._running = False
        self._types = {
            name: spec.title or name.replace("_", " ") for name, spec in twin.model.asset_types.items() if spec.signals
        }
        self.param.on.objects = list(self._types)
        self._status = Html("", sizing_mode="stretch_width", margin=(2, 10))
        self._fault = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._results = pn.Column(sizing_mode="stretch_width")
        self._chart = pn.Column(sizing_mode="stretch_width", min_height=120)
        self._widgets = ConditionWidgets(self, self._types)
        if self._types:
            self.apply(self.first_link)

    # -- selecting ----------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; a wrong value becomes a notice."""
        if not self._types:
            return
        problems: list[str] = []
        named = link.asset_type if link.when is not None or link.asset_type in self._types else None
        on = known_or_problem(named, self._types, "asset type", problems) or self.on or next(iter(self._types))
        chart = link.layout if link.layout in CHARTS.values() else "timeline"
        with self._silently(), param.parameterized.batch_call_watchers(self):
            self.param.update(on=on, when=link.when or self.when, chart=chart, window=link.window)
            self.param.update(lasting=link.lasting or "", gap=link.gap or "", selected=None)
        self._widgets.show()
        self.notice = " · ".join(problems)
        self._search()

    @param.depends("on", watch=True)
    def _type_changed(self) -> None:
        if not self._quiet:
            self._widgets.show()
            self._search()

    @param.depends("when", "lasting", "gap", "window", watch=True)
    def _condition_changed(self) -> None:
        if not self._quiet:
            self._search()

    @param.depends("chart", watch=True)
    def _chart_changed(self) -> None:
        if not self._quiet:
            self._draw_chart()
            self.revision += 1

    def context(self) -> AssetContext:
        """Return what names in the condition mean."""
        return AssetContext(self.twin.model, str(self.on))

    # -- searching ----------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        """Search for the condition; on a served page once nothing more is typed, in a thread, one search at a time."""
        self._asked += 1
        if pn.state.curdoc is not None and on_event_loop():
            if not self._running:
                self._running = True
                pn.state.execute(self._search_later, schedule=True)
            return
        self._show(*self._try())

    async def _search_later(self) -> None:
        try:
            while True:
                asked = self._asked
                await asyncio.sleep(_PAUSE)
                if asked != self._asked:
                    continue
                work = asyncio.create_task(asyncio.to_thread(self._try))
                done, _ = await asyncio.wait([work], timeout=_ANNOUNCED)
                if not done:
                    self._status.object = '<span role="status">Searching …</span>'
                found = await work
                # What was typed meanwhile makes this the answer to another question.
                if asked == self._asked:
                    self._show(*found)
                    return
        finally:
            self._running = False

    def _try(self) -> tuple[Found | None, Exception | None]:
        if not self.when.strip():
            return None, None
        try:
            return self.find(), None
        except READING_ERRORS as error:
            return None, error

    def find(self) -> Found:
        """Return the events of the condition.

        Raises
        ------
        TwinlabError
            If the condition, or a duration, can't be read; or the data can't.
        """
        on, when, lasting, gap, window = str(self.on), self.when, self.lasting.strip(), self.gap.strip(), self.window
        condition = bind_condition(when, self.context())
        began = time.perf_counter()
        start, stop = window or (None, None)
        key = ("found", on, when, lasting, gap, str(start), str(stop))
        events = self.shared.cached(
            key,
            lambda: find(self.twin, when, on=on, lasting=lasting or None, gap=gap or None, start=start, stop=stop),
        )
        took = time.perf_counter() - began
        signals = self.twin.model.asset_types[on].signals
        signal = next(
            (name for name in signals_of(condition) if signals.get(name) and signals[name].states is None), None
        )
        known = events["start"].notna().any()
        statistics = (
            event_statistics(self.twin, events.head(_MOST_STATISTICS), signal, on=on)
            if signal is not None and known
            else pd.DataFrame(index=events.index)
        )
        return Found(on, when, lasting, gap, window, events, signal, statistics, took)

    def _show(self, found: Found | None, error: Exception | None) -> None:
        """Show events, or why the condition can't be read; the last events then remain."""
        self._fault.object = "" if error is None else fault_html(error)
        if found is None:
            if error is None:
                self.found = None
                self._results[:] = []
                self._status.object = _hint(self.twin.model.asset_types[str(self.on)].signals)
            elif self.found is not None:
                self._status.object = _said(tr("Still shown: {condition}", condition=self.found.condition))
            else:
                self._status.object = ""
            self.revision += 1
            return
        self.found = found
        with self._silently():
            self.selected = None
        assets = len(self.twin.assets(found.on)) or found.events["asset"].nunique()
        period = "" if found.window is None else tr(" in the chosen period")
        self._status.object = _said(f"{summary_text(found.events, assets, found.seconds)}{period}")
        if not len(found.events):
            self._results[:] = [
                empty_pane(tr("No such event"), tr("The condition is nowhere true for that long."), height=120)
            ]
        else:
            self._table = self._make_table()
            grid = plain_table(
                self._table, on_pick=self._picked, titles=self._titles(), shares=["coverage"], page_size=10
            )
            self._results[:] = [self._widgets.charts, self._chart, grid]
            self._draw_chart()
        self.revision += 1

    def _make_table(self) -> pd.DataFrame:
        assert self.found is not None
        events, statistics = self.found.events, self.found.statistics
        labels = self.shared.labels(self.found.on)
        columns: dict[str, Any] = {
            "asset": [labels.get(str(one), str(one)) for one in events["asset"]],
            **{name: events[name].to_numpy() for name in ("start", "end", "duration")},
        }
        shown = [name for name in ("mean", "min", "max", "peak", "coverage", "worst_flag") if name in statistics]
        columns |= {name: statistics[name].reindex(events.index).array for name in shown}
        return pd.DataFrame(columns)

    def _titles(self) -> dict[str, str]:
        assert self.found is not None
        times = {name: f"{name} (UTC)" for name in ("start", "end", "peak")}
        out = {**times, "duration": tr("lasts (h)"), "coverage": tr("share known"), "worst_flag": tr("worst flag")}
        if self.found.signal is not None:
            spec = self.twin.model.asset_types[self.found.on].signals[self.found.signal]
            name = spec.title or self.found.signal.replace("_", " ")
            out |= {one: axis_label(f"{one} {name}", spec.unit or "") for one in ("mean", "min", "max")}
        return out

    def _picked(self, place: int) -> None:
        assert self.found is not None
        event = self.found.events.iloc[place]
        self.chosen = (self.found.on, str(event["asset"]))
        self.selected = event
        self.revision += 1

    def _draw_chart(self) -> None:
        plot = self.figure()
        self._chart[:] = (
            []
            if plot is None
            else [pn.pane.HoloViews(plot, sizing_mode="stretch_width", margin=(0, 10), linked_axes=False)]
        )

    # -- state, code and data -----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the view's state."""
        return Link(
            asset_type=self.on,
            when=self.when or None,
            lasting=self.lasting or None,
            gap=self.gap or None,
            layout=None if self.chart == "timeline" else self.chart,
            window=self.window,
        )

    def code(self) -> str:
        """Return Python that gives the shown events as ``data``."""
        if self.found is None:
            return ""
        start, stop = self.found.window or (None, None)
        options = {"on": self.found.on, "lasting": self.found.lasting, "gap": self.found.gap}
        options |= {
            name: str(pd.Timestamp(at).isoformat()) for name, at in (("start", start), ("stop", stop)) if at is not None
        }
        given = "".join(f", {name}={value!r}" for name, value in options.items() if value)
        return f"from twinlab.events import find\n{self.open_code}\n\ndata = find(twin, {self.found.condition!r}{given})  # UTC\n"

    def data(self) -> pd.DataFrame | None:
        """Return the shown events, as `code` gives them."""
        return None if self.found is None else self.found.events

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the shown events with their statistics, units in the column titles."""
        if self.found is None or not len(self.found.events):
            return {}
        table = self._make_table()
        table["duration"] = table["duration"].dt.total_seconds() / 3600
        return {"Found events": table.rename(columns=self._titles())}

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        shown = self.found
        if shown is None:
            return {tr("Condition"): "none"}
        period = "all" if shown.window is None else tr(" to ").join(str(pd.Timestamp(one))[:16] for one in shown.window)
        out = {
            tr("Asset type"): self._types[shown.on],
            tr("Condition"): shown.condition,
            tr("Lasting"): shown.lasting,
            tr("Gap"): shown.gap,
        }
        return {name: text for name, text in out.items() if text} | {tr("Period (UTC)"): period}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the chart of the events; None without events."""
        shown = self.found
        if shown is None or not len(shown.events):
            return None
        try:
            return event_chart(
                str(self.chart), shown.events, twin=self.twin, on=shown.on, signal=shown.signal, backend=backend
            )
        except READING_ERRORS as error:
            self.notice = tr("The chart can't be drawn: {error}", error=error)
            return None

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets of the condition."""
        return self._widgets.pane

    def __panel__(self) -> pn.viewable.Viewable:
        if not self._types:
            return empty_pane(*_NO_SIGNALS)
        return pn.Column(
            self._alert, self.controls(), self._fault, self._status, self._results, sizing_mode="stretch_width"
        )


def _said(text: str) -> str:
    return str(
        html(
            '<div role="status" style="font:15px/1.5 Roboto,system-ui,sans-serif">{{ text }}</div>',
            text=text[:1].upper() + text[1:],
        )
    )


def _hint(signals: Any) -> str:
    name = next(iter(signals))
    return _said(
        tr("Write a condition, such as {name} > 5 for at least 10 min, or put one together below it.", name=name)
    )
