"""Blocks: finished cells of a group, and cells that were built before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.layout.spans import Span, holes

__all__ = ["Base", "Block", "Empty", "Recent"]


@dataclass(frozen=True)
class Block:
    """Finished cells ``k0 ... k0 + n - 1`` of all assets of a group or some neighbouring ones, for some of its signals."""

    group: Group
    k0: int
    values: Mapping[str, npt.NDArray[np.signedinteger]]
    flags: Mapping[str, npt.NDArray[np.uint8]]
    # Column of the first asset.
    first_asset: int = 0
    # Whether no cell has a value and each series has one flag throughout.
    vacant: bool = False

    @property
    def k1(self) -> int:
        """First cell after the block."""
        return self.k0 + len(next(iter(self.values.values())))


class Base(Protocol):
    """Provides cells that were built before."""

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return stored integers [time, asset]; the sentinel where there is no value."""


class Empty:
    """A base without cells."""

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return the sentinel for all cells."""
        dtype = spec.signals[signal].storage_dtype
        return np.full((span[1] - span[0], len(spec.assets)), sentinel(dtype), dtype=dtype)


@dataclass
class Recent:
    """Blocks that were just built and aren't stored yet, on top of another base."""

    below: Base
    blocks: list[Block] = field(default_factory=list)

    def ints(self, spec: GroupSpec, signal: str, span: Span) -> npt.NDArray[np.signedinteger]:
        """Return the newest integers of the span."""
        mine = [
            b for b in self.blocks if b.group == spec.group and signal in b.values and b.k0 < span[1] and b.k1 > span[0]
        ]
        columns = (spec.first_asset, spec.first_asset + len(spec.assets))
        wide = [b for b in mine if b.first_asset <= columns[0] and columns[1] <= _end_column(b)]
        covered = [(b.k0, b.k1) for b in wide]
        if not holes(covered, span) and len(mine) == 1:
            return _columns(mine[0].values[signal], mine[0], columns)[span[0] - mine[0].k0 : span[1] - mine[0].k0]
        out = Empty().ints(spec, signal, span)
        for low, high in holes(covered, span):
            out[low - span[0] : high - span[0]] = self.below.ints(spec, signal, (low, high))
        for b in mine:
            low, high = max(b.k0, span[0]), min(b.k1, span[1])
            first, stop = max(b.first_asset, columns[0]), min(_end_column(b), columns[1])
            if first < stop:
                out[low - span[0] : high - span[0], first - columns[0] : stop - columns[0]] = _columns(
                    b.values[signal], b, (first, stop)
                )[low - b.k0 : high - b.k0]
        return out


def _end_column(block: Block) -> int:
    return block.first_asset + int(next(iter(block.values.values())).shape[1])


def _columns(
    data: npt.NDArray[np.signedinteger], block: Block, columns: tuple[int, int]
) -> npt.NDArray[np.signedinteger]:
    return data[:, columns[0] - block.first_asset : columns[1] - block.first_asset]
