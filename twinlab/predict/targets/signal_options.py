"""Options of predictors of a signal that are used by name."""

from __future__ import annotations

from twinlab.model.extensions.options import Options
from twinlab.predict.protocol.inputs import Inputs
from twinlab.predict.targets.signal import SignalTarget

__all__ = ["SignalOptions"]


class SignalOptions(Options):
    """What is predicted, and from what; the base of the options of predictors of a signal."""

    asset_type: str
    variable: str
    """Variable of the history at ``step``, such as ``temperature_mean``."""
    units: str
    step: str = "1h"
    lead_times: tuple[str, ...]
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    window: str = "14d"
    """Span before the issue time that a prediction reads."""
    training: str = "90d"
    """Span before the fit that it reads."""

    @property
    def inputs(self) -> Inputs:
        """What the predictor reads."""
        return Inputs(
            asset_type=self.asset_type,
            variables=(self.variable,),
            step=self.step,
            window=self.window,
            training=self.training,
        )

    @property
    def target(self) -> SignalTarget:
        """The signal."""
        return SignalTarget(self.variable, self.units)
