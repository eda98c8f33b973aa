"""The methods of twins that predict."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from twinlab.twin.predict.forecast_methods import ForecastMethods

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from twinlab.model.reader import TwinReader
    from twinlab.predict.delay import FittedDelay
    from twinlab.predict.failure import FittedFailure
    from twinlab.predict.known.knowledge import Knowledge
    from twinlab.twin.predict.models import TwinModels
    from twinlab.twin.predict.rounds import PredictingTwin, PredictionRound
    from twinlab.twin.predict.stored import TwinPredictions

__all__ = ["PredictMethods"]


class PredictMethods(ForecastMethods):
    """Predictions of a twin."""

    folder: Path

    @property
    def predictions(self) -> TwinPredictions:
        """Stored predictions, in the folder ``predictions`` of the twin: ``table()``, ``issue``, ``open``, ``score``, ``compare``, ``delete``."""
        from twinlab.twin.predict.stored import TwinPredictions  # noqa: PLC0415  (reading needs none)

        return TwinPredictions(self.folder / "predictions", cast("TwinReader", self))

    @property
    def models(self) -> TwinModels:
        """Fitted models, in the folder ``models`` of the twin: ``table()``, ``add``, ``open``, ``card``, ``check``, ``retrain``, ``rollback``."""
        from twinlab.twin.predict.models import TwinModels  # noqa: PLC0415  (reading needs none)

        return TwinModels(self.folder / "models", cast("TwinReader", self), self.predictions)

    def fit_delay(
        self, event_type: str, *, known: object, knowledge: Knowledge | None = None, **settings: object
    ) -> FittedDelay:
        """Fit a predictor of the delays of planned events to what was known at an instant; for `delay`.

        Parameters
        ----------
        event_type : str
            Type whose events have planned starts and ends.
        known : instant
            Nothing that became known later is used.
        knowledge : Knowledge, optional
            What was known; by default by ingest time if the twin has a ledger. Of a twin that was loaded from files long after, pass
            ``predict.ByEventTime()``.
        **settings
            As in `twinlab.predict.DelaySettings`; by default all links of the event type are used, ``origin`` and ``destination`` as its places, the
            signals of what it links to, and as chain the asset or the link whose events follow each other, such as the truck of a parcel.

        Raises
        ------
        UnknownTermError
            If the model has no such event type.
        SchemaError
            If too few events with a plan had ended.
        SourceError
            If lightgbm isn't installed (extra ``predict``).
        """
        from twinlab.twin.predict.delays import fit_delay  # noqa: PLC0415  (lightgbm is only needed here)

        return fit_delay(cast("TwinReader", self), event_type, known=known, knowledge=knowledge, **settings)

    def delay(
        self,
        event_type: str,
        *,
        at: object = None,
        fitted: FittedDelay | None = None,
        knowledge: Knowledge | None = None,
        assets: Sequence[str] | None = None,
        store: str | None = None,
    ) -> pd.DataFrame:
        """Return when the events that are planned, overdue or under way at an instant will end, from what was known then.

        Parameters
        ----------
        event_type : str
        at : instant, optional
            By default the latest start or end of an event of the type.
        fitted : FittedDelay, optional
            Of `fit_delay`; by default one is fitted to what was known at ``at``.
        knowledge : Knowledge, optional
            As in `fit_delay`.
        assets : sequence of str, optional
            Assets whose events are returned; by default all.
        store : str, optional
            Name under which all predictions are stored: the delays under it, the probability of being late under ``"<name>, late"``. Once the
            events have ended, ``twin.predictions.score(name)`` has their errors and coverage.

        Returns
        -------
        DataFrame
            A row for each event: ``low, expected, high`` (90 % between low and high), ``late`` (probability of 15 minutes or more), ``before`` (the event
            before in the chain), ``earliest`` (when what does the event is ready, because of the events before), ``reason``, and ``cant_tell`` with the
            reason where there is no number. ``attrs`` has the ``issue_time``.

        Raises
        ------
        SchemaError
            If ``fitted`` is of another event type, or fitted to what became known later than ``at``; or predictions of this instant are
            stored by the name already.
        """
        from twinlab.twin.predict.delays import delay_table  # noqa: PLC0415  (lightgbm is only needed here)

        return delay_table(
            cast("TwinReader", self), event_type, at=at, fitted=fitted, knowledge=knowledge, assets=assets, store=store,
            stored=self.predictions,
        )  # fmt: skip

    def run_predictions(
        self, *names: str, again: bool = False, now: object = None, knowledge: Knowledge | None = None
    ) -> PredictionRound:
        """Predict what ``predictions:`` of ``twin.yaml`` states and is due, and store it; ``twinlab run`` does so while it runs.

        The first call fits a model, which is stored under the rule's name in `models`; it is fitted again after ``refit``. Each prediction is of
        the present, or of the newest instant of the data if ``knowledge`` is by event time.

        Parameters
        ----------
        *names : str
            Rules; by default all.
        again : bool
            Predict although the last prediction isn't old enough.
        now : instant, optional
            The present by default.
        knowledge : Knowledge, optional
            As in `fit_delay`.

        Returns
        -------
        PredictionRound
            ``stored``, ``waiting``, ``fitted``, and ``failed`` with the reasons.

        Raises
        ------
        UnknownTermError
            If ``twin.yaml`` has no such rule.
        """
        from twinlab.predict.protocol.durations import instant  # noqa: PLC0415
        from twinlab.twin.predict.rounds import run_rounds  # noqa: PLC0415  (lightgbm is only needed here)

        at = (
            np.datetime64(time.time_ns() // 10**6, "ms").astype("datetime64[ns]")
            if now is None
            else instant(now, what="now")
        )
        return run_rounds(cast("PredictingTwin", self), names or None, now=at, again=again, knowledge=knowledge)

    def fit_failure(
        self, asset_type: str, *, known: object, knowledge: Knowledge | None = None, **settings: object
    ) -> FittedFailure:
        """Fit a predictor of the failures of an asset type to what was known at an instant; for `failure_risk` and `maintenance_list`.

        Parameters
        ----------
        asset_type : str
        known : instant
            Nothing that became known later is used; None is the end of the history.
        knowledge : Knowledge, optional
            What was known; by default by ingest time if the twin has a ledger. Of a twin that was loaded from files long after, pass
            ``predict.ByEventTime()``.
        **settings
            As in `twinlab.predict.FailureSettings`. By default ``event_type`` is the one event type of these assets that has "failure" in its name,
            and the indicators are of all signals that have the commonest cadence, positions and counters apart.

        Raises
        ------
        UnknownTermError
            If the model has no such asset type, or no one event type that is its failures.
        SchemaError
            If there are too few past failures, the history is too short, or nothing in it varies.
        SourceError
            If lightgbm isn't installed (extra ``predict``).
        """
        from twinlab.twin.predict.failures import fit_failure  # noqa: PLC0415  (lightgbm is only needed here)

        return fit_failure(cast("TwinReader", self), asset_type, known=known, knowledge=knowledge, **settings)

    def failure_risk(
        self,
        asset_type: str,
        *,
        within: str = "7d",
        at: object = None,
        fitted: FittedFailure | None = None,
        knowledge: Knowledge | None = None,
    ) -> pd.DataFrame:
        """Return how probable a failure of each asset is within a span, how long it will live, and why, from what was known at an instant.

        Parameters
        ----------
        asset_type : str
        within : duration
        at : instant, optional
            By default the end of the history, with all that is known now.
        fitted : FittedFailure, optional
            Of `fit_failure`; by default one is fitted to what was known at ``at``.
        knowledge : Knowledge, optional
            As in `fit_failure`.

        Returns
        -------
        DataFrame
            A row for each asset, the highest risk first: ``asset, probability, life_low, life_expected, life_high`` (days; 90 % between low and high;
            infinite where past cases like it went on beyond what is known), ``drivers``, ``nearest_case`` (a past case with the same drivers, and how it
            ended), and ``cant_tell`` with the reason where there is no number.

        Raises
        ------
        SchemaError
            If ``fitted`` is of another asset type, or fitted to what became known later than ``at``.
        """
        from twinlab.twin.predict.failures import risk_table  # noqa: PLC0415  (lightgbm is only needed here)

        return risk_table(
            cast("TwinReader", self), asset_type, within=within, at=at, fitted=fitted, knowledge=knowledge
        )

    def maintenance_list(
        self,
        asset_type: str,
        *,
        within: str = "7d",
        soon: str = "2d",
        acting: float | str | Mapping[str, float] | None = None,
        failing: float | str | Mapping[str, float] | None = None,
        limit: float = 0.5,
        at: object = None,
        fitted: FittedFailure | None = None,
        knowledge: Knowledge | None = None,
    ) -> pd.DataFrame:
        """Return what to do about each asset: act now, plan, watch or none, with the expected cost of acting and of waiting.

        Parameters
        ----------
        asset_type : str
        within, soon : duration
            Span that is planned for, and span until the next occasion to act.
        acting, failing : float, str or mapping of asset to float, optional
            Costs of maintenance that is planned, and of a failure with all that follows, in one currency; a text is the property of the assets that has
            them. By default what ``maintenance:`` of ``twin.yaml`` states for the type. Where none is stated, the list says so and is sorted by risk.
        limit : float
            Probability from which on acting pays where no costs are stated.
        at, fitted, knowledge
            As in `failure_risk`.

        Returns
        -------
        DataFrame
            As of `predict.failure.maintenance_list`: ``asset, action, probability_soon, cost_of_acting, cost_of_waiting, cost_note`` and the columns of
            `failure_risk`.
        """
        from twinlab.twin.predict.failures import maintenance_table  # noqa: PLC0415  (lightgbm is only needed here)

        return maintenance_table(
            cast("TwinReader", self), asset_type, within=within, soon=soon, acting=acting, failing=failing, limit=limit,
            at=at, fitted=fitted, knowledge=knowledge,
        )  # fmt: skip
