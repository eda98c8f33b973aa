"""The tests that compare as entries of the registry, with their options and the signals they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from twinlab.model.basics import Duration, Term
from twinlab.model.extensions.options import Difference, Options, Quantity
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.quality.related.consistency import consistency_flags, response_flags
from twinlab.quality.related.location import WORLD, checked_box, location_flags, speed_flags
from twinlab.quality.related.multivariate import ConditionalSpan, conditional_flags, multivariate_flags
from twinlab.quality.related.peers import peer_flags

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CONDITIONAL", "CONSISTENCY", "LOCATION", "MULTIVARIATE", "PEERS", "RESPONSE", "SPEED"]


Checked = TypeVar("Checked", bound=Options)


def _suspect_before_fail(options: Checked) -> Checked:
    suspect, fail = getattr(options, "suspect", 0.0), getattr(options, "fail", None)
    if fail is not None and fail < suspect:
        msg = f"expected suspect <= fail, got suspect {suspect}, fail {fail}"
        raise ValueError(msg)
    return options


class PeerOptions(Options):
    """Options of `peer_flags`."""

    resolution: Difference = Field(gt=0)
    """Smallest standard deviation of the assets that is assumed."""
    suspect: float = Field(default=5.0, gt=0)
    """In robust standard deviations."""
    fail: float | None = None
    least: int = Field(default=4, ge=2)
    """Smallest number of other assets with a value."""
    group: Term | None = None
    """Property of the asset: only assets with the same value are compared."""

    _rising = model_validator(mode="after")(_suspect_before_fail)


class MultivariateOptions(Options):
    """Options of `multivariate_flags`."""

    coefficients: dict[Term, float] = Field(min_length=1)
    """Another signal -> units of this one per unit of it."""
    intercept: float = 0.0
    suspect: Difference = Field(gt=0)
    """Largest normal distance from the combination."""
    fail: Difference | None = None

    _rising = model_validator(mode="after")(_suspect_before_fail)


class ConditionalSpanOptions(Options):
    """Options of a `ConditionalSpan`."""

    when: tuple[float, float]
    """Span of the other signal, in its unit."""
    suspect: tuple[Quantity, Quantity]
    """What is normal; values outside it are suspect."""
    fail: tuple[Quantity, Quantity] | None = None

    def span(self) -> ConditionalSpan:
        """Return the options as the test takes them."""
        return ConditionalSpan(self.when, self.suspect, self.fail)


class ConditionalOptions(Options):
    """Options of `conditional_flags`."""

    given: Term
    """The other signal."""
    spans: tuple[ConditionalSpanOptions, ...] = Field(min_length=1)
    """The last one that covers the other signal counts."""

    @field_validator("spans")
    @classmethod
    def _valid_spans(cls, spans: tuple[ConditionalSpanOptions, ...]) -> tuple[ConditionalSpanOptions, ...]:
        for each in spans:
            each.span()
        return spans


class LocationOptions(Options):
    """Options of `location_flags`; the signal is the latitude."""

    longitude: Term
    box: tuple[float, float, float, float] = WORLD
    """West, south, east, north, degrees."""
    jump: float | None = Field(default=None, gt=0)
    """Metres from the position before."""
    within: Duration | None = None

    @field_validator("box")
    @classmethod
    def _valid_box(cls, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        return checked_box(box)


class SpeedOptions(Options):
    """Options of `speed_flags`; the signal is the latitude."""

    longitude: Term
    suspect: float = Field(gt=0)
    """Metres a second."""
    fail: float | None = None
    within: Duration | None = None

    _rising = model_validator(mode="after")(_suspect_before_fail)


class ConsistencyOptions(Options):
    """Options of `consistency_flags`."""

    counter: Term
    """The signal that counts what this one is the rate, or the increase, of."""
    over: Duration
    """Length of a window."""
    suspect: Difference = Field(gt=0)
    fail: Difference | None = None
    kind: Literal["rate", "increase"] = "rate"
    within: Duration | None = None

    _rising = model_validator(mode="after")(_suspect_before_fail)


class ResponseOptions(Options):
    """Options of `response_flags`."""

    when: dict[Term, Annotated[tuple[int, ...], Field(min_length=1)]] = Field(min_length=1)
    """State -> the codes with which the condition is met."""
    never: Literal["rises", "falls"]
    by: Difference = Field(ge=0)
    """Largest change in this direction that is normal."""
    lasting: Duration
    held: Duration = "1d"
    """How long a state is valid if no other one is reported."""
    within: Duration | None = None


def _conditional(
    values: xr.DataArray, others: xr.Dataset, *, given: str, spans: tuple[ConditionalSpanOptions, ...]
) -> xr.DataArray:
    return conditional_flags(values, others, given=given, spans=[each.span() for each in spans])


PEERS = QualityTest("peers", peer_flags, PeerOptions, lazy=True, scope="type")
MULTIVARIATE = QualityTest(
    "multivariate",
    multivariate_flags,
    MultivariateOptions,
    lazy=True,
    scope="asset",
    others=lambda options: tuple(options.coefficients),
)
CONDITIONAL = QualityTest(
    "conditional", _conditional, ConditionalOptions, lazy=True, scope="asset", others=lambda options: (options.given,)
)
LOCATION = QualityTest(
    "location",
    location_flags,
    LocationOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: (options.longitude,),
)
SPEED = QualityTest(
    "speed",
    speed_flags,
    SpeedOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: (options.longitude,),
)
CONSISTENCY = QualityTest(
    "consistency",
    consistency_flags,
    ConsistencyOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: (options.counter,),
)
RESPONSE = QualityTest(
    "response",
    response_flags,
    ResponseOptions,
    kinds=("gauge",),
    lazy=True,
    scope="asset",
    others=lambda options: tuple(options.when),
)
