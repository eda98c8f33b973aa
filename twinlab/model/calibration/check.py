"""Compare calibrations with the model and the assets that they name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.check import Finding
from twinlab.model.load import refuse
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.calibration.pieces import Calibration, Calibrations
    from twinlab.model.twinmodel import TwinModel

__all__ = ["calibration_fault", "check_calibrations"]


def check_calibrations(
    calibrations: Calibrations,
    model: TwinModel,
    assets: Callable[[str], Collection[str]],
    name: str = "calibration.yaml",
) -> None:
    """Compare calibrations with the model that they refer to.

    Parameters
    ----------
    calibrations : Calibrations
    model : TwinModel
    assets : callable
        Returns the ids of the assets of a type.
    name : str
        Name of the file, for messages.

    Raises
    ------
    SchemaError
        With a line for each fault: file, line, path, what was found, the nearest known name. An UnknownTermError if all are
        names that don't exist.
    """
    findings: list[Finding] = []
    cached = lru_cache(maxsize=None)(assets)
    for number, one in enumerate(calibrations.calibrations):
        found = calibration_fault(one, model, cached)
        if found is not None:
            key, error, text = found
            findings.append(Finding(("calibrations", number, key), error, text))
    refuse(findings, calibrations, name)


def calibration_fault(
    one: Calibration, model: TwinModel, assets: Callable[[str], Collection[str]]
) -> tuple[str, type[SchemaError | UnknownTermError], str] | None:
    """Return the key of a calibration that doesn't fit a model, the error and its text; None if it fits."""
    kind, _, asset = one.asset.partition("/")
    if kind not in model.asset_types:
        return "asset", UnknownTermError, f"there is no asset type {kind!r}{nearest(kind, model.asset_types)}"
    ids = assets(kind)
    if asset not in ids:
        return "asset", UnknownTermError, f"there is no asset {one.asset!r}{nearest(asset, ids)}"
    signals = model.asset_types[kind].signals
    if one.signal not in signals:
        return "signal", UnknownTermError, f"{kind} has no signal {one.signal!r}{nearest(one.signal, signals)}"
    if signals[one.signal].kind != "gauge":
        text = (
            f"expected a signal of kind gauge, but {one.signal} is a {signals[one.signal].kind}; correct its scale or its "
            "codes in the mapping"
        )
        return "signal", SchemaError, text
    return None
