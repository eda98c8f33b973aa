"""Format of models of anomalies: the arrays that they are exported as, so that `twinlab.edge.scorer` scores with them, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinlab.predict.anomaly.arrays import from_arrays
from twinlab.predict.anomaly.scoring import AnomalyModel
from twinlab.predict.models.format import ModelFormat
from twinlab.predict.models.plain import Decoder, Encoder

__all__ = ["FORMAT"]


def _write(value: AnomalyModel, encoder: Encoder, place: str) -> dict[str, Any]:
    return {name: encoder.value(one, f"{place}.{name}" if place else name) for name, one in value.arrays().items()}


def _read(name: str, content: Mapping[str, Any], decoder: Decoder) -> AnomalyModel:  # noqa: ARG001  (one class)
    return from_arrays({key: decoder.value(one) for key, one in content.items()})


FORMAT = ModelFormat(
    "anomaly",
    "what is usual for the assets of a type",
    {"AnomalyModel": "twinlab.predict.anomaly.scoring:AnomalyModel"},
    _write,
    _read,
)
