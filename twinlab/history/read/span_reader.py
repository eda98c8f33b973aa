"""Read cells and windows of one group, stored ones and those of the tail; picklable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group, rollup_steps, step_parent
from twinlab.history.layout.rollup import reduce_cells, reduce_rollup
from twinlab.history.layout.spans import Spans
from twinlab.history.read.signal_kinds import last_observation
from twinlab.history.store.view import View, open_view
from twinlab.model.flags import Flag
from twinlab.model.twinmodel import Signal, parse_duration

__all__ = ["Block", "SpanReader"]

_LOOK_BACK = 4096


class Block(Protocol):
    """Cells of a group that replace stored ones: the tail."""

    @property
    def group(self) -> Group:
        """The group."""

    @property
    def k0(self) -> int:
        """The first cell."""

    @property
    def values(self) -> Mapping[str, NDArray[np.signedinteger]]:
        """Integers (time, asset) of each signal."""

    @property
    def flags(self) -> Mapping[str, NDArray[np.uint8]]:
        """Flags (time, asset) of each signal."""

    @property
    def first_asset(self) -> int:
        """The stored column of the first asset."""

    @property
    def vacant(self) -> bool:
        """Whether no cell has a value and each series has one flag throughout."""


@lru_cache(maxsize=8)
def _view(path: Path, snapshot: str) -> View:
    return open_view(path, snapshot)


@dataclass(frozen=True)
class SpanReader:
    """Reads cells and windows of one group in one snapshot, and the tail's blocks instead of stored cells."""

    path: Path
    snapshot: str
    group: Group
    signals: Mapping[str, Signal]
    # Stored columns, in the order of the result.
    columns: NDArray[np.int64]
    extent: tuple[int, int]
    overlay: Sequence[Block] = field(default=(), repr=False)
    # Counters: stored column and first cell of each meter that replaced another one.
    changes: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def token(self) -> str:
        """What distinguishes this reader from any other in one process."""
        tail = [(id(block), block.k0) for block in self.overlay]
        told = (str(self.path), self.snapshot, self.group.path, self.extent, tail, sorted(self.changes.items()))
        return blake2b(repr(told).encode() + self.columns.tobytes(), digest_size=16).hexdigest()

    def stored_view(self) -> View | None:
        """Return the state of the history that is read; None if nothing of the group is stored in it."""
        view = _view(self.path, self.snapshot)
        return view if self.group in view.catalog.groups else None

    @property
    def far(self) -> bool:
        """Whether what is stored is in an object store."""
        return _view(self.path, self.snapshot).bytes_store().far

    def cells(
        self, name: str, k0: int, k1: int, columns: NDArray[np.int64], *, what: str = "both"
    ) -> tuple[NDArray[np.signedinteger], NDArray[np.uint8]]:
        """Return integers and flags (time, asset) of stored columns; ``what`` is "both", or "values" or "flags" to read only these."""
        if what == "values":
            return self._part(name, k0, k1, columns, flags=False), np.empty((0, 0), "uint8")
        if what == "flags":
            return np.empty((0, 0), "int8"), self._part(name, k0, k1, columns, flags=True)
        view = self.stored_view()
        both = (False, True)

        def part(flags: bool) -> NDArray[Any]:  # noqa: FBT001  (one of both)
            return self._part(name, k0, k1, columns, flags=flags)

        values, marks = map(part, both) if view is None else view.each(part, both)
        return values, marks

    def _part(self, name: str, k0: int, k1: int, columns: NDArray[np.int64], *, flags: bool) -> NDArray[Any]:
        dtype = np.dtype("uint8") if flags else self.signals[name].storage_dtype
        fill = int(Flag.NOT_EVALUATED) if flags else sentinel(dtype)
        view = self.stored_view()
        known = view.n_assets(self.group) if view is not None and name in view.signals(self.group) else 0
        inside = columns < known
        if view is not None and inside.all() and columns.size:
            out = (view.flags if flags else view.values)(self.group, name, k0, k1, columns)
        else:
            out = np.full((columns.size, k1 - k0), fill, dtype=dtype).T
            if view is not None and inside.any():
                out[:, inside] = (view.flags if flags else view.values)(self.group, name, k0, k1, columns[inside])
        for block in self.overlay:
            part = (block.flags if flags else block.values).get(name)
            if part is not None:
                _overlay(out, part, (k0, block.k0), columns, block.first_asset)
        return out

    def carry(self, name: str, k0: int, columns: NDArray[np.int64]) -> NDArray[np.signedinteger]:
        """Return the last observation before ``k0`` of each column; the type's smallest integer if there is none."""
        none = sentinel(self.signals[name].storage_dtype)
        first = self.extent[0]
        at = max(first, k0 - _LOOK_BACK)
        if at >= k0:
            return np.full(columns.size, none, dtype=self.signals[name].storage_dtype)
        out = last_observation(*self.cells(name, at, k0, columns))
        left = np.flatnonzero(out == none)
        if left.size and at > first:
            out[left] = self._carry_far(name, at, columns[left])
        return out

    def _carry_far(self, name: str, k0: int, columns: NDArray[np.int64]) -> NDArray[np.signedinteger]:
        """Search further back with the counts of the coarsest stored rollup, so that long gaps cost little."""
        none = sentinel(self.signals[name].storage_dtype)
        out = np.full(columns.size, none, dtype=self.signals[name].storage_dtype)
        steps = rollup_steps(self.group.cadence_ns)
        per = parse_duration(steps[-1]) // self.group.cadence_ns if steps else _LOOK_BACK
        at, long = k0, 1
        while at > self.extent[0] and (out == none).any():
            low = max((at - 1) // per * per - (long - 1) * per, self.extent[0] // per * per)
            left = np.flatnonzero(out == none)
            if steps:
                counts = self.windows(name, steps[-1], low // per, -(-at // per), columns[left], ("count",))["count"]
                busy = np.flatnonzero(counts.any(axis=1))
                spans = [(low + int(w) * per, min(at, low + (int(w) + 1) * per)) for w in busy[::-1]]
            else:
                spans = [(low, at)]
            for a, b in spans:
                left = np.flatnonzero(out == none)
                if not left.size:
                    break
                out[left] = last_observation(*self.cells(name, max(a, self.extent[0]), b, columns[left]))
            at, long = low, min(long * 4, 256)
        return out

    def windows(  # noqa: PLR0917
        self, name: str, step: str, w0: int, w1: int, columns: NDArray[np.int64], statistics: tuple[str, ...]
    ) -> dict[str, NDArray[Any]]:
        """Return statistics (window, asset) of windows of ``step``: stored ones where there are, else computed."""
        per = parse_duration(step) // self.group.cadence_ns
        out = self._stored_windows(name, step, w0, w1, columns, statistics)
        # Blocks of the same columns are computed together.
        touched: dict[tuple[int, int], Spans] = {}
        for block in self.overlay:
            if name in block.values:
                cells, wide = block.values[name].shape
                a, b = block.k0 // per, -(-(block.k0 + cells) // per)
                spans = touched.setdefault((block.first_asset, block.first_asset + wide), Spans())
                if not block.vacant:
                    spans.add(max(a, w0), min(b, w1))
                    continue
                # Windows at its ends have other cells, too.
                whole = -(-block.k0 // per), (block.k0 + cells) // per
                for edge in (a, b - 1):
                    if not whole[0] <= edge < whole[1]:
                        spans.add(max(edge, w0), min(edge + 1, w1))
                inside = max(whole[0], w0) - w0, min(whole[1], w1) - w0
                _put_vacant(out, block.flags[name][0], inside, per, columns, block.first_asset)
        for (first, stop), spans in touched.items():
            places = np.flatnonzero((columns >= first) & (columns < stop))
            for a, b in spans if places.size else ():
                fresh = reduce_cells(*self.cells(name, a * per, b * per, columns[places]), per)
                for key in statistics:
                    if not out[key].flags.writeable:
                        out[key] = out[key].copy()
                    out[key][a - w0 : b - w0, places] = fresh[key]
        return out

    def _stored_windows(  # noqa: PLR0917
        self, name: str, step: str, w0: int, w1: int, columns: NDArray[np.int64], statistics: tuple[str, ...]
    ) -> dict[str, NDArray[Any]]:
        view = self.stored_view()
        known = view.n_assets(self.group) if view is not None and name in view.signals(self.group) else 0
        per = parse_duration(step) // self.group.cadence_ns
        if view is None or not (columns < known).all():
            out = reduce_cells(*self.cells(name, w0 * per, w1 * per, columns), per)
        elif step in rollup_steps(self.group.cadence_ns):
            return view.rollup(self.group, name, step, w0, w1, columns, statistics=statistics)
        elif (parent := step_parent(self.group.cadence_ns, step)) is not None:
            ratio = parse_duration(step) // parse_duration(parent)
            wanted = tuple(dict.fromkeys((*statistics, "count")))
            extremes = "min" in wanted or "max" in wanted
            if extremes and view.catalog.cells_removed:
                wanted = tuple(dict.fromkeys((*wanted, "min")))
            below = view.rollup(self.group, name, parent, w0 * ratio, w1 * ratio, columns, statistics=wanted)
            out = reduce_rollup(below, ratio)
            if extremes and view.catalog.cells_removed:
                # Extremes of a part of a window aren't those of the window.
                lacking = (below["count"] > 0) & (below["min"] == sentinel(below["min"].dtype))
                parts = lacking.reshape(-1, ratio, lacking.shape[1]).any(axis=1)
                for key in {"min", "max"} & set(out):
                    out[key] = np.where(parts, np.array(sentinel(out[key].dtype), dtype=out[key].dtype), out[key])
        else:
            return view.fold(self.group, name, per, w0, w1, columns, statistics=statistics)
        return {key: out[key] for key in statistics}


def _put_vacant(  # noqa: PLR0917
    out: dict[str, NDArray[Any]],
    flags: NDArray[np.uint8],
    windows: tuple[int, int],
    per: int,
    columns: NDArray[np.int64],
    first_asset: int,
) -> None:
    """Put windows without values into ``out``, from the flag of each asset of a vacant block."""
    places = np.flatnonzero((columns >= first_asset) & (columns < first_asset + len(flags)))
    if windows[0] >= windows[1] or not places.size:
        return
    missing = flags[columns[places] - first_asset] == Flag.MISSING
    for key, part in out.items():
        # No value: a count of zero, the smallest integer as extreme.
        nothing = sentinel(part.dtype) if key in ("min", "max") else 0
        row = {"missing": missing * per, "not_evaluated": ~missing * per}.get(key, nothing)
        out[key] = part if part.flags.writeable else part.copy()
        out[key][slice(*windows), places] = row


def _overlay(
    out: NDArray[np.generic],
    part: NDArray[np.generic],
    starts: tuple[int, int],
    columns: NDArray[np.int64],
    first_asset: int,
) -> None:
    """Put a block's cells into ``out``; ``starts`` are the first cells of ``out`` and of the block."""
    k0, at = starts
    first, stop = max(k0, at), min(k0 + out.shape[0], at + part.shape[0])
    if first >= stop:
        return
    places = columns - first_asset
    inside = (places >= 0) & (places < part.shape[1])
    if inside.any():
        out[first - k0 : stop - k0, inside] = part[first - at : stop - at][:, places[inside]]
