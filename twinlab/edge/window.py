"""Which rows a gateway sends next: a bounded window behind the last acknowledgement."""

from __future__ import annotations

__all__ = ["Window"]


class Window:
    """The part of the outbox that is on its way to the historian. No clock and no network of its own.

    Parameters
    ----------
    acknowledged : int
        Sequence up to which the historian has all rows.
    rows : int
        Maximum number of rows on their way.
    patience : float
        Seconds without progress after which all rows on their way are sent again; doubled each time up to ``longest``.

    Examples
    --------
    >>> window = Window(0, rows=100)
    >>> window.sent(100, now=0.0)
    >>> window.next(now=0.1) is None    # full
    True
    >>> window.accept(40, now=0.2)
    >>> window.next(now=0.2)
    101
    >>> window.miss(41, now=0.3)
    >>> window.next(now=0.3)
    41
    """

    def __init__(self, acknowledged: int, *, rows: int = 20_000, patience: float = 2.0, longest: float = 30.0) -> None:
        self.acknowledged = acknowledged
        self._next = acknowledged + 1
        self._rows, self._first_patience, self._longest = rows, patience, longest
        self._patience = patience
        self._moved = 0.0
        self._missed: tuple[int, float] | None = None
        self.resends = 0
        """How often rows were sent again."""

    def restart(self, acknowledged: int, *, now: float) -> None:
        """Begin behind an acknowledgement, after a new connection: what was on its way before may be lost."""
        self.acknowledged = max(self.acknowledged, acknowledged)
        self._next = self.acknowledged + 1
        self._patience, self._moved, self._missed = self._first_patience, now, None

    def accept(self, sequence: int, *, now: float) -> None:
        """Note that the historian has all rows up to a sequence."""
        if sequence <= self.acknowledged:
            return
        self.acknowledged = sequence
        self._next = max(self._next, sequence + 1)
        self._patience, self._moved = self._first_patience, now

    def miss(self, sequence: int, *, now: float) -> None:
        """Send again from a sequence on, because the historian has later rows but not this one.

        The same gap again within the patience changes nothing: its rows are on their way.
        """
        if not self.acknowledged < sequence < self._next:
            return
        if self._missed is not None and self._missed[0] == sequence and now - self._missed[1] < self._patience:
            return
        self._missed = (sequence, now)
        self._next, self._moved = sequence, now
        self.resends += 1

    def next(self, *, now: float) -> int | None:
        """Return the sequence to send from; None while the window is full."""
        waiting = self._next - 1 - self.acknowledged
        if waiting and now - self._moved >= self._patience:
            self._next, self._moved = self.acknowledged + 1, now
            self._patience = min(2 * self._patience, self._longest)
            self.resends += 1
            waiting = 0
        return self._next if waiting < self._rows else None

    def sent(self, last: int, *, now: float) -> None:
        """Note that the rows up to a sequence are on their way."""
        if self._next == self.acknowledged + 1:
            self._moved = now
        self._next = max(self._next, last + 1)
