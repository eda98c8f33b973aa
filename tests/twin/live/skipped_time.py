"""A clock that skips the time in which a process would only wait, for what takes weeks.

While something is being done, in the event loop or in one of its threads, the clock goes on as usual; what is left of a pause is skipped.
So durations are those of the work itself, and rows that come meanwhile wait as they would.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

__all__ = ["Loop", "SkippedTime"]


class SkippedTime:
    """The clock of this process, once `install` has replaced the functions of the module `time`.

    Parameters
    ----------
    start_ns : int
        Its time at first, ns UTC.
    """

    def __init__(self, start_ns: int) -> None:
        self._time_ns, self._monotonic_ns = time.time_ns, time.monotonic_ns
        self._ahead = start_ns - self._time_ns()
        self._skipped = 0
        # Simulated and real instants, a minute of simulated time apart at least.
        self._simulated: list[int] = [start_ns]
        self._real: list[int] = [self._time_ns()]

    def install(self) -> None:
        """Replace the clocks of the module `time`; before modules are imported that take a function out of it."""
        replaced: dict[str, Callable[[], Any]] = {
            "time_ns": self.now_ns,
            "time": lambda: self.now_ns() / 1e9,
            "monotonic_ns": lambda: self._monotonic_ns() + self._skipped,
            "monotonic": lambda: (self._monotonic_ns() + self._skipped) / 1e9,
        }
        for name, function in replaced.items():
            setattr(time, name, function)

    def now_ns(self) -> int:
        """Return the simulated time, ns UTC."""
        return self._time_ns() + self._ahead + self._skipped

    def skip(self, seconds: float) -> None:
        """Go on by so many seconds; back by them if negative, which must be less than what has passed since a call before."""
        self._skipped += round(seconds * 1e9)
        now = self.now_ns()
        if now - self._simulated[-1] >= 60 * 10**9:
            self._simulated.append(now)
            self._real.append(self._time_ns())

    def real(self, simulated: float) -> float:
        """Return the real time, seconds since 1970, at a simulated one; before the start, the start."""
        place = bisect_right(self._simulated, int(simulated * 1e9)) - 1
        return self._real[max(0, place)] / 1e9


class _Selector(selectors.DefaultSelector):
    """Skips a pause in which no thread works."""

    def __init__(self, clock: SkippedTime) -> None:
        super().__init__()
        self._clock = clock
        self.working = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or self.working:
            return super().select(timeout)
        found = super().select(0)
        if not found:
            self._clock.skip(timeout)
        return found


class Loop(asyncio.SelectorEventLoop):
    """An event loop on a `SkippedTime`, which must be installed."""

    def __init__(self, clock: SkippedTime) -> None:
        self._pauses = _Selector(clock)
        super().__init__(self._pauses)

    @property
    def working(self) -> bool:
        """Whether a thread works for the loop."""
        return self._pauses.working > 0

    def run_in_executor(self, *args: Any) -> asyncio.Future[Any]:
        """As any event loop; no time is skipped until it is done."""
        self._pauses.working += 1
        future = super().run_in_executor(*args)
        future.add_done_callback(self._done)
        return future

    def _done(self, _future: asyncio.Future[Any]) -> None:
        self._pauses.working -= 1
