"""A cache of harmonised frames: of bounded size in memory, and large frames in a file if there is one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from twinlab.harmonise.claims import AssetClaims, Claims, EventClaims, Harmonised, RelationshipClaims
from twinlab.history.build.rows.claim_file import ClaimFile

__all__ = ["FRAME_BYTES", "PUBLISHED_BYTES", "FrameCache"]

#: Size of the cache: enough for three million rows between two publications and the rows before them.
FRAME_BYTES = 256 * 2**20
#: What is kept of it after a publication, for the margins of the next rows.
PUBLISHED_BYTES = 24 * 2**20
#: Memory of the objects of one frame beside its elements: a small frame is mostly these.
_OBJECT_BYTES = 2500
#: Fewer claims of a frame aren't written to the file: translating them again costs no more than what is kept to find them.
_FEWEST = 4096


class FrameCache:
    """A cache of harmonised frames: the most recently used ones, up to a number of bytes."""

    def __init__(self, size: int = FRAME_BYTES) -> None:
        self._size = size
        self._used = 0
        self._frames: OrderedDict[tuple[object, ...], tuple[Harmonised, int]] = OrderedDict()
        self._file: ClaimFile | None = None
        # What else was found in the frames in the file.
        self._rest: dict[tuple[object, ...], Harmonised] = {}

    @contextmanager
    def stored_in(self, folder: Path) -> Iterator[None]:
        """Keep the claims of large frames of tables in a temporary file in ``folder`` within the ``with`` block."""
        self._file = ClaimFile(folder)
        try:
            yield
        finally:
            self._file.close()
            self._file = None
            self._rest.clear()

    def get(self, key: tuple[object, ...], time: tuple[int, int] | None = None) -> Harmonised | None:
        """Return the frame of a key, None if it isn't cached; with ``time`` (ns UTC) at least its claims in [low, high)."""
        found = self._frames.get(key)
        if found is not None:
            self._frames.move_to_end(key)
            return found[0]
        claims = None if self._file is None else self._file.get(key, time)
        return None if claims is None else replace(self._rest[key], claims=claims)

    def put(self, key: tuple[object, ...], found: Harmonised, *, store: bool = False) -> None:
        """Add a harmonised frame; with ``store`` it is written to the file rather than kept in memory, if it may be."""
        if store and self._file is not None and _may_be_stored(found):
            self._rest[key] = replace(found, claims=Claims.empty())
            if self._file.put(key, found.claims):
                return
        size = _bytes_of(found)
        self._frames[key] = (found, size)
        self._used += size
        self.shrink(self._size)

    def shrink(self, size: int) -> None:
        """Limit the cache to ``size`` bytes."""
        self._size = size
        self.forget(size)

    def forget(self, size: int) -> None:
        """Keep only the frames that were used last, up to ``size`` bytes; the cache may grow again."""
        while self._used > size and len(self._frames) > 1:
            _, (_, freed) = self._frames.popitem(last=False)
            self._used -= freed


def _may_be_stored(found: Harmonised) -> bool:
    tables = (*found.events, *found.assets, *found.relationships)
    return len(found.claims) >= _FEWEST and found.claims.key is None and not tables


def _bytes_of(found: Harmonised) -> int:
    c = found.claims
    columns = (c.code, c.event_time, c.value, c.epoch, c.sequence, c.ordinal, c.op, c.tag, c.priority, c.flag)
    arrays = [column for column in columns if column is not None]
    # A broadcast column has no memory of its own.
    size: int = sum(a.nbytes for a in arrays if a.strides != (0,)) + (0 if c.key is None else 80 * len(c.key))
    tables: list[EventClaims | AssetClaims | RelationshipClaims] = [*found.events, *found.assets, *found.relationships]
    return size + sum(int(one.table.nbytes) for one in tables) + _OBJECT_BYTES
