"""The files of a log: segments of rows, each named by the number of its first row and readable without those before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from twinlab.control.audit.chain import BrokenChainError, Chain, TakenRow, TornBytes, take_rows
from twinlab.control.audit.merkle import Frontier
from twinlab.control.audit.rows import AuditEntry, read_row
from twinlab.errors import CorruptionError, SchemaError

__all__ = [
    "SEGMENT_BYTES",
    "Segment",
    "first_entry",
    "list_segments",
    "read_leaves",
    "read_log",
    "segment_path",
    "start_of",
]

#: A writer that opens a log reads the last segment: about 0.1 s.
SEGMENT_BYTES = 8 << 20
_ENDING = ".jsonl"


@dataclass(frozen=True)
class Segment:
    """A file of rows."""

    path: Path
    first: int
    """Number of its first row."""


def segment_path(folder: Path, first: int) -> Path:
    """Return the path of the segment that begins with a row."""
    return folder / "rows" / f"{first:012d}{_ENDING}"


def list_segments(folder: Path) -> list[Segment]:
    """Return the segments of a log by their first rows.

    Raises
    ------
    CorruptionError
        If a file among them isn't named like one.
    """
    found = []
    for path in (folder / "rows").glob(f"*{_ENDING}"):
        if len(path.stem) != 12 or not path.stem.isdecimal():
            msg = f"{path}: expected a name of 12 digits, the number of the first row; move the file elsewhere"
            raise CorruptionError(msg)
        found.append(Segment(path, int(path.stem)))
    return sorted(found, key=lambda one: one.first)


def first_entry(chain: Chain, log: str) -> AuditEntry:
    """Return the first row of a new segment: the log that it belongs to, and the tree of all rows before it."""
    return AuditEntry("segment", (), {"log": log, "frontier": _hex(chain)})


def start_of(segment: Segment) -> tuple[Chain, str] | None:
    """Return the chain before a segment as its first row states it, and the id of the log; None without such a row."""
    with segment.path.open("rb") as file:
        line = file.readline()
    try:
        row = read_row(line)
        tree = Frontier(segment.first, (bytes.fromhex(one) for one in row.what["frontier"]))
        chain = Chain(tree, bytes.fromhex(row.previous))
        return (chain, str(row.what["log"])) if row.n == segment.first and row.kind == "segment" else None
    except (CorruptionError, SchemaError, ValueError, KeyError, TypeError):
        return None


def read_log(folder: Path) -> Iterator[tuple[Segment, Chain, TakenRow | TornBytes]]:
    """Yield all rows and torn bytes of a log, with the segment they are in and the chain after them.

    Raises
    ------
    BrokenChainError
        At the first row that isn't the one that should be there.
    """
    chain, log, segments = Chain(), None, list_segments(folder)
    for place, segment in enumerate(segments):
        if segment.first != chain.count:
            reason = f"expected the segment that begins with it, got {segment.path.name}"
            raise BrokenChainError(chain.count, reason)
        headed = False
        frontier = _hex(chain)
        for found in take_rows(chain, segment.path.read_bytes()):
            if isinstance(found, TornBytes):
                if not found.noted and place + 1 < len(segments):
                    raise BrokenChainError(
                        chain.count, f"expected a row of JSON in {segment.path.name}, got other bytes"
                    )
            elif not headed:
                # Only the note of a torn first row comes before it.
                headed = found.fields["kind"] == "segment"
                if headed:
                    what = found.fields["what"]
                    log = what["log"] if log is None else log
                    if what != {"log": log, "frontier": frontier}:
                        reason = f"expected the tree of the rows before {segment.path.name}, got that of other rows"
                        raise BrokenChainError(chain.count - 1, reason)
                elif found.fields["kind"] != "torn":
                    reason = f"expected {segment.path.name} to begin with a row of the kind segment, got {found.fields['kind']!r}"
                    raise BrokenChainError(chain.count - 1, reason)
                frontier = _hex(chain)
            yield segment, chain, found


def read_leaves(folder: Path, first: int) -> tuple[Frontier, list[bytes]]:
    """Return the tree of the first rows of a log, and the hashes of those after them.

    Parameters
    ----------
    folder : Path
        Folder of the log.
    first : int
        Number of the first row whose hash is returned.

    Raises
    ------
    BrokenChainError
        If a row isn't the one that should be there, or the log has fewer rows.
    """
    segments = list_segments(folder)
    begin, chain = 0, Chain()
    for place, segment in enumerate(segments):
        begun = start_of(segment) if segment.first <= first else None
        if begun is not None:
            begin, chain = place, begun[0]
    tree, leaves = None if chain.count < first else chain.tree.copy(), []
    for segment in segments[begin:]:
        if segment.first != chain.count:
            raise BrokenChainError(chain.count, f"expected the segment that begins with it, got {segment.path.name}")
        for found in take_rows(chain, segment.path.read_bytes()):
            if isinstance(found, TakenRow):
                if chain.count > first:
                    leaves.append(found.leaf)
                elif chain.count == first:
                    tree = chain.tree.copy()
    if tree is None:
        raise BrokenChainError(chain.count, f"expected {first} rows at least, got {chain.count}: the log was cut")
    return tree, leaves


def _hex(chain: Chain) -> list[str]:
    return [one.hex() for one in chain.tree.hashes]
