"""A stated pace of requests, so that a source never asks a legacy system for more than its owner allows."""

from __future__ import annotations

import asyncio
import time

__all__ = ["Pace"]


class Pace:
    """Spreads requests so that there are at most so many a second.

    Parameters
    ----------
    requests_per_second : float
    """

    def __init__(self, requests_per_second: float) -> None:
        self._least = 1.0 / requests_per_second
        self._next = 0.0

    async def wait(self) -> None:
        """Wait until the next request is allowed, and count it."""
        await asyncio.sleep(self._next - time.monotonic())
        self._next = max(self._next, time.monotonic()) + self._least

    def hold(self, seconds: float) -> None:
        """Allow no request for some seconds."""
        self._next = max(self._next, time.monotonic() + seconds)
