"""The index of a source on disk: one file per mapping context, which grows by what is new at each save.

The file is a sequence of blocks with checksums: the first has the index as it was, each later one the rows that were added
since. When the later blocks are as large as the first one, the file is written anew, so that a row is written about three times
in all. A block that is damaged or doesn't continue the one before it ends the index: later rows are computed again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import numpy.typing as npt

from twinlab._files import replace_file
from twinlab.harmonise.claims import Series
from twinlab.harmonise.shared_instants import Clashes
from twinlab.history.index.columns import Column, Table
from twinlab.history.index.late_rows import LateRows
from twinlab.history.index.marks import FirstTimes
from twinlab.history.index.source_index import ENDED, KEYS, RANGES, REACH, SourceIndex

__all__ = ["IndexFile", "index_folder"]

#: 2 has the flags of values that share their instant, in all row ranges of a file; 3 keeps late claims apart; 4 is in blocks.
#: Indexes of other formats are computed again.
_FORMAT = 4
_NARROW = ("i1", "i2", "i4")
#: Checksum, length of the words, length of the arrays.
_HEAD = np.dtype([("crc", "<u4"), ("words", "<u4"), ("arrays", "<u8")])
#: Later blocks may be this large however small the first one is.
_LEAST_BYTES = 1 << 14
Arrays = dict[str, npt.NDArray[Any]]
Words = dict[str, Any]
#: Names of the lists in the words of which each block has the new elements.
_LISTS = ("series", "readings", "late_tags", "carries")


def index_folder(root: Path) -> Path:
    """Return where the indexes of the twin in ``root`` are."""
    return root / "cache" / "index"


@dataclass
class _Saved:
    """What a file has of an index."""

    index: SourceIndex
    position: int
    # Name of a table or list -> its length.
    counts: dict[str, int]
    clashes: Clashes
    priorities: bytes
    # Checksum of the last block, and the sizes of the first one and of all.
    crc: int
    first: int
    size: int
    # Another process that writes the file anew changes this number.
    inode: int


class IndexFile:
    """The file of one index under one mapping context."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._saved: _Saved | None = None

    def load(self, group_of: dict[tuple[str, str], int]) -> SourceIndex | None:
        """Read the index; None if there is none, or its first block is damaged or of another format or model."""
        self._saved = None
        try:
            with self.path.open("rb") as file:
                inode, data = os.fstat(file.fileno()).st_ino, file.read()
        except FileNotFoundError:
            return None
        blocks = list(_blocks(data))
        if not blocks or blocks[0].words["format"] != _FORMAT:
            return None
        if {(a, b): n for a, b, n in blocks[0].words["groups"]} != group_of:
            return None
        index = _index(blocks, group_of)
        counts, last = _counts(index), blocks[-1]
        # What isn't as it was written can't be continued: it will be written anew.
        if last.end == len(data) and all(counts[name] == sum(len(b.words[name]) for b in blocks) for name in _LISTS):
            self._saved = _Saved(
                index,
                index.position,
                counts,
                index.clashes,
                _priorities(index),
                last.crc,
                blocks[0].end,
                last.end,
                inode,
            )
        return index

    def save(self, index: SourceIndex) -> None:
        """Write what the file doesn't have yet. It isn't synced, since a lost index is computed again."""
        saved = self._saved
        if saved is not None and saved.index is index and saved.position == index.position:
            return
        counts, position = _counts(index), index.position
        known = saved if saved is not None and saved.index is index and self._stands(saved) else None
        words, arrays = _content(index, counts, position, known)
        block, crc = _packed_block(words, arrays)
        # Anew also if another process changed the file: two of them may index the same rows.
        if known is not None and known.size + len(block) - known.first < max(known.first, _LEAST_BYTES):
            with self.path.open("ab") as file:
                file.write(block)
                inode = os.fstat(file.fileno()).st_ino
            first, size = known.first, known.size + len(block)
        else:
            if known is not None:
                words, arrays = _content(index, counts, position, None)
                block, crc = _packed_block(words, arrays)
            inode = self._write_anew(block)
            first = size = len(block)
        self._saved = _Saved(index, position, counts, index.clashes, _priorities(index), crc, first, size, inode)

    def _stands(self, saved: _Saved) -> bool:
        """Whether the file is as it was saved or loaded."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return False
        return (found.st_ino, found.st_size) == (saved.inode, saved.size)

    def _write_anew(self, block: bytes) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.write_bytes(block)
        inode = fresh.stat().st_ino
        replace_file(fresh, self.path)
        # Of earlier versions.
        self.path.with_suffix(".npz").unlink(missing_ok=True)
        return inode


# -- what is written


def _tables(index: SourceIndex) -> dict[str, Table]:
    found = {"ranges": index.ranges, "firsts": index.firsts.table, "keys": index.keys, "ended": index.ended}
    return found | {"late": index.late.table} | {f"reach{group}": table for group, table in index.reach.items()}


def _counts(index: SourceIndex) -> dict[str, int]:
    """Return the lengths of all that only grows."""
    lists: dict[str, Any] = {
        "series": index.series,
        "readings": index.readings,
        "late_tags": index.late.tags,
        "carries": index.carries,
        "flagged": index.flagged,
        "fed": index.fed,
    }
    found = {name: len(one) for name, one in lists.items()}
    found |= {name: len(table) for name, table in _tables(index).items()}
    return found | {f"tables.{name}": len(column) for name, column in index.tables.items()}


def _priorities(index: SourceIndex) -> bytes:
    return index.least.tobytes() + index.greatest.tobytes()


def _content(
    index: SourceIndex, counts: Mapping[str, int], position: int, known: _Saved | None
) -> tuple[Words, Arrays]:
    """Return the words and arrays of a block with all that isn't ``known``."""
    before: Mapping[str, int] = {} if known is None else known.counts

    def new(name: str, every: Iterable[Any]) -> Iterator[Any]:
        return islice(every, before.get(name, 0), counts[name])

    words: Words = {
        "format": _FORMAT,
        "after": 0 if known is None else known.crc,
        "position": position,
        "series": [[one.asset_type, one.asset, one.signal] for one in new("series", index.series)],
        "readings": list(new("readings", index.readings)),
        "late_tags": list(new("late_tags", index.late.tags)),
        "carries": [[first, _carry(state)] for first, state in new("carries", index.carries.items())],
        "carry": _carry(index.carry),
        # Sets have no order, so that they are written whole if they have grown.
        "flagged": sorted(index.flagged) if counts["flagged"] != before.get("flagged") else [],
        "fed": sorted(index.fed) if counts["fed"] != before.get("fed") else [],
        "tables": sorted(name.partition(".")[2] for name in counts if name.startswith("tables.")),
    }
    arrays: Arrays = {}
    for name, table in _tables(index).items():
        for column, values in table.columns.items():
            arrays[f"{name}.{column}"] = values.values[before.get(name, 0) : counts[name]]
    for n, name in enumerate(words["tables"]):
        key = f"tables.{name}"
        arrays[f"tables.{n}"] = index.tables[name].values[before.get(key, 0) : counts[key]]
    if known is None:
        words["groups"] = [[*pair, n] for pair, n in index.group_of.items()]
    if known is None or known.priorities != _priorities(index):
        arrays |= {"least": index.least, "greatest": index.greatest}
    if known is None or index.clashes is not known.clashes:
        clashes = index.clashes
        words["clash_series"] = [[one.asset_type, one.asset, one.signal] for one in clashes.series]
        words["clash_tags"] = clashes.tags
        arrays["clashes"] = np.stack([clashes.ordinal, clashes.since, clashes.code, clashes.tag]).ravel()
    return words, {name: values for name, values in arrays.items() if len(values)}


def _carry(state: Mapping[tuple[str, ...], tuple[int, int]]) -> list[Any]:
    return [[list(key), *value] for key, value in state.items()]


def _packed_block(words: Words, arrays: Arrays) -> tuple[bytes, int]:
    """Return a block and its checksum."""
    packed = {name: _packed(values) for name, values in arrays.items()}
    stated = words | {"arrays": [[name, values.dtype.str, values.nbytes] for name, values in packed.items()]}
    text = json.dumps(stated, separators=(",", ":")).encode()
    body = b"".join([text, *(values.tobytes() for values in packed.values())])
    head = np.zeros(1, dtype=_HEAD)
    head["words"], head["arrays"] = len(text), len(body) - len(text)
    rest = head.tobytes()[4:] + body
    crc = google_crc32c.value(rest)
    return crc.to_bytes(4, "little") + rest, crc


def _packed(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the differences of neighbours in the narrowest type that can represent them, or the array itself.

    Ordinals and times of frames mostly ascend by little, so that the file is a third as long.
    """
    if values.dtype != np.int64 or len(values) < 2:
        return np.ascontiguousarray(values)
    steps = np.diff(values, prepend=0)
    low, high = int(steps[1:].min()), int(steps[1:].max())
    kind = next((k for k in _NARROW if np.iinfo(k).min <= low and high <= np.iinfo(k).max), None)
    if kind is None:
        return np.ascontiguousarray(values)
    return np.concatenate([np.frombuffer(values[:1].tobytes(), dtype=kind), steps[1:].astype(kind)])


# -- what is read


@dataclass(frozen=True)
class _Block:
    words: Words
    arrays: Arrays
    crc: int
    # Place of the first byte after it.
    end: int


def _blocks(data: bytes) -> Iterator[_Block]:
    """Yield the blocks of a file up to the first that is damaged, torn, or doesn't continue the one before it."""
    at = after = 0
    while at + _HEAD.itemsize <= len(data):
        (head,) = np.frombuffer(data, dtype=_HEAD, count=1, offset=at)
        start = at + _HEAD.itemsize
        middle, end = start + int(head["words"]), start + int(head["words"]) + int(head["arrays"])
        if end > len(data) or google_crc32c.value(data[at + 4 : end]) != int(head["crc"]):
            return
        words = json.loads(data[start:middle])
        # Blocks of two processes that continued the same one.
        if words["after"] != after:
            return
        arrays, place = {}, middle
        for name, kind, size in words["arrays"]:
            arrays[name] = np.frombuffer(data[place : place + size], dtype=kind)
            place += size
        yield _Block(words, arrays, int(head["crc"]), end)
        at, after = end, int(head["crc"])


def _unpacked(found: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    if kind != "i8" or found.dtype == np.int64:
        return found.astype(kind, copy=False)
    head = 8 // found.itemsize
    return np.cumsum(np.concatenate([np.frombuffer(found[:head].tobytes(), dtype="i8"), found[head:]]), dtype="i8")


def _index(blocks: list[_Block], group_of: dict[tuple[str, str], int]) -> SourceIndex:
    def array(name: str, kind: str) -> npt.NDArray[Any]:
        parts = [_unpacked(block.arrays[name], kind) for block in blocks if name in block.arrays]
        return np.concatenate(parts) if parts else np.empty(0, dtype=kind)

    def table(name: str, kinds: dict[str, str]) -> Table:
        return Table(kinds, {column: array(f"{name}.{column}", kind) for column, kind in kinds.items()})

    def listed(name: str) -> list[Any]:
        return [one for block in blocks for one in block.words[name]]

    def newest(name: str, kind: str) -> npt.NDArray[Any]:
        found = [block.arrays[name] for block in blocks if name in block.arrays]
        return found[-1].copy() if found else np.empty(0, dtype=kind)

    index = SourceIndex(group_of)
    index.ranges, index.keys, index.ended = table("ranges", RANGES), table("keys", KEYS), table("ended", ENDED)
    index.firsts = FirstTimes(table("firsts", FirstTimes.KINDS))
    index.late = LateRows(table("late", LateRows.KINDS), listed("late_tags"))
    groups = {
        name.partition(".")[0].removeprefix("reach") for b in blocks for name in b.arrays if name.startswith("reach")
    }
    index.reach = {group: table(f"reach{group}", REACH) for group in sorted(map(int, groups))}
    named: dict[str, list[npt.NDArray[Any]]] = {}
    for block in blocks:
        for n, name in enumerate(block.words["tables"]):
            named.setdefault(name, []).append(block.arrays.get(f"tables.{n}", np.empty(0, dtype="i4")))
    index.tables = {name: Column("i4", np.concatenate(parts)) for name, parts in named.items()}
    index.carries = {first: _state(carry) for first, carry in listed("carries")}
    index.readings, index.fed = listed("readings"), set(listed("fed"))
    index.flagged = {(kind, signal) for kind, signal in listed("flagged")}
    last = blocks[-1].words
    index.carry, index.position = _state(last["carry"]), int(last["position"])
    clashing = next(block for block in reversed(blocks) if "clash_series" in block.words)
    packed = clashing.arrays.get("clashes", np.empty(0, dtype="i8"))
    ordinal, since, code, tag = _unpacked(packed, "i8").reshape(4, -1)
    known = tuple(Series(*one) for one in clashing.words["clash_series"])
    index.clashes = Clashes(ordinal, since, code, tag, known, tuple(clashing.words["clash_tags"]))
    index.restore([Series(*one) for one in listed("series")], newest("least", "i2"), newest("greatest", "i2"))
    return index


def _state(carry: list[Any]) -> dict[tuple[str, ...], tuple[int, int]]:
    return {tuple(key): (wall, second) for key, wall, second in carry}
