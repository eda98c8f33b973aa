"""WhatIfExplorer: choose a start and changes, see what it takes, run it, and see what differs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import panel as pn
import param

from twinlab.explore.charts.reading import instant_text
from twinlab.explore.kit.background.run import BackgroundRun, fit_ahead
from twinlab.explore.kit.background.run_bar import RunBar
from twinlab.explore.kit.panes import empty_pane
from twinlab.explore.views.what_if.plan import BASE, Plan
from twinlab.explore.views.what_if.plan_view import NOTHING, READY, PlanView
from twinlab.explore.views.what_if.results.panes import ResultPanes
from twinlab.explore.views.what_if.results.partial import PartialResults
from twinlab.explore.views.what_if.results.playback import read_playback, traced
from twinlab.explore.views.what_if.results.stored_runs import StoredRuns
from twinlab.explore.views.what_if.results.tables import (
    ALL,
    all_assets,
    all_comparisons,
    comparisons_of,
    kpi_names,
    signal_names,
    summary_table,
    usual_signal,
    verdict_table,
)
from twinlab.explore.views.what_if.results.trust import scores_table, trust_head, trust_words
from twinlab.explore.views.what_if.results.twin_kpis import PREFIX, TwinKpis, simulated_kpis
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.link import Link
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.experiments.comparison import Comparison
    from twinlab.simulate.runs.progress import Progress

__all__ = ["WhatIfExplorer"]


class WhatIfExplorer(PlanView):
    """Futures of a twin from its state at an instant: scenarios, a quote, a run, bands, differences with verdicts.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`. The twin needs ``simulate``, ``quote_simulation`` and ``fit_simulation``.
    """

    name_in_link: ClassVar[str] = "what_if"
    label: ClassVar[str] = mark("What-if")

    state = param.Selector(
        default="ready", objects=["ready", "running", "done", "cancelled", "failed"], doc="of the run"
    )
    kpi = param.Selector(default=None, objects=[None], allow_None=True, doc="name of the compared KPI")
    signal = param.Selector(default=None, objects=[None], allow_None=True, doc="name of the drawn signal")
    asset = param.Selector(default=ALL, objects=[ALL], doc="drawn asset")
    played = param.Selector(default=BASE, objects=[BASE], doc="scenario that the map plays")
    circles = param.Selector(default=None, objects=[None], allow_None=True, doc="name of the signal that the map plays")
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
        # The KPIs of the twin in the results.
        self._twin_kpis: TwinKpis | None = None
        self._run: BackgroundRun | None = None
        if not self._possible:
            return
        after = {tr("More futures"): self.extend}
        self._bar = RunBar(tr("Run"), on_run=self.run, on_cancel=self.cancel, ready=READY, before={tr("Quote"): self.quote}, after=after)  # fmt: skip
        self._shown = ResultPanes(self.param, on_score=self.score)
        self._stored = StoredRuns(twin, on_open=self._opened)
        self.apply(self.first_link)

    # -- running ------------------------------------------------------------------------------------------------------

    def quote(self) -> None:
        """Show what the plan would take, from its first replications."""
        self._begin(tr("The first futures are timed …"))
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
            "ready",
            tr("It will take ")
            + ", ".join(map(str, found.amounts.values()))
            + tr(". Energy: {source}.", source=found.kwh.source),
        )

    def _planned(self, plan: Plan) -> None:
        """Show a plan; fit the model ahead once there is a change, so that its first futures come soon after Run."""
        super()._planned(plan)
        if plan.scenarios:
            twin: Any = self.twin
            fit_ahead(lambda: twin.fit_simulation(start="now" if plan.start is None else plan.start))

    def run(self) -> None:
        """Simulate the plan."""
        self._partial = PartialResults()
        self._begin(tr("The state at the start is read, and the model is fitted …"))
        self._run = BackgroundRun(self._simulated, on_progress=self._progressed, on_end=self._run_ended)
        self._run.start()

    def _simulated(self, **options: Any) -> Any:
        twin: Any = self.twin
        name = self._name.value.strip() or None
        given = {"name": name, "budget": self.plan.budget, **self.plan.arguments()}
        return twin.simulate(self.plan.scenarios or None, **given, **options)

    def extend(self) -> None:
        """Simulate twice as many futures; those that are there aren't computed again."""
        wanted = 2 * self.plan.replications
        self._show(replace(self.plan, replications=wanted))
        self._begin(tr("{wanted:,} more futures of each scenario …", wanted=wanted // 2))
        results, budget = self.results, self.plan.budget
        more = partial(results.extend, wanted, budget=budget)
        self._run = BackgroundRun(more, on_progress=self._advanced, on_end=self._run_ended)
        self._run.start()

    def cancel(self) -> None:
        """Stop after the replications that are being computed; what is there is shown."""
        if self._run is not None:
            self._run.cancel()
            self._bar.say(tr("It stops after the futures that are being computed …"))

    def _begin(self, text: str) -> None:
        self.notice = ""
        self.state = "running"
        self._bar.begin(text)

    def _ended(self, state: str, text: str) -> None:
        self._run = None
        self.state = state
        self._bar.end(text, result=self.results is not None)
        self.revision += 1

    def _failed(self, fault: str) -> None:
        self.notice = fault
        self._ended("failed", tr("Nothing was computed.") if self.results is None else tr("The results below are those of before."))  # fmt: skip

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
        self._new_results()
        self._stored.update()
        self._ended("cancelled" if found.stopped else "done", found.stopped or self._done())

    def _done(self) -> str:
        many = max(self.results.replications.values())
        return tr("Done: {many_value:,} futures of each scenario. {none}", many_value=many, none=trust_head(getattr(self.results, "fidelity", None), self.results.data))  # fmt: skip

    def _new_results(self) -> None:
        """Show results for the first time; the twin's KPIs are those of a run whose events are kept."""
        kept = hasattr(self.results, "kpi") and bool(traced(self.results, self._names))
        self._twin_kpis = TwinKpis(self.results, self.twin.model) if kept else None
        if self.kpi and self.kpi.startswith(PREFIX):
            # Its values in these futures aren't computed yet.
            with self._silently():
                self.kpi = next(iter(kpi_names(self.results.data).values()))
        self._draw(first=True)

    def _opened(self, found: Any, name: str) -> None:
        """Show a stored run."""
        self.results, self._from_store = found, name
        self._new_results()
        self._ended("done", tr("Stored run {name!r}, from {start} to {until} UTC.", name=name, start=found.about["start"], until=found.about["until"]))  # fmt: skip

    # -- drawing ------------------------------------------------------------------------------------------------------

    def _offer(self, data: xr.Dataset) -> None:
        """Let the reader choose among the KPIs, signals and assets that there are."""
        with self._silently():
            kpis = kpi_names(data)
            if self._twin_kpis is not None:
                kpis |= simulated_kpis(self.twin.model, self._names, data)
            for choice, names in (("kpi", kpis), ("signal", signal_names(data))):
                if names and self.param[choice].objects != list(names.values()):
                    self.param[choice].objects = names
                    setattr(self, choice, usual_signal(names))
            if self.signal:
                kind = data[self.signal].attrs["asset_type"]
                assets = [ALL, *(str(one) for one in data[kind].to_numpy())]
                if self.param.asset.objects != assets:
                    self.param.asset.objects = assets
                    self.asset = ALL

    @param.depends("kpi", "signal", "asset", watch=True)
    def _choice_changed(self) -> None:
        if self._quiet or self.results is None:
            return
        if self._needs_twin_kpi():
            self._compute_twin_kpi()
            return
        self._draw()
        self.revision += 1

    def _needs_twin_kpi(self) -> bool:
        """Whether the chosen KPI is one of the twin that isn't computed yet."""
        kpis = self._twin_kpis
        return bool(self.kpi) and self.kpi.startswith(PREFIX) and kpis is not None and kpis.known(self.kpi) is None

    def _compute_twin_kpi(self) -> None:
        kpis, name = self._twin_kpis, self.kpi
        assert kpis is not None
        self._begin(tr("The twin's KPI is computed in the futures whose events are kept …"))
        self._run = BackgroundRun(
            lambda **_: kpis.values(name), on_progress=lambda _: None, on_end=self._twin_kpi_ended
        )
        self._run.start()

    def _twin_kpi_ended(self, found: Any, fault: str | None) -> None:
        if fault is not None:
            self._failed(fault)
            return
        self._draw()
        self._ended("done", tr("The twin's KPI is computed in {replication} futures of each scenario, whose events are kept.", replication=found.sizes["replication"]))  # fmt: skip

    def _of_twin_kpis(self) -> list[Comparison]:
        """Return the comparisons of the twin's KPIs that were computed."""
        return (
            []
            if self._twin_kpis is None
            else [one for each in self._twin_kpis.computed() for one in comparisons_of(each)]
        )

    # -- the score of the model ---------------------------------------------------------------------------------------

    def score(self) -> None:
        """Score the model on the days before the start, and show it beside the results."""
        twin: Any = self.twin
        start = np.datetime64(self.results.about["start"])
        self._begin(tr("The model is scored on the two weeks before the start …"))
        self._shown.trust.busy(busy=True)
        self._run = BackgroundRun(
            lambda **_: twin.score_simulation(start=start), on_progress=lambda _: None, on_end=self._scored
        )
        self._run.start()

    def _scored(self, found: Any, fault: str | None) -> None:
        self._shown.trust.busy(busy=False)
        if fault is not None:
            self._failed(fault)
            return
        self.results = replace(self.results, fidelity=found)
        self._shown.trust.show(self.results)
        self._ended("done", self._done())

    @param.depends("played", "future", "circles", watch=True)
    def _played_changed(self) -> None:
        if not self._quiet and self.results is not None:
            self._play()

    def _play(self, *, first: bool = False) -> None:
        """Let the map play a future of the results: one whose trips are kept, if there is any; at first of the last scenario."""
        kept = traced(self.results, self._names)
        scenarios = [name for name in self.results.scenarios if name in kept]
        signals = signal_names(self.results.data, of=self._names.hub)
        if not scenarios or not signals:
            self._map.play(None)
            return
        with self._silently():
            self.param.played.objects = scenarios
            self.played = self.played if self.played in scenarios and not first else scenarios[-1]
            self.param.circles.objects = signals
            self.circles = self.circles if self.circles in signals.values() else usual_signal(signals)
            self.param.future.objects = {f"{one + 1}": one for one in kept[self.played]}
            self.future = self.future if self.future in kept[self.played] else kept[self.played][0]
        shown = read_playback(
            self.results, self._names, self._places, signal=self.circles, scenario=self.played, replication=self.future
        )
        self._map.play(shown, choices=[self._shown.played_row])

    def _draw(self, *, first: bool = False) -> None:
        self._offer(self.results.data)
        self._play(first=first)
        found: list[Comparison] = []
        if self.kpi and len(self.results.scenarios) > 1:
            own = self._twin_kpis.known(self.kpi) if self._twin_kpis is not None else None
            found = comparisons_of(self.results.kpis[self.kpi] if own is None else own)
        self._shown.show(self.results, found=found, signal=self.signal, asset=self.asset)

    # -- state, code and data -----------------------------------------------------------------------------------------

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
        found: dict[str, pd.DataFrame] = {}
        others = [name for name in self.results.scenarios if name != BASE]
        compared = [one for name in others for one in all_comparisons(self.results, name)] + self._of_twin_kpis()
        if compared:
            found["compared with base"] = verdict_table(compared)
        found["KPIs"] = summary_table(self.results.kpis)
        if self.signal:
            found["bands"] = quantile_table(all_assets(self.results.data[self.signal], self.asset))
        if self.plan.changes:
            found["changes"] = pd.DataFrame(self.plan.changes, columns=["scenario", "change"])
        fidelity = getattr(self.results, "fidelity", None)
        if fidelity is not None:
            found["score of the model"] = scores_table(fidelity, self.results.data)
        found["assumed"] = pd.DataFrame({"assumed": list(getattr(self.results, "assumed", ()))})
        return found

    def _trust(self) -> str:
        if self.results is None:
            return trust_words(None)
        return trust_words(getattr(self.results, "fidelity", None), self.results.data)

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        start = "now" if self.plan.start is None else instant_text(self.plan.start)
        return {
            tr("start (UTC)"): start,
            "length": self.plan.horizon,
            tr("futures of each scenario"): local_number(f"{self.plan.replications:,}"),
            "budget": self.plan.budget or "none",
            "changes": "; ".join(f"{name}: {text}" for name, text in self.plan.changes) or "none",
            "score of the model": self._trust().replace("*", ""),
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
            return empty_pane(*NOTHING)
        parts = [
            self._plan_row, self._text.pane, self._form.pane, self._bar.pane, self._alert, self._map.pane, self._shown.pane, self._stored.pane
        ]  # fmt: skip
        return pn.Column(*parts, sizing_mode="stretch_width")
