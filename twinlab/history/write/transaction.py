"""Transactions: write cells, tables and metadata, and publish them together with their rollups, or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import icechunk
import numpy as np
from numpy.typing import NDArray

from twinlab.errors import SchemaError
from twinlab.history.build.cuts import cut_ns_of
from twinlab.history.layout.grid import Group
from twinlab.history.layout.rollup import COUNTS, STATISTICS
from twinlab.history.layout.spans import Span, Spans
from twinlab.history.store import publish
from twinlab.history.store.byte_store import SessionBytes
from twinlab.history.store.catalog import Catalog, GroupEntry, check_cells, check_same
from twinlab.history.store.cells import CellReader
from twinlab.history.store.chunk_reader import DirectBytes, verify_seal
from twinlab.history.store.codecs import ArraySpec, array_metadata
from twinlab.history.store.tiles import block_key, read_region, split_blocks, tiles_of
from twinlab.history.write.pending_tiles import PendingTiles
from twinlab.history.write.recoding import RecodedCells, recode_group
from twinlab.history.write.rollup_update import update_rollups
from twinlab.history.write.tables.table_writer import TableWriter
from twinlab.history.write.vacant_cells import missing_rectangles, patch_vacant_rollups, write_missing
from twinlab.model.twinmodel import Signal

__all__ = ["Transaction"]

#: A year with more hot chunks than the first number is compacted up to an edge of cold tiles, except for the newest ones, where
#: late rows arrive. With many assets, that is one row of cold tiles at a time.
_MAX_HOT, _NEWEST_HOT = 48, 16


class Transaction(TableWriter):
    """Changes of the history, which `commit` publishes all at once."""

    def __init__(self, repository: icechunk.Repository, path: Path, branch: str = publish.MAIN) -> None:
        self._repository = repository
        self._path = path
        self._branch = branch
        self._session = publish.start(repository, branch)
        base = repository.lookup_branch(branch)
        self._seal = verify_seal(path, base)
        stored = SessionBytes(self._session, DirectBytes(path, base))
        (root,) = stored.fetch([("zarr.json", None)])
        super().__init__(stored, Catalog.from_attributes(json.loads(root or b"{}").get("attributes", {})))
        self._tiles = PendingTiles(self._bytes)
        self._reader = CellReader(self._catalog, self._bytes, pending=self._tiles.of)
        # Changed cells by group, signal and range of columns.
        self._dirty: dict[tuple[Group, str, Span], Spans] = {}
        self._vacant: list[tuple[Group, str, tuple[int, int, int, int]]] = []  # missing cells that no tile has

    @property
    def meta(self) -> dict[str, object]:
        """The historian's metadata, as JSON: positions, watermarks, hashes. Change it in place."""
        return self._catalog.meta

    @property
    def catalog(self) -> Catalog:
        """The catalogue, with the changes of this transaction."""
        return self._catalog

    def limit_decoded(self, size: int) -> None:
        """Keep at most ``size`` bytes of the tiles that wait for `commit` decoded."""
        self._tiles.limit_decoded(size)

    @property
    def reader(self) -> CellReader:
        """Reads cells and rollups with the changes of this transaction."""
        return self._reader

    def ensure_group(self, group: Group, signals: Mapping[str, Signal], n_assets: int) -> None:
        """Add signals and assets to a group; none is ever removed or reordered.

        Raises
        ------
        SchemaError
            If a stored signal's kind, resolution or storage type would change, or assets would become fewer.
        """
        self._check_open()
        entry = self._catalog.added(group)
        if n_assets < entry.n_assets:
            msg = (
                f"expected at least the {entry.n_assets} assets of {group.path}, got {n_assets}; assets are only added"
            )
            raise SchemaError(msg)
        for name, signal in signals.items():
            if signal.cadence_ns != group.cadence_ns:
                msg = f"expected signals at {group.cadence} in {group.path}, got {name!r} at {signal.cadence}"
                raise SchemaError(msg)
            if name in entry.signals:
                check_same(name, entry.signals[name], signal)
            entry.signals[name] = signal
        if n_assets > entry.n_assets:
            entry.n_assets = n_assets
            self._resize(entry)

    def drop_signal(self, group: Group, name: str) -> None:
        """Remove a signal with its cells, flags and rollups; nothing happens if there is none. Commit before writing it again."""
        self._check_open()
        entry = self._catalog.groups.get(group)
        if entry is None or entry.signals.pop(name, None) is None:
            return
        for year, part in entry.years.items():
            part.vacant.pop(name, None)
            own = {f"{half}/{name}{suffix}" for half in ("hot", "cold") for suffix in ("", "_qc")}
            own |= {f"rollup/{step}/{name}_{part_of}" for step in part.rollups for part_of in (*STATISTICS, *COUNTS)}
            mine = part.arrays & own
            for array in sorted(mine):
                self._bytes.delete(f"{entry.path(year)}/{array}/zarr.json")
            part.arrays -= mine

    def _resize(self, entry: GroupEntry) -> None:
        for year, part in entry.years.items():
            for name in part.arrays:
                key = f"{entry.path(year)}/{name}/zarr.json"
                (data,) = self._bytes.fetch([(key, None)])
                body = json.loads(data or b"{}")
                body["shape"][1] = entry.n_assets
                self._bytes.put(key, json.dumps(body).encode())

    def write_cells(
        self,
        group: Group,
        k0: int,
        values: Mapping[str, NDArray[np.signedinteger]],
        flags: Mapping[str, NDArray[np.uint8]],
        *,
        first_asset: int = 0,
        span_cells: int = 0,
    ) -> None:
        """Replace the cells from ``k0`` on by integers and flags (time, asset), for assets from ``first_asset`` on.

        Of a long span that is written piece by piece, ``span_cells`` is its length, by which a place is chosen for it.

        Raises
        ------
        SchemaError
            If an array has another shape or type than its signal's, or a cell passes without a value.
        """
        self._check_open()
        entry = self._catalog.entry(group)
        shapes = {part.shape for parts in (values, flags) for part in parts.values()}
        if len(shapes) != 1 or len(shape := shapes.pop()) != 2 or first_asset + shape[1] > entry.n_assets:
            msg = f"expected arrays of one shape (time, at most {entry.n_assets} assets), got {shapes or shape}"
            raise SchemaError(msg)
        if not shape[0] or not shape[1]:
            return
        for name, part in values.items():
            check_cells(name, entry.signal(name), part, flags.get(name))
        columns = (first_asset, first_asset + shape[1])
        whole = columns == (0, entry.n_assets) and set(values) >= set(entry.signals) and set(flags) >= set(values)
        for year, first, stop in entry.axis.split(k0, k0 + shape[0]):
            base = entry.axis.year_cells(year)[0]
            rows = slice(first - k0, stop - k0)
            bulk = max(stop - first, span_cells) >= entry.year(year).cold.tile[0]
            for hot, l0, l1 in self._route(entry, year, first - base, stop - base, whole=whole, bulk=bulk):
                cut = slice(rows.start + l0 - (first - base), rows.start + l1 - (first - base))
                both: tuple[tuple[Mapping[str, NDArray[Any]], bool], ...] = ((values, False), (flags, True))
                for parts, is_flags in both:
                    for name, part in parts.items():
                        spec = entry.cell_spec(year, name, part="hot" if hot else "cold", flags=is_flags)
                        self._patch(entry, year, spec, (l0, l1), columns, part[cut])
        for name in {*values, *flags}:
            self._dirty.setdefault((group, name, columns), Spans()).add(k0, k0 + shape[0])
        low, high = entry.extent or (k0, k0)
        entry.extent = (min(low, k0), max(high, k0 + shape[0]))

    def rewrite_cells(
        self, group: Group, name: str, k0: int, values: NDArray[np.signedinteger], flags: NDArray[np.uint8]
    ) -> None:
        """Replace compacted cells of all assets (time, asset) from ``k0`` on; their rollups stay those of the cells before."""
        entry = self._catalog.entry(group)
        check_cells(name, entry.signal(name), values, flags)
        for year, first, stop in entry.axis.split(k0, k0 + len(values)):
            base = entry.axis.year_cells(year)[0]
            rows, times = slice(first - k0, stop - k0), (first - base, stop - base)
            if any(hot for hot, _, _ in entry.year(year).runs(*times)):
                msg = f"expected compacted cells of {group.path}, got hot ones; compact first"
                raise SchemaError(msg)
            for part, is_flags in ((values, False), (flags, True)):
                spec = entry.cell_spec(year, name, part="cold", flags=is_flags)
                self._patch(entry, year, spec, times, (0, entry.n_assets), part[rows])

    def recode(self, group: Group, codec: str) -> Iterator[RecodedCells]:
        """Encode the values of a group's compacted cells with another codec, signal by signal."""
        self._check_open()
        yield from recode_group(self._catalog.entry(group), codec, self._bytes)

    def write_vacant(
        self, group: Group, span: Span, flags: Mapping[str, NDArray[np.uint8]], *, first_asset: int = 0
    ) -> None:
        """Flag cells that were never written and have no value: one flag for each asset (asset), missing or not evaluated."""
        self._check_open()
        entry = self._catalog.entry(group)
        for name, rectangle in missing_rectangles(flags, span, first_asset):
            # What is read where no tile is stored changes.
            self._tiles.forget_unchanged()
            written = write_missing(entry, name, rectangle, self._bytes, self._tiles.changed, self._patch)
            self._vacant.append((group, name, rectangle))
            dirty = self._dirty.setdefault((group, name, rectangle[2:]), Spans())
            for first, stop in [(span[0], span[0] + 1), (span[1] - 1, span[1]), *written]:
                dirty.add(first, stop)
        low, high = entry.extent or span
        entry.extent = (min(low, span[0]), max(high, span[1]))

    def _route(
        self, entry: GroupEntry, year: int, l0: int, l1: int, *, whole: bool, bulk: bool
    ) -> Iterable[tuple[bool, int, int]]:
        """Decide which pieces of a span go to hot and which to cold chunks, and record it."""
        part = entry.year(year)
        long, cut = part.hot.tile[0], cut_ns_of(self.meta)
        # Rollups of hot cells aren't stored, but those of removed cells must be.
        first_hot = 0 if cut is None else entry.axis.cell_ceil(cut) - entry.axis.year_cells(year)[0]
        for chunk in range(l0 // long, -(-l1 // long)):
            start, stop = chunk * long, (chunk + 1) * long
            if chunk in part.hot_chunks:
                if bulk and whole and l0 <= start and stop <= l1:
                    self._drop_hot(entry, year, chunk)
            elif (
                not bulk
                and start >= first_hot
                and (stop > part.cold_end or (stop == part.cold_end and chunk + 1 not in part.hot_chunks))
            ):
                # The chunk that ends with the cold cells, too: its flags depend on the cells that follow.
                self._heat(entry, year, chunk)
        for hot, a, b in part.runs(l0, l1):
            if not hot:
                part.cold_end = max(part.cold_end, b)
            yield hot, a, b

    def _heat(self, entry: GroupEntry, year: int, chunk: int) -> None:
        """Add a hot chunk; one that contains the end of the cold cells starts with a copy of them.

        Otherwise the cells of each publication up to the next edge would rewrite cold tiles and rollups.
        """
        part = entry.year(year)
        start, base = chunk * part.hot.tile[0], entry.axis.year_cells(year)[0]
        copied: list[tuple[ArraySpec, NDArray[Any]]] = []
        if start < part.cold_end:
            for name in entry.signals:
                span = (base + start, base + part.cold_end)
                for flags, read in ((False, self._reader.values), (True, self._reader.flags)):
                    spec = entry.cell_spec(year, name, part="hot", flags=flags)
                    copied.append((spec, read(entry.group, name, *span)))
        part.hot_chunks.add(chunk)
        for spec, data in copied:
            self._patch(entry, year, spec, (start, start + len(data)), (0, entry.n_assets), data)
        part.cold_end = min(part.cold_end, start) if copied else part.cold_end

    def _drop_hot(self, entry: GroupEntry, year: int, chunk: int) -> None:
        part = entry.year(year)
        part.hot_chunks.discard(chunk)
        wide = part.hot.tile[1]
        for name in part.arrays:
            if name.startswith("hot/"):
                for column in range(-(-entry.n_assets // wide)):
                    key = f"{entry.path(year)}/{name}/c/{chunk}/{column}"
                    self._tiles.drop(key)
                    self._bytes.delete(key)

    def _patch(  # noqa: PLR0917
        self,
        entry: GroupEntry,
        year: int,
        spec: ArraySpec,
        times: tuple[int, int],
        assets: tuple[int, int],
        data: NDArray[np.generic],
    ) -> None:
        if not self._ensure_array(entry, year, spec, data):
            return
        long, wide = spec.layout.tile
        for block in split_blocks(spec.layout.block, times, assets):
            waiting = self._tiles.of(block_key(spec, block.block)) or {}
            for number, part in tiles_of(spec, block):
                t, a = part.block[0] * long, part.block[1] * wide
                inside = (
                    slice(part.assets[0] - a, part.assets[1] - a),
                    slice(part.times[0] - t, part.times[1] - t),
                )
                fresh = data[
                    part.times[0] - times[0] : part.times[1] - times[0],
                    part.assets[0] - assets[0] : part.assets[1] - assets[0],
                ].T
                tile, whole = waiting.get(number), False
                if tile is None:
                    tile, whole = self._tile(spec, part.block, covered=inside)
                    if not whole:
                        self._tiles.keep(spec, block.block, number, tile)
                if not whole and (tile[inside] == fresh).all():
                    continue
                tile[inside] = fresh
                self._tiles.put(spec, block.block, number, tile)

    def _tile(
        self, spec: ArraySpec, tile: tuple[int, int], *, covered: tuple[slice, slice]
    ) -> tuple[NDArray[np.generic], bool]:
        """Return a copy of a stored tile (asset, time), and whether ``covered`` is all of it: then it isn't read."""
        long, wide = spec.layout.tile
        t, a = tile[0] * long, tile[1] * wide
        bottom, right = min(spec.shape[1] - a, wide), min(spec.shape[0] - t, long)
        if (covered[0].stop - covered[0].start, covered[1].stop - covered[1].start) == (bottom, right):
            return np.full((wide, long), spec.fill, dtype=spec.dtype), True
        return np.ascontiguousarray(read_region(spec, (t, t + long), (a, a + wide), store=self._bytes).T), False

    def _ensure_array(self, entry: GroupEntry, year: int, spec: ArraySpec, data: NDArray[np.generic]) -> bool:
        """Create an array on its first use; return False if it would have only the fill value."""
        relative = spec.path.removeprefix(entry.path(year) + "/")
        arrays = entry.year(year).arrays
        if relative in arrays:
            return True
        if not len(spec.vacant) and (data == spec.fill).all():
            return False
        self._bytes.put(f"{spec.path}/zarr.json", array_metadata(spec, attributes=entry.attributes(spec)))
        self._ensure_parents(spec.path)
        arrays.add(relative)
        return True

    def compact(self, group: Group, *, before: int | None = None) -> int:
        """Move hot chunks that end at or before cell ``before`` (all by default) to the cold arrays; return their number.

        Values, flags and rollups don't change.
        """
        self._check_open()
        entry = self._catalog.entry(group)
        moved = 0
        for year, part in sorted(entry.years.items()):
            first, last = entry.axis.year_cells(year)
            long = part.hot.tile[0]
            ready = {c for c in part.hot_chunks if before is None or first + (c + 1) * long <= before}
            spans = Spans()
            for chunk in ready:
                spans.add(chunk * long, min((chunk + 1) * long, last - first))
            for l0, l1 in spans:
                for name in entry.signals:
                    for is_flags in (False, True):
                        span = (first + l0, first + l1)
                        data: NDArray[Any] = (
                            self._reader.flags(group, name, *span)
                            if is_flags
                            else self._reader.values(group, name, *span)
                        )
                        spec = entry.cell_spec(year, name, part="cold", flags=is_flags)
                        self._patch(entry, year, spec, (l0, l1), (0, entry.n_assets), data)
                    self._dirty.setdefault((group, name, (0, entry.n_assets)), Spans()).add(first + l0, first + l1)
                part.cold_end = max(part.cold_end, l1)
            for chunk in ready:
                self._drop_hot(entry, year, chunk)
            moved += len(ready)
        return moved

    def compact_old(self, group: Group) -> int:
        """Compact the older hot chunks of years with many of them, since readers compute the rollups of hot chunks."""
        entry, moved = self._catalog.entry(group), 0
        for year, part in sorted(entry.years.items()):
            if len(part.hot_chunks) > _MAX_HOT:
                end = sorted(part.hot_chunks)[-_NEWEST_HOT] * part.hot.tile[0]
                # A cold tile that is written in part would be written again by the next step.
                edge = end // part.cold.tile[0] * part.cold.tile[0]
                end = edge if edge > min(part.hot_chunks) * part.hot.tile[0] else end
                moved += self.compact(group, before=entry.axis.year_cells(year)[0] + end)
        return moved

    # -- publication

    def commit(self, message: str) -> str:
        """Update the rollups of changed cells and publish; return the snapshot's id once it is on the disk."""
        self._check_open()
        for group, name, at in self._vacant:
            patch_vacant_rollups(self._catalog.entry(group), name, at, self._bytes, self._tiles.changed, self._patch)
        for (group, name, columns), spans in sorted(self._dirty.items(), key=lambda item: item[0]):
            update_rollups(self._catalog.entry(group), name, spans, columns, reader=self._reader, write=self._patch)
        self._tiles.flush()
        root = {"zarr_format": 3, "node_type": "group", "attributes": self._catalog.to_attributes()}
        self._bytes.put("zarr.json", json.dumps(root).encode())
        self._bytes.flush()
        if not self._session.has_uncommitted_changes:
            self._open = False
            return self._session.snapshot_id
        position = self.meta.get("position")
        metadata: dict[str, object] = {"position": position} if position is not None else {}
        snapshot = publish.publish(
            self._repository, self._session, message,
            path=self._path, metadata=metadata, seal=self._seal, branch=self._branch,
        )  # fmt: skip
        self._open = False
        return snapshot

    def discard(self) -> None:
        """Discard all changes of the transaction."""
        if self._open:
            self._session.discard_changes()
            self._open = False
