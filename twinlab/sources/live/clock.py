"""How far a gateway's clock is off, from when it sent its messages and when they arrived."""

from __future__ import annotations

from collections import deque

__all__ = ["ClockEstimate"]


class ClockEstimate:
    """Offset of a clock: the greatest difference between sending and arrival in the last minute.

    A message takes at least no time, so that each one bounds the offset from below; the quickest of many is nearest to it. The
    estimate is too small by the shortest delay. A step forward is seen at once, a step back after the span.

    Parameters
    ----------
    span : float
        Seconds over which messages count.

    Examples
    --------
    >>> clock = ClockEstimate()
    >>> for delay_ms in (40, 3, 900):
    ...     clock.add(sent=7_200_000_000_000, received=delay_ms * 1_000_000)
    >>> clock.offset    # two hours ahead, but for the 3 ms of the quickest message
    7199.997
    """

    def __init__(self, *, span: float = 60.0, parts: int = 12) -> None:
        self._width = int(span * 1e9) // parts
        # (part of the span, greatest difference in it)
        self._parts: deque[tuple[int, int]] = deque(maxlen=parts)

    def add(self, *, sent: int, received: int) -> None:
        """Note a message: when it was sent by the gateway's clock, and arrived by this machine's, ns."""
        part, difference = received // self._width, sent - received
        if self._parts and self._parts[-1][0] == part:
            difference = max(difference, self._parts.pop()[1])
        self._parts.append((part, difference))
        oldest = part - (self._parts.maxlen or 0)
        while self._parts[0][0] <= oldest:
            self._parts.popleft()

    @property
    def offset(self) -> float | None:
        """The gateway's clock less this machine's, seconds; None before the first message."""
        return max(difference for _, difference in self._parts) / 1e9 if self._parts else None
