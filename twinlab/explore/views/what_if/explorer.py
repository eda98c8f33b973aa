"""WhatIfExplorer: choose a start and changes, see what it takes, run it, and see what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.errors import TwinlabError
from twinlab.explore.kit.link import Link, parse_instant
from twinlab.explore.kit.panes import empty_pane
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.what_if.background import BackgroundRun
from twinlab.explore.views.what_if.change_form import ChangeForm
from twinlab.explore.views.what_if.hub_map import HubMap
from twinlab.explore.views.what_if.partial import PartialResults
from twinlab.explore.views.what_if.places import read_places, touched
from twinlab.explore.views.what_if.plan import BASE, Plan
from twinlab.explore.views.what_if.playback import read_playback, traced
from twinlab.explore.views.what_if.possible import can_simulate
from twinlab.explore.views.what_if.result_panes import ResultPanes
from twinlab.explore.views.what_if.result_tables import (
    ALL,
    all_assets,
    comparisons_of,
    kpi_names,
    signal_names,
    summary_table,
)
from twinlab.explore.views.what_if.run_bar import RunBar
from twinlab.explore.views.what_if.stored_runs import StoredRuns
from twinlab.simulate.calibration.twin_names import find_names
from twinlab.simulate.scenarios.reading import parse_scenarios
from twinlab.simulate.timetable.changes import POSSIBLE_KINDS

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.runs.progress import Progress

__all__ = ["WhatIfExplorer"]

_HORIZONS = {"6 hours": "6h", "12 hours": "12h", "1 day": "1d", "2 days": "2d", "3 days": "3d", "7 days": "7d"}
_REPLICATIONS = [20, 50, 100, 200, 500, 1000]
_MOST = 100_000
_NOTHING = (
    "This twin can't be simulated here",
    "A simulation needs a twin opened with twinlab.open, with trips: an event type with links `origin` and `destination` to one asset type.",
)


class WhatIfExplorer(Explorer):
    """Futures of a twin from its state at an instant: scenarios, a quote, a run, bands, differences with verdicts.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`. The twin needs ``simulate`` and ``quote_simulation``.
    """

    name_in_link: ClassVar[str] = "what_if"
    label: ClassVar[str] = "What-if"

    plan = param.ClassSelector(class_=Plan, default=Plan(), doc="what is to be simulated")
    state = param.Selector(
        default="ready", objects=["ready", "running", "done", "cancelled", "failed"], doc="of the run"
    )
    kpi = param.Selector(default=None, objects=[None], allow_None=True, doc="name of the compared KPI")
    signal = param.Selector(default=None, objects=[None], allow_None=True, doc="name of the drawn signal")
    asset = param.Selector(default=ALL, objects=[ALL], doc="drawn asset")
    played = param.Selector(default=BASE, objects=[BASE], doc="scenario that the map plays")
    future = param.Selector(default=0, objects=[0], doc="number of the future that the map plays")

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
        self.results: Any = None
        # Name of the stored run whose results are shown.
        self._from_store: str | None = None
        self._partial = PartialResults()
        self._run: BackgroundRun | None = None
        self._possible = can_simulate(twin)
        if not self._possible:
            return
        self._start = pmui.TextInput(label="Start (UTC)", value="now", width=170, size="small")
        self._name = pmui.TextInput(label="Store as", placeholder="not stored", width=130, size="small")
        self._horizon = pmui.Select(label="Length", options=_HORIZONS, value="1d", width=110, size="small")
        self._replications = pmui.Select(label="Futures", options=_REPLICATIONS, value=100, width=100, size="small")
        self._bar = RunBar(on_run=self.run, on_cancel=self.cancel, on_quote=self.quote, on_more=self.extend)
        self._names = find_names(twin.model)
        places = self.shared.cached(
            ("what-if places", str(self.first_link.at)),
            lambda: read_places(twin, self._names, at=self.first_link.at),
        )
        self._places = places
        self._form = ChangeForm(POSSIBLE_KINDS, places, carrier=self._names.carrier, on_change=self._planned)
        self._map = HubMap(places, on_place=self._form.pick_place, on_link=self._form.pick_link)
        self._shown = ResultPanes(self.param)
        self._stored = StoredRuns(twin, on_open=self._opened)
        for widget in (self._start, self._horizon, self._replications):
            widget.param.watch(lambda _: self._widgets_changed(), "value")
        self.apply(self.first_link)

    # -- the plan -----------------------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Show the plan of a link; a wrong value becomes a notice."""
        if not self._possible:
            return
        problems = list(link.problems)
        scenarios: tuple[Any, ...] = ()
        if link.scenarios:
            try:
                scenarios = tuple(parse_scenarios(link.scenarios, "scenarios of the link"))
            except TwinlabError as error:
                problems.append(str(error))
        horizon = link.horizon or "1d"
        if horizon not in _HORIZONS.values():
            problems.append(f"a length of {horizon!r} can't be chosen here; 1 day is")
            horizon = "1d"
        number = link.replications or "100"
        if not (number.isdecimal() and 2 <= int(number) <= _MOST):
            problems.append(f"expected 2 to {_MOST:,} futures, got {number!r}; 100 are chosen")
            number = "100"
        self._show(Plan(link.at, horizon, int(number), scenarios))
        self.notice = " · ".join(problems)

    def _show(self, plan: Plan) -> None:
        """Set the plan, and the widgets to it."""
        with self._silently():
            self._start.value = "now" if plan.start is None else str(plan.start.astype("datetime64[m]"))
            self._horizon.value = plan.horizon
            if plan.replications not in self._replications.options:
                self._replications.options = sorted({*_REPLICATIONS, plan.replications})
            self._replications.value = plan.replications
        self._planned(plan)

    def _planned(self, plan: Plan) -> None:
        self.plan = plan
        self._form.show(plan)
        self._map.mark(touched(plan))
        self.revision += 1

    def _widgets_changed(self) -> None:
        if self._quiet:
            return
        text = self._start.value.strip()
        start = None if text in {"", "now"} else parse_instant(text)
        if text not in {"", "now"} and start is None:
            self.notice = f"{text!r} isn't a time such as 2026-03-30T06:00 (UTC); the start stays as it was"
            return
        self.notice = ""
        self._planned(Plan(start, self._horizon.value, self._replications.value, self.plan.scenarios))

    # -- running ------------------------------------------------------------------------------------------------------

    def quote(self) -> None:
        """Show what the plan would take, from its first replications."""
        self._begin("The first futures are timed …")
        self._run = BackgroundRun(self._quoted, on_progress=lambda _: None, on_end=self._quote_ended)
        self._run.start()

    def _quoted(self, **options: Any) -> Any:
        twin: Any = self.twin
        return twin.quote_simulation(self.plan.scenarios or None, **self.plan.arguments(), **options)

    def _quote_ended(self, found: Any, fault: str | None) -> None:
        if fault is not None:
            self._failed(fault)
            return
        self._ended(
            "ready", "It will take " + ", ".join(map(str, found.amounts.values())) + f". Energy: {found.kwh.source}."
        )

    def run(self) -> None:
        """Simulate the plan."""
        self._partial = PartialResults()
        self._begin("The state at the start is read, and the model is fitted …")
        self._run = BackgroundRun(self._simulated, on_progress=self._progressed, on_end=self._run_ended)
        self._run.start()

    def _simulated(self, **options: Any) -> Any:
        twin: Any = self.twin
        name = self._name.value.strip() or None
        return twin.simulate(self.plan.scenarios or None, **self.plan.arguments(), name=name, **options)

    def extend(self) -> None:
        """Simulate twice as many futures; those that are there aren't computed again."""
        wanted = 2 * self.plan.replications
        self._show(Plan(self.plan.start, self.plan.horizon, wanted, self.plan.scenarios))
        self._begin(f"{wanted // 2:,} more futures of each scenario …")
        results = self.results
        self._run = BackgroundRun(
            lambda **options: results.extend(wanted, **options), on_progress=self._advanced, on_end=self._run_ended
        )
        self._run.start()

    def cancel(self) -> None:
        """Stop after the replications that are being computed; what is there is shown."""
        if self._run is not None:
            self._run.cancel()
            self._bar.say("It stops after the futures that are being computed …")

    def _begin(self, text: str) -> None:
        self.notice = ""
        self.state = "running"
        self._bar.begin(text)

    def _ended(self, state: str, text: str) -> None:
        self._run = None
        self.state = state
        self._bar.end(text, extendable=self.results is not None)
        self.revision += 1

    def _failed(self, fault: str) -> None:
        self.notice = fault
        self._ended(
            "failed", "Nothing was computed." if self.results is None else "The results below are those of before."
        )

    def _advanced(self, chunks: list[Progress]) -> None:
        for chunk in chunks:
            self._partial.add(chunk)
        self._bar.say(self._partial.text, percent=int(100 * self._partial.done / max(1, self._partial.total)))

    def _progressed(self, chunks: list[Progress]) -> None:
        """Show how far the run is, and the bands of what is there."""
        self._advanced(chunks)
        data = self._partial.data()
        self._offer(data)
        self._shown.show_bands(data, signal=self.signal, asset=self.asset)

    def _run_ended(self, found: Any, fault: str | None) -> None:
        if fault is not None:
            self._failed(fault)
            return
        self.results, self._from_store = found, None
        self._draw(first=True)
        self._stored.update()
        self._ended("cancelled" if found.stopped else "done", found.stopped or "Done.")

    def _opened(self, found: Any, name: str) -> None:
        """Show a stored run."""
        self.results, self._from_store = found, name
        self._draw(first=True)
        self._ended("done", f"Stored run {name!r}, from {found.about['start']} to {found.about['until']} UTC.")

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _offer(self, data: xr.Dataset) -> None:
        """Let the reader choose among the KPIs, signals and assets that there are."""
        with self._silently():
            for choice, names in (("kpi", kpi_names(data)), ("signal", signal_names(data))):
                if names and self.param[choice].objects != list(names.values()):
                    self.param[choice].objects = names
                    usual = next(
                        (one for one in names.values() if one.endswith("_waiting")), next(iter(names.values()))
                    )
                    setattr(self, choice, usual)
            if self.signal:
                kind = data[self.signal].attrs["asset_type"]
                assets = [ALL, *(str(one) for one in data[kind].to_numpy())]
                if self.param.asset.objects != assets:
                    self.param.asset.objects = assets
                    self.asset = ALL

    @param.depends("kpi", "signal", "asset", watch=True)
    def _choice_changed(self) -> None:
        if not self._quiet and self.results is not None:
            self._draw()
            self.revision += 1

    @param.depends("played", "future", watch=True)
    def _played_changed(self) -> None:
        if not self._quiet and self.results is not None:
            self._play()

    def _play(self, *, first: bool = False) -> None:
        """Let the map play a future of the results: one whose trips are kept, if there is any; at first of the last scenario."""
        kept = traced(self.results, self._names)
        scenarios = [name for name in self.results.scenarios if name in kept]
        if not scenarios or not self.signal:
            self._map.play(None)
            return
        with self._silently():
            self.param.played.objects = scenarios
            self.played = self.played if self.played in scenarios and not first else scenarios[-1]
            self.param.future.objects = {f"{one + 1}": one for one in kept[self.played]}
            self.future = self.future if self.future in kept[self.played] else kept[self.played][0]
        shown = read_playback(
            self.results, self._names, self._places, signal=self.signal, scenario=self.played, replication=self.future
        )
        self._map.play(shown, choices=[self._shown.played_row])

    def _draw(self, *, first: bool = False) -> None:
        self._offer(self.results.data)
        self._play(first=first)
        self._shown.show(self.results, kpi=self.kpi, signal=self.signal, asset=self.asset)

    # -- state, code and data -----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the plan."""
        return Link(
            at=self.plan.start,
            horizon=self.plan.horizon,
            replications=str(self.plan.replications),
            scenarios=self.plan.yaml or None,
        )

    def code(self) -> str:
        """Return Python that simulates the plan, or opens the shown stored run, with the KPIs as ``data``."""
        if self._from_store is not None:
            return f"{self.open_code}\n\ndata = twin.scenarios.open({self._from_store!r}).kpis\n"
        return self.plan.code(self.open_code) if self._possible else ""

    def data(self) -> xr.Dataset | None:
        """Return the KPIs of the run by scenario and replication; None before a run."""
        found: xr.Dataset | None = None if self.results is None else self.results.kpis
        return found

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return KPIs by scenario, comparisons with the base, the drawn bands, changes, assumptions."""
        import pandas as pd  # noqa: PLC0415

        from twinlab.explore.charts.what_if.bands import quantile_table  # noqa: PLC0415

        if self.results is None:
            return {}
        found = {"KPIs": summary_table(self.results.kpis)}
        compared = [one.table() for name in self.results.kpis for one in comparisons_of(self.results, str(name))]
        if compared:
            found["compared with base"] = pd.concat(compared, ignore_index=True)
        if self.signal:
            found["bands"] = quantile_table(all_assets(self.results.data[self.signal], self.asset))
        found["changes"] = pd.DataFrame(self.plan.changes, columns=["scenario", "change"])
        found["assumed"] = pd.DataFrame({"assumed": list(getattr(self.results, "assumed", ()))})
        return found

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        start = "now" if self.plan.start is None else str(self.plan.start)
        return {
            "start (UTC)": start,
            "length": self.plan.horizon,
            "futures of each scenario": f"{self.plan.replications:,}",
            "changes": "; ".join(f"{name}: {text}" for name, text in self.plan.changes) or "none",
        }

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:  # noqa: ARG002  (bands are Bokeh's)
        """Return the bands."""
        from twinlab.explore.charts.what_if.bands import band_chart  # noqa: PLC0415

        if self.results is None or not self.signal:
            return None
        return band_chart(all_assets(self.results.data[self.signal], self.asset))

    # -- layout -------------------------------------------------------------------------------------------------------

    def __panel__(self) -> pn.viewable.Viewable:
        if not self._possible:
            return empty_pane(*_NOTHING)
        controls = row([self._start, self._horizon, self._replications, self._name], margin=(8, 0, 4, 0))
        parts = [
            controls, self._form.pane, self._bar.pane, self._alert, self._map.pane, self._shown.pane, self._stored.pane
        ]  # fmt: skip
        return pn.Column(*parts, sizing_mode="stretch_width")
