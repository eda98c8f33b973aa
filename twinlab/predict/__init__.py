"""EXPECT: predictions with intervals, from what was known at the issue time and nothing else.

In: a twin, or plain arrays. Out: Datasets with dims ``issue_time, lead_time, asset, quantile``, stored beside the twin, with scores once the truth is known.
Read in order: `protocol` (states, predictors, estimators), `predictions` (the schema and the store), `scores`, `known` (what was known when), `targets`,
`features`, `baselines`, `conformal` (intervals), `anomaly`, `backtests`, `delay` (planned events), `failure` (what will fail),
`forecasting` (series), `models` (fitted models in files).
Never: a value that wasn't known at the issue time; a number where the honest answer is "can't tell"; a write to the twin's history.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Backtest": "backtests.result",
        "ByEventTime": "known.knowledge",
        "ByIngest": "known.knowledge",
        "Calendar": "features.clock",
        "CallableEstimator": "protocol.estimator",
        "CantTell": "protocol.predictor",
        "Climatology": "baselines.constant",
        "Conformal": "conformal.predictor",
        "Constant": "baselines.constant",
        "CountTarget": "targets.counts",
        "DelayPredictor": "delay.predictor",
        "DelaySettings": "delay.settings",
        "EventColumns": "protocol.events",
        "EventCount": "features.event_counts",
        "EventTarget": "targets.event",
        "FailurePredictor": "failure.predictor",
        "FailureSettings": "failure.settings",
        "FeaturePredictor": "features.predictor",
        "Fitted": "protocol.predictor",
        "Forecaster": "forecasting.forecaster",
        "FunctionFeature": "features.others",
        "FutureInput": "features.others",
        "HoursSinceEvent": "features.event_counts",
        "Indicator": "failure.indicators",
        "Inputs": "protocol.inputs",
        "Lag": "features.lags",
        "LeadTime": "features.clock",
        "LeakError": "protocol.state",
        "OverAssets": "features.assets",
        "PredictionStore": "predictions.store",
        "Predictor": "protocol.predictor",
        "PredictorKind": "protocol.registry",
        "Property": "features.assets",
        "Related": "features.assets",
        "Rolling": "features.lags",
        "SeasonalNaive": "baselines.seasonal",
        "SignalTarget": "targets.signal",
        "SklearnClassifier": "protocol.sklearn",
        "SklearnRegressor": "protocol.sklearn",
        "State": "protocol.state",
        "StateDuration": "features.durations_of_states",
        "backtest": "backtests.run",
        "event_predictions": "predictions.of_events",
        "fit_on": "known.running",
        "forecast": "forecasting.plain",
        "join": "predictions.joining",
        "lead_times": "protocol.durations",
        "long_table": "predictions.scoring",
        "named_predictor": "protocol.registry",
        "predict_at": "known.running",
        "read_model": "models.files",
        "read_state": "known.reading",
        "reasons": "predictions.schema",
        "score_predictions": "predictions.scoring",
        "truth_of": "targets.truth",
        "write_model": "models.files",
    },
)
