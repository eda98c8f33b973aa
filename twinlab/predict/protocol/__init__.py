"""What a predictor is: what it reads, what it knows at an instant, how it is fitted, and how it says that it can't tell.

In: nothing but arrays. Out: the protocols that every model of `predict` follows, adapters for estimators of other libraries, a registry by name.
Read in order: `durations`, `events`, `inputs`, `state`, `predictor`, `parameters`, `summary`, `target`, `hashing`, `estimator`, `sklearn`, `average`, `exporting`, `registry`.
Never: a value that isn't known at the issue time; an exception where a predictor can't tell.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "PREDICTORS": "registry",
        "Average": "average",
        "CallableEstimator": "estimator",
        "CantTell": "predictor",
        "Estimator": "estimator",
        "EventColumns": "events",
        "Fitted": "predictor",
        "FittedEstimator": "estimator",
        "Inputs": "inputs",
        "LeakError": "state",
        "Predictor": "predictor",
        "PredictorKind": "registry",
        "SklearnClassifier": "sklearn",
        "SklearnRegressor": "sklearn",
        "State": "state",
        "Target": "target",
        "lead_times": "durations",
        "named_predictor": "registry",
    },
)
