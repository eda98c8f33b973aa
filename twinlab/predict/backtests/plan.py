"""When a backtest fits and predicts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.errors import SchemaError
from twinlab.predict.protocol.durations import duration, instant

__all__ = ["Block", "Plan"]


@dataclass(frozen=True)
class Block:
    """A fit and the issue times until the next one.

    Parameters
    ----------
    number : int
    fit : datetime64
        When the models are fitted.
    issued : tuple of datetime64
        Issue times, the first one at ``fit``.
    """

    number: int
    fit: np.datetime64
    issued: tuple[np.datetime64, ...]


@dataclass(frozen=True)
class Plan:
    """Issue times of a backtest, and when it fits.

    Parameters
    ----------
    start, stop : datetime64
        First issue time, and their end, exclusive.
    every : str
        Span between issue times.
    refit : str or None
        Span between fits, a multiple of ``every``; None fits once, at the start.

    Raises
    ------
    SchemaError
        If there is no issue time, or ``refit`` isn't a multiple of ``every``.
    """

    start: np.datetime64
    stop: np.datetime64
    every: str
    refit: str | None

    @classmethod
    def of(cls, start: object, stop: object, *, every: str, refit: str | None) -> Plan:
        """Return a plan from instants in any form."""
        return cls(instant(start, what="start"), instant(stop, what="stop"), every, refit)

    def __post_init__(self) -> None:
        step = duration(self.every, what="every")
        if step <= np.timedelta64(0, "ns") or self.stop <= self.start:
            msg = (
                f"expected a start before the stop and every= above 0, got {self.start}, {self.stop} and {self.every!r}"
            )
            raise SchemaError(msg)
        if self.refit is not None:
            span = duration(self.refit, what="refit")
            if span < step or span % step:
                msg = f"expected refit= as a multiple of every={self.every!r}, or None to fit once; got {self.refit!r}"
                raise SchemaError(msg)

    @property
    def issued(self) -> list[np.datetime64]:
        """All issue times."""
        return list(np.arange(self.start, self.stop, duration(self.every, what="every")))

    @property
    def blocks(self) -> list[Block]:
        """Issue times by fit."""
        issued = self.issued
        size = len(issued)
        if self.refit is not None:
            size = int(duration(self.refit, what="refit") // duration(self.every, what="every"))
        return [
            Block(number, issued[first], tuple(issued[first : first + size]))
            for number, first in enumerate(range(0, len(issued), size))
        ]
