"""The method of twins that simulates their futures."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from twinlab.errors import SchemaError
from twinlab.twin.simulation.scoring import ScoringMethods, Window

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.simulate.calibration.calibrated import Calibrated
    from twinlab.simulate.calibration.fidelity import Fidelity
    from twinlab.simulate.calibration.start_state import StartState
    from twinlab.simulate.cost.amounts import Quote
    from twinlab.twin.simulation.results import TwinResults

__all__ = ["SimulationMethods"]

_FITTING = threading.Lock()


class SimulationMethods(ScoringMethods):
    """Simulate futures of a twin."""

    _calibrated: dict[tuple[object, ...], Calibrated]

    def simulate(
        self,
        scenarios: object = None,
        *,
        start: object = "now",
        horizon: object = "1d",
        step: object = "1h",
        replications: int = 100,
        seed: int = 0,
        calibrated: Calibrated | None = None,
        fidelity: Fidelity | None = None,
        known: object = None,
        trace: int | None = None,
        name: str | None = None,
        **options: Any,  # noqa: ANN401  (those of `twinlab.simulate.run`)
    ) -> TwinResults:
        """Simulate futures of the twin from its state at an instant, in many replications.

        What had left, is under way, waits and is planned is taken from the history as of the start; what isn't in it is drawn from
        fitted distributions and listed in ``results.assumed``.

        Parameters
        ----------
        scenarios : Scenario, or several, optional
            Named changes that are simulated beside ``base``, the plan as it is: ``close``, ``reroute``, ``storm``, ``demand``,
            ``speed``, ``transporters`` (fewer) and ``timetable``. Names are those of the calibrated model's ``network``.
        start : instant or "now"
            Naive is UTC; "now" is the latest time at which something happened.
        horizon, step : duration
            Length of the futures, and width of the cells of signals.
        replications, seed : int
        calibrated : Calibrated, optional
            The model, from `twinlab.simulate.calibrate`; by default it is fitted to the year before the start.
        fidelity : Fidelity, optional
            Scores of the model, from `twinlab.simulate.fidelity`, to show beside the results; by default those of
            `score_simulation`, if it was called for this start.
        known : instant, optional
            Use what was known at this ingest time, as `as_of` does.
        trace : int, optional
            Number of replications whose events are kept, for `kpi` and `find`; at most 20 by default.
        name : str, optional
            Store the run by this name in `scenarios`, with the model, the states, what is assumed and the fidelity, so that it can
            be opened, extended and computed again by itself. The same call goes on with a run that was interrupted.
        **options
            Those of `twinlab.simulate.run`: ``workers``, ``client``, ``store``, ``budget``, ``progress``, ``cancel``.

        Returns
        -------
        TwinResults
            `twinlab.simulate.Results` with ``kpi``, ``find``, ``history``, ``assumed``, ``fidelity``.

        Raises
        ------
        SchemaError
            If the twin has no trips to simulate, none is planned from the start on, a change of a scenario doesn't fit, or ``fidelity`` is of
            another model.
        """
        from twinlab.simulate.runs.run import run  # noqa: PLC0415  (reading needs none)
        from twinlab.twin.simulation.catalogue import keep_fidelity  # noqa: PLC0415
        from twinlab.twin.simulation.results import TwinResults  # noqa: PLC0415
        from twinlab.twin.simulation.scenarios import in_scenarios  # noqa: PLC0415

        reader, model, found = self._begun(start, known=known, calibrated=calibrated, seed=seed, horizon=horizon)
        if fidelity is not None and fidelity.model_hash != model.model.content_hash():
            msg = "simulate: `fidelity` scores another model; pass the one that was scored as `calibrated`, or score this one"
            raise SchemaError(msg)
        if fidelity is None and calibrated is None:
            fidelity = self._score_until(found.state["start"].item(), known)
        models, states = in_scenarios(scenarios, model, found.state, horizon=str(horizon))
        kept = min(replications, 20) if trace is None else trace
        options |= {"state": states, "horizon": horizon, "step": step, "replications": replications, "trace": kept}
        if name is None:
            results = run(models, **options)
        else:
            facts = {"assumed": list(found.assumed), "known": None if known is None else str(known)}
            results = self.scenarios.run(models, name=name, attrs=self._run_facts() | facts, **options)
            if fidelity is not None:
                keep_fidelity(results, fidelity)
        return TwinResults.of(
            results, twin=reader, begins=lambda scenario: (models[scenario], states[scenario]), assumed=found.assumed,
            fidelity=fidelity, calibrated=model,
        )  # fmt: skip

    def quote_simulation(
        self,
        scenarios: object = None,
        *,
        start: object = "now",
        seed: int = 0,
        horizon: object = "1d",
        calibrated: Calibrated | None = None,
        known: object = None,
        **options: Any,  # noqa: ANN401  (those of `simulate`)
    ) -> Quote:
        """Return what `simulate` would take, from its first replications: seconds, energy, money, bytes, with intervals.

        Parameters
        ----------
        scenarios, start, seed, horizon, calibrated, known, **options
            As in `simulate`, except ``store``, ``budget`` and ``over_budget``.
        """
        from twinlab.simulate.runs.run import quote  # noqa: PLC0415  (reading needs none)
        from twinlab.twin.simulation.scenarios import in_scenarios  # noqa: PLC0415

        _, model, found = self._begun(start, known=known, calibrated=calibrated, seed=seed, horizon=horizon)
        models, states = in_scenarios(scenarios, model, found.state, horizon=str(horizon))
        return quote(models, state=states, horizon=horizon, **options)

    def fit_simulation(self, *, start: object = "now", known: object = None) -> Calibrated:
        """Fit the model with which `simulate` goes on from an instant; it is kept for the next call.

        Parameters
        ----------
        start, known : as in `simulate`

        Returns
        -------
        Calibrated
            As of `twinlab.simulate.calibrate`, fitted to the year before the start.
        """
        reader, window = self._window_until(start, known)
        return self._calibrated_in(reader, window, known)

    def _begun(
        self, start: object, *, known: object, calibrated: Calibrated | None, seed: int, horizon: object
    ) -> tuple[TwinReader, Calibrated, StartState]:
        """Return the view that the start is read from, the model, and the state at the start."""
        from twinlab.simulate.calibration.start_state import start_state  # noqa: PLC0415  (reading needs none)

        reader, window = self._window_until(start, known)
        model = calibrated or self._calibrated_in(reader, window, known)
        return reader, model, start_state(reader, model, window[1], seed=seed, horizon=str(horizon))

    def _calibrated_in(self, reader: TwinReader, window: Window, known: object) -> Calibrated:
        """Return the model fitted to a window; it is kept for the next call."""
        from twinlab.simulate.calibration.calibrated import calibrate  # noqa: PLC0415

        kept = self.__dict__.setdefault("_calibrated", {})
        key = (*window, None if known is None else str(known))
        # The page fits ahead in a thread of its own: a run that begins meanwhile waits for that fit.
        with _FITTING:
            if key not in kept:
                kept.clear()
                kept[key] = calibrate(reader, window)
            return cast("Calibrated", kept[key])
