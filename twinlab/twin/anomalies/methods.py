"""The methods of twins that concern anomalies."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from twinlab.history import HistoryReader
    from twinlab.ledger import Ledger
    from twinlab.model.reader import TwinReader
    from twinlab.predict.anomaly import FittedAnomalies, Hysteresis
    from twinlab.predict.anomaly.scoring import Detector
    from twinlab.twin.anomalies.anomaly_events import AnomalyEvents

__all__ = ["AnomalyMethods"]


class AnomalyMethods:
    """Anomalies of a twin: search a span, watch new rows, judge events."""

    folder: Path
    ledger: Ledger

    if TYPE_CHECKING:

        @property
        def reader(self) -> HistoryReader:
            """The twin's reader."""

    def anomalies(
        self,
        asset_type: str,
        *,
        start: object = None,
        stop: object = None,
        usual: tuple[object, object] | None = None,
        fitted: FittedAnomalies | None = None,
        signals: Sequence[str] | None = None,
        step: str | None = None,
        detector: Detector | None = None,
        hysteresis: Hysteresis | None = None,
        per_100_asset_weeks: float = 50.0,
    ) -> pd.DataFrame:
        """Find when the signals of the assets of a type were unusual, learnt from an earlier span.

        Parameters
        ----------
        asset_type : str
        start, stop : instant, optional
            What is searched, ``[start, stop)``; naive is UTC; by default the last seven days of the history.
        usual : (instant, instant), optional
            What is learnt from, before the start; by default the four weeks before it. The detector learns from its first two thirds,
            its last third gives the limit.
        fitted : FittedAnomalies, optional
            Of `fit_anomalies` or ``anomaly_events.fitted``; instead of a usual span and the parameters below.
        signals : sequence of str, optional
            By default all numeric ones that vary, positions apart. Directions are compared as angles; of rollups they are left out.
        step : duration, optional
            Search rollups, whose signals are ``<signal>_mean`` and so on; by default the cells themselves.
        detector : optional
            `predict.anomaly.Pca` by default; `RobustZ` and `Forest` are others.
        hysteresis : optional
            `predict.anomaly.Hysteresis`: after how many rows an event begins and ends.
        per_100_asset_weeks : float
            False alarms that are allowed per 100 weeks of an asset: by default each asset may have one every two weeks. A usual span
            with failures in it makes the limit higher than this needs; choose a quiet one.

        Returns
        -------
        DataFrame
            As of `predict.anomaly.find_events`: ``asset, start, end, peak, peak_time, sustained, signals``. Its ``attrs`` have the ``limit``, the
            ``false_alarms`` on the usual span, whether the span is long enough to prove the budget (``proven``), and in ``cant_tell``
            the signals and assets that nothing could be learnt of, with the reason.

        Raises
        ------
        SchemaError
            If the usual span doesn't end before the start, or nothing can be learnt from it.
        UnknownTermError
            If the model has no such type or signal.
        """
        from twinlab.twin.anomalies.learning import anomaly_table  # noqa: PLC0415  (reading needs none)

        return anomaly_table(
            cast("TwinReader", self), asset_type, start=start, stop=stop, usual=usual, fitted=fitted, signals=signals, step=step,
            detector=detector, hysteresis=hysteresis, per_100_asset_weeks=per_100_asset_weeks,
        )  # fmt: skip

    def fit_anomalies(
        self,
        asset_type: str,
        *,
        usual: tuple[object, object] | None = None,
        signals: Sequence[str] | None = None,
        step: str | None = None,
        detector: Detector | None = None,
        hysteresis: Hysteresis | None = None,
        per_100_asset_weeks: float = 50.0,
    ) -> FittedAnomalies:
        """Learn what is usual for the assets of a type; for `anomalies` and `watch_anomalies`.

        Parameters
        ----------
        asset_type : str
        usual : (instant, instant), optional
            By default the last four weeks of the history.
        signals, step, detector, hysteresis, per_100_asset_weeks : optional
            As in `anomalies`.

        Raises
        ------
        SchemaError
            If nothing can be learnt from the usual span.
        UnknownTermError
            If the model has no such type or signal.
        """
        from twinlab.twin.anomalies.learning import fit_anomalies  # noqa: PLC0415  (reading needs none)

        return fit_anomalies(
            cast("TwinReader", self), asset_type, usual=usual, signals=signals, step=step, detector=detector,
            hysteresis=hysteresis, per_100_asset_weeks=per_100_asset_weeks,
        )  # fmt: skip

    def watch_anomalies(
        self, asset_type: str, *, fitted: FittedAnomalies | None = None, start: object = None
    ) -> FittedAnomalies:
        """Watch an asset type: from now on its new rows are scored as they come, by ``twinlab run`` and by `ingest`.

        What was learnt is stored beside the twin, and scores go on after a restart. Events are in `anomaly_events`.

        Parameters
        ----------
        asset_type : str
            An earlier watch of this type ends; its events stay.
        fitted : FittedAnomalies, optional
            Of `fit_anomalies`; by default learnt from the last four weeks.
        start : instant, optional
            First row that is scored, at the end of the usual span by default and not before.

        Returns
        -------
        FittedAnomalies

        Raises
        ------
        SchemaError
            If nothing can be learnt, or ``fitted`` is of another asset type, or ``start`` is before the end of the usual span.
        """
        from twinlab.twin.anomalies.learning import watch_start  # noqa: PLC0415  (reading needs none)

        known = self.fit_anomalies(asset_type) if fitted is None else fitted
        self.anomaly_events.watch(known, watch_start(asset_type, known, start))
        self.anomaly_events.update(self.reader)
        return known

    @cached_property
    def anomaly_events(self) -> AnomalyEvents:
        """Events of watched asset types: ``table()``, ``accept``, ``reject``, ``undo``, ``limits``, ``status``, ``fitted``, ``stop``."""
        from twinlab.twin.anomalies.anomaly_events import AnomalyEvents  # noqa: PLC0415  (reading needs none)

        return AnomalyEvents(self.folder, self.ledger.journal)

    def _update_anomalies(self, *, write_after: float = 0.0) -> None:
        """Score what is new, if a type is watched."""
        if (self.folder / "anomalies").is_dir():
            self.anomaly_events.update(self.reader, write_after=write_after)
