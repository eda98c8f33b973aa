"""Which segments of a source an object store has as they were written, so that sealing doesn't send their rows again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from twinlab._files import write_atomically

__all__ = ["PushedSegments", "note_pushed", "read_pushed"]

_NAME = ".pushed.json"


@dataclass(frozen=True)
class PushedSegments:
    """What the newest push from this folder has of a source's segments that weren't sealed."""

    pieces: Mapping[int, tuple[tuple[int, str], ...]] = field(default_factory=dict)
    """Number of the segment -> bytes and SHA-256 of each piece that was sent."""

    @property
    def growing(self) -> int | None:
        """The segment that rows may have been added to since; None without any."""
        return max(self.pieces, default=None)


def read_pushed(folder: Path) -> PushedSegments:
    """Return what was noted of a source; nothing if it wasn't pushed, or the note can't be read: then more is sent."""
    try:
        found = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        return PushedSegments({int(n): tuple((int(size), str(sha)) for size, sha in one) for n, one in found.items()})
    except (OSError, ValueError, TypeError, AttributeError):
        return PushedSegments()


def note_pushed(folder: Path, pushed: PushedSegments) -> None:
    """Note what a push has of a source."""
    if read_pushed(folder) != pushed:
        text = json.dumps({str(number): pieces for number, pieces in sorted(pushed.pieces.items())})
        write_atomically(folder / _NAME, lambda draft: draft.write_text(text, encoding="utf-8"))
