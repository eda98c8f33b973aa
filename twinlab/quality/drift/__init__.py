"""Drift of sensors: since when, how fast, how sure, and the calibration that undoes it; or why the data can't decide.

In: one signal of one or several assets, hourly or finer; perhaps a second sensor or reference measurements. Out: a `Drift`
for each asset.
Read in order: `verdict` (what is said of a sensor), `levels` (daily levels, peers), `brokenline` (the statistics), `judge`,
`find`, `reference`; `rolling`, `departures` (far values, noise), `steps` (level shifts), `visits`, `resets` (drift between
visits), `affected` (conditions such as ice), `together`; `flags`, `built_in`.
Never: a value changed, a season taken for a drift, an interval without the doubt about the onset.
"""

from __future__ import annotations

from twinlab._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {
        "Drift": "verdict",
        "daily_levels": "levels",
        "drift_from_past": "find",
        "drift_from_peers": "find",
        "drift_from_redundancy": "find",
        "drift_from_reference": "reference",
        "drift_from_visits": "resets",
        "find_drift": "find",
        "find_visits": "visits",
        "visit_calibrations": "resets",
    },
)
