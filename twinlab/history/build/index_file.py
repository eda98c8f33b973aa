"""The index of a source on disk: one file with a checksum per mapping context. A file that doesn't match is ignored."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import google_crc32c
import numpy as np

from twinlab._files import replace_file
from twinlab.harmonise.shared_instants import Clashes
from twinlab.history.build.index import RowRange, SourceIndex

__all__ = ["index_folder", "load_index", "save_index"]

#: 2 has the flags of values that share their instant, in all row ranges of a file; earlier indexes are computed again.
_FORMAT = 2


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
        "ended": index.ended,
        "flagged": sorted(index.flagged),
        "clash_series": [[one.asset_type, one.asset, one.signal] for one in index.clashes.series],
        "clash_tags": index.clashes.tags,
        "carry": [[list(key), *state] for key, state in index.carry.items()],
        "tables": [sorted(s.tables) for s in index.ranges],
        "carries": [
            [first, [[list(key), *state] for key, state in carry.items()]] for first, carry in index.carries.items()
        ],
    }
    rows = index.ranges
    arrays = {
        "stretches": np.array(
            [(s.first, s.stop, s.ingest_time, s.reading, s.latest, s.keyed, s.retracts) for s in rows], dtype="i8"
        ).reshape(-1, 7),
        "reach": np.array(
            [(n, g, *span) for n, s in enumerate(rows) for g, span in s.reach.items()], dtype="i8"
        ).reshape(-1, 4),
        "first_rows": np.array([(n, len(which)) for n, which, _ in index.firsts], dtype="i8").reshape(-1, 2),
        "first_series": np.concatenate([np.empty(0, "i4"), *(which for _, which, _ in index.firsts)]),
        "first_times": np.concatenate([np.empty(0, "i8"), *(times for _, _, times in index.firsts)]),
        "key_rows": np.array([(n, len(keys)) for n, keys in index.keys.items()], dtype="i8").reshape(-1, 2),
        "keys": np.concatenate([np.empty(0, "u8"), *index.keys.values()]),
        "clashes": np.stack([index.clashes.ordinal, index.clashes.since, index.clashes.code, index.clashes.tag]),
        "least": index.least,
        "greatest": index.greatest,
        "words": np.frombuffer(json.dumps(words).encode(), dtype="u1"),
    }
    body = io.BytesIO()
    np.savez(body, allow_pickle=False, **arrays)
    data = body.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(google_crc32c.value(data).to_bytes(4, "little") + data)
    replace_file(fresh, path)


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


def _index(found: dict[str, np.ndarray], words: dict[str, list], group_of: dict[tuple[str, str], int]) -> SourceIndex:  # type: ignore[type-arg]
    from twinlab.harmonise.claims import Series  # noqa: PLC0415

    index = SourceIndex(group_of)
    reach: dict[int, dict[int, tuple[int, int]]] = {}
    for n, group, low, high in found["reach"].tolist():
        reach.setdefault(n, {})[group] = (low, high)
    for n, (first, stop, ingest, reading, latest, keyed, retracts) in enumerate(found["stretches"].tolist()):
        tables = frozenset(words["tables"][n])
        index.ranges.append(
            RowRange(first, stop, ingest, reading, latest, bool(keyed), bool(retracts), reach.get(n, {}), tables)
        )
    at = 0
    for n, count in found["first_rows"].tolist():
        index.firsts.append((n, found["first_series"][at : at + count], found["first_times"][at : at + count]))
        at += count
    at = 0
    for n, count in found["key_rows"].tolist():
        index.keys[n] = found["keys"][at : at + count]
        at += count
    index.carries = {
        first: {tuple(key): (wall, second) for key, wall, second in carry} for first, carry in words["carries"]
    }
    index.readings = list(words["readings"])
    index.ended = [(ordinal, reading) for ordinal, reading in words["ended"]]
    index.flagged = {(kind, signal) for kind, signal in words["flagged"]}
    index.carry = {tuple(key): (wall, second) for key, wall, second in words["carry"]}
    ordinal, since, code, tag = found["clashes"]
    known = tuple(Series(*one) for one in words["clash_series"])
    index.clashes = Clashes(ordinal, since, code, tag, known, tuple(words["clash_tags"]))
    index.position = int(str(words["position"]))
    index.restore([Series(*one) for one in words["series"]], found["least"].copy(), found["greatest"].copy())
    return index
