"""How many bytes the cells of gauges would have after a removal: tiles are encoded as they would be stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.grid import Group
from twinlab.history.store.catalog import GroupEntry
from twinlab.history.store.codecs import ArraySpec, encode_tile
from twinlab.history.store.view import View
from twinlab.history.write.removal import Removal, changed_cells, end_of_removal, kept_mask

__all__ = ["Place", "SizeEstimate", "filled_tile", "size_after", "tile_places"]

#: Tiles of each signal that are encoded; of more, so many at equal distances.
_TILES = 400
#: Of these, those that are encoded in other codecs, too.
_CODEC_TILES = 8


@dataclass(frozen=True)
class SizeEstimate:
    """Bytes of the cells of all gauges."""

    before: float
    # Instant of a cut, ns -> bytes after it.
    after: Mapping[int, float]
    # Share of their tiles that were encoded: with 1, only indexes of shards that would vanish aren't known.
    share: float
    # The same in other codecs, estimated from fewer tiles: codec -> instant of a cut -> bytes.
    in_codecs: Mapping[str, Mapping[int, float]] = field(default_factory=dict)


def size_after(
    view: View,
    removal: Removal,
    cuts: Sequence[int],
    columns: Mapping[str, Sequence[str]],
    *,
    codecs: Sequence[str] = (),
    tiles: int = _TILES,
) -> SizeEstimate:
    """Return the bytes of the cells of gauges before and after a removal, for some instants of its cut.

    Cells before the cut are treated as ``removal`` says; its own cut isn't read. With ``codecs``, also with the values in each of
    them.
    """
    stored = view.bytes()
    before, after, seen, every = 0.0, dict.fromkeys(cuts, 0.0), 0, 0
    in_codecs = {codec: dict.fromkeys(cuts, 0.0) for codec in codecs}
    for group in view.groups():
        entry = view.catalog.entry(group)
        ends = {cut: end_of_removal(entry, cut) for cut in cuts}
        for name, signal in entry.signals.items():
            if signal.kind != "gauge" or entry.extent is None:
                continue
            size = sum(stored.get(path, 0) or stored.get("/" + path, 0) for path in _arrays(entry, name))
            places = list(tile_places(entry))
            chosen = places[:: max(1, -(-len(places) // tiles))]
            every, seen = every + len(places), seen + len(chosen)
            sampled = set(chosen[:: max(1, -(-len(chosen) // _CODEC_TILES))]) if codecs else set()
            old, new = 0, {cut: _Bytes(codecs) for cut in cuts}
            for place in chosen:
                others = codecs if place in sampled else ()
                was = _tile(view, group, name, place, removal, ends, columns.get(group.asset_type, ()), others)
                old += was[None].size
                for cut in cuts:
                    new[cut].add(was[cut])
            scale = len(places) / max(1, len(chosen))
            # The indexes of shards stay as long as they are.
            indexes = max(0.0, size - old * scale)
            before += size
            for cut in cuts:
                after[cut] += indexes + new[cut].size * scale
                for codec in codecs:
                    in_codecs[codec][cut] += indexes + new[cut].in_codec(codec) * scale
    return SizeEstimate(before, after, seen / every if every else 1.0, in_codecs)


class _Bytes:
    """Bytes of tiles: of flags, of values, and of the values of some tiles in the codec in use and in others."""

    def __init__(self, codecs: Sequence[str] = ()) -> None:
        self.flags = self.values = self.sampled = 0
        self.others = dict.fromkeys(codecs, 0)

    @property
    def size(self) -> int:
        return self.flags + self.values

    def add(self, one: _Bytes) -> None:
        self.flags += one.flags
        self.values += one.values
        self.sampled += one.sampled
        for codec, size in one.others.items():
            self.others[codec] += size

    def in_codec(self, codec: str) -> float:
        share = self.others[codec] / self.sampled if self.sampled else 1.0
        return self.flags + self.values * share


def _arrays(entry: GroupEntry, name: str) -> Iterator[str]:
    for year, part in entry.years.items():
        for half in ("hot", "cold"):
            for array in (f"{half}/{name}", f"{half}/{name}_qc"):
                if array in part.arrays:
                    yield f"{entry.path(year)}/{array}"


#: Year, first cell and end within it, first column and end.
Place = tuple[int, int, int, int, int]


def tile_places(entry: GroupEntry) -> Iterator[Place]:
    """Yield the places of all tiles of a group's cells."""
    for year, first, stop in entry.axis.split(*(entry.extent or (0, 0))):
        base, (long, wide) = entry.axis.year_cells(year)[0], entry.year(year).cold.tile
        for row in range((first - base) // long, -(-(stop - base) // long)):
            for low in range(0, entry.n_assets, wide):
                end = min((row + 1) * long, entry.axis.year_cells(year)[1] - base)
                yield year, row * long, end, low, min(low + wide, entry.n_assets)


def _tile(  # noqa: PLR0917
    view: View,
    group: Group,
    name: str,
    place: Place,
    removal: Removal,
    ends: Mapping[int, int],
    assets: Sequence[str],
    codecs: Sequence[str],
) -> dict[int | None, _Bytes]:
    """Return the bytes of a tile of values and of flags, as it is (None) and after each cut."""
    year, first, stop, low, high = place
    entry = view.catalog.entry(group)
    base = entry.axis.year_cells(year)[0]
    span = (base + first, base + stop)
    values, flags = view.cells(group, name, *span, np.arange(low, high))
    spec, qc = (entry.cell_spec(year, name, part="cold", flags=one) for one in (False, True))

    def measured(cells: NDArray[Any], marks: NDArray[Any]) -> _Bytes:
        out = _Bytes(codecs)
        out.flags, out.values = _encoded(qc, marks, place), _encoded(spec, cells, place)
        if codecs:
            out.sampled = out.values
            out.others = {codec: _encoded(replace(spec, codec=codec), cells, place) for codec in codecs}
        return out

    was = measured(values, flags)
    out: dict[int | None, _Bytes] = {None: was}
    whole: _Bytes | None = None
    ids = [*assets[low:high], *[""] * (high - low)][: high - low]
    for cut, end in ends.items():
        if end <= span[0]:
            out[cut] = was
            continue
        if end >= span[1] and whole is not None:
            out[cut] = whole
            continue
        kept = kept_mask(removal.kept.get(group.asset_type), ids, entry.axis, span)
        kept[max(0, end - span[0]) :] = True
        _, cells, marks = changed_cells(values, flags, kept, removal)
        out[cut] = measured(cells, marks)
        if end >= span[1]:
            whole = out[cut]
    return out


def _encoded(spec: ArraySpec, data: NDArray[Any], place: Place) -> int:
    """Return the bytes of a tile (time, asset); none if it is what is read where no tile is stored."""
    tile = filled_tile(spec, data, place)
    return 0 if tile is None else len(encode_tile(tile, spec.codec))


def filled_tile(spec: ArraySpec, data: NDArray[Any], place: Place) -> NDArray[Any] | None:
    """Return a tile (time, asset) in its whole size; None if it is what is read where no tile is stored."""
    _, first, stop, low, high = place
    if (spec.background((first, stop), (low, high)) == data.T).all():
        return None
    long, wide = spec.layout.tile
    tile = np.full((wide, long), spec.fill, dtype=spec.dtype)
    tile[: high - low, : stop - first] = data.T
    return tile.T
