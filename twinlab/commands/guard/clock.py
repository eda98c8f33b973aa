"""The clock of a guard: it never goes back, also not over a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from twinlab.commands.messages.command import CLOCK_TOLERANCE, instant_text
from twinlab.errors import CommandRejectedError

__all__ = ["Clock", "ForwardClock"]


@dataclass(frozen=True)
class Clock:
    """What shows the time; tests and simulated plants give others."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The instant, with a zone."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only rise, for durations."""
    sleep: Callable[[float], None] = time.sleep
    """Waits for seconds."""


class ForwardClock:
    """The highest instant that a clock has shown.

    Parameters
    ----------
    clock : Clock
    highest : datetime or None
        The highest instant of earlier runs.
    """

    def __init__(self, clock: Clock, highest: datetime | None) -> None:
        self._clock = clock
        self._highest = highest or clock.now()
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    @property
    def highest(self) -> datetime:
        """The highest instant so far."""
        return self._highest

    def read(self) -> tuple[datetime, timedelta]:
        """Return the instant that counts, and by how much the clock is behind it.

        The instant is the clock's or, where that was set back, the highest one plus the seconds that have passed since: what has
        expired stays expired.
        """
        with self._lock:
            shown, passed = self._clock.now(), self._clock.monotonic()
            expected = self._highest + timedelta(seconds=max(passed - self._at, 0.0))
            behind = expected - shown
            # Two clocks drift against each other: within the tolerance the wall clock is followed, though never back.
            self._highest = max(self._highest, shown) if behind <= CLOCK_TOLERANCE else expected
            self._at = passed
            return self._highest, max(behind, timedelta(0))

    def check(self) -> None:
        """Refuse while the clock is set back.

        Raises
        ------
        CommandRejectedError
            If it is more than 5 s behind the highest instant.
        """
        now, behind = self.read()
        if behind > CLOCK_TOLERANCE:
            msg = (
                f"clock of the device: expected {instant_text(now)} or later, got one {behind.total_seconds():.0f} s earlier; "
                "it was set back: set it right"
            )
            raise CommandRejectedError(msg)
