"""KpiExplorer: a tile for each KPI, a chart of one by window and group, and what one of its numbers is made of."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from twinlab.events.kpis.compute import first_time, kpi
from twinlab.events.kpis.table import kpi_table
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.charts.scale import axis_label
from twinlab.explore.kit.lineage_pane import plain_table
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.kit.panes import empty_pane, loading_pane
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.base import Explorer, on_event_loop
from twinlab.explore.views.kpis.contributions import ContributionsPane
from twinlab.explore.views.kpis.groups import groups_of
from twinlab.explore.views.kpis.tile_grid import TileGrid
from twinlab.explore.views.kpis.tiles import window_text
from twinlab.languages import mark, tr
from twinlab.model.basics import parse_duration

if TYPE_CHECKING:
    import holoviews as hv
    import xarray as xr

    from twinlab.explore.charts.reading import Window
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["KpiExplorer"]

#: Widths of windows to choose from, beside the KPI's own.
_WIDTHS = {mark("its own"): "", "hour": "1h", "day": "1d", "week": "7d", mark("30 days"): "30d"}
#: Without a period, this many of the newest windows are shown.
_WINDOWS = 30
#: Columns of numbers.
_NUMBERS = (mark("value"), mark("low"), mark("high"))
_NO_KPIS = (
    mark("This twin has no KPIs"),
    mark(
        "Add some to its model (kpis: in twin.yaml): a formula, a unit and a target each. notebooks/08_kpis.ipynb shows how."
    ),
)


class KpiExplorer(Explorer):
    """KPIs as tiles with what each value can be, and how much of its data is known; a press on one draws it by window.

    A press on a window of the chart, or on a row of its table, shows the events or spans that its number is made of, and a row of
    those the rows of the ledger.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "kpis"
    label: ClassVar[str] = "KPIs"

    kpi = param.Selector(default=None, objects=[], allow_None=True, check_on_set=True, doc="name of the drawn KPI")
    by = param.Selector(default="", objects=[""], check_on_set=True, doc="what it is grouped by, '' for nothing")
    every = param.Selector(
        default="", objects=_WIDTHS, check_on_set=True, doc="width of the windows, '' for the KPI's own"
    )
    window = param.Parameter(
        default=None, allow_None=True, doc="period (start, stop), datetime64 UTC; None: the newest windows"
    )
    picked = param.Parameter(
        default=None, allow_None=True, doc="(start of a window, group or None) whose number is explained"
    )

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
        self._data: xr.Dataset | None = None
        self._names = {name: spec.title or name.replace("_", " ") for name, spec in twin.model.kpis.items()}
        self._grid = TileGrid(self._names, on_press=self._pressed, live=has_live_sources(twin))
        self._body = pn.Column(sizing_mode="stretch_width")
        self._chart = pn.Column(sizing_mode="stretch_width")
        self._contributions = ContributionsPane(twin)
        self.param.kpi.objects = list(self._names)
        if self._names:
            with self._silently():
                self._apply(self.first_link)
            self._start()

    # -- selecting ----------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the state of a link; a wrong value becomes a notice."""
        if not self._names:
            return
        before = self.window
        with self._silently():
            self._apply(link)
        if self.window != before:
            self._start()
        else:
            self._draw()

    def _apply(self, link: Link) -> None:
        problems: list[str] = []
        name = known_or_problem(link.kpi, self._names, "KPI", problems) or self.kpi or next(iter(self._names))
        with param.parameterized.batch_call_watchers(self):
            self.param.update(kpi=name, window=link.window)
            self._offer_groups()
            by = known_or_problem(link.by, filter(None, self.param.by.objects), "group", problems) or ""
            every = link.every or ""
            if every not in _WIDTHS.values():
                problems.append(tr("a window of {every!r} can't be chosen here; the KPI's own is shown", every=every))
                every = ""
            self.param.update(by=by, every=every, picked=None)
        self.notice = " · ".join(problems)

    def _offer_groups(self) -> None:
        groups = groups_of(self.twin.model, self.twin.model.kpis[self.kpi])
        if self.by not in groups:
            self.by = ""
        self.param.by.objects = {tr("nothing"): "", **{tr(name.replace("_", " ")): name for name in groups}}

    def _pressed(self, name: str) -> None:
        self.kpi = name

    @param.depends("kpi", "by", "every", watch=True)
    def _choice_changed(self) -> None:
        if self._quiet or not self._names:
            return
        with self._silently():
            self._offer_groups()
            self.picked = None
        self._draw()

    @param.depends("picked", watch=True)
    def _picked_changed(self) -> None:
        if not self._quiet:
            self._explain()
            self.revision += 1

    # -- reading ------------------------------------------------------------------------------------------------------

    def read(self, name: str, *, by: str = "", every: str = "") -> xr.Dataset:
        """Return a KPI over the shown period, as ``twin.kpi`` gives it; cached for all readers."""
        start, stop = self._span(name, every)
        key = ("kpi", name, by, every, str(start), str(stop))
        return self.shared.cached(
            key, lambda: kpi(self.twin, name, by=by or None, every=every or None, start=start, stop=stop)
        )

    def _span(self, name: str, every: str) -> Window | tuple[None, None]:
        """Return the period; without one, that of the newest windows; open for a twin without data."""
        if self.window is not None:
            return self.window
        latest = self.shared.latest()
        if latest is None:
            return None, None
        width = every or self.twin.model.kpis[name].period
        size = np.timedelta64(parse_duration(width), "ns")
        stop = latest.astype("datetime64[s]").astype("datetime64[ns]") + np.timedelta64(1, "s")
        start = (stop - _WINDOWS * size).astype("datetime64[D]").astype("datetime64[ns]")
        first = self.shared.cached(("kpi since", name), lambda: first_time(self.twin, name))
        return (start if first is None else max(start, first)), stop

    def _read_tiles(self) -> dict[str, xr.Dataset | str]:
        out: dict[str, xr.Dataset | str] = {}
        for name in self._names:
            try:
                out[name] = self.read(name)
            except READING_ERRORS as error:
                out[name] = str(error)
        return out

    def _start(self) -> None:
        """Read all KPIs; on a served page in a thread, so that it can be used meanwhile."""
        if self.patient and pn.state.curdoc is not None and on_event_loop():
            self._body[:] = [loading_pane(self.label)]
            pn.state.onload(self._start_later)
        else:
            self._fill(self._read_tiles())

    async def _start_later(self) -> None:
        self._fill(await asyncio.to_thread(self._read_tiles))

    def _fill(self, tiles: dict[str, xr.Dataset | str]) -> None:
        self._grid.show(tiles, chosen=self.kpi)
        if not self._body.objects or self._body.objects[0] is not self._grid.pane:
            self._body[:] = [self._grid.pane, self.controls(), self._chart, self._contributions.pane]
        self._draw()

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        self._grid.choose(self.kpi)
        self._contributions.close()
        try:
            self._data = self.read(str(self.kpi), by=self.by, every=self.every)
        except READING_ERRORS as error:
            self._data = None
            self._chart[:] = [
                empty_pane(tr("{kpi} can't be drawn", kpi=self._names[str(self.kpi)]), str(error), height=140)
            ]
        else:
            self._chart[:] = self._parts(self._data)
            self._explain()
        self.revision += 1

    def _parts(self, data: xr.Dataset) -> list[pn.viewable.Viewable]:
        from twinlab.explore.charts.kpis.kpi import kpi_chart  # noqa: PLC0415  (HoloViews is loaded with the first chart)

        definition = " ".join(str(data.attrs[name]) for name in ("definition",) if name in data.attrs)
        formula = tr("Formula: {formula}.", formula=data.attrs["formula"])
        text = pmui.Typography(f"{definition} {formula}", variant="body2", margin=(0, 10, 4, 10))
        chart = pn.pane.HoloViews(
            kpi_chart(data, on_pick=self._pick), sizing_mode="stretch_width", margin=(0, 10), linked_axes=False
        )
        self._rows = self._table(data)
        grid = plain_table(
            _with_outcomes(self._rows),
            on_pick=self._row_picked,
            titles=self._titles(data),
            shares=["coverage"],
            page_size=7,
        )
        hint = pmui.Typography(
            tr("Press a window in the chart, or select a row, to see what its number is made of."),
            variant="body2",
            margin=(2, 10, 0, 10),
        )
        return [text, chart, hint, grid]

    def _table(self, data: xr.Dataset) -> pd.DataFrame:
        """Return the windows, the newest first."""
        table = kpi_table(data)
        return table.iloc[np.argsort(-table["time"].to_numpy().astype("int64"), kind="stable")].reset_index(drop=True)

    def _titles(self, data: xr.Dataset) -> dict[str, str]:
        unit = str(data.attrs.get("units", ""))
        return {"time": tr("window from (UTC)"), "coverage": tr("share known")} | {
            name: axis_label(tr(name), unit) for name in _NUMBERS
        }

    def _pick(self, start: np.datetime64, group: str | None) -> None:
        self.picked = (start, group)

    def _row_picked(self, place: int) -> None:
        found = self._rows.iloc[place]
        self.picked = (found["time"].to_datetime64(), str(found[self._group]) if self._group else None)

    @property
    def _group(self) -> str:
        """Name of the dimension of groups, '' without one."""
        if self._data is None or self._data["value"].ndim == 1:
            return ""
        return next(str(one) for one in self._data["value"].dims if one != "time")

    def _explain(self) -> None:
        if self.picked is None or self._data is None:
            self._contributions.close()
            return
        start, group = self.picked
        of = tr(" of {group}", group=group) if group else ""
        window = window_text(start, self._data.attrs["every"])
        title = tr("What {kpi}{of} on {window} is made of", kpi=self._names[str(self.kpi)], of=of, window=window)
        fault = self._contributions.show(
            str(self.kpi), title, at=start, by=self.by or None, group=group, every=self.every or None
        )
        self.notice = tr("What the number is made of can't be read: {fault}", fault=fault) if fault else ""

    # -- state, code and data -----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the view's state."""
        return Link(kpi=self.kpi, by=self.by or None, every=self.every or None, window=self.window)

    def code(self) -> str:
        """Return Python that gives the drawn KPI as ``data``."""
        if self._data is None:
            return ""
        start, stop = self._span(str(self.kpi), self.every)
        options = {"by": self.by, "every": self.every, "start": _iso(start), "stop": _iso(stop)}
        given = "".join(f", {name}={value!r}" for name, value in options.items() if value)
        return f"from twinlab.events import kpi\n{self.open_code}\n\ndata = kpi(twin, {self.kpi!r}{given})  # UTC\n"

    def data(self) -> xr.Dataset | None:
        """Return the drawn KPI, as `code` gives it."""
        return self._data

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the drawn KPI, newest window first, and what the chosen number is made of."""
        if self._data is None:
            return {}
        found = {self._names[str(self.kpi)][:31]: self._rows.rename(columns=self._titles(self._data))}
        for kind, table in self._contributions.tables.items():
            found[f"made of {kind}"[:31]] = table
        return found

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        out = {tr("KPI"): self._names.get(str(self.kpi), ""), tr("by"): self.by or tr("nothing")}
        if self._data is not None:
            about = ("definition", "formula", "owner", "target", "every")
            out |= {name: str(self._data.attrs[name]) for name in about if name in self._data.attrs}
        return out

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:  # noqa: ARG002  (its hatches are Bokeh's)
        """Return the chart."""
        from twinlab.explore.charts.kpis.kpi import kpi_chart  # noqa: PLC0415

        return None if self._data is None else kpi_chart(self._data)

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the widgets above the chart."""
        names: Any = {title: name for name, title in self._names.items()}
        return row(
            [
                pmui.Select.from_param(
                    self.param.kpi, options=names, label=tr("KPI"), width=230, size="small", description=""
                ),
                pmui.Select.from_param(self.param.by, label=tr("Grouped by"), width=170, size="small", description=""),
                pmui.Select.from_param(self.param.every, label=tr("Window"), width=120, size="small", description=""),
            ],
            margin=(8, 0, 4, 0),
        )

    def __panel__(self) -> pn.viewable.Viewable:
        if not self._names:
            return empty_pane(*_NO_KPIS)
        return pn.Column(self._alert, self._body, sizing_mode="stretch_width")


def _iso(at: object) -> str:
    return "" if at is None else str(pd.Timestamp(at).isoformat())  # type: ignore[arg-type]


def _with_outcomes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose outcomes are in the reader's language."""
    if "target" not in rows:
        return rows
    shown = {"met": tr("met"), "missed": tr("missed"), "not known": tr("not known")}
    return rows.assign(target=[shown.get(str(one), str(one)) for one in rows["target"]])
