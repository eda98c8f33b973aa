"""Calibrations: corrections of a sensor by gain and offset, piecewise by time, as versioned text.

In: ``calibration.yaml``, or a drift that was found. Out: `Calibration`, and corrected values.
Read in order: `pieces` (the definition), `text` (YAML), `apply`.
Never: a stored value overwritten, a correction beyond its span, two corrections of one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.model.calibration.apply import calibrated
    from twinlab.model.calibration.pieces import Calibration, Calibrations
    from twinlab.model.calibration.text import dump_calibrations, load_calibrations, parse_calibrations

__all__ = [
    "Calibration",
    "Calibrations",
    "calibrated",
    "dump_calibrations",
    "load_calibrations",
    "parse_calibrations",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Calibration": "pieces",
        "Calibrations": "pieces",
        "calibrated": "apply",
        "dump_calibrations": "text",
        "load_calibrations": "text",
        "parse_calibrations": "text",
    },
)
