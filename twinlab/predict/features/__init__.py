"""Features from a twin, each with the instant at which it is known, and a predictor that puts them before an estimator.

In: a state, cases (issue time, lead time, asset). Out: an array (case, feature).
Read in order: `cases`, `feature` (the protocol and the checks), `lags`, `clock`, `durations_of_states`, `event_counts`, `assets`, `others`, `predictor`.
Never: a feature that isn't known at the issue time of its case: it is refused with a `LeakError`.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Calendar": "clock",
        "Cases": "cases",
        "EventCount": "event_counts",
        "Feature": "feature",
        "FeaturePredictor": "predictor",
        "FunctionFeature": "others",
        "FutureInput": "others",
        "HoursSinceEvent": "event_counts",
        "Lag": "lags",
        "LeadTime": "clock",
        "OverAssets": "assets",
        "Property": "assets",
        "Related": "assets",
        "Rolling": "lags",
        "StateDuration": "durations_of_states",
    },
)
