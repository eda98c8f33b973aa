"""Build cells on a pool: workers in other processes open the ledger themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from twinlab.compute import Handle, Pool
from twinlab.compute.handles import Opening
from twinlab.compute.pool import Call
from twinlab.errors import ClusterError
from twinlab.history.build.blocks import Block
from twinlab.history.build.build import build_blocks
from twinlab.history.build.catchup import Stored, Update
from twinlab.history.build.cuts import Cut
from twinlab.history.build.group_spec import GroupPlan
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.partition import Partition, build_partition
from twinlab.history.build.report import Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.history.layout.spans import Span
from twinlab.history.store.view import View
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.ledger import Ledger

__all__ = ["Builder", "Recipe", "claims_handle"]


@dataclass(frozen=True)
class Recipe:
    """All that a process needs to build partitions; small when pickled."""

    ledger: Path
    index_folder: Path | None
    model: str
    mappings: tuple[tuple[str, str], ...]
    position: tuple[tuple[str, int], ...]
    cuts: tuple[Cut, ...] = ()
    keys: Path | None = None
    """Folder of the keys of personal columns."""

    @classmethod
    def of(cls, update: Update) -> Recipe:
        """Return the recipe of an update, whose indexes must be saved."""
        sources = update.sources
        ledger: Ledger = sources.ledger  # type: ignore[assignment]
        return cls(
            ledger.path,
            sources.index_folder,
            sources.model.model_dump_json(by_alias=True),
            tuple((name, mapping.model_dump_json(by_alias=True)) for name, mapping in sorted(sources.mappings.items())),
            tuple(sorted(update.new.items())),
            tuple(update.claims.cuts),
            None if ledger.encryption is None else ledger.encryption.keys.path,
        )


def _ledger(recipe: Recipe) -> Ledger:
    from twinlab.ledger import Ledger  # noqa: PLC0415  (a process that sends recipes has its own)
    from twinlab.ledger.encryption.encryption import Encryption  # noqa: PLC0415
    from twinlab.signing.subjects import KeyFolder  # noqa: PLC0415

    found = Ledger(recipe.ledger)
    if recipe.keys is not None:
        # A process that builds appends no rows, so that it needs no rules.
        found.encryption = Encryption(KeyFolder(recipe.keys), lambda _source, _table, _columns: {})
    return found


@lru_cache(maxsize=1)
def _claims(recipe: Recipe) -> LedgerClaims:
    sources = Sources(
        _ledger(recipe),
        TwinModel.model_validate_json(recipe.model),
        {name: Mapping.model_validate_json(text) for name, text in recipe.mappings},
        index_folder=recipe.index_folder,
    )
    position = dict(recipe.position)
    sources.prepare(position)
    return LedgerClaims(sources.views, position, cuts=recipe.cuts)


def _check_ledger(recipe: Recipe) -> None:
    if not recipe.ledger.is_dir():
        msg = (
            f"expected the twin's ledger {recipe.ledger} there, too; mount the twin's folder at the same path on all machines, or"
            " rebuild without client="
        )
        raise ClusterError(msg)


class Builder:
    """Builds windows of groups from an update's claims, several at once, in their order.

    A window is built from the ledger's rows alone and written by the process that asks, so that it may be built twice.

    Parameters
    ----------
    pool : Pool
    update : Update
    handle : Handle, optional
        Of the claims, for workers in other processes; as `claims_handle` returns it.
    base : View, optional
        Stored cells that the margins are of; by default margins are built, too.
    """

    def __init__(self, pool: Pool, update: Update, handle: Handle | None, base: View | None = None) -> None:
        self._pool = pool
        self._claims = pool.share(Handle(None, update.claims) if handle is None else handle)
        self._base = None if base is None else pool.share(base)

    def built(self, plan: GroupPlan, windows: Iterable[Span]) -> Iterator[tuple[list[Block], Tally]]:
        """Yield the blocks of windows of a plan, in order of time."""
        shared = self._pool.share(plan)
        path = plan.spec.group.path
        calls = (
            Call(_build, (self._claims, self._base, shared, window), f"{path}, {_days(plan, window)}")
            for window in windows
        )
        # Cells of one signal and more are in memory: here, no more than are being built.
        yield from self._pool.in_order(calls, ahead=None if self._pool.remote else self._pool.size)


def claims_handle(update: Update) -> Handle:
    """Return how workers open the claims of an update; its indexes are saved for them."""
    update.sources.save()
    return Handle(Opening(_claims, (Recipe.of(update),), _check_ledger))


def _days(plan: GroupPlan, window: Span) -> str:
    axis = plan.spec.axis
    edges = (np.datetime64(axis.origin_ns + cell * axis.cadence_ns, "ns") for cell in window)
    return " to ".join(str(one.astype("datetime64[m]")) for one in edges)


def _build(claims: Handle, base: View | None, plan: GroupPlan, window: Span) -> tuple[list[Block], Tally]:
    rows: LedgerClaims = claims.open()
    if base is None:
        return build_partition(Partition(plan.spec, window, plan.frontier, segment=plan.segment), rows)
    # The plans of a revision don't depend on each other: margins beyond their cells are those of the base.
    tally = Tally()
    blocks = build_blocks(
        plan.spec,
        source=rows,
        base=Stored(base),
        frontier=plan.frontier,
        fresh=plan.fresh,
        write=[window],
        tally=tally,
    )
    return list(blocks), tally
