"""A cache of harmonised frames of bounded size."""

from __future__ import annotations

from collections import OrderedDict

from twinlab.harmonise.claims import AssetClaims, EventClaims, Harmonised, RelationshipClaims

__all__ = ["FRAME_BYTES", "PUBLISHED_BYTES", "FrameCache"]

#: Size of the cache: enough for three million rows between two publications and the rows before them.
FRAME_BYTES = 256 * 2**20
#: What is kept of it after a publication, for the margins of the next rows.
PUBLISHED_BYTES = 24 * 2**20
#: Memory of the objects of one frame beside its elements: a small frame is mostly these.
_OBJECT_BYTES = 2500


class FrameCache:
    """A cache of harmonised frames: the most recently used ones, up to a number of bytes."""

    def __init__(self, size: int = FRAME_BYTES) -> None:
        self._size = size
        self._used = 0
        self._frames: OrderedDict[tuple[object, ...], tuple[Harmonised, int]] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> Harmonised | None:
        """Return the frame of a key, None if it isn't cached."""
        found = self._frames.get(key)
        if found is None:
            return None
        self._frames.move_to_end(key)
        return found[0]

    def put(self, key: tuple[object, ...], found: Harmonised) -> None:
        """Add a harmonised frame."""
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


def _bytes_of(found: Harmonised) -> int:
    c = found.claims
    columns = (c.code, c.event_time, c.value, c.epoch, c.sequence, c.ordinal, c.op, c.tag, c.priority, c.flag)
    arrays = [column for column in columns if column is not None]
    # A broadcast column has no memory of its own.
    size: int = sum(a.nbytes for a in arrays if a.strides != (0,)) + (0 if c.key is None else 80 * len(c.key))
    tables: list[EventClaims | AssetClaims | RelationshipClaims] = [*found.events, *found.assets, *found.relationships]
    return size + sum(int(one.table.nbytes) for one in tables) + _OBJECT_BYTES
