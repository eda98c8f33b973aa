"""The index of a source on disk: one file with a checksum per mapping context. A file that doesn't match is ignored."""

from __future__ import annotations

import io
import json
import os
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

__all__ = ["index_folder", "load_index", "save_index"]

#: 2 has the flags of values that share their instant, in all row ranges of a file; 3 keeps late claims apart. Indexes of
#: other formats are computed again.
_FORMAT = 3
_NARROW = ("i1", "i2", "i4")
Arrays = dict[str, npt.NDArray[Any]]


def index_folder(root: Path) -> Path:
    """Return where the indexes of the twin in ``root`` are."""
    return root / "cache" / "index"


def save_index(path: Path, index: SourceIndex) -> None:
    """Write an index in one step. It isn't synced, since a lost index is computed again."""
    words = {
        "format": _FORMAT,
        "position": index.position,
        "groups": [[*pair, n] for pair, n in index.group_of.items()],
        "series": [[one.asset_type, one.asset, one.signal] for one in index.series],
        "readings": index.readings,
        "flagged": sorted(index.flagged),
        "clash_series": [[one.asset_type, one.asset, one.signal] for one in index.clashes.series],
        "clash_tags": index.clashes.tags,
        "carry": [[list(key), *state] for key, state in index.carry.items()],
        "fed": sorted(index.fed),
        "reach": sorted(index.reach),
        "tables": list(index.tables),
        "late_tags": list(index.late.tags),
        "carries": [
            [first, [[list(key), *state] for key, state in carry.items()]] for first, carry in index.carries.items()
        ],
    }
    clashes = index.clashes
    arrays: Arrays = {
        "least": index.least,
        "greatest": index.greatest,
        "clashes": np.stack([clashes.ordinal, clashes.since, clashes.code, clashes.tag]),
    }
    for name, table in _tables(index).items():
        arrays |= {f"{name}.{column}": _packed(values.values) for column, values in table.columns.items()}
    arrays |= {f"tables.{n}": _packed(column.values) for n, column in enumerate(index.tables.values())}
    arrays["words"] = np.frombuffer(json.dumps(words).encode(), dtype="u1")
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    data = body.getbuffer()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with fresh.open("wb") as file:
        file.write(google_crc32c.value(bytes(data)).to_bytes(4, "little"))
        file.write(data)
    replace_file(fresh, path)


def _tables(index: SourceIndex) -> dict[str, Table]:
    found = {"ranges": index.ranges, "firsts": index.firsts.table, "keys": index.keys, "ended": index.ended}
    return found | {"late": index.late.table} | {f"reach{group}": table for group, table in index.reach.items()}


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


def _unpacked(found: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    if kind != "i8" or found.dtype == np.int64:
        return found.astype(kind, copy=False)
    head = 8 // found.itemsize
    return np.cumsum(np.concatenate([np.frombuffer(found[:head].tobytes(), dtype="i8"), found[head:]]), dtype="i8")


def load_index(path: Path, group_of: dict[tuple[str, str], int]) -> SourceIndex | None:
    """Read an index; None if there is none, or it is damaged or of another format."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < 4 or google_crc32c.value(data[4:]).to_bytes(4, "little") != data[:4]:
        return None
    with np.load(io.BytesIO(data[4:]), allow_pickle=False) as arrays:
        found = {name: arrays[name] for name in arrays.files}
    words = json.loads(found["words"].tobytes())
    if words["format"] != _FORMAT or {(a, b): n for a, b, n in words["groups"]} != group_of:
        return None
    return _index(found, words, group_of)


def _index(found: Arrays, words: dict[str, list[Any]], group_of: dict[tuple[str, str], int]) -> SourceIndex:
    def table(name: str, kinds: dict[str, str]) -> Table:
        return Table(kinds, {column: _unpacked(found[f"{name}.{column}"], kind) for column, kind in kinds.items()})

    index = SourceIndex(group_of)
    index.ranges, index.keys, index.ended = table("ranges", RANGES), table("keys", KEYS), table("ended", ENDED)
    index.firsts = FirstTimes(table("firsts", FirstTimes.KINDS))
    index.late = LateRows(table("late", LateRows.KINDS), words["late_tags"])
    index.reach = {group: table(f"reach{group}", REACH) for group in words["reach"]}
    index.tables = {name: Column("i4", found[f"tables.{n}"]) for n, name in enumerate(words["tables"])}
    index.carries = {
        first: {tuple(key): (wall, second) for key, wall, second in carry} for first, carry in words["carries"]
    }
    index.readings, index.fed = list(words["readings"]), set(words["fed"])
    index.flagged = {(kind, signal) for kind, signal in words["flagged"]}
    index.carry = {tuple(key): (wall, second) for key, wall, second in words["carry"]}
    known = tuple(Series(*one) for one in words["clash_series"])
    ordinal, since, code, tag = found["clashes"]
    index.clashes = Clashes(ordinal, since, code, tag, known, tuple(words["clash_tags"]))
    index.position = int(str(words["position"]))
    index.restore([Series(*one) for one in words["series"]], found["least"].copy(), found["greatest"].copy())
    return index
