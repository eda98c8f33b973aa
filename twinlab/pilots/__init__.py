"""PROVE: a pilot of two weeks, measured before and during it, with a closing report.

In: ``pilot.yaml``, what people entered (``measurements.csv``, ``complaints.csv``), a twin with its alerts and verdicts. Out: four measures with
intervals, what isn't known, an HTML report.
Read in order: `settings`, `entered`, `estimates`, `found`, `measures` (definitions), `baseline`, `lookups`, `contents`, `texts`, `report`, `pilot`, `plan`, `kit`.
Never: a number that was neither entered nor computed from the twin; a change that may be chance called an improvement.
"""

from __future__ import annotations

from twinlab._lazy import attach

__all__ = ["DEFINITIONS", "Estimate", "Measure", "Pilot", "PilotSettings", "open_pilot", "start_pilot"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "DEFINITIONS": "measures",
        "Estimate": "estimates",
        "Measure": "measures",
        "Pilot": "pilot",
        "PilotSettings": "settings",
        "open_pilot": "pilot",
        "start_pilot": "kit",
    },
)
