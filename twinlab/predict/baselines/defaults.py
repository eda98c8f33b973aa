"""The baselines that a predictor is compared with unless others are named."""

from __future__ import annotations

from typing import Protocol

from twinlab.predict.baselines.constant import Climatology, Constant
from twinlab.predict.baselines.seasonal import SeasonalNaive
from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.protocol.predictor import Predictor
from twinlab.predict.protocol.target import Target
from twinlab.predict.targets.counts import CountTarget
from twinlab.predict.targets.signal import SignalTarget

__all__ = ["Targeted", "default_baselines"]


class Targeted(Protocol):
    """A predictor that states its target and lead times."""

    @property
    def inputs(self) -> Inputs:
        """What it reads."""

    @property
    def target(self) -> Target:
        """What it predicts."""

    @property
    def lead_times(self) -> tuple[str, ...]:
        """How far ahead."""


def default_baselines(predictor: Targeted, *, season: str = "1d") -> dict[str, Predictor]:
    """Return baselines by name: those that the predictor states as ``baselines``; else of a signal or a count the last value, the value a season before and the median; of a probability the share of training
    and an alarm that is always on.

    A season that isn't a multiple of the step, or is longer than the window, is left out.
    """
    stated = getattr(predictor, "baselines", None)
    if stated is not None:
        return dict(stated)
    inputs, target, leads = predictor.inputs, predictor.target, predictor.lead_times
    if target.kind == "probability":
        return {
            "share": Climatology(inputs, target, leads, name="share"),
            "always": Constant(inputs, target, leads, 1.0, name="always"),
        }
    out: dict[str, Predictor] = {}
    if isinstance(target, (SignalTarget, CountTarget)):
        out["naive"] = SeasonalNaive(inputs, target, leads, season=inputs.step, name="naive")
        width = duration(season, what="season")
        if width > inputs.step_ns and not width % inputs.step_ns and width <= inputs.window_ns:
            out["seasonal_naive"] = SeasonalNaive(inputs, target, leads, season=season)
    out["median"] = Climatology(inputs, target, leads, name="median")
    return out
