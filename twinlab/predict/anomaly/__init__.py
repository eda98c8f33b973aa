"""Anomalies: how unusual the signals of an asset are, which of them, and from when until when.

In: histories (Datasets with dims time and asset) of one asset type: a usual span to learn from, then any later rows. Out: an index that
is 1 at the limit, the share of each signal in it, and a table of events.
Read in order: `values` (arrays from histories, angles), `levels` (signals that drift), `pca`, `robust`, `forest` (the detectors), `scoring` (rows in,
scores and state out; the arithmetic is that of `edge.scorer`), `arrays` (models as files), `limits` (the budget of false alarms), `events`, `records` (a detector for single series).
Never: a score that depends on later rows or on how rows are cut into batches; a number where a signal is missing or its unit has changed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AnomalyModel": "scoring",
        "Budget": "limits",
        "Forest": "forest",
        "Hysteresis": "events",
        "Pca": "pca",
        "RobustZ": "robust",
        "fit": "scoring",
        "find_events": "events",
        "from_arrays": "arrays",
        "limit_within": "limits",
        "read_model": "arrays",
        "record_index": "records",
        "retuned": "limits",
    },
)
