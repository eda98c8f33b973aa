"""Format of predictors of failures; their trees are in LightGBM's own text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinlab.predict.failure.calibration.outcomes import Outcomes
from twinlab.predict.failure.fitted import FittedFailure
from twinlab.predict.failure.index import WearIndex
from twinlab.predict.failure.indicators import Indicator
from twinlab.predict.failure.nearest import PastCases
from twinlab.predict.failure.predictor import FailurePredictor
from twinlab.predict.failure.refusals import Learnt
from twinlab.predict.failure.settings import FailureSettings
from twinlab.predict.failure.survival import FittedSurvival
from twinlab.predict.failure.trees import FittedTrees, Trees
from twinlab.predict.models.format import ModelFormat, dataclass_format
from twinlab.predict.models.formats.lightgbm import check_trees, feature_count
from twinlab.predict.models.plain import Decoder, Encoder, array_of_text, text_of_array

__all__ = ["FORMAT"]

_PLAIN = dataclass_format(
    "failure",
    "failures and remaining lives",
    FailurePredictor,
    FailureSettings,
    FittedFailure,
    FittedSurvival,
    FittedTrees,
    Indicator,
    Learnt,
    Outcomes,
    PastCases,
    Trees,
    WearIndex,
)


def _write(value: Any, encoder: Encoder, place: str) -> Mapping[str, Any]:  # noqa: ANN401  (any of the classes)
    if not isinstance(value, FittedTrees):
        return _PLAIN.write(value, encoder, place)
    return {
        "trees": [
            encoder.array(array_of_text(text), f"{place}.trees.{member}.txt") for member, text in enumerate(value.texts)
        ]
    }


def _read(of: str, content: Mapping[str, Any], decoder: Decoder) -> object:
    if of != FittedTrees.__name__:
        return _PLAIN.read(of, content, decoder)
    texts = tuple(text_of_array(decoder.array(one)) for one in content["trees"])
    for text in texts:
        check_trees(text, feature_count(text))
    return FittedTrees(texts)


FORMAT = ModelFormat(_PLAIN.name, _PLAIN.title, _PLAIN.classes, _write, _read)
