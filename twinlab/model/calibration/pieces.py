"""A calibration of one sensor over one span of time: ``gain * value + offset``, both linear between points in time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from twinlab.model.basics import Model, Term, yaml_text
from twinlab.model.extensions.options import fault, located

__all__ = ["Calibration", "Calibrations"]

#: Spans without an end, in ns since 1970.
_EVER = 2**63 - 1


def _in_utc(given: datetime) -> datetime:
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def _finite(given: float) -> float:
    if not math.isfinite(given):
        msg = f"expected a finite number, got {given!r}"
        raise ValueError(msg)
    return given


def _in_order(points: dict[datetime, float]) -> dict[datetime, float]:
    if not points:
        msg = "expected at least one point {time: number}, got none; write a number if it is the same at all times"
        raise ValueError(msg)
    return dict(sorted(points.items()))


def _asset(given: str) -> str:
    kind, _, name = given.partition("/")
    if not kind or not name:
        msg = f"expected an asset as type/id, such as cold_room/3, got {given!r}"
        raise ValueError(msg)
    return given


Instant = Annotated[datetime, AfterValidator(_in_utc)]
Number = Annotated[float, AfterValidator(_finite)]
#: The same number at all times, or numbers at instants: linear between them, constant before the first and after the last.
ByTime = Number | Annotated[dict[Instant, Number], AfterValidator(_in_order)]


def nanoseconds_of(instant: datetime) -> int:
    """Return an instant in ns since 1970.

    >>> nanoseconds_of(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000000
    """
    return int(np.datetime64(instant.replace(tzinfo=None), "ns").astype(np.int64))


class Calibration(Model):
    """A correction of one signal of one asset: ``gain * value + offset`` from an instant until another.

    Times without a zone are UTC. The span is half-open, and open where `since` or `until` is left out.

    >>> c = Calibration.model_validate(
    ...     {"asset": "room/3", "signal": "temperature", "offset": {"2026-03-01": 0, "2026-04-01": -0.5}, "reason": "drift"}
    ... )
    >>> c.offset_at(np.array(["2026-03-16T12:00", "2026-05-01"], "datetime64[ns]").astype("int64")).tolist()
    [-0.25, -0.5]
    """

    asset: Annotated[str, BeforeValidator(yaml_text), AfterValidator(_asset)]
    """The asset as type/id."""
    signal: Term
    since: Annotated[Instant | None, Field(alias="from")] = None
    """First instant that is corrected."""
    until: Instant | None = None
    """First instant that isn't corrected any more."""
    offset: ByTime = 0.0
    """Added after the gain, in the signal's unit: a number, or numbers at instants, ``{2026-03-01: 0, 2026-04-01: -0.5}``."""
    gain: ByTime = 1.0
    """Factor of the value: a number, or numbers at instants."""
    interval: tuple[Number, Number] | None = None
    """Interval that contains the correction at its last point with 90 % probability, in the signal's unit."""
    reason: str
    """Why: a sentence for people, with numbers."""
    author: str | None = None
    """Who decided it."""
    date: Instant | None = None
    """When it was decided."""

    @model_validator(mode="after")
    def _can_be_applied(self) -> Self:
        if self.since is not None and self.until is not None and not self.since < self.until:
            msg = f"expected `from` before `until`, got from {self.since:%Y-%m-%dT%H:%M} until {self.until:%Y-%m-%dT%H:%M}"
            raise ValueError(msg)
        gains = self.gain.values() if isinstance(self.gain, dict) else (self.gain,)
        if 0 in gains or min(gains) < 0 < max(gains):
            msg = f"expected a gain of one sign and not zero, got {', '.join(f'{gain:g}' for gain in gains)}"
            raise ValueError(msg)
        if self.interval is not None and self.interval[0] > self.interval[1]:
            msg = f"expected an interval [low, high], got {list(self.interval)}"
            raise ValueError(msg)
        if not self.reason.strip():
            msg = "expected a reason in words, got an empty text"
            raise ValueError(msg)
        return self

    @property
    def span_ns(self) -> tuple[int, int]:
        """The span as [from, until) in ns since 1970."""
        since = -_EVER if self.since is None else nanoseconds_of(self.since)
        return since, _EVER if self.until is None else nanoseconds_of(self.until)

    def offset_at(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the offset at times in ns since 1970, whether in the span or not."""
        return _at(self.offset, times)

    def gain_at(self, times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the gain at times in ns since 1970, whether in the span or not."""
        return _at(self.gain, times)

    def constant_between(self, first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Return for each pair of instants in ns since 1970 whether one correction, or none, applies from ``first`` to ``last``.

        >>> c = Calibration(asset="room/3", signal="temperature", until="1970-01-02", offset=1, reason="r")
        >>> c.constant_between(np.array([0, 0, 86400 * 10**9]), np.array([10, 86400 * 10**9, 86400 * 10**9])).tolist()
        [True, False, True]
        """
        since, until = self.span_ns
        outside = (last < since) | (first >= until)
        inside = (first >= since) & (last < until)
        return outside | (inside & _constant(self.offset, first, last) & _constant(self.gain, first, last))

    def overlaps(self, other: Calibration) -> bool:
        """Return whether both correct the same signal of the same asset at some instant."""
        (a, b), (c, d) = self.span_ns, other.span_ns
        return (self.asset, self.signal) == (other.asset, other.signal) and max(a, c) < min(b, d)


def _at(by_time: float | dict[datetime, float], times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    if not isinstance(by_time, dict):
        return np.full(times.shape, by_time)
    points = np.array([nanoseconds_of(instant) for instant in by_time], dtype=np.int64)
    # Relative to the first point: ns since 1970 have more digits than a float64.
    since = (times - points[0]).astype(np.float64)
    found: npt.NDArray[np.float64] = np.interp(since, points - points[0], list(by_time.values()))
    return found


def _constant(
    by_time: float | dict[datetime, float], first: npt.NDArray[np.int64], last: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    if not isinstance(by_time, dict):
        return np.ones(first.shape, dtype=bool)
    points = np.array([nanoseconds_of(instant) for instant in by_time], dtype=np.int64)
    # Without a point between them, the line between two equal numbers is level.
    none_between = points.searchsorted(first, side="right") == points.searchsorted(last, side="left")
    level: npt.NDArray[np.bool_] = _at(by_time, first) == _at(by_time, last)
    found: npt.NDArray[np.bool_] = level & (none_between | (first == last))
    return found


def _listed(given: object) -> object:
    """Return the entries of the list; none if the last one was removed."""
    return () if given is None else given


class Calibrations(Model):
    """The contents of ``calibration.yaml``.

    >>> Calibrations().calibrations
    ()
    """

    calibrations: Annotated[tuple[Calibration, ...], BeforeValidator(_listed)] = ()
    """One entry a sensor and span. Two entries of one sensor may not overlap."""

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        found: dict[tuple[str, str], list[int]] = {}
        for number, one in enumerate(self.calibrations):
            for other in found.setdefault((one.asset, one.signal), []):
                if one.overlaps(self.calibrations[other]):
                    msg = (
                        f"expected one calibration of {one.signal} of {one.asset} at a time, but entry {other + 1} of the "
                        f"list overlaps entry {number + 1}; end the first by `until` where the second begins"
                    )
                    raise located([fault(("calibrations", number), ValueError(msg), one.asset)])
            found[one.asset, one.signal].append(number)
        return self

    def of(self, asset: str, signal: str) -> tuple[Calibration, ...]:
        """Return the calibrations of one signal of an asset (type/id)."""
        return tuple(one for one in self.calibrations if (one.asset, one.signal) == (asset, signal))
