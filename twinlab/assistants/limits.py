"""Limits of one call: seconds, rows, bytes, and cells that are read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """What one call may take and return."""

    seconds: float = 30.0
    """Time after which a call is given up."""
    rows: int = 200
    """Most rows of a table, whatever is asked for."""
    bytes: int = 100_000
    """Most bytes of a result as JSON; tables are cut until it fits."""
    cells: int = 100_000_000
    """Most cells of a history that a call may ask about: assets times cells of the span."""
    at_once: int = 4
    """Calls that run at once, of all clients."""
    waiting: int = 32
    """Calls that wait for their turn; further ones are refused."""
    proposals_an_hour: int = 20
    """Proposals of commands that one caller may make in an hour."""
