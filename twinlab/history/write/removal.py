"""Remove older cells of gauges from the history, or round them: what a decision about retention says.

Rollups stay as they were computed from all cells, and so do states and counters: values between their observations depend
on them. Which cells are missing stays, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from twinlab.history.build.cuts import Cut
from twinlab.history.build.update import late_claims
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Axis, Group
from twinlab.history.layout.spans import Span
from twinlab.model.flags import Flag
from twinlab.quality.cells import margins

if TYPE_CHECKING:
    from twinlab.history.build.mapping_context import Sources
    from twinlab.history.store.catalog import GroupEntry
    from twinlab.history.store.cells import CellReader
    from twinlab.history.store.view import View
    from twinlab.history.write.history_store import HistoryStore
    from twinlab.ledger import Journal

__all__ = [
    "APPLIED",
    "DECIDED",
    "Kept",
    "Removal",
    "RemovedCells",
    "applied_removals",
    "changed_cells",
    "end_of_removal",
    "enforce",
    "kept_mask",
    "note_proof",
    "notes_before_cut",
    "preview",
    "proof_of",
    "rounded",
]

#: Kinds of the journal's entries: a decision, and the proof that it was applied.
DECIDED, APPLIED = "retention", "retention_applied"
#: Cells that are read and written at once.
_CELLS = 4_000_000


@dataclass(frozen=True)
class Kept:
    """Spans [start, stop) ns of assets of one type whose cells stay as they are."""

    assets: tuple[str, ...]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        return {"assets": list(self.assets), "starts": self.starts.tolist(), "stops": self.stops.tolist()}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> Kept:
        """Read plain data."""
        starts, stops = (np.array(body[key], dtype=np.int64) for key in ("starts", "stops"))
        return cls(tuple(map(str, body["assets"])), starts, stops)


@dataclass(frozen=True)
class Removal:
    """What is done with the cells before a cut."""

    cut: Cut
    older: Literal["rollups", "rounded"]
    # With "rounded": to so many times the signal's resolution.
    resolution: int
    # Asset type -> spans that stay.
    kept: Mapping[str, Kept] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return plain data."""
        kept = {name: one.to_json() for name, one in self.kept.items()}
        return {**self.to_meta(), "kept": kept}

    def to_meta(self) -> dict[str, object]:
        """Return what a state of the history says of it."""
        return {**self.cut.to_json(), "older": self.older, "resolution": self.resolution}

    @classmethod
    def of_json(cls, body: Mapping[str, Any]) -> Removal:
        """Read plain data."""
        kept = {str(name): Kept.of_json(one) for name, one in body["kept"].items()}
        older: Literal["rollups", "rounded"] = "rounded" if body["older"] == "rounded" else "rollups"
        return cls(Cut.of_json(body), older, int(body["resolution"]), kept)


@dataclass(frozen=True)
class RemovedCells:
    """What was removed of one signal, or rounded: a part of the proof."""

    asset_type: str
    signal: str
    # Span of the cells that were looked at, ns.
    start_ns: int
    stop_ns: int
    # Numbers of cells with a value that were removed or rounded, and of those that stayed as they were.
    removed: int
    kept: int
    # SHA-256 of the stored integers and flags of the removed cells, in order of time, then asset.
    sha256: str


def proof_of(removal: Removal, parts: Sequence[RemovedCells]) -> dict[str, object]:
    """Return the proof of what was removed, for the journal."""
    return {
        "id": removal.cut.id,
        "before": str(np.datetime64(removal.cut.time_ns, "ns").astype("datetime64[s]")) + "Z",
        "older": removal.older,
        "parts": [asdict(one) for one in parts],
    }


def note_proof(journal: Journal, meta: Mapping[str, Any]) -> None:
    """Write the proof of the last decision to the journal, if a process was killed before it could."""
    proof = meta.get("retention_proof")
    if proof is not None and all(entry.payload["id"] != proof["id"] for entry in journal.entries(APPLIED)):
        journal.append(APPLIED, proof)


def notes_before_cut(
    sources: Sources, cut_ns: int | None, old: Mapping[str, int], new: Mapping[str, int]
) -> Iterator[str]:
    """Yield a sentence for each source with new observations before a cut; they don't change the history."""
    for name, view in sources.views.items() if cut_ns is not None else ():
        count = sum(late_claims(view, old=old.get(name, 0), new=new[name], watermark=cut_ns or 0).values())
        if count:
            at = np.datetime64(cut_ns, "ns").astype("datetime64[s]")
            yield (
                f"{name}: {count:,} values before {at} UTC are in the ledger only: the history doesn't change there any more, "
                "because retention left only a part of its cells"
            )


def applied_removals(journal: Journal) -> list[Removal]:
    """Return the decisions that were applied, in their order."""
    done = {str(entry.payload["id"]) for entry in journal.entries(APPLIED)}
    return [Removal.of_json(entry.payload) for entry in journal.entries(DECIDED) if str(entry.payload["id"]) in done]


def enforce(
    store: HistoryStore, removal: Removal, columns: Mapping[str, Sequence[str]], *, note: bool = True
) -> list[RemovedCells]:
    """Apply a decision to a history, which must be locked, in one publication; what it says already stays as it is.

    Parameters
    ----------
    store : HistoryStore
    removal : Removal
    columns : mapping
        The assets of each type in storage order.
    note : bool
        Whether to write the cut to the state's metadata; a rebuild has done so already.
    """
    for group in store.view().groups():
        with store.transaction() as txn:
            # Rollups of hot cells aren't stored.
            if txn.compact(group):
                txn.commit(f"compact {group.path}")
    with store.transaction() as txn:
        found = [
            part
            for group in sorted(txn.catalog.groups)
            for part in _of_group(txn.reader, group, removal, columns, write=txn.rewrite_cells)
        ]
        if note:
            known: Any = txn.meta.get("retention", [])
            txn.meta["retention"] = [*known, removal.to_meta()]
            txn.meta["retention_proof"] = proof_of(removal, found)
        txn.commit(f"retention: {sum(part.removed for part in found)} cells")
    return found


def preview(view: View, removal: Removal, columns: Mapping[str, Sequence[str]]) -> list[RemovedCells]:
    """Return what `enforce` would remove from a state of the history."""
    return [part for group in view.groups() for part in _of_group(view, group, removal, columns, write=None)]


def _of_group(
    reader: CellReader,
    group: Group,
    removal: Removal,
    columns: Mapping[str, Sequence[str]],
    *,
    write: Callable[..., None] | None,
) -> Iterator[RemovedCells]:
    entry = reader.catalog.entry(group)
    names = [name for name, signal in entry.signals.items() if signal.kind == "gauge"]
    if not names or entry.extent is None:
        return
    span = (entry.extent[0], min(entry.extent[1], end_of_removal(entry, removal.cut.time_ns)))
    if span[0] >= span[1]:
        return
    kept = removal.kept.get(group.asset_type)
    assets = [*columns.get(group.asset_type, ()), *[""] * entry.n_assets][: entry.n_assets]
    for name in names:
        digest, removed, stayed = hashlib.sha256(), 0, 0
        for low, high in _pieces(entry, span):
            values, flags = reader.cells(group, name, low, high)
            mask = kept_mask(kept, assets, entry.axis, (low, high))
            gone, fresh, marks = changed_cells(values, flags, mask, removal)
            if gone.any():
                digest.update(values[gone].tobytes() + flags[gone].tobytes())
                if write is not None:
                    write(group, name, low, fresh, marks)
            removed += int(gone.sum())
            stayed += int(((values != sentinel(values.dtype)) & ~gone).sum())
        times = entry.axis.time(span[0]), entry.axis.time(span[1])
        yield RemovedCells(group.asset_type, name, *times, removed, stayed, digest.hexdigest())


def rounded(values: NDArray[np.signedinteger], resolution: int) -> NDArray[np.signedinteger]:
    """Return integers rounded to a multiple, half up; the type's smallest stays.

    >>> rounded(np.array([-128, -6, 5, 127], dtype=np.int8), 4).tolist()
    [-128, -4, 4, 124]
    """
    limits = np.iinfo(values.dtype)
    most, least = limits.max // resolution * resolution, -(-(limits.min + 1) // resolution) * resolution
    whole = (values.astype(np.int64) + resolution // 2) // resolution * resolution
    out = np.clip(whole, least, most).astype(values.dtype)
    return np.where(values == limits.min, values, out)


def kept_mask(kept: Kept | None, assets: Sequence[str], axis: Axis, span: Span) -> NDArray[np.bool_]:
    """Return which cells of a span stay, (time, asset)."""
    steps = np.zeros((span[1] - span[0] + 1, len(assets)), dtype=np.int32)
    if kept is not None and len(kept.assets):
        place = {asset: number for number, asset in enumerate(assets)}
        column = np.array([place.get(asset, -1) for asset in kept.assets], dtype=np.int64)
        size, origin = axis.cadence_ns, axis.origin_ns
        low = np.clip((kept.starts - origin) // size - span[0], 0, len(steps) - 1)
        high = np.clip(-((origin - kept.stops) // size) - span[0], 0, len(steps) - 1)
        mine = (low < high) & (column >= 0)
        np.add.at(steps, (low[mine], column[mine]), 1)
        np.add.at(steps, (high[mine], column[mine]), -1)
    out: NDArray[np.bool_] = steps.cumsum(axis=0)[:-1] > 0
    return out


def changed_cells(
    values: NDArray[np.signedinteger], flags: NDArray[np.uint8], kept: NDArray[np.bool_], removal: Removal
) -> tuple[NDArray[np.bool_], NDArray[np.signedinteger], NDArray[np.uint8]]:
    """Return which cells change, and all values and flags after that; ``kept`` cells don't."""
    there = (values != sentinel(values.dtype)) & ~kept
    if removal.older == "rounded":
        fresh = rounded(values, removal.resolution)
        gone = there & (fresh != values)
        return gone, np.where(gone, fresh, values), flags
    nothing = np.array(sentinel(values.dtype), dtype=values.dtype)
    return there, np.where(there, nothing, values), np.where(there, np.uint8(Flag.NOT_EVALUATED), flags)


def end_of_removal(entry: GroupEntry, cut_ns: int) -> int:
    """Return the first cell before a cut that stays, since flags of cells after the cut depend on values in the margins."""
    return entry.axis.cell(cut_ns) - max((margins(signal)[0] for signal in entry.signals.values()), default=0)


def _pieces(entry: GroupEntry, span: Span) -> Iterator[Span]:
    """Split a span by year and at edges of cold tiles, into pieces of bounded size."""
    for year, first, stop in entry.axis.split(*span):
        base, tile = entry.axis.year_cells(year)[0], entry.year(year).cold.tile[0]
        long = max(1, _CELLS // max(1, tile * entry.n_assets)) * tile
        at = first
        while at < stop:
            end = min(stop, base + ((at - base) // long + 1) * long)
            yield at, end
            at = end
