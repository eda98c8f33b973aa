"""Build cells from claims: values as integers, and a flag for every cell.

Ingest, rebuild, tail and as-of use the same code. They differ only in where the claims come from (`ClaimSource`), which
cells exist already (`Base`), and what is done with the resulting `Block` objects.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import Claims
from twinlab.history.build.blocks import Base, Block, Empty
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.kernels import scatter
from twinlab.history.build.report import Tally
from twinlab.history.build.resolve import Collector, resolve
from twinlab.history.layout.encoding import decode, encode, sentinel
from twinlab.history.layout.grid import Frontier
from twinlab.history.layout.spans import Span, clip, holes, pieces, union, widen
from twinlab.model.flags import Flag
from twinlab.quality.cells import flag_cells, margins

__all__ = [
    "BUILD_VERSION",
    "Best",
    "ClaimSource",
    "Part",
    "Values",
    "build_blocks",
    "build_values",
    "encoded",
    "flags_of",
    "reach_of_change",
]

#: Changes whenever the same rows would give other arrays. A history of another version is rebuilt.
BUILD_VERSION = 2
#: Cells (time x asset x signal) built at once; each takes about 30 bytes meanwhile.
PIECE_CELLS = 4_000_000
#: Beyond so many cells in time the margins of a piece cost nothing, and longer pieces only take memory.
_LONG = 1024
_EARLIEST = np.iinfo(np.int64).min
#: Size in cells of the accumulators that each thread reuses from build to build.
_REUSED_CELLS = 6_000_000
#: Later than any watermark.
NEVER = 2**62

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Claims of one frame, within the twin's span."""

    # Sources are numbered in the order of their names.
    source: int
    claims: Claims
    # Ordinal from which claims are new since the last build.
    new_from: int = 0


class ClaimSource(Protocol):
    """Provides the claims that a window of one group depends on."""

    def parts(self, spec: GroupSpec, window: Span) -> Iterable[Part]:
        """Yield all claims of the window and all that share a key with one of them; others are allowed, too."""

    def simple(self, spec: GroupSpec, window: Span) -> frozenset[str]:
        """Return the signals for which `scatter` may build this window; all have the rule ``last``."""

    def judged(self, spec: GroupSpec) -> frozenset[str]:
        """Return the signals some of whose claims have a flag of their own; none of them is ``simple``."""


class Values(NamedTuple):
    """Values of a span of cells, by signal: arrays [time, asset]."""

    ints: dict[str, npt.NDArray[np.signedinteger]]
    # The chosen source, for signals for which several compete.
    chosen: dict[str, npt.NDArray[np.int16]]
    # The source's own flag, for signals with a status.
    flags: dict[str, npt.NDArray[np.uint8]]


def build_values(spec: GroupSpec, span: Span, source: ClaimSource, tally: Tally) -> Values:
    """Return the values of every signal in a span of cells, with their sources and the flags that these state."""
    simple = source.simple(spec, span)
    names = list(spec.signals)
    quick = [name for name in names if name in simple]
    best = Best.of((len(quick), span[1] - span[0], len(spec.assets)))
    renumber = np.array([quick.index(name) if name in simple else -1 for name in names] + [-1], dtype=np.int32)
    slow = {
        name: Collector(spec.axis.origin_ns, spec.group.cadence_ns, *span, assets=len(spec.assets))
        for name in names
        if name not in simple
    }
    for part in source.parts(spec, span):
        signal, asset = spec.numbered(part.claims.series)
        if quick:
            tally.duplicates += best.add(part, renumber[signal], asset, span[0], spec)
        for name, collector in slow.items():
            mine = np.where(signal == spec.numbers[name], asset, -1).astype(np.int32)
            if (mine >= 0).any():
                collector.add(part.claims, mine, source=part.source, new_from=part.new_from)
    found, judged = Values({}, {}, {}), source.judged(spec)
    for name in names:
        spec_signal = spec.signals[name]
        if name in slow:
            done = resolve(slow[name], combine=spec_signal.combine, resolution=spec_signal.resolution or 0.5)
            tally.duplicates += done.superseded
            tally.disagreements += done.disagreements
            floats, found.chosen[name] = done.values, done.chosen
            if name in judged:
                found.flags[name] = done.flags
        else:
            floats = best.value[quick.index(name)]
        found.ints[name] = encoded(floats, spec, name, tally)
    return found


def encoded(floats: npt.NDArray[np.float64], spec: GroupSpec, name: str, tally: Tally) -> npt.NDArray[np.signedinteger]:
    """Return the integers of a signal's values, and count those that don't fit."""
    ints, lost = encode(floats, spec.signals[name])
    if lost.any():
        tally.lost[f"{spec.group.asset_type}.{name}"] += int(np.count_nonzero(lost))
    return ints


_reused = threading.local()


class Best(NamedTuple):
    """The best claim of each cell so far, for `scatter`: arrays [signal, time, asset]."""

    value: npt.NDArray[np.float64]
    time: Ints
    epoch: Ints
    rank: Ints

    @classmethod
    def of(cls, shape: tuple[int, int, int]) -> Best:
        """Return a shape without claims, in memory that this thread reuses: allocating it would cost more than the build."""
        size = shape[0] * shape[1] * shape[2]
        if size > _REUSED_CELLS:
            return cls(np.full(shape, np.nan), *(np.full(shape, _EARLIEST, dtype=np.int64) for _ in range(3)))
        buffer: npt.NDArray[np.int64] | None = getattr(_reused, "cells", None)
        if buffer is None or buffer.shape[1] < size:
            # Allocated for the largest piece: unused pages take no memory.
            buffer = _reused.cells = np.empty((4, _REUSED_CELLS), dtype=np.int64)
        value = buffer[0, :size].view(np.float64).reshape(shape)
        value.fill(np.nan)
        buffer[1:, :size] = _EARLIEST
        return cls(value, *(buffer[row, :size].reshape(shape) for row in (1, 2, 3)))

    def add(
        self, part: Part, signal: npt.NDArray[np.int32], asset: npt.NDArray[np.int32], first: int, spec: GroupSpec
    ) -> int:
        """Add claims from cell ``first`` on, by the number and the column of each of their series; return how many are repeated."""
        c = part.claims
        return int(
            scatter(
                c.code, c.event_time, c.value, _constant(c.epoch), _constant(c.sequence), c.ordinal, signal, asset,
                spec.axis.origin_ns, spec.group.cadence_ns, first, part.new_from, *self,
            )
        )  # fmt: skip


def _constant(column: Ints) -> Ints:
    """Return the first element if the column is broadcast from it, else the whole column."""
    return np.ascontiguousarray(column[:1]) if column.size and column.strides == (0,) else column


def flags_of(  # noqa: PLR0917  (one call)
    spec: GroupSpec, name: str, ints: npt.NDArray[np.signedinteger], first: int, span: Span, frontier: Frontier
) -> npt.NDArray[np.uint8]:
    """Return the flags of ``span``; ``ints`` start at cell ``first`` and include the margins."""
    signal, number = spec.signals[name], spec.numbers[name]
    passed = frontier.passed[number]
    # The cell of the watermark is settled if it has a value; without one it isn't missing yet.
    until = passed.copy()
    at = passed - first
    columns = np.flatnonzero((at >= 0) & (at < len(ints)))
    filled = ints[at[columns], columns] != sentinel(ints.dtype)
    until[columns[filled]] += 1
    since, until = frontier.within_lifetimes(frontier.known_from[number], until)
    return flag_cells(
        decode(ints, signal),
        signal=signal,
        margin_before=span[0] - first,
        margin_after=first + len(ints) - span[1],
        known_until=np.clip(until - span[0], -NEVER, NEVER),
        known_from=np.clip(since - span[0], -NEVER, NEVER),
        start_ns=spec.axis.origin_ns + first * spec.group.cadence_ns,
        limits_of_assets=spec.limits.get(name),
    )


def piece_length(spec: GroupSpec) -> int:
    """Return how many cells in time are built at once: whole tiles of at most `PIECE_CELLS` cells, fewer of few series."""
    wide = max(1, len(spec.assets) * len(spec.signals))
    return max(128, min(PIECE_CELLS // wide, max(_LONG, PIECE_CELLS // 4 // wide)) // 128 * 128)


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
        All other cells that flags depend on. If ``base`` reads what the blocks are written to, write each block before
        requesting the next one.
    fresh : spans of cells
        Cells whose values are computed from claims.
    write : spans of cells
        Cells whose flags are computed and that are yielded. Contains ``fresh`` widened by the margins; fresh cells
        beyond it are computed as margins only.
    edges : cell numbers, optional
        No block crosses one of these.
    """
    before, after = spec.margins
    judged = source.judged(spec)
    # The source's part of a stored flag is unknown, so flags of all written cells need their claims.
    fresh, write = union(fresh, write) if judged else union(fresh), union(write)
    for k0, k1 in pieces(write, longest=piece_length(spec), edges=edges):
        # Fresh cells before the piece that aren't written: margins that `base` doesn't have.
        unwritten = holes(clip(write, (k0 - before, k0)), (k0 - before, k0)) if before else []
        now = union(clip(fresh, (k0, k1)), *(clip(fresh, hole) for hole in unwritten))
        later = clip(fresh, (k1, k1 + after))
        built = {s: build_values(spec, s, source, tally) for s in now}
        made = {s: found.ints for s, found in built.items()}
        # The few cells after the piece are built again with the next piece, which is simpler than passing them on.
        made |= {s: build_values(spec, s, source, Tally()).ints for s in later}
        values, flags = {}, {}
        for name, signal in spec.signals.items():
            reach = margins(signal)
            first, last = k0 - reach[0], k1 + reach[1]
            ints = _assembled(spec, name, (first, last), base, made)
            flags[name] = flags_of(spec, name, ints, first, (k0, k1), frontier)
            values[name] = ints[k0 - first : k1 - first]
            if name in judged:
                for (low, _), found in built.items():
                    _add_source_flags(flags[name], found.flags[name], low - k0)
        tally.cells += (k1 - k0) * len(spec.assets) * len(spec.signals)
        tally.blocks += 1
        yield Block(spec.group, k0, values, flags, spec.first_asset)


def _add_source_flags(flags: npt.NDArray[np.uint8], stated: npt.NDArray[np.uint8], at: int) -> None:
    """Replace flags by the source's own where these are worse; ``stated`` starts at row ``at``. In place."""
    low, high = max(at, 0), min(at + len(stated), len(flags))
    if low < high:
        part, flag = flags[low:high], stated[low - at : high - at]
        # Of the flags of a value, only suspect and fail are worse than another, and their numbers are greater.
        worse = ((flag == Flag.SUSPECT) | (flag == Flag.FAIL)) & (flag > part)
        part[worse] = flag[worse]


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
    """Return the cells whose flags depend on the cells in ``spans``: the spans widened by the widest margins."""
    before, after = spec.margins
    return widen(spans, before=after, after=before)
