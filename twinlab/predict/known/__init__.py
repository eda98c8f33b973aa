"""What was known of a twin at an instant, by ingest time or by event time, and predictors fitted and used on it.

In: a twin, an instant, a rule of what was known then. Out: `State` objects, fitted predictors, predictions.
Read in order: `knowledge` (the rules), `truncated` (a twin by event time), `reading` (states), `running` (fit and predict).
Never: a cell that ends after the issue time; an event's start, end or result that came after it.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "ByEventTime": "knowledge",
        "ByIngest": "knowledge",
        "Knowledge": "knowledge",
        "fit_on": "running",
        "predict_at": "running",
        "read_state": "reading",
    },
)
