"""The tests of this package as entries of the registry. They look at whole series, so that no build of history runs them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from twinlab.model.basics import Duration, Term
from twinlab.model.extensions.options import Difference, Options
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.quality.drift.affected import affected_flags
from twinlab.quality.drift.departures import departure_flags, variability_flags
from twinlab.quality.drift.flags import drift_flags
from twinlab.quality.drift.resets import reset_flags
from twinlab.quality.drift.steps import level_shift_flags
from twinlab.quality.drift.visits import visit_flags

__all__ = ["AFFECTED", "DEPARTURE", "DRIFT", "LEVEL_SHIFT", "RESET", "VARIABILITY", "VISIT"]


class DriftOptions(Options):
    """Options of `drift_flags`."""

    against: Literal["peers", "past"] = "peers"
    season: bool = True
    """Whether the quantity may have a season, for a comparison with its past."""
    tolerance: Difference = Field(default=0.0, ge=0)
    """A smaller change in all is no drift."""


class DepartureOptions(Options):
    """Options of `departure_flags`."""

    window: Duration
    limit: float = Field(default=15.0, gt=0)
    """In robust standard deviations."""
    resolution: Difference | None = None


class VariabilityOptions(Options):
    """Options of `variability_flags`."""

    window: Duration
    limit: float = Field(default=10.0, gt=0)
    """In multiples of the usual noise."""
    resolution: Difference | None = None


class LevelShiftOptions(Options):
    """Options of `level_shift_flags`."""

    longest: Duration = "30d"
    limit: float = Field(default=12.0, gt=0)
    """In usual changes of the days around."""


class VisitOptions(Options):
    """Options of `visit_flags`."""

    signals: tuple[Term, ...] = Field(min_length=1)
    """Other signals of the same probe."""


class AffectedOptions(Options):
    """Options of `affected_flags`."""

    given: Term
    """The other signal."""
    span: tuple[float, float]
    """Of the other signal, in its unit."""
    lasting: Duration = "1h"
    after: Duration = "12h"
    window: Duration = "7d"
    limit: float = Field(default=5.0, gt=0)
    """In robust standard deviations."""
    resolution: Difference | None = None


class ResetOptions(Options):
    """Options of `reset_flags`."""

    signals: tuple[Term, ...] = Field(min_length=1)
    """Other signals of the same probe."""
    limit: Difference | None = None
    share: float | None = Field(default=None, gt=0)
    """Of the value."""
    shortest: Duration = "3d"

    @model_validator(mode="after")
    def _one_limit(self) -> ResetOptions:
        if self.limit is None and self.share is None:
            msg = "expected a limit in the signal's unit, or a share of the value, got neither"
            raise ValueError(msg)
        return self


DRIFT = QualityTest("drift", drift_flags, DriftOptions, kinds=("gauge",), lazy=True, scope="type")
DEPARTURE = QualityTest("departure", departure_flags, DepartureOptions, kinds=("gauge",), lazy=True, scope="type")
VARIABILITY = QualityTest(
    "variability", variability_flags, VariabilityOptions, kinds=("gauge",), lazy=True, scope="type"
)
LEVEL_SHIFT = QualityTest(
    "level_shift", level_shift_flags, LevelShiftOptions, kinds=("gauge",), lazy=True, scope="type"
)
VISIT = QualityTest(
    "visit",
    visit_flags,
    VisitOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: options.signals,
)
AFFECTED = QualityTest(
    "affected",
    affected_flags,
    AffectedOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: (options.given,),
)
RESET = QualityTest(
    "reset",
    reset_flags,
    ResetOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: options.signals,
)
