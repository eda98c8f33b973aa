"""A signal of an asset type: its unit, cadence and rounding, and the limits of its quality tests."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from twinlab.errors import UnknownTermError
from twinlab.model.basics import (
    NANOSECONDS,
    AssetName,
    Duration,
    ExtendedModel,
    Model,
    Term,
    Unit,
    is_pattern,
    parse_duration,
    term,
)
from twinlab.model.extensions.options import fault, located
from twinlab.model.privacy.classes import Sensitivity
from twinlab.model.registry import Registry, registry_of
from twinlab.model.terms import nearest

if TYPE_CHECKING:
    from twinlab.model.extensions.quality_test import QualityTest

__all__ = ["Signal", "SpanOfAssets"]

Kind = Literal["gauge", "state", "counter"]
Combine = Literal["last", "mean", "min", "max", "sum"]
Span = tuple[float, float]


def _rising(span: Span) -> Span:
    if not span[0] < span[1]:
        msg = f"expected a span (low, high) with low < high, got {list(span)}"
        raise ValueError(msg)
    return span


def _pair(given: object) -> object:
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or len(given) != 2:
        msg = f"expected a span [low, high], got {given!r}"
        raise ValueError(msg)
    return given


def _bound(given: float | str) -> float | str:
    return term(given) if isinstance(given, str) else given


RisingSpan = Annotated[Span, BeforeValidator(_pair), AfterValidator(_rising)]
#: A property, or a number in the signal's unit.
Bound = Annotated[float | str, AfterValidator(_bound)]


class SpanOfAssets(Model):
    """A span that isn't the same for all assets.

    For an asset, the first of these counts that there is: its own entry in `assets`, its properties, `default`.

    >>> SpanOfAssets.model_validate({"assets": {"/^F/": [-30, -15]}, "default": [2, 8]}).of("F7")
    (-30.0, -15.0)
    """

    source: Annotated[tuple[Bound, Bound] | None, BeforeValidator(_pair), Field(alias="from")] = None
    """Lowest and highest value: number properties of the asset, which are converted to the signal's unit, or numbers. An
    asset that lacks one of the properties, or whose lowest value isn't below the highest one, has the default."""
    assets: dict[AssetName, RisingSpan] = Field(default_factory=dict)
    """Asset, or a pattern of asset ids between slashes -> its span. An id counts before a pattern, of patterns the first."""
    default: RisingSpan | None = None
    """Span of all other assets; without it they have no limit."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.source is None and not self.assets:
            msg = "expected `from:` with two properties, or `assets:`; write the span itself if it is the same for all assets"
            raise ValueError(msg)
        if self.source is not None and not self.properties:
            msg = (
                f"expected a property of the asset in `from`, got {list(self.source)}; write numbers as the span itself"
            )
            raise ValueError(msg)
        return self

    @property
    def properties(self) -> tuple[str, ...]:
        """The properties of the asset that limits are taken from."""
        return tuple(one for one in self.source or () if isinstance(one, str))

    def of(self, asset: str) -> Span | None:
        """Return the span that `assets` states for an asset; None if it states none."""
        if asset in self.assets:
            return self.assets[asset]
        patterns = (span for name, span in self.assets.items() if is_pattern(name) and re.search(name[1:-1], asset))
        return next(patterns, None)

    @property
    def stated(self) -> list[Span]:
        """The spans that are written here."""
        return [*self.assets.values(), *([] if self.default is None else [self.default])]


def _form_of_span(given: object) -> str:
    return "of_assets" if isinstance(given, (dict, SpanOfAssets)) else "span"


#: One span for all assets, or one that isn't the same for all of them.
AnySpan = Annotated[
    Annotated[RisingSpan, Tag("span")] | Annotated[SpanOfAssets, Tag("of_assets")], Discriminator(_form_of_span)
]


class Signal(ExtendedModel):
    """One measured quantity of an asset type."""

    added_keys: ClassVar[frozenset[str]] = frozenset({"purposes", "role", "standard", "storage", "tests"})

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
    sensor_span: AnySpan | None = None
    """What the sensor can report at all; outside is "fail". One span, or one that depends on the asset."""
    expected_span: AnySpan | None = None
    """What operation normally shows; outside is "suspect". One span, or one that depends on the asset."""
    spike: RisingSpan | None = None
    """Largest distance from the mean of both neighbours (QARTOD), in the signal's unit: (suspect, fail)."""
    max_rate: RisingSpan | None = None
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
    standard: str | None = None
    """Signals that sources deliver computed, such as an uptime: by which definition, "ISO 22400-2 availability". Each mapping that
    feeds the signal has to state the same one."""
    owner: str | None = None
    """Who answers for it."""
    sensitivity: Sensitivity = "internal"
    """Who may see it: open, internal, personal (relates to a person) or sensitive (of a special category, such as health)."""
    purposes: list[Term] | None = None
    """Names under ``purposes`` that it is shown for; by default each if it is open or internal, else none."""

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
        for sensor, expected in self._pairs_of_spans():
            if expected[0] < sensor[0] or expected[1] > sensor[1]:
                msg = (
                    f"expected_span {list(expected)} must be inside sensor_span {list(sensor)}; "
                    "widen the sensor's span or narrow the expected one"
                )
                raise ValueError(msg)
        return self

    def _pairs_of_spans(self) -> list[tuple[Span, Span]]:
        """Return the sensor's and the expected spans that are sure to be those of the same assets."""
        sensor, expected = self.sensor_span, self.expected_span
        if sensor is None or expected is None:
            return []
        if not isinstance(sensor, SpanOfAssets):
            return [(sensor, one) for one in (expected.stated if isinstance(expected, SpanOfAssets) else [expected])]
        if not isinstance(expected, SpanOfAssets):
            return [(one, expected) for one in sensor.stated]
        same = [(sensor.assets[name], span) for name, span in expected.assets.items() if name in sensor.assets]
        both = sensor.default, expected.default
        return same if both[0] is None or both[1] is None else [*same, (both[0], both[1])]

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

    def others_of(self, test: str) -> tuple[str, ...]:
        """Return the other signals that a quality test of this signal needs, as its options name them."""
        known: Registry[QualityTest] = registry_of("twinlab.quality")
        found = known.get(test)
        return found.others(found.parse(self.tests[test], unit=self.unit))

    @property
    def limits_of_assets(self) -> dict[str, SpanOfAssets]:
        """The spans that aren't the same for all assets, by name."""
        spans = {"sensor_span": self.sensor_span, "expected_span": self.expected_span}
        return {name: span for name, span in spans.items() if isinstance(span, SpanOfAssets)}

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
        span = self.sensor_span
        stated = span.stated if isinstance(span, SpanOfAssets) else [] if span is None else [span]
        reach = max((abs(end) for one in stated for end in one), default=0.0)
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
