"""Calibrations: corrections of a sensor by gain and offset, piecewise by time, as versioned text.

In: ``calibration.yaml``, or a drift that was found. Out: `Calibration`, and corrected values.
Read in order: `pieces` (the definition), `text` (YAML), `edit` (a change of the text), `check` (against a model), `apply`.
Never: a stored value overwritten, a correction beyond its span, two corrections of one value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.model.calibration.apply import calibrated, corrected
    from twinlab.model.calibration.check import calibration_fault, check_calibrations
    from twinlab.model.calibration.edit import with_calibration, without_calibrations
    from twinlab.model.calibration.pieces import Calibration, Calibrations
    from twinlab.model.calibration.text import dump_calibrations, load_calibrations, parse_calibrations

__all__ = [
    "Calibration",
    "Calibrations",
    "calibrated",
    "calibration_fault",
    "check_calibrations",
    "corrected",
    "dump_calibrations",
    "load_calibrations",
    "parse_calibrations",
    "with_calibration",
    "without_calibrations",
]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Calibration": "pieces",
        "Calibrations": "pieces",
        "calibrated": "apply",
        "calibration_fault": "check",
        "check_calibrations": "check",
        "corrected": "apply",
        "dump_calibrations": "text",
        "load_calibrations": "text",
        "parse_calibrations": "text",
        "with_calibration": "edit",
        "without_calibrations": "edit",
    },
)
