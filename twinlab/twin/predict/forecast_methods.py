"""The methods of twins that forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from twinlab.model.reader import TwinReader
    from twinlab.predict.forecasting import FittedForecaster
    from twinlab.predict.known.knowledge import Knowledge
    from twinlab.twin.predict.stored import TwinPredictions

__all__ = ["ForecastMethods"]

_QUANTILES = (0.05, 0.5, 0.95)


class ForecastMethods:
    """Forecasts of a twin."""

    if TYPE_CHECKING:

        @property
        def predictions(self) -> TwinPredictions:
            """Stored predictions."""

    def forecast(
        self,
        asset_type: str,
        signal: str,
        *,
        horizon: str,
        step: str | None = None,
        at: object = None,
        quantiles: Sequence[float] = _QUANTILES,
        season: str | Sequence[str] | None = "auto",
        training: str = "90d",
        knowledge: Knowledge | None = None,
        future: xr.Dataset | None = None,
        fitted: FittedForecaster | None = None,
        store: str | None = None,
    ) -> xr.Dataset:
        """Forecast a signal of all assets of a type, with intervals, from what was known at an instant.

        Parameters
        ----------
        asset_type, signal : str
            Instead of a signal, a variable of the history such as ``"temperature_max"``. Of rollups, a gauge's mean and a counter's increase are forecast.
        horizon : str
            How far ahead, a multiple of the step.
        step : str, optional
            By default the finest with at most a hundred lead times.
        at : instant, optional
            Issue time, a multiple of the step; by default the end of the history.
        quantiles : sequence of float
        season : str, sequence of str or None
            ``"auto"`` finds it, else one or two such as ``("1d", "7d")``.
        training : str
            Span before the issue time that is learnt from.
        knowledge : Knowledge, optional
            What was known; by default, at the end of the history, all that is there, and at another instant what had come by ingest time if the twin has a
            ledger. Of a twin that was loaded from files long after, pass ``predict.ByEventTime()``.
        future : Dataset, optional
            Inputs known ahead, such as a schedule or a weather forecast, as in `twinlab.predict.forecast`.
        fitted : FittedForecaster, optional
            An earlier fit, of `twinlab.predict.Forecaster`; by default one is fitted to what was known at the issue time.
        store : str, optional
            Name under which the forecast is stored in `predictions`.

        Returns
        -------
        Dataset
            Predictions: dims ``issue_time, lead_time, asset, quantile``; a lead time is the end of a cell. Where it can't tell,
            `twinlab.predict.reasons` says why: history too short, constant, all missing, a unit that has changed, a horizon beyond the data.

        Raises
        ------
        UnknownTermError
            If the model has no such type or signal, or a future input is unknown.
        SchemaError
            If the signal is a state, nothing was known, or an option is wrong.
        """
        from twinlab.twin.predict.forecasts import ForecastOptions, signal_forecast  # noqa: PLC0415  (reading needs none)

        options = ForecastOptions(horizon, at, quantiles, season, training, knowledge, future, fitted)
        return self._stored(
            store, signal_forecast(cast("TwinReader", self), asset_type, signal, step=step, options=options)
        )

    def forecast_events(
        self,
        event_type: str,
        *,
        horizon: str,
        by: str = "asset",
        step: str = "1h",
        at: object = None,
        quantiles: Sequence[float] = _QUANTILES,
        season: str | Sequence[str] | None = "auto",
        training: str = "90d",
        knowledge: Knowledge | None = None,
        future: xr.Dataset | None = None,
        fitted: FittedForecaster | None = None,
        store: str | None = None,
    ) -> xr.Dataset:
        """Forecast how many events begin in each cell, such as parcel legs by hub and hour.

        Parameters
        ----------
        event_type : str
        by : str
            What they are counted by: ``"asset"``, or a link such as ``"origin"``.
        step : str
        horizon, at, quantiles, season, training, knowledge, future, fitted, store
            As in `forecast`; by default the issue time is the last multiple of the step before the newest event.

        Returns
        -------
        Dataset
            Predictions of ``<event_type>_count``.

        Raises
        ------
        UnknownTermError
            If the model has no such event type or link.
        SchemaError
            If no event has begun, or an option is wrong.
        """
        from twinlab.twin.predict.forecasts import ForecastOptions, event_forecast  # noqa: PLC0415  (reading needs none)

        options = ForecastOptions(horizon, at, quantiles, season, training, knowledge, future, fitted)
        return self._stored(
            store, event_forecast(cast("TwinReader", self), event_type, by=by, step=step, options=options)
        )

    def forecast_kpi(
        self,
        name: str,
        *,
        horizon: str,
        by: str | None = None,
        every: str | None = None,
        at: object = None,
        quantiles: Sequence[float] = _QUANTILES,
        season: str | Sequence[str] | None = "auto",
        training: str = "365d",
        knowledge: Knowledge | None = None,
        future: xr.Dataset | None = None,
        store: str | None = None,
    ) -> xr.Dataset:
        """Forecast a KPI, from its settled windows.

        Parameters
        ----------
        name : str
            A key of ``kpis:`` in ``twin.yaml``.
        by, every : str, optional
            Groups and width of the windows, as in `kpi`.
        horizon, at, quantiles, season, training, knowledge, future, store
            As in `forecast`; by default the issue time is the end of the last settled window.

        Returns
        -------
        Dataset
            Predictions of the KPI; assets are its groups.

        Raises
        ------
        UnknownTermError
            If there is no such KPI or group.
        SchemaError
            If no window is settled, or an option is wrong.
        """
        from twinlab.twin.predict.forecasts import ForecastOptions, kpi_forecast  # noqa: PLC0415  (reading needs none)

        options = ForecastOptions(horizon, at, quantiles, season, training, knowledge, future)
        return self._stored(store, kpi_forecast(cast("TwinReader", self), name, by=by, every=every, options=options))

    def _stored(self, name: str | None, data: xr.Dataset) -> xr.Dataset:
        """Store predictions if there is a name."""
        if name is not None:
            self.predictions.add(name, data)
        return data
