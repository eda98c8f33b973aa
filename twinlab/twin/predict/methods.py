"""The methods of twins that predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.reader import TwinReader
    from twinlab.predict.delay import FittedDelay
    from twinlab.predict.known.knowledge import Knowledge
    from twinlab.twin.predict.stored import TwinPredictions

__all__ = ["PredictMethods"]


class PredictMethods:
    """Predictions of a twin."""

    folder: Path

    @property
    def predictions(self) -> TwinPredictions:
        """Stored predictions, in the folder ``predictions`` of the twin: ``table()``, ``issue``, ``open``, ``score``, ``compare``, ``delete``."""
        from twinlab.twin.predict.stored import TwinPredictions  # noqa: PLC0415  (reading needs none)

        return TwinPredictions(self.folder / "predictions", cast("TwinReader", self))

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
            As in `twinlab.predict.DelaySettings`; by default all links of the event type are used, and ``origin`` and ``destination`` as its places.

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
        self, event_type: str, *, at: object, fitted: FittedDelay | None = None, knowledge: Knowledge | None = None
    ) -> pd.DataFrame:
        """Return when the events that are planned, overdue or under way at an instant will end, from what was known then.

        Parameters
        ----------
        event_type : str
        at : instant
        fitted : FittedDelay, optional
            Of `fit_delay`; by default one is fitted to what was known at ``at``.
        knowledge : Knowledge, optional
            As in `fit_delay`.

        Returns
        -------
        DataFrame
            A row for each event: ``low, expected, high`` (90 % between low and high), ``late`` (probability of 15 minutes or more), ``earliest`` (when
            its asset is ready, because of the events before), ``reason``, and ``cant_tell`` with the reason where there is no number.

        Raises
        ------
        SchemaError
            If ``fitted`` is of another event type, or fitted to what became known later than ``at``.
        """
        from twinlab.twin.predict.delays import delay_table  # noqa: PLC0415  (lightgbm is only needed here)

        return delay_table(cast("TwinReader", self), event_type, at=at, fitted=fitted, knowledge=knowledge)
