"""What is to be simulated: start, length, replications and scenarios; as text, as Python, as arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from twinlab.languages import tr
from twinlab.model.basics import parse_duration
from twinlab.simulate.scenarios.change import Change, percent
from twinlab.simulate.scenarios.reading import scenarios_yaml
from twinlab.simulate.scenarios.scenario import Scenario
from twinlab.simulate.scenarios.windows import window_words

__all__ = ["BASE", "Plan", "change_words"]

#: Name of the scenario in which nothing is changed.
BASE = "base"


@dataclass(frozen=True)
class Plan:
    """What is to be simulated.

    Parameters
    ----------
    start : datetime64 or None
        UTC; None for the latest time of the twin.
    horizon : str
        Length of the futures.
    replications : int
        Futures of each scenario.
    scenarios : tuple of Scenario
        Beside the base, in which nothing is changed.
    budget : str, optional
        The most that a run may take, such as ``"2 EUR"`` or ``"30 s"``; by default there is no limit.

    Examples
    --------
    >>> plan = Plan(None, "6h", 50).adding("storm", {"kind": "storm", "factor": 1.5})
    >>> plan.changes
    [('storm', 'storm: trips everywhere take 50 % longer')]
    >>> plan.without(0).scenarios
    ()
    """

    start: np.datetime64 | None = None
    horizon: str = "1d"
    replications: int = 100
    scenarios: tuple[Scenario, ...] = ()
    budget: str | None = None

    @property
    def yaml(self) -> str:
        """The scenarios as YAML; "" without any."""
        return scenarios_yaml(list(self.scenarios)) if self.scenarios else ""

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Each change as the name of its scenario and a text."""
        return [(one.name, change_words(change)) for one in self.scenarios for change in one.changes]

    def adding(self, scenario: str, change: Change | dict[str, Any]) -> Plan:
        """Return the plan with one more change; the scenario is made if there is none of its name.

        Raises
        ------
        SchemaError
            If the change isn't possible, the name isn't one, or it is that of the base.
        """
        there = {one.name: one for one in self.scenarios}
        before = there[scenario].changes if scenario in there else ()
        there[scenario] = Scenario(scenario, changes=(*before, change))  # type: ignore[arg-type]
        return self._with(there)

    def having(self, scenario: Scenario, *, horizon: str) -> Plan:
        """Return the plan with a scenario in place of the one of its name, and long enough for it.

        Parameters
        ----------
        scenario : Scenario
        horizon : str
            The shortest length in which all its changes are in effect.
        """
        longest = max((self.horizon, horizon), key=parse_duration)
        return replace(self._with({one.name: one for one in (*self.scenarios, scenario)}), horizon=longest)

    def without(self, place: int) -> Plan:
        """Return the plan without the change at a place in `changes`; a scenario without changes goes with its last one."""
        kept: dict[str, Scenario] = {}
        at = 0
        for one in self.scenarios:
            changes = tuple(change for number, change in enumerate(one.changes) if at + number != place)
            at += len(one.changes)
            if changes:
                kept[one.name] = Scenario(one.name, changes=changes, title=one.title)
        return self._with(kept)

    def _with(self, scenarios: dict[str, Scenario]) -> Plan:
        return replace(self, scenarios=tuple(scenarios.values()))

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of ``twin.simulate``."""
        start: object = "now" if self.start is None else self.start
        return {"start": start, "horizon": self.horizon, "replications": self.replications}

    def code(self, open_code: str) -> str:
        """Return Python that simulates it, with the KPIs as ``data``.

        Parameters
        ----------
        open_code : str
            Python that opens the twin as ``twin``.
        """
        start = "now" if self.start is None else pd.Timestamp(self.start).isoformat()
        given = f'start="{start}", horizon="{self.horizon}", replications={self.replications}'
        if self.budget:
            given += f", budget={self.budget!r}"
        if not self.scenarios:
            return f"{open_code}\n\nresults = twin.simulate({given})\ndata = results.kpis\n"
        return (
            f'from twinlab.simulate.scenarios import parse_scenarios\n{open_code}\n\nscenarios = parse_scenarios("""\n{self.yaml}""")\n'
            f"results = twin.simulate(scenarios, {given})\ndata = results.kpis\n"
        )


def change_words(change: Change) -> str:
    """Return a change in words, with its window.

    >>> from twinlab.simulate.scenarios.kinds.close import Close
    >>> change_words(Close(node="BER", start="6h", stop="16h"))
    'BER is closed; who passes it waits, 6h-16h after the start'
    """
    window = window_words(change.start, change.stop)
    return _summary(change) + (f",{window}" if window else "")


def _summary(change: Change) -> str:
    stated: dict[str, Any] = change.model_dump()
    at = ", ".join(stated.get("nodes") or ())
    if change.kind == "close":
        who = tr("who passes it waits") if stated["entities"] == "wait" else tr("who passes it goes around it")
        return tr("{node} is closed; {who}", node=stated["node"], who=who)
    if change.kind == "reroute" and stated["closed"] and not stated["preferred"]:
        how = tr("between {} and {}") if stated["both_ways"] else tr("from {} to {}")
        return tr("no trips ") + ", ".join(how.format(*pair) for pair in stated["closed"])
    if change.kind == "storm" and stated["centre"] is None:
        longer = _by(stated["factor"], "longer", "shorter")
        return tr("storm: trips {part} take {longer}", part=f"from and to {at}" if at else "everywhere", longer=longer)
    if change.kind == "demand" and not stated["kinds"] and not stated["sources"]:
        return tr("demand {part}{factor}", part=f"at {at} " if at else "", factor=percent(stated["factor"]))
    if change.kind == "speed":
        return tr(
            "trips of {transporters} are {factor}",
            transporters=stated["transporters"],
            factor=_by(stated["factor"], "faster", "slower"),
        )
    if change.kind == "transporters" and stated["add"] < 0:
        many = -stated["add"]
        return f"{many} trip{'s' * (many != 1)} a day fewer, {stated['transporters']}"
    if change.kind == "timetable" and stated["every"] is not None:
        return tr(
            "departures every {every}, {transporters}", every=stated["every"], transporters=stated["transporters"]
        )
    keys = change.model_dump(mode="json", exclude_defaults=True, exclude={"kind", "start", "stop"})
    return f"{change.kind.replace('_', ' ')}: " + ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in keys.items()
    )


def _by(factor: float, more: str, less: str) -> str:
    return f"{abs(factor - 1) * 100:.3g} % {more if factor >= 1 else less}"
