"""Which stored part has an event, by its id, and which assets the stored event names.

Parts are named after their content, so that what was computed of a part stays valid. A process keeps it: a small publication
then opens no stored part.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from twinlab.history.store.event_parts import EventParts

__all__ = ["EventIndex", "mention_hashes"]

#: Number of events whose hashes a process keeps, 16 bytes each.
_KEPT = 10_000_000
_KNOWN: OrderedDict[tuple[str, tuple[str, ...]], tuple[NDArray[np.uint64], NDArray[np.uint64]]] = OrderedDict()

Hashes = NDArray[np.uint64]


def _texts(column: pa.ChunkedArray) -> Hashes:
    """Return a hash of each text; 0 for null."""
    coded = column.combine_chunks().dictionary_encode()
    values = pd.util.hash_array(coded.dictionary.to_numpy(zero_copy_only=False).astype(object), categorize=False)
    codes = coded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    found: Hashes = np.append(values, np.uint64(0))[codes]
    return found


def _id_hashes(table: pa.Table) -> Hashes:
    """Return a 64-bit hash of each event's id."""
    return _texts(table["event_id"])


def mention_hashes(table: pa.Table, columns: Sequence[str]) -> Hashes:
    """Return a 64-bit hash of the assets that each event names in ``columns``."""
    out = np.zeros(len(table), dtype=np.uint64)
    for name in columns:
        out = out * np.uint64(1_000_003) + (_texts(table[name]) if name in table.column_names else np.uint64(0))
    return out


class EventIndex:
    """Where the events of one type are stored.

    Parameters
    ----------
    parts : EventParts
    columns : sequence of str
        The columns that name assets.
    """

    def __init__(self, parts: EventParts, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._hashes = [self._known(parts, number) for number in range(len(parts.parts))]

    def _known(self, parts: EventParts, number: int) -> tuple[Hashes, Hashes]:
        part = parts.parts[number]
        key = (part.path, self._columns)
        if key in _KNOWN:
            _KNOWN.move_to_end(key)
            return _KNOWN[key]
        table = parts.read(part)
        ids = _id_hashes(table)
        order = np.argsort(ids)
        _KNOWN[key] = (ids[order], mention_hashes(table, self._columns)[order])
        while sum(len(found[0]) for found in _KNOWN.values()) > _KEPT and len(_KNOWN) > 1:
            _KNOWN.popitem(last=False)
        return ids[order], _KNOWN[key][1]

    def find(self, events: pa.Table) -> tuple[NDArray[np.int64], Hashes]:
        """Return the number of the part that has each event, -1 if none has it, and the hash of the assets it names there."""
        where, mentions = np.full(len(events), -1, dtype=np.int64), np.zeros(len(events), dtype=np.uint64)
        ids = _id_hashes(events) if self._hashes else np.empty(0, dtype=np.uint64)
        for number, (known, named) in enumerate(self._hashes):
            at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
            hit = known[at] == ids
            where[hit], mentions[hit] = number, named[at[hit]]
        return where, mentions
