"""What chunks took so far, and what the rest will take."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Rest", "Sample", "Tally", "student_t"]

#: Relative uncertainty that no sample shows: clock rates and other work on the machine change later on.
_UNSEEN = 0.1
_LEVEL = 0.975


@dataclass(frozen=True)
class Sample:
    """What some replications of a scenario took.

    Parameters
    ----------
    count : int
        Number of replications.
    cpu, wall : float
        Seconds of processor and of clock.
    alone : bool
        Whether they were computed while other cores may have been idle.
    """

    count: int
    cpu: float
    wall: float
    alone: bool = False


@dataclass(frozen=True)
class Rest:
    """What remains to be done.

    Parameters
    ----------
    cpu : (float, float, float)
        Seconds of processor: expected value, low and high.
    wall : float
        Seconds of clock of all tasks together, one after another.
    """

    cpu: tuple[float, float, float]
    wall: float


@dataclass
class Tally:
    """Samples by scenario."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)

    def add(self, scenario: str, sample: Sample) -> None:
        """Add what some replications took."""
        self.samples.setdefault(scenario, []).append(sample)

    @property
    def cpu(self) -> float:
        """Seconds of processor so far."""
        return math.fsum(one.cpu for samples in self.samples.values() for one in samples)

    def rest(self, remaining: Mapping[str, int]) -> Rest:
        """Return what replications that remain, by scenario, will take.

        A scenario without a sample is taken as the mean of the others.
        """
        value = spread = wall = 0.0
        every = [one for samples in self.samples.values() for one in samples]
        for scenario, count in remaining.items():
            samples = _typical(self.samples.get(scenario) or every)
            rate, error = _rate(samples, count)
            value += rate * count
            spread += error**2
            cpu = math.fsum(one.cpu for one in samples)
            wall += rate * count * (math.fsum(one.wall for one in samples) / cpu if cpu else 1.0)
        half = math.hypot(math.sqrt(spread), _UNSEEN * value)
        return Rest((value, max(0.0, value - half), value + half), wall)


def _typical(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Return samples that were computed as the rest will be: while all cores are busy, if there are such."""
    busy = [one for one in samples if not one.alone]
    return busy or samples


def _rate(samples: Sequence[Sample], count: int) -> tuple[float, float]:
    """Return seconds a replication, and half the width of the interval of the sum of ``count`` more."""
    total = sum(one.count for one in samples)
    rate = math.fsum(one.cpu for one in samples) / total
    if len(samples) < 2:
        # One sample shows no spread: half of the value is a guess that is stated as such.
        return rate, 0.5 * rate * count
    # The variance of one replication, from sums of several.
    variance = math.fsum(one.count * (one.cpu / one.count - rate) ** 2 for one in samples) / (len(samples) - 1)
    return rate, student_t(len(samples) - 1) * math.sqrt(variance * (count + count**2 / total))


def student_t(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t.

    References
    ----------
    .. [1] M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions", 26.7.5 (from 3 degrees of freedom on, within 1 %).

    >>> round(student_t(1), 2), round(student_t(5), 2), round(student_t(100), 2)
    (12.71, 2.57, 1.98)
    """
    if freedom < 3:
        return (12.7062, 4.3027)[freedom - 1]
    z = statistics.NormalDist().inv_cdf(_LEVEL)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return math.fsum(term / freedom**power for power, term in enumerate(terms))
