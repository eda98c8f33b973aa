"""The predictor of failures by name, with options that are text and numbers."""

from __future__ import annotations

from pydantic import Field

from twinlab.model.extensions.options import Options
from twinlab.predict.failure.indicators import default_indicators
from twinlab.predict.failure.predictor import FailurePredictor
from twinlab.predict.failure.settings import FailureSettings
from twinlab.predict.protocol.registry import PredictorKind

__all__ = ["KIND", "FailureOptions"]


class FailureOptions(Options):
    """What fails, and what shows it."""

    asset_type: str
    event_type: str
    """Events that are failures."""
    gauges: tuple[str, ...]
    """Variables that are measured."""
    states: dict[str, dict[float, str]] = Field(default_factory=dict)
    """Variables that are codes, with the name of each code."""
    within: tuple[str, ...] = ("7d",)
    """Spans of which the probability of a failure is predicted."""
    step: str = "5min"
    every: str = "1d"
    longest: str = "14d"
    training: str = "365d"
    group: str | None = None
    """Property of the assets; only assets of one group are peers."""


def _build(options: FailureOptions) -> FailurePredictor:
    settings = FailureSettings(
        options.event_type, options.asset_type, default_indicators(options.gauges, options.states), step=options.step, every=options.every,
        longest=options.longest, training=options.training, group=options.group,
    )  # fmt: skip
    return FailurePredictor(settings, options.within)


KIND = PredictorKind(
    "failure", "the probability of a failure, and the remaining life, learnt from past failures", _build, FailureOptions
)
