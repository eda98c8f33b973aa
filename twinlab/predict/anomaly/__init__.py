"""Anomalies: how unusual the signals of an asset are, which of them, and from when until when.

In: histories (Datasets with dims time and asset) of one asset type: a usual span to learn from, then any later rows. Out: an index that
is 1 at the limit, the share of each signal in it, and a table of events.
Read in order: `values` (arrays from histories, angles), `levels` (signals that drift), `pca`, `robust`, `forest` (the detectors), `scoring` (rows in,
scores and state out; the arithmetic is that of `edge.scorer`), `limits` (the budget of false alarms), `tracking`
(events as rows come), `events`, `streaming` (both together), `fitted` (what is stored of an asset
type), `records` (a detector for single series).
Never: a score that depends on later rows or on how rows are cut into batches; a number where a signal is missing or its unit has changed.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "AnomalyModel": "scoring",
        "Budget": "limits",
        "FittedAnomalies": "fitted",
        "Forest": "forest",
        "Hysteresis": "tracking",
        "Pca": "pca",
        "RobustZ": "robust",
        "fit": "scoring",
        "StreamState": "streaming",
        "advance": "streaming",
        "find_events": "events",
        "limit_within": "limits",
        "record_index": "records",
        "retuned": "limits",
        "start_stream": "streaming",
    },
)
