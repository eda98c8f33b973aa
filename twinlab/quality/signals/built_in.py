"""The tests of one signal as entries of the registry, with their options and their reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from twinlab.model.basics import Duration, parse_duration
from twinlab.model.extensions.options import Difference, Options, Quantity
from twinlab.model.extensions.quality_test import QualityTest, SignalKind
from twinlab.model.time_rule import Text
from twinlab.quality.cells import NEIGHBOUR_REACH
from twinlab.quality.signals.arrival import cadence_flags, completeness_flags, status_flags
from twinlab.quality.signals.attenuated import attenuated_flags
from twinlab.quality.signals.climatology import SeasonSpan, climatology_flags, known_zone
from twinlab.quality.signals.states import allowed_changes, chatter_flags, transition_flags

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["ATTENUATED", "CADENCE", "CHATTER", "CLIMATOLOGY", "COMPLETENESS", "STATUS", "TRANSITION"]

JudgedFlag = Literal["pass", "not_evaluated", "suspect", "fail"]

_ALL: Final[tuple[SignalKind, ...]] = ("gauge", "state", "counter")


class SeasonOptions(Options):
    """Options of a `SeasonSpan`."""

    suspect: tuple[Quantity, Quantity]
    """What is normal; values outside it are suspect."""
    fail: tuple[Quantity, Quantity] | None = None
    """A wider span; values outside it fail."""
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = tuple(range(1, 13))
    """All by default."""
    hours: tuple[int, int] = (0, 24)
    """Local hours from, to; [22, 6] goes over midnight."""

    def span(self) -> SeasonSpan:
        """Return the options as the test takes them."""
        return SeasonSpan(self.suspect, self.fail, self.months, self.hours)


class ClimatologyOptions(Options):
    """Options of `climatology_flags`."""

    spans: tuple[SeasonOptions, ...] = Field(min_length=1)
    """The last one that covers a value counts."""
    zone: str = "UTC"
    """Time zone of months and hours."""

    @field_validator("spans")
    @classmethod
    def _valid_spans(cls, spans: tuple[SeasonOptions, ...]) -> tuple[SeasonOptions, ...]:
        for each in spans:
            each.span()
        return spans

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone).key


def _climatology(values: xr.DataArray, *, spans: tuple[SeasonOptions, ...], zone: str) -> xr.DataArray:
    return climatology_flags(values, spans=[each.span() for each in spans], zone=zone)


class AttenuatedOptions(Options):
    """Options of `attenuated_flags`."""

    window: Duration
    suspect: Difference = Field(gt=0)
    """A variation below it is suspect."""
    fail: Difference = Field(default=0.0, ge=0)
    by: Literal["std", "range"] = "std"
    least: int | None = Field(default=None, ge=2)
    """Smallest number of values in the window; half of those that fit by default."""

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if self.fail > self.suspect:
            msg = f"expected fail <= suspect, since a smaller variation is worse, got {self.fail} and {self.suspect}"
            raise ValueError(msg)
        return self


class TransitionOptions(Options):
    """Options of `transition_flags`."""

    allowed: dict[int, tuple[int, ...]] = Field(min_length=1)
    """Code -> the codes that may follow it."""
    within: Duration | None = None
    """Largest distance of the state before; 64 steps by default."""

    @field_validator("allowed")
    @classmethod
    def _valid_codes(cls, allowed: dict[int, tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
        allowed_changes(allowed)
        return allowed


class ChatterOptions(Options):
    """Options of `chatter_flags`."""

    window: Duration
    most: int = Field(ge=1, lt=10_000)
    """Largest number of changes in the window that is normal."""
    within: Duration | None = None


class CompletenessOptions(Options):
    """Options of `completeness_flags`."""

    period: Duration
    least: float = Field(default=0.75, gt=0, le=1)
    """Smallest share of the expected values."""
    cadence: Duration | None = None
    """Distance of two expected values; the signal's cadence by default."""


class CadenceOptions(Options):
    """Options of `cadence_flags`."""

    expected: Duration | None = None
    """Distance of two observations; the usual one by default."""
    tolerance: Duration | None = None
    """Half of it by default."""
    gap: Duration | None = None
    """A longer interval is a gap, which isn't judged."""


class StatusOptions(Options):
    """Options of `status_flags`."""

    codes: dict[Text, JudgedFlag] | None = None
    """Status -> flag; the severity of OPC UA status codes by default."""
    other: JudgedFlag = "not_evaluated"
    """The flag of any other status, and of none."""


def _window(options: AttenuatedOptions, step: int) -> tuple[int, int]:
    del step
    return parse_duration(options.window), 0


def _before(options: TransitionOptions | ChatterOptions, step: int) -> tuple[int, int]:
    within = step * NEIGHBOUR_REACH if options.within is None else parse_duration(options.within)
    return within + (parse_duration(options.window) if isinstance(options, ChatterOptions) else 0), 0


def _period(options: CompletenessOptions, step: int) -> tuple[int, int]:
    del step
    return parse_duration(options.period), 2 * parse_duration(options.period)


CLIMATOLOGY = QualityTest("climatology", _climatology, ClimatologyOptions, kinds=("gauge",), lazy=True)
ATTENUATED = QualityTest("attenuated", attenuated_flags, AttenuatedOptions, _window, kinds=("gauge",), lazy=True)
TRANSITION = QualityTest("transition", transition_flags, TransitionOptions, _before, kinds=("state",), lazy=True)
CHATTER = QualityTest("chatter", chatter_flags, ChatterOptions, _before, kinds=("state",), lazy=True)
COMPLETENESS = QualityTest("completeness", completeness_flags, CompletenessOptions, _period, kinds=_ALL, lazy=True)
CADENCE = QualityTest("cadence", cadence_flags, CadenceOptions, kinds=_ALL, lazy=True, scope="observations")
STATUS = QualityTest("status", status_flags, StatusOptions, kinds=_ALL, lazy=True, scope="observations")
