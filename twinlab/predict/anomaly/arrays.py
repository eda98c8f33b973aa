"""Models from arrays, and from files of them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.forest import ForestFit
from twinlab.predict.anomaly.levels import Levels, LevelState
from twinlab.predict.anomaly.pca import PcaFit
from twinlab.predict.anomaly.robust import RobustZFit
from twinlab.predict.anomaly.scoring import AnomalyModel, FittedDetector

__all__ = ["from_arrays", "read_model"]

_DETECTORS: dict[str, type[PcaFit | RobustZFit | ForestFit]] = {
    "pca": PcaFit,
    "robust": RobustZFit,
    "forest": ForestFit,
}


def from_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> AnomalyModel:
    """Return the model of `AnomalyModel.arrays`.

    Raises
    ------
    SchemaError
        If an array is missing.
    """
    try:
        kind = _DETECTORS[str(arrays["kind"])]
        # Single numbers are arrays without dims in files.
        own: dict[str, Any] = {one.name: _plain(arrays[one.name]) for one in fields(kind)}
        detector: FittedDetector = kind(**own)
        names: dict[str, tuple[str, ...]] = {
            name: tuple(map(str, arrays[name])) for name in ("assets", "signals", "units")
        }
        return AnomalyModel(
            **names, turns=tuple(arrays["turns"].tolist()),
            levels=Levels(arrays["mean"], arrays["first"], arrays["share"], int(arrays["delay"])),
            offset=arrays["offset"], scale=arrays["scale"], detector=detector, limit=float(arrays["limit"]),
            state=LevelState(arrays["newest"], tuple(arrays["earlier"])),
        )  # fmt: skip
    except KeyError as error:
        msg = f"expected the arrays of an anomaly model, {error} is missing; export the model again"
        raise SchemaError(msg) from error


def read_model(path: str | Path) -> AnomalyModel:
    """Return a model that was exported.

    Raises
    ------
    SchemaError
        If the file isn't there, or isn't a model.
    """
    try:
        with np.load(path) as file:
            return from_arrays({name: file[name] for name in file.files})
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        msg = f"{path}: expected a model that `export` wrote ({error})"
        raise SchemaError(msg) from error


def _plain(found: npt.NDArray[Any]) -> Any:  # noqa: ANN401
    return found if found.ndim else found.item()
