"""Late claims: those far in time from the others of their frame, kept apart by time.

Without them one late row in a frame would make the whole frame matter to every window of cells between its time and that of
the frame's other rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.index.columns import Order, Table
from twinlab.model.flags import Flag

__all__ = ["LATE_CLAIMS", "LateRows"]

#: Most late claims of one source, each at most 60 bytes. Frames beyond it are read for every window that they reach into.
LATE_CLAIMS = 8_000_000

Ints = npt.NDArray[np.int64]


class LateRows:
    """The late claims of one source; none has a key."""

    #: Columns of the claims.
    KINDS: ClassVar = {
        # Number of the row range.
        "number": "i4",
        # Number of the series in the index.
        "code": "i4",
        "event_time": "i8",
        "value": "f8",
        "epoch": "i8",
        "sequence": "i8",
        "ordinal": "i8",
        "op": "i1",
        # Number of the tag.
        "tag": "i4",
        "priority": "i2",
        "flag": "u1",
    }

    def __init__(self, table: Table | None = None, tags: Sequence[str] = ()) -> None:
        self.table = Table(self.KINDS) if table is None else table
        self.tags: dict[str, int] = {tag: n for n, tag in enumerate(tags)}
        self._by_time = Order(self.table.columns["event_time"])
        self._luts: dict[int, tuple[object, npt.NDArray[np.int32]]] = {}
        # The tags as a tuple; builds cache by its identity.
        self._names: tuple[str, ...] = tuple(tags)

    def __len__(self) -> int:
        """Return the number of claims."""
        return len(self.table)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Return a column, not to be changed."""
        return self.table[name]

    def add(self, claims: Claims, codes: npt.NDArray[np.int32], *, number: int) -> None:
        """Add claims of row range ``number``; ``codes`` are the index's numbers of their series."""
        stated = {"number": np.full(len(claims), number), "code": codes, "tag": self._lut(claims.tags)[claims.tag]}
        if claims.flag is None:
            stated["flag"] = np.full(len(claims), Flag.NOT_EVALUATED, dtype=np.uint8)
        self.table.extend(*(stated[name] if name in stated else getattr(claims, name) for name in self.KINDS))

    def within(self, low: int, high: int) -> Ints:
        """Return the positions of the claims with an event time in [low, high) ns, in order of time."""
        return self._by_time.between(low, high) if len(self) else np.empty(0, dtype=np.int64)

    def claims(self, at: Ints, series: tuple[Series, ...]) -> Claims:
        """Return the claims at some positions; ``series`` are those of the index."""
        if len(self._names) != len(self.tags):
            self._names = tuple(self.tags)
        c = {name: self.table[name][at] for name in self.KINDS if name != "number"}
        return Claims(series=series, tags=self._names, key=None, row_number=None, **c)

    def before(self, number: int) -> LateRows:
        """Return the claims of the row ranges before ``number``."""
        return LateRows(self.table.before(number), tuple(self.tags))

    def _lut(self, tags: tuple[str, ...]) -> npt.NDArray[np.int32]:
        known = self._luts.get(id(tags))
        if known is None or known[0] is not tags:
            if len(self._luts) > 64:
                self._luts.clear()
            lut = np.array([self.tags.setdefault(tag, len(self.tags)) for tag in tags] or [0], dtype=np.int32)
            known = self._luts[id(tags)] = (tags, lut)
        return known[1]
