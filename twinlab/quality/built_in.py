"""The functions of `twinlab.quality.checks` as tests of the registry, with their options and their reach."""

from __future__ import annotations

from pydantic import Field

from twinlab.model.basics import Duration, parse_duration
from twinlab.model.extensions.options import Difference, Options, Quantity
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.quality.cells import NEIGHBOUR_REACH
from twinlab.quality.checks import (
    counter_flags,
    flat_line_flags,
    missing_flags,
    range_flags,
    rate_flags,
    spike_flags,
    state_flags,
)

__all__ = ["COUNTER", "FLAT_LINE", "MISSING", "RANGE", "RATE", "SPIKE", "STATE"]


class RangeOptions(Options):
    """Options of `range_flags`."""

    fail_span: tuple[Quantity, Quantity]
    """What the sensor can report."""
    suspect_span: tuple[Quantity, Quantity] | None = None
    """What operation normally shows."""


class SpikeOptions(Options):
    """Options of `spike_flags`."""

    suspect: Difference
    fail: Difference
    within: Duration | None = None
    """Largest distance of neighbours; one and a half steps by default."""


class RateOptions(Options):
    """Options of `rate_flags`."""

    suspect: float
    """In the signal's unit per second."""
    fail: float
    within: Duration | None = None
    """Largest distance of the previous value; 64 steps by default."""


class CounterOptions(Options):
    """Options of `counter_flags`."""

    wraps_at: Quantity | None = None
    within: Duration | None = None


class FlatLineOptions(Options):
    """Options of `flat_line_flags`."""

    duration: Duration
    resolution: Difference | None = None
    within: Duration | None = None


class StateOptions(Options):
    """Options of `state_flags`."""

    codes: tuple[int, ...] = Field(min_length=1)


def _within(options: SpikeOptions | RateOptions | CounterOptions | FlatLineOptions, default: int) -> int:
    return default if options.within is None else parse_duration(options.within)


def _around(options: SpikeOptions, step: int) -> tuple[int, int]:
    reach = _within(options, step * 3 // 2)
    return reach, reach


def _before(options: RateOptions, step: int) -> tuple[int, int]:
    return _within(options, step * NEIGHBOUR_REACH), 0


def _transient(options: CounterOptions, step: int) -> tuple[int, int]:
    # The reading before a transient and the one after it may have transient neighbours themselves.
    reach = _within(options, step * NEIGHBOUR_REACH)
    return 3 * reach, 2 * reach


def _run(options: FlatLineOptions, step: int) -> tuple[int, int]:
    return parse_duration(options.duration) + _within(options, step * NEIGHBOUR_REACH), 0


MISSING = QualityTest("missing", missing_flags, kinds=("gauge", "state", "counter"), lazy=True)
RANGE = QualityTest("range", range_flags, RangeOptions, lazy=True)
SPIKE = QualityTest("spike", spike_flags, SpikeOptions, _around, kinds=("gauge",), lazy=True)
RATE = QualityTest("rate", rate_flags, RateOptions, _before, lazy=True)
COUNTER = QualityTest("counter", counter_flags, CounterOptions, _transient, kinds=("counter",), lazy=True)
FLAT_LINE = QualityTest(
    "flat_line", flat_line_flags, FlatLineOptions, _run, kinds=("gauge", "state", "counter"), lazy=True
)
STATE = QualityTest("state", state_flags, StateOptions, kinds=("state",), lazy=True)
