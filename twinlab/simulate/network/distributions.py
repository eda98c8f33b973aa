"""Distributions of times: each with its mean, its variance and the numbers that the kernel draws from."""

from __future__ import annotations

import math
from abc import abstractmethod
from statistics import NormalDist
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from twinlab.simulate.definition import Definition
from twinlab.simulate.network.quantities import NonNegativeTime, Time, in_unit

__all__ = [
    "Constant",
    "Distribution",
    "Empirical",
    "Erlang",
    "Exponential",
    "Gamma",
    "LogNormal",
    "Normal",
    "TimeDistribution",
    "Triangular",
    "Uniform",
    "Weibull",
]

_STANDARD = NormalDist()


class TimeDistribution(Definition):
    """Base of the distributions."""

    code: ClassVar[int]
    """Number of the kind in the kernel."""
    kind: str

    @model_serializer(mode="wrap")
    def _with_kind(self, serialize: SerializerFunctionWrapHandler) -> Any:  # noqa: ANN401  (a text or keys)
        # The kind is a default of its class and would be left out where defaults are: gamma and lognormal would have the same
        # hash, and couldn't be read back. A constant is written as people write it.
        if isinstance(self, Constant):
            return self.value
        return {"kind": self.kind, **serialize(self)}

    @property
    @abstractmethod
    def mean_seconds(self) -> float:
        """Mean, seconds."""

    @property
    @abstractmethod
    def variance(self) -> float:
        """Variance, seconds squared."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[float, ...]:
        """Up to three numbers that the kernel draws from, in seconds where they are times."""

    @property
    def values_seconds(self) -> tuple[float, ...]:
        """Sorted values of an empirical distribution, seconds; empty for others."""
        return ()


class Constant(TimeDistribution):
    """Always the same time.

    >>> Constant(value="2 min").mean_seconds
    120.0
    """

    code = 0
    kind: Literal["constant"] = "constant"
    value: NonNegativeTime

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        return in_unit(self.value, "s")

    @property
    def variance(self) -> float:  # noqa: D102
        return 0.0

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return (self.mean_seconds,)


class Exponential(TimeDistribution):
    """Exponential with a mean."""

    code = 1
    kind: Literal["exponential"] = "exponential"
    mean: Time

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        return in_unit(self.mean, "s")

    @property
    def variance(self) -> float:  # noqa: D102
        return self.mean_seconds**2

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return (self.mean_seconds,)


class Uniform(TimeDistribution):
    """Each time between two bounds is equally likely."""

    code = 2
    kind: Literal["uniform"] = "uniform"
    low: NonNegativeTime
    high: NonNegativeTime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _in_order(self.low, self.high)
        return self

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        low, high = self.parameters
        return (low + high) / 2

    @property
    def variance(self) -> float:  # noqa: D102
        low, high = self.parameters
        return (high - low) ** 2 / 12

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return in_unit(self.low, "s"), in_unit(self.high, "s")


class Triangular(TimeDistribution):
    """Between two bounds, most likely at the mode."""

    code = 3
    kind: Literal["triangular"] = "triangular"
    low: NonNegativeTime
    mode: NonNegativeTime
    high: NonNegativeTime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _in_order(self.low, self.mode, self.high)
        if in_unit(self.low, "s") == in_unit(self.high, "s"):
            msg = f"expected `high` above `low`, got {self.low!r} and {self.high!r}; use a constant instead"
            raise ValueError(msg)
        return self

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        return sum(self.parameters) / 3

    @property
    def variance(self) -> float:  # noqa: D102
        a, c, b = self.parameters
        return (a * a + b * b + c * c - a * b - a * c - b * c) / 18

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return in_unit(self.low, "s"), in_unit(self.mode, "s"), in_unit(self.high, "s")


class Normal(TimeDistribution):
    """Normal, cut off below zero. ``mean`` and ``sd`` are those before the cut."""

    code = 4
    kind: Literal["normal"] = "normal"
    mean: Time
    sd: Time

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        mean, sd, _ = self.parameters
        return mean + sd * self._hazard()

    @property
    def variance(self) -> float:  # noqa: D102
        mean, sd, _ = self.parameters
        hazard = self._hazard()
        return sd * sd * (1 - mean / sd * hazard - hazard * hazard)

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        mean, sd = in_unit(self.mean, "s"), in_unit(self.sd, "s")
        return mean, sd, _STANDARD.cdf(-mean / sd)

    def _hazard(self) -> float:
        mean, sd, below = self.parameters
        return _STANDARD.pdf(mean / sd) / (1 - below)


class _ByVariation(TimeDistribution):
    """Base of the distributions that are stated by a mean and a coefficient of variation (standard deviation divided by the mean)."""

    mean: Time
    cv: float = Field(gt=0, le=20)

    @property
    def mean_seconds(self) -> float:
        return in_unit(self.mean, "s")

    @property
    def variance(self) -> float:
        return (self.mean_seconds * self.cv) ** 2


class LogNormal(_ByVariation):
    """Log-normal with a mean and a coefficient of variation."""

    code = 5
    kind: Literal["lognormal"] = "lognormal"

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        sigma = math.sqrt(math.log1p(self.cv**2))
        return math.log(self.mean_seconds) - sigma * sigma / 2, sigma


class Gamma(_ByVariation):
    """Gamma with a mean and a coefficient of variation."""

    code = 6
    kind: Literal["gamma"] = "gamma"

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        shape = self.cv**-2
        return shape, self.mean_seconds / shape


class Erlang(TimeDistribution):
    """Sum of ``phases`` exponential times, with a mean for the sum."""

    code = 7
    kind: Literal["erlang"] = "erlang"
    mean: Time
    phases: int = Field(ge=1, le=1000)

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        return in_unit(self.mean, "s")

    @property
    def variance(self) -> float:  # noqa: D102
        return self.mean_seconds**2 / self.phases

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return float(self.phases), self.mean_seconds / self.phases


class Weibull(TimeDistribution):
    """Weibull with a shape and a scale."""

    code = 8
    kind: Literal["weibull"] = "weibull"
    shape: float = Field(ge=0.1, le=100)
    scale: Time

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        return in_unit(self.scale, "s") * math.gamma(1 + 1 / self.shape)

    @property
    def variance(self) -> float:  # noqa: D102
        return in_unit(self.scale, "s") ** 2 * math.gamma(1 + 2 / self.shape) - self.mean_seconds**2

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return self.shape, in_unit(self.scale, "s")


class Empirical(TimeDistribution):
    """Each of the observed values is equally likely (inverse of the empirical distribution function)."""

    code = 9
    kind: Literal["empirical"] = "empirical"
    values: tuple[float, ...] = Field(min_length=1)
    unit: str = "s"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not all(math.isfinite(value) and value >= 0 for value in self.values):
            msg = "expected observed times of at least 0, got a negative or missing one in `values`"
            raise ValueError(msg)
        in_unit(f"1 {self.unit}", "s")
        return self

    @property
    def values_seconds(self) -> tuple[float, ...]:  # noqa: D102
        factor = in_unit(f"1 {self.unit}", "s")
        return tuple(sorted(value * factor for value in self.values))

    @property
    def mean_seconds(self) -> float:  # noqa: D102
        return math.fsum(self.values_seconds) / len(self.values)

    @property
    def variance(self) -> float:  # noqa: D102
        mean = self.mean_seconds
        return math.fsum((value - mean) ** 2 for value in self.values_seconds) / len(self.values)

    @property
    def parameters(self) -> tuple[float, ...]:  # noqa: D102
        return (float(len(self.values)),)


def _in_order(*texts: str) -> None:
    seconds = [in_unit(text, "s") for text in texts]
    if seconds != sorted(seconds):
        msg = f"expected bounds in rising order, got {', '.join(map(repr, texts))}"
        raise ValueError(msg)


def _constant(value: Any) -> Any:  # noqa: ANN401  (what a person wrote)
    return {"kind": "constant", "value": value} if isinstance(value, str) else value


#: A distribution; a plain time such as "2 min" is a constant.
Distribution = Annotated[
    Annotated[
        Constant | Exponential | Uniform | Triangular | Normal | LogNormal | Gamma | Erlang | Weibull | Empirical,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_constant),
]
