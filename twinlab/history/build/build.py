"""Build: claims become cells, cells become integers, and every cell gets its flag. Pure; one code path for all readers.

Ingest, rebuild, tail and as-of differ only in where the claims come from (`ClaimSource`), what is built already
(`Base`), and what becomes of the `Block` that come out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.build.kernels import scatter
from twinlab.history.build.resolve import Collector, resolve
from twinlab.history.layout.dirty_spans import Span, clip, holes, pieces, union, widen
from twinlab.history.layout.encoding import decode, encode, sentinel
from twinlab.history.layout.grid import Axis, Group, floor_midnight
from twinlab.model.twinmodel import Signal, TwinModel
from twinlab.quality.cells import flag_cells, margins

__all__ = [
    "BUILD_VERSION",
    "Base",
    "Block",
    "ClaimSource",
    "Empty",
    "Frontier",
    "GroupSpec",
    "Part",
    "Recent",
    "Tally",
    "build_blocks",
    "build_values",
    "reach_of_change",
]

#: Changes whenever the same rows would give other arrays: history built by another version is built anew.
BUILD_VERSION = 2
#: Cells (time x asset x signal) built at once: about 30 bytes each while they're being built.
PIECE_CELLS = 4_000_000
_EARLIEST = np.iinfo(np.int64).min
#: Accumulators of so many cells are kept by each thread between builds.
_KEPT_CELLS = 6_000_000
#: Later than any watermark.
NEVER = 2**62

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class GroupSpec:
    """The signals of one asset type and cadence, with the assets in the order in which they are stored."""

    group: Group
    origin_ns: int
    signals: Mapping[str, Signal]
    assets: tuple[str, ...]

    @cached_property
    def axis(self) -> Axis:
        """The time axis."""
        return Axis(floor_midnight(self.origin_ns), self.group.cadence_ns)

    @cached_property
    def places(self) -> dict[str, int]:
        """Asset -> column."""
        return {asset: place for place, asset in enumerate(self.assets)}

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Signal -> number."""
        return {name: number for number, name in enumerate(self.signals)}

    @cached_property
    def margins(self) -> tuple[int, int]:
        """The widest margins of all signals, in cells before and after."""
        found = [margins(signal) for signal in self.signals.values()]
        return max(m[0] for m in found), max(m[1] for m in found)

    @cached_property
    def _numbered(self) -> dict[int, tuple[object, npt.NDArray[np.int32], npt.NDArray[np.int32]]]:
        return {}

    def numbered(self, series: tuple[Series, ...]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return the signal's number and the asset's column of each series, -1 if it is none of this group's."""
        found = self._numbered.get(id(series))
        if found is not None and found[0] is series:
            return found[1], found[2]
        kind, numbers, places = self.group.asset_type, self.numbers, self.places
        pairs = [
            (numbers.get(one.signal, -1), places.get(one.asset, -1)) if one.asset_type == kind else (-1, -1)
            for one in series
        ]
        signal, asset = np.array(pairs or [(-1, -1)], dtype=np.int32).T.copy()
        signal[asset < 0] = -1
        asset[signal < 0] = -1
        self._numbered[id(series)] = (series, signal, asset)
        return signal, asset

    @classmethod
    def all_of(cls, model: TwinModel, assets: Mapping[str, Sequence[str]]) -> list[GroupSpec]:
        """Return the groups of a model; ``assets`` are the ids of each type in storage order."""
        out = []
        for name, kind in model.asset_types.items():
            by_group: dict[Group, dict[str, Signal]] = {}
            for signal_name, signal in kind.signals.items():
                by_group.setdefault(Group(name, signal.cadence), {})[signal_name] = signal
            ids = tuple(assets.get(name, ()))
            out += [cls(group, model.origin_ns, signals, ids) for group, signals in by_group.items()]
        return out


@dataclass(frozen=True)
class Part:
    """Claims of one frame. Rows outside the twin's span are left out already."""

    # Sources are numbered in the order of their names.
    source: int
    claims: Claims
    # Ordinal from which claims are new since the last build.
    new_from: int = 0


class ClaimSource(Protocol):
    """Gives the claims that a window of one group depends on."""

    def parts(self, spec: GroupSpec, window: Span) -> Iterable[Part]:
        """Yield all claims of the window (others may come along), and all claims that share a key with one of them."""

    def simple(self, spec: GroupSpec, window: Span) -> frozenset[str]:
        """Return the signals (all of the rule ``last``) of which `scatter` may build this window."""


@dataclass(frozen=True)
class Frontier:
    """Up to where each series is settled and from where it's expected: int64 [signal, asset], cells."""

    # First cell of the series' first observation: before it nothing is missing.
    known_from: Ints
    # First cell that the watermark hasn't passed, that is, the cell that holds it; -NEVER where there is none.
    passed: Ints


@dataclass(frozen=True)
class Block:
    """Finished cells ``k0 ... k0 + n - 1`` of all assets of a group, for some of its signals."""

    group: Group
    k0: int
    values: Mapping[str, npt.NDArray[np.signedinteger]]
    flags: Mapping[str, npt.NDArray[np.uint8]]

    @property
    def k1(self) -> int:
        """First cell after the block."""
        return self.k0 + len(next(iter(self.values.values())))


class Base(Protocol):
    """Cells that are built already."""

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return stored integers [time, asset]; the sentinel where there is nothing."""


class Empty:
    """Nothing is built yet."""

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return the sentinel everywhere."""
        dtype = spec.signals[signal].storage_dtype
        return np.full((span[1] - span[0], len(spec.assets)), sentinel(dtype), dtype=dtype)


@dataclass
class Recent:
    """A base under blocks that were just built and aren't stored."""

    below: Base
    blocks: list[Block] = field(default_factory=list)

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return the newest integers of the span."""
        mine = [
            b for b in self.blocks if b.group == spec.group and signal in b.values and b.k0 < span[1] and b.k1 > span[0]
        ]
        covered = [(b.k0, b.k1) for b in mine]
        if not holes(covered, span) and len(mine) == 1:
            return mine[0].values[signal][span[0] - mine[0].k0 : span[1] - mine[0].k0]
        out = Empty().ints(spec, signal, span)
        for low, high in holes(covered, span):
            out[low - span[0] : high - span[0]] = self.below.ints(spec, signal, (low, high))
        for b in mine:
            low, high = max(b.k0, span[0]), min(b.k1, span[1])
            out[low - span[0] : high - span[0]] = b.values[signal][low - b.k0 : high - b.k0]
        return out


@dataclass
class Tally:
    """What the build met on its way."""

    cells: int = 0
    slabs: int = 0
    # Claims that a later one of the same identity supersedes, or that came again.
    duplicates: int = 0
    # Cells in which two sources differ by more than the resolution.
    disagreements: int = 0
    # Values that don't fit the signal's storage.
    lost: int = 0

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.cells += other.cells
        self.slabs += other.slabs
        self.duplicates += other.duplicates
        self.disagreements += other.disagreements
        self.lost += other.lost


def build_values(
    spec: GroupSpec, span: Span, source: ClaimSource, tally: Tally
) -> tuple[dict[str, npt.NDArray[np.signedinteger]], dict[str, npt.NDArray[np.int16]]]:
    """Return the integers [time, asset] of every signal in a span of cells, and (where sources compete) the chosen source."""
    simple = source.simple(spec, span)
    names = list(spec.signals)
    quick = [name for name in names if name in simple]
    value, time, epoch, rank = _accumulators((len(quick), span[1] - span[0], len(spec.assets)))
    renumber = np.array([quick.index(name) if name in simple else -1 for name in names] + [-1], dtype=np.int32)
    slow = {
        name: Collector(spec.axis.origin_ns, spec.group.cadence_ns, *span, assets=len(spec.assets))
        for name in names
        if name not in simple
    }
    for part in source.parts(spec, span):
        signal, asset = spec.numbered(part.claims.series)
        if quick:
            c = part.claims
            tally.duplicates += scatter(
                c.code, c.event_time, c.value, _constant(c.epoch), _constant(c.sequence), c.ordinal, renumber[signal], asset,
                spec.axis.origin_ns, spec.group.cadence_ns, span[0], part.new_from, value, time, epoch, rank,
            )  # fmt: skip
        for name, collector in slow.items():
            mine = np.where(signal == spec.numbers[name], asset, -1).astype(np.int32)
            if (mine >= 0).any():
                collector.add(part.claims, mine, source=part.source, new_from=part.new_from)
    out, chosen = {}, {}
    for name in names:
        spec_signal = spec.signals[name]
        if name in slow:
            done = resolve(slow[name], combine=spec_signal.combine, resolution=spec_signal.resolution or 0.5)
            tally.duplicates += done.superseded
            tally.disagreements += done.disagreements
            floats, chosen[name] = done.values, done.chosen
        else:
            floats = value[quick.index(name)]
        out[name], lost = encode(floats, spec_signal)
        tally.lost += int(np.count_nonzero(lost))
    return out, chosen


_kept = threading.local()


def _accumulators(shape: tuple[int, int, int]) -> tuple[npt.NDArray[np.float64], Ints, Ints, Ints]:
    """Return empty accumulators of a shape, in memory that this thread used before: fresh pages cost more than the build."""
    size = shape[0] * shape[1] * shape[2]
    if size > _KEPT_CELLS:
        value = np.full(shape, np.nan)
        return value, *(np.full(shape, _EARLIEST, dtype=np.int64) for _ in range(3))  # type: ignore[return-value]
    held: npt.NDArray[np.int64] | None = getattr(_kept, "cells", None)
    if held is None or held.shape[1] < size:
        # Room for the largest piece at once: what isn't used takes no memory, and nothing is moved when pieces grow.
        held = _kept.cells = np.empty((4, _KEPT_CELLS), dtype=np.int64)
    value = held[0, :size].view(np.float64).reshape(shape)
    value.fill(np.nan)
    held[1:, :size] = _EARLIEST
    return value, held[1, :size].reshape(shape), held[2, :size].reshape(shape), held[3, :size].reshape(shape)


def _constant(column: Ints) -> Ints:
    """Return one element of a column that is broadcast from it, else the whole column."""
    return np.ascontiguousarray(column[:1]) if column.size and column.strides == (0,) else column


def _flags(  # noqa: PLR0917  (one call)
    spec: GroupSpec, name: str, ints: npt.NDArray[np.signedinteger], first: int, span: Span, frontier: Frontier
) -> npt.NDArray[np.uint8]:
    """Return the flags of ``span``; ``ints`` starts at cell ``first`` and holds the margins too."""
    signal, number = spec.signals[name], spec.numbers[name]
    passed = frontier.passed[number]
    # The cell that holds the watermark counts as settled where it holds a value: it can't be missing yet.
    until = passed.copy()
    at = passed - first
    columns = np.flatnonzero((at >= 0) & (at < len(ints)))
    filled = ints[at[columns], columns] != sentinel(ints.dtype)
    until[columns[filled]] += 1
    return flag_cells(
        decode(ints, signal),
        signal=signal,
        margin_before=span[0] - first,
        margin_after=first + len(ints) - span[1],
        known_until=np.clip(until - span[0], -NEVER, NEVER),
        known_from=np.clip(frontier.known_from[number] - span[0], -NEVER, NEVER),
        start_ns=spec.axis.origin_ns + first * spec.group.cadence_ns,
    )


def piece_length(spec: GroupSpec) -> int:
    """Return how many cells in time are built at once: whole tiles, within the memory allowed."""
    wide = max(1, len(spec.assets) * len(spec.signals))
    return max(128, PIECE_CELLS // wide // 128 * 128)


def build_blocks(
    spec: GroupSpec,
    *,
    source: ClaimSource,
    base: Base,
    frontier: Frontier,
    fresh: Sequence[Span],
    write: Sequence[Span],
    tally: Tally,
    edges: Sequence[int] = (),
) -> Iterator[Block]:
    """Build and flag cells, in pieces of bounded size and in order of time.

    Parameters
    ----------
    source : ClaimSource
        Claims of the cells in ``fresh``.
    base : Base
        All other cells that flags depend on. If the blocks are written to what ``base`` reads, write each before the
        next is asked for.
    fresh : spans of cells
        Whose values are computed from claims.
    write : spans of cells
        Whose flags are computed: what comes out. Contains ``fresh`` widened by the margins; what is fresh beyond it is
        computed as margin alone.
    edges : cell numbers, optional
        No block crosses one of these.
    """
    before, after = spec.margins
    fresh, write = union(fresh), union(write)
    for k0, k1 in pieces(write, longest=piece_length(spec), edges=edges):
        # What is fresh before the piece and isn't written at all: margins that `base` doesn't know.
        unwritten = holes(clip(write, (k0 - before, k0)), (k0 - before, k0)) if before else []
        now = union(clip(fresh, (k0, k1)), *(clip(fresh, hole) for hole in unwritten))
        later = clip(fresh, (k1, k1 + after))
        made = {s: build_values(spec, s, source, tally)[0] for s in now}
        # The few cells after the piece are built once more with the next piece: cheaper than to carry them over.
        made |= {s: build_values(spec, s, source, Tally())[0] for s in later}
        values, flags = {}, {}
        for name, signal in spec.signals.items():
            reach = margins(signal)
            first, last = k0 - reach[0], k1 + reach[1]
            ints = _assembled(spec, name, (first, last), base, made)
            flags[name] = _flags(spec, name, ints, first, (k0, k1), frontier)
            values[name] = ints[k0 - first : k1 - first]
        tally.cells += (k1 - k0) * len(spec.assets) * len(spec.signals)
        tally.slabs += 1
        yield Block(spec.group, k0, values, flags)


def _assembled(
    spec: GroupSpec, name: str, span: Span, base: Base, made: Mapping[Span, Mapping[str, npt.NDArray[np.signedinteger]]]
) -> npt.NDArray[np.signedinteger]:
    if span in made:
        return made[span][name]
    out = Empty().ints(spec, name, span)
    for low, high in holes(made, span):
        out[low - span[0] : high - span[0]] = base.ints(spec, name, (low, high))
    for (low, high), values in made.items():
        a, b = max(low, span[0]), min(high, span[1])
        if a < b:
            out[a - span[0] : b - span[0]] = values[name][a - low : b - low]
    return out


def reach_of_change(spec: GroupSpec, spans: Iterable[Span]) -> list[Span]:
    """Return the cells whose flags depend on the cells in ``spans``: no more than the widest margins around them."""
    before, after = spec.margins
    return widen(spans, before=after, after=before)
