"""What is to be simulated, as widgets: start, length, number of futures, changes in a form and on a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import panel_material_ui as pmui
import param

from twinlab.errors import TwinlabError
from twinlab.explore.kit.link import Link, parse_instant
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.what_if.change_form import ChangeForm
from twinlab.explore.views.what_if.change_text import ChangeText
from twinlab.explore.views.what_if.hub_map import HubMap
from twinlab.explore.views.what_if.places import read_places, touched
from twinlab.explore.views.what_if.plan import Plan
from twinlab.explore.views.what_if.possible import can_simulate
from twinlab.languages import mark, tr, tr_keys
from twinlab.simulate.calibration.twin_names import find_names
from twinlab.simulate.scenarios.reading import parse_scenarios
from twinlab.simulate.timetable.plans.changes import POSSIBLE_KINDS

if TYPE_CHECKING:
    from twinlab.ask.drafting.draft import ScenarioDraft
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["NOTHING", "READY", "PlanView"]

#: The sentence before anything is computed.
READY = mark("Add changes, or run the base alone. Nothing is computed before you press Run.")
_HORIZONS = {
    mark("6 hours"): "6h",
    mark("12 hours"): "12h",
    mark("1 day"): "1d",
    mark("2 days"): "2d",
    mark("3 days"): "3d",
    mark("7 days"): "7d",
    mark("14 days"): "14d",
    mark("21 days"): "21d",
}
_REPLICATIONS = [20, 50, 100, 200, 500, 1000]
_MOST = 100_000
NOTHING = (
    mark("This twin can't be simulated here"),
    mark(
        "A simulation needs a twin opened with twinlab.open, with trips: an event type with links `origin` and `destination` to one asset type."
    ),
)


class PlanView(Explorer):
    """A plan of a simulation and the widgets to change it.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    plan = param.ClassSelector(class_=Plan, default=Plan(), doc="what is to be simulated")

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
        self._possible = can_simulate(twin)
        if not self._possible:
            return
        self._start = pmui.TextInput(label=tr("Start (UTC)"), value="now", width=170, size="small")
        self._name = pmui.TextInput(label=tr("Store as"), placeholder=tr("not stored"), width=130, size="small")
        self._horizon = pmui.Select(label=tr("Length"), options=tr_keys(_HORIZONS), value="1d", width=110, size="small")
        self._replications = pmui.Select(label=tr("Futures"), options=_REPLICATIONS, value=100, width=100, size="small")
        self._budget = pmui.TextInput(label=tr("Budget"), placeholder=tr("2 EUR, 30 s, …"), width=120, size="small")
        self._plan_row = row(
            [self._start, self._horizon, self._replications, self._budget, self._name], margin=(8, 0, 4, 0)
        )
        self._names = find_names(twin.model)
        at = self.first_link.at
        self._places = self.shared.cached(("what-if places", str(at)), lambda: read_places(twin, self._names, at=at))
        self._form = ChangeForm(POSSIBLE_KINDS, self._places, carrier=self._names.carrier, on_change=self._planned)
        self._text = ChangeText(self._draft, on_shown=self._draft_shown, on_add=self._draft_added)
        self._map = HubMap(self._places, on_place=self._form.pick_place, on_link=self._form.pick_link)
        for widget in (self._start, self._horizon, self._replications, self._budget):
            widget.param.watch(lambda _: self._widgets_changed(), "value")

    def apply(self, link: Link) -> None:
        """Show the plan of a link; a wrong value becomes a notice."""
        if not self._possible:
            return
        problems = list(link.problems)
        scenarios: tuple[Any, ...] = ()
        if link.scenarios:
            try:
                scenarios = tuple(parse_scenarios(link.scenarios, tr("scenarios of the link")))
            except TwinlabError as error:
                problems.append(str(error))
        horizon = link.horizon or "1d"
        if horizon not in _HORIZONS.values():
            problems.append(tr("a length of {horizon!r} can't be chosen here; 1 day is", horizon=horizon))
            horizon = "1d"
        number = link.replications or "100"
        if not (number.isdecimal() and 2 <= int(number) <= _MOST):
            problems.append(
                tr("expected 2 to {most:,} futures, got {number!r}; 100 are chosen", most=_MOST, number=number)
            )
            number = "100"
        self._show(Plan(link.at, horizon, int(number), scenarios, link.budget or None))
        self.notice = " · ".join(problems)

    def _show(self, plan: Plan) -> None:
        """Set the plan, and the widgets to it."""
        with self._silently():
            self._start.value = "now" if plan.start is None else str(plan.start.astype("datetime64[m]"))
            self._horizon.value = plan.horizon
            if plan.replications not in self._replications.options:
                self._replications.options = sorted({*_REPLICATIONS, plan.replications})
            self._replications.value = plan.replications
            self._budget.value = plan.budget or ""
        self._planned(plan)

    def _planned(self, plan: Plan) -> None:
        self.plan = plan
        self._form.show(plan)
        self._map.mark(touched(plan))
        self.revision += 1

    def _draft(self, text: str) -> ScenarioDraft:
        """Read changes in words, beside those of the scenario that the form names."""
        twin: Any = self.twin
        name = self._form.scenario
        on = next((one for one in self.plan.scenarios if one.name == name), None)
        start: object = "now" if self.plan.start is None else self.plan.start
        draft: ScenarioDraft = twin.draft_scenario(text, start=start, name=name, on=on)
        return draft

    def _draft_shown(self, draft: ScenarioDraft | None) -> None:
        """Mark on the map what a draft would change, too."""
        plan = self.plan
        if draft is not None and draft.scenario is not None:
            plan = plan.having(draft.scenario, horizon=draft.horizon)
        self._map.mark(touched(plan))

    def _draft_added(self, draft: ScenarioDraft) -> None:
        assert draft.scenario is not None
        self._show(self.plan.having(draft.scenario, horizon=draft.horizon))

    def _widgets_changed(self) -> None:
        if self._quiet:
            return
        text = self._start.value.strip()
        start = None if text in {"", "now"} else parse_instant(text)
        if text not in {"", "now"} and start is None:
            self.notice = tr(
                "{text!r} isn't a time such as 2026-03-30T06:00 (UTC); the start stays as it was", text=text
            )
            return
        self.notice = ""
        futures, budget = self._replications.value, self._budget.value.strip() or None
        self._planned(Plan(start, self._horizon.value, futures, self.plan.scenarios, budget))

    def link(self) -> Link:
        """Return the plan."""
        return Link(
            at=self.plan.start,
            horizon=self.plan.horizon,
            replications=str(self.plan.replications),
            scenarios=self.plan.yaml or None,
            budget=self.plan.budget,
        )
