"""Partitions: cells of one group that are built from claims alone, independently of all other cells."""

from __future__ import annotations

from dataclasses import dataclass

from twinlab.history.build.blocks import Block, Empty, Recent
from twinlab.history.build.build import build_blocks
from twinlab.history.build.group_spec import GroupSpec
from twinlab.history.build.report import Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.layout.grid import Frontier
from twinlab.history.layout.spans import Span, clip

__all__ = ["Partition", "build_partition"]


@dataclass(frozen=True)
class Partition:
    """Cells ``window[0] .. window[1] - 1`` of all signals and assets of a group."""

    spec: GroupSpec
    window: Span
    # From where and up to where each series is settled.
    frontier: Frontier
    # Cells that claims can fill; without it every cell from 0 on.
    known: Span | None = None
    # Number of the segment of time whose position they are of; None: that of the claims.
    segment: int | None = None


def build_partition(partition: Partition, claims: LedgerClaims) -> tuple[list[Block], Tally]:
    """Build one partition; the margins that its flags depend on are built too and dropped.

    Returns
    -------
    blocks : list of Block
        In order of time; together they cover the window.
    tally : Tally
        Duplicates, disagreements and lost values.
    """
    before, after = partition.spec.margins
    k0, k1 = partition.window
    known = partition.known or (0, k1 + after)
    tally, base = Tally(), Recent(Empty())
    claims = claims if partition.segment is None else claims.of_segment(partition.segment)
    for block in build_blocks(
        partition.spec,
        source=claims,
        base=base,
        frontier=partition.frontier,
        fresh=clip([(k0 - before, k1 + after)], known),
        write=[(k0, k1)],
        tally=tally,
    ):
        base.blocks.append(block)
    return base.blocks, tally
