"""Models of anomalies among the stored models of a twin: what they are stored with, and how they are learnt again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.predict.anomaly.fitted import FittedAnomalies
from twinlab.predict.anomaly.recipe import AnomalyRecipe
from twinlab.predict.protocol.durations import text_of
from twinlab.twin.anomalies.learning import base_signals, fit_anomalies

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.predict.anomaly.scoring import AnomalyModel

__all__ = ["StoredAnomalies", "learnt_again", "unpacked"]


@dataclass(frozen=True)
class StoredAnomalies:
    """A model of anomalies, with what it doesn't state itself."""

    model: AnomalyModel
    recipe: AnomalyRecipe | None
    asset_type: str
    step: str
    training: tuple[str, str]


def unpacked(fitted: FittedAnomalies, twin: TwinReader) -> StoredAnomalies:
    """Return the parts of what `twinlab.Twin.fit_anomalies` returned."""
    signals = tuple(base_signals(fitted))
    cadence = twin.model.asset_types[fitted.asset_type].signals[signals[0]].cadence_ns
    step = fitted.step or text_of(np.timedelta64(cadence, "ns"))
    recipe = None
    if fitted.detector is not None:
        recipe = AnomalyRecipe(
            fitted.asset_type, fitted.step, signals, fitted.detector, fitted.hysteresis, fitted.per_100_asset_weeks
        )
    return StoredAnomalies(fitted.model, recipe, fitted.asset_type, step, fitted.usual)


def learnt_again(
    twin: TwinReader, recipe: AnomalyRecipe, *, span: tuple[str, str], until: np.datetime64
) -> FittedAnomalies:
    """Learn with the same parameters from a span of the same length that ends at an instant.

    Raises
    ------
    SchemaError
        If nothing can be learnt from it, or a signal can't be learnt of any more.
    """
    length = pd.Timestamp(span[1]) - pd.Timestamp(span[0])
    stop = pd.Timestamp(until)
    return fit_anomalies(
        twin, recipe.asset_type, usual=(stop - length, stop), signals=recipe.signals, step=recipe.step, detector=recipe.detector,
        hysteresis=recipe.hysteresis, per_100_asset_weeks=recipe.per_100_asset_weeks,
    )  # fmt: skip
