"""Pauses between attempts to connect: they grow, and are random so that many clients don't return at once."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

__all__ = ["Backoff"]


@dataclass
class Backoff:
    """Growing, random pauses between failed attempts.

    The n-th pause is uniform between 0 and ``least * 2**n``, at most ``most``: "full jitter" [1]_.

    Parameters
    ----------
    least, most : float
        Upper limit of the first pause and of all pauses, seconds.
    random : random.Random
        Source of randomness.

    References
    ----------
    .. [1] M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    >>> backoff = Backoff(0.1, 5.0, random=random.Random(1))
    >>> all(backoff.next() <= 5.0 for _ in range(100))
    True
    """

    least: float = 0.2
    most: float = 30.0
    random: random.Random = field(default_factory=random.Random)
    failures: int = 0
    """Failed attempts since the last success."""

    def next(self) -> float:
        """Count a failure and return the pause before the next attempt, seconds."""
        limit = min(self.most, self.least * 2.0 ** min(self.failures, 60))
        self.failures += 1
        return self.random.uniform(0.0, limit)

    async def pause(self) -> None:
        """Count a failure and wait."""
        await asyncio.sleep(self.next())

    def reset(self) -> None:
        """Note a success: the next pause is short again."""
        self.failures = 0
