"""The method of twins that drafts a scenario from a text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from twinlab.twin.simulation.methods import SimulationMethods

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinlab.ask.drafting import ScenarioDraft, ScenarioPlanner
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.calibration.calibrated import Calibrated
    from twinlab.simulate.calibration.start_state import StartState
    from twinlab.simulate.scenarios.scenario import Scenario

__all__ = ["DraftMethods"]


class DraftMethods(SimulationMethods):
    """Draft scenarios from words, beside simulating them."""

    def draft_scenario(
        self,
        text: str,
        *,
        start: object = "now",
        name: str = "draft",
        on: Scenario | None = None,
        language: str | None = None,
        planner: ScenarioPlanner | None = None,
        calibrated: Calibrated | None = None,
        known: object = None,
    ) -> ScenarioDraft:
        """Return the scenario that a text says, checked against the model that `simulate` uses; nothing runs.

        Every word has to be a part of a change. What isn't understood, unknown or impossible is refused with the reason, and with texts
        that are possible.

        Parameters
        ----------
        text : str
            In English or German: "close Hamburg tomorrow from 6 to 12 o'clock", "2 Lkw weniger zwischen HAM und BER".
        start : instant or "now"
            What "tomorrow" and "next week" count from, and where a run begins; naive is UTC, "now" is the latest time at which something happened.
        name : str
            Of the scenario.
        on : Scenario, optional
            A scenario that the changes are added to; by default the plan as it is.
        language : str, optional
            "en" or "de"; by default that of the text.
        planner : ScenarioPlanner, optional
            What proposes the changes, such as one that asks a language model. Its proposals are checked like those of the default one,
            which knows the words of the model and of the two languages.
        calibrated, known
            As in `simulate`.

        Returns
        -------
        ScenarioDraft
            ``yaml``, ``diff`` (against the base), ``read`` (which words are which change), ``notes`` (what was assumed), ``quote()``
            (seconds, energy, money of a run) and ``run()``, which refuses until the draft was shown; or ``reason`` and ``suggestions``.

        Raises
        ------
        SchemaError
            If the twin has no trips to simulate.
        """
        from twinlab.ask.drafting.draft import draft_changes  # noqa: PLC0415  (import twinlab stays quick)
        from twinlab.simulate.calibration.start_state import start_state  # noqa: PLC0415
        from twinlab.twin.simulation.scenarios import in_scenarios  # noqa: PLC0415

        reader, window = self._window_until(start, known)
        model = calibrated or self._calibrated_in(reader, window, known)

        @cache
        def state(horizon: str) -> StartState:
            return start_state(reader, model, window[1], seed=0, horizon=horizon)

        def check(scenario: Scenario, horizon: str) -> None:
            in_scenarios(scenario, model, state(horizon).state, horizon=horizon)

        made = draft_changes(
            text, model.network, now=window[1], name=name, on=on, titles=_titles(reader, model), language=language, planner=planner,
            check=check,
        )  # fmt: skip
        given: dict[str, Any] = {"calibrated": calibrated, "known": known}
        made.bind(
            simulate=lambda *scenarios, **options: self.simulate(*scenarios, **{**given, **options}),
            quote=lambda *scenarios, **options: self.quote_simulation(*scenarios, **{**given, **options}),
        )
        return made


def _titles(reader: TwinReader, model: Calibrated) -> Mapping[str, str]:
    """Return the names of places for people, as the reader may see them."""
    hub = model.model.names.hub
    label = reader.model.asset_types[hub].label
    table = reader.assets(hub)
    if label is None or label not in table:
        return {}
    return {str(asset): str(title) for asset, title in table[label].dropna().items()}
