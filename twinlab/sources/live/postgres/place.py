"""How far the changes of a slot are durable."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twinlab.sources.live.postgres.pgoutput import Begin, Commit, Row

__all__ = ["Place", "lsn_text", "lsn_value"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the changes of a slot, which is stored with the rows before it.

    Examples
    --------
    >>> place = Place(100).after(Begin(commit=250, time_ns=7))
    >>> place.knows(Begin(90, 0)), place.knows(Begin(250, 0))
    (True, False)
    >>> Place.from_json(place.to_json()) == place
    True
    """

    end: int
    """All transactions that end at this place of the log, or before, are durable."""
    time_ns: int | None = None
    """When the last of them was committed, ns UTC."""
    commit: int = 0
    """The transaction of which a part is durable: place of its commit; 0 without one."""
    rows: int = 0
    """Number of its rows that are durable."""

    def knows(self, begin: Begin) -> bool:
        """Return whether all of a transaction is durable."""
        return begin.commit < self.end

    def after(self, change: Begin | Row | Commit) -> Place:
        """Return the place behind a change."""
        if isinstance(change, Begin):
            return replace(self, commit=change.commit, rows=0, time_ns=change.time_ns)
        if isinstance(change, Row):
            return replace(self, rows=self.rows + 1)
        return Place(change.end, self.time_ns)

    def to_json(self) -> dict[str, object]:
        """Return the place as an offset."""
        return {"end": self.end, "time_ns": self.time_ns, "commit": self.commit, "rows": self.rows}

    @classmethod
    def from_json(cls, given: object) -> Place | None:
        """Return the place that an offset has; None if there is none."""
        return cls(**given) if isinstance(given, dict) else None


def lsn_value(text: str) -> int:
    """Return a place in the log as a number.

    >>> lsn_value("1/2A"), lsn_text(lsn_value("1/2A"))
    (4294967338, '1/2A')
    """
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(value: int) -> str:
    """Return a place in the log as PostgreSQL writes it."""
    return f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"
