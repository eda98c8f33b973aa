"""What a writer of a folder needs of the store that its groups are in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from twinlab.ledger.format.position import Position

__all__ = ["GroupStore"]


class GroupStore(Protocol):
    """Where a writer's groups are durable, if not in its folder."""

    def open(self, folder: Path) -> None:
        """Bring the folder, which is locked, up to date, and make sure that nobody else writes."""

    def put(self, at: Position, after: Position, buffers: Sequence[bytes]) -> None:
        """Store the bytes between two positions durably."""

    def close(self) -> None:
        """Let the next one write."""
