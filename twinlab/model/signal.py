"""A signal of an asset type: its unit, cadence and rounding, and the limits of its quality tests."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import (
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from twinlab.errors import UnknownTermError
from twinlab.model.basics import NANOSECONDS, Duration, ExtendedModel, Term, Unit, parse_duration
from twinlab.model.extensions.options import fault, located
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.extensions.quality_test import QualityTest

__all__ = ["Sensitivity", "Signal"]

Kind = Literal["gauge", "state", "counter"]
Combine = Literal["last", "mean", "min", "max", "sum"]
Sensitivity = Literal["open", "internal", "personal"]
Span = tuple[float, float]


class Signal(ExtendedModel):
    """One measured quantity of an asset type."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"role", "storage", "tests"})

    kind: Kind = "gauge"
    """gauge (a number at a time), state (one of some names) or counter (a total that goes up)."""
    unit: Unit = "1"
    """Unit of the values in history, in pint's short spelling; "1" for a bare number. States have none."""
    resolution: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Step to which values are rounded; finer than the sensor's own. Needed for gauges and counters."""
    storage: Literal["int32", "int64"] | None = None
    """Gauges and counters only: type of the stored multiples of the resolution. int32 ranges to 2,147,483,647 steps, int64
    to 2**53 steps. By default int64 where `sensor_span` needs it, else int32."""
    cadence: Duration = "1min"
    """Regular step of the history's time axis."""
    combine: Combine = "last"
    """How several observations in one cell become one value."""
    sensor_span: Span | None = None
    """What the sensor can report at all; outside is "fail"."""
    expected_span: Span | None = None
    """What operation normally shows; outside is "suspect"."""
    spike: Span | None = None
    """Largest distance from the mean of both neighbours (QARTOD), in the signal's unit: (suspect, fail)."""
    max_rate: Span | None = None
    """Largest change, in the signal's unit a second: (suspect, fail)."""
    flat_line: Duration | None = None
    """A value that doesn't change for this long is suspect."""
    gap: Duration | None = None
    """A hole in the data longer than this is reported as a gap."""
    heartbeat: Duration | None = None
    """Longest normal time between two reports, of an asset that reports on change or rarely at rest: between reports
    that are closer nothing is missing. By default a value is expected in every cell."""
    states: dict[int, str] | None = None
    """States only: number stored -> its name."""
    wraps_at: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Counters only: value at which the counter starts again from zero."""
    tests: dict[Term, dict[str, Any] | None] = Field(default_factory=dict)
    """Further quality tests of twinlab or of other packages: name -> options; see `twinlab.quality.registry`."""
    role: Literal["measurement", "label"] = "measurement"
    """A label is what somebody found out afterwards, such as a fault's name or the true occupancy: rules can't use it, and
    datasets mark it with the attribute ``role``, so that it isn't an input of a model by accident."""
    title: str | None = None
    """Name for people."""
    definition: str | None = None
    """What exactly is measured, and where."""
    owner: str | None = None
    """Who answers for it."""
    sensitivity: Sensitivity = "internal"
    """Who may see it: open, internal or personal."""

    @field_validator("sensor_span", "expected_span", "spike", "max_rate")
    @classmethod
    def _ordered(cls, span: Span | None) -> Span | None:
        if span is not None and not span[0] < span[1]:
            msg = f"expected a span (low, high) with low < high, got {list(span)}"
            raise ValueError(msg)
        return span

    @field_validator("spike", "max_rate")
    @classmethod
    def _positive(cls, span: Span | None) -> Span | None:
        if span is not None and span[0] < 0:
            msg = f"expected two positive sizes of change: (suspect, fail), got {list(span)}"
            raise ValueError(msg)
        return span

    @field_validator("cadence")
    @classmethod
    def _divides_a_day(cls, cadence: str) -> str:
        # Rollups are aligned to midnight UTC, so that their windows consist of whole cells.
        if NANOSECONDS["d"] % parse_duration(cadence):
            msg = f"expected a cadence that divides a day, such as '1s', '10s', '1min', '15min', '1h' or '1d', got {cadence!r}"
            raise ValueError(msg)
        return cadence

    @field_validator("states")
    @classmethod
    def _named_once(cls, states: dict[int, str] | None) -> dict[int, str] | None:
        if states is not None and len(set(states.values())) < len(states):
            msg = f"expected each state's name once, got {list(states.values())}"
            raise ValueError(msg)
        return states

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "state":
            if not self.states:
                msg = "a state signal needs `states:`, for example {0: closed, 1: open}"
                raise ValueError(msg)
            if any(not 0 <= code < 2**15 for code in self.states):
                msg = f"state codes must be in 0..32767, got {sorted(self.states)}"
                raise ValueError(msg)
            if self.combine not in ("last", "min", "max"):
                msg = f"a state can't be combined by {self.combine!r}; use last, min or max"
                raise ValueError(msg)
            if self.storage is not None:
                msg = f"a state is stored as int16; remove `storage: {self.storage}`"
                raise ValueError(msg)
        elif self.resolution is None:
            msg = f"a {self.kind} needs `resolution:` (the rounding step in {self.unit}, finer than the sensor's own)"
            raise ValueError(msg)
        if self.heartbeat is not None and parse_duration(self.heartbeat) <= self.cadence_ns:
            msg = (
                f"heartbeat {self.heartbeat!r} isn't longer than the cadence {self.cadence!r}, so it has no effect; "
                "remove it, or write the longest normal time between two reports"
            )
            raise ValueError(msg)
        if self.wraps_at is not None and self.kind != "counter":
            msg = f"only a counter wraps; remove `wraps_at` or write `kind: counter`, got kind {self.kind!r}"
            raise ValueError(msg)
        if self.sensor_span and self.expected_span:
            low, high = self.expected_span
            if low < self.sensor_span[0] or high > self.sensor_span[1]:
                msg = (
                    f"expected_span {list(self.expected_span)} must be inside sensor_span {list(self.sensor_span)}; "
                    "widen the sensor's span or narrow the expected one"
                )
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _known_tests(self) -> Self:
        faults = [problem for name, given in self.tests.items() for problem in self._test_faults(name, given)]
        if faults:
            raise located(faults)
        return self

    def _test_faults(self, name: str, given: dict[str, Any] | None) -> list[InitErrorDetails]:
        known: Registry[QualityTest] = registry_of("twinlab.quality")
        place = ("tests", name)
        if name not in known:
            msg = f"there is no quality test {name!r} in the installed packages{nearest(name, known.names())}"
            return [fault(place, UnknownTermError(msg), given)]
        test = known.get(name)
        if self.kind not in test.kinds:
            msg = f"the quality test {name!r} judges signals of kind {' or '.join(test.kinds)}, got a {self.kind}"
            return [fault(place, ValueError(msg), given)]
        try:
            test.parse(given, unit=self.unit)
        except ValidationError as error:
            return [fault(details["loc"], details["ctx"]["error"], details["input"]) for details in error.errors()]
        return []

    @property
    def cadence_ns(self) -> int:
        """The cadence in nanoseconds."""
        return parse_duration(self.cadence)

    @property
    def storage_dtype(self) -> np.dtype:
        """The integer type of the stored array: int16 for states, else `storage`, else int32, or int64 where the span needs it."""
        if self.kind == "state" or self.resolution is None:
            return np.dtype("int16")
        if self.storage is not None:
            return np.dtype(self.storage)
        reach = max(map(abs, self.sensor_span)) if self.sensor_span else 0.0
        # Room for sixteen times the span: readings beyond the sensor's span are flagged, not lost.
        return np.dtype("int64" if math.isinf(reach) or 16 * reach / self.resolution >= 2**31 else "int32")

    @property
    def largest(self) -> float:
        """The largest magnitude that the storage represents, in the signal's unit; infinity for states.

        >>> Signal(resolution=1e-6).largest, Signal(resolution=1e-6, storage="int64").largest > 9e9
        (2147.483647, True)
        """
        if self.kind == "state" or self.resolution is None:
            return math.inf
        # Beyond 2**53 steps, neighbouring multiples of the resolution are the same double.
        return (2**31 - 1 if self.storage_dtype == np.int32 else 2**53 - 1) * self.resolution
