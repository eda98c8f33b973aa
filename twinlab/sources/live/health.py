"""A meter that a live source notes its events in, and that its `Health` is read from."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from twinlab.sources.live.protocol import Gap, Health, LiveState

__all__ = ["HealthMeter"]

#: Seconds over which a rate is measured.
_SPAN = 10
#: Unfilled gaps that are kept; of older ones only the number.
_GAPS = 100


class HealthMeter:
    """State and counts of one live source.

    Parameters
    ----------
    suspect_offset : float
        Seconds by which a clock may be off before its times are doubtful.
    now_ns : callable
        The clock of this machine.

    Examples
    --------
    >>> meter = HealthMeter()
    >>> meter.connected(); meter.received(200)
    >>> meter.health().state, meter.health().rows
    ('connected', 200)
    """

    def __init__(self, *, suspect_offset: float = 60.0, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now, self._suspect = now_ns, suspect_offset
        self._state: LiveState = "connecting"
        self._since = now_ns()
        self._rows = self._errors = self._connections = self._lost = 0
        self._last_row = self._last_event = 0
        self._error = ""
        self._gaps: deque[Gap] = deque(maxlen=_GAPS)
        # (second, rows) of the newest seconds.
        self._recent: deque[list[int]] = deque(maxlen=_SPAN + 1)
        self._offset: float | None = None
        #: Load on the peer, see `Health.load`; the source sets its entries.
        self.load: dict[str, float] = {}

    def connected(self) -> None:
        """Note a new connection."""
        self._connections += 1
        self._change("connected")

    def disconnected(self, error: BaseException | str | None = None) -> None:
        """Note that there is no connection, and why."""
        self._change("connecting")
        if error is not None:
            self.failed_once(error)

    def answered(self) -> None:
        """Note that the source answers again: the last error is over, whether the answer has rows or not."""
        self._error = ""

    def failed_once(self, error: BaseException | str) -> None:
        """Note an error after which the source goes on."""
        self._errors += 1
        # Of an error of the system its words, not its number.
        words = (isinstance(error, OSError) and error.strerror) or str(error)
        self._error = " ".join(words.split()) or type(error).__name__

    def failed(self, error: BaseException | str) -> None:
        """Note an error that ends the source."""
        self.failed_once(error)
        self._change("failed")

    def ended(self) -> None:
        """Note that there will be no more rows."""
        self._change("ended")

    def received(self, rows: int, *, last_event_ns: int = 0) -> None:
        """Note rows that were received."""
        now = self._now()
        self._rows += rows
        self._last_row = now
        self._last_event = max(self._last_event, last_event_ns)
        self._error = ""
        second = now // 10**9
        if self._recent and self._recent[-1][0] == second:
            self._recent[-1][1] += rows
        else:
            self._recent.append([second, rows])

    def gap(self, gap: Gap, *, lost: bool = False) -> None:
        """Note a gap; with ``lost``, one that can't be filled."""
        self._gaps.append(gap)
        self._lost += lost

    def filled(self, gap: Gap) -> None:
        """Note that a gap was filled."""
        if gap in self._gaps:
            self._gaps.remove(gap)

    def clock(self, offset: float) -> None:
        """Note an estimate of the source's clock minus this machine's, seconds."""
        self._offset = offset

    def health(self) -> Health:
        """Return the state at this moment."""
        newest = self._now() // 10**9
        # The current second isn't over: it would make the rate too small.
        recent = sum(rows for second, rows in self._recent if newest - _SPAN <= second < newest)
        return Health(
            state=self._state,
            since_ns=self._since,
            rows=self._rows,
            rate=recent / _SPAN,
            last_row_ns=self._last_row,
            last_event_ns=self._last_event,
            errors=self._errors,
            error=self._error,
            connections=self._connections,
            gaps=tuple(self._gaps),
            gaps_lost=self._lost,
            clock_offset=self._offset,
            clock_suspect=self._offset is not None and abs(self._offset) > self._suspect,
            load=dict(self.load),
        )

    def _change(self, state: LiveState) -> None:
        if state != self._state:
            self._state, self._since = state, self._now()
