"""Predictions as data: Datasets of one schema, stored beside the twin, listed, compared and scored.

In: arrays of predictions with their issue times. Out: Datasets with dims among ``issue_time, lead_time, asset, quantile``; tables of scores.
Read in order: `schema` (dims, attributes, "can't tell"), `of_events`, `joining`, `files`, `store` (a folder of Zarr arrays), `scoring` (with the truth).
Never: a stored prediction that is changed after it was issued; a write to the twin's history.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "PredictionStore": "store",
        "check_predictions": "schema",
        "event_predictions": "of_events",
        "join": "joining",
        "long_table": "scoring",
        "predictions": "schema",
        "reasons": "schema",
        "score_predictions": "scoring",
    },
)
