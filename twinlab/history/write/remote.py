"""Build partitions in other processes, which open the ledger themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.history.build.blocks import Block
from twinlab.history.build.catchup import Update
from twinlab.history.build.cuts import Cut
from twinlab.history.build.mapping_context import Sources
from twinlab.history.build.partition import Partition, build_partition
from twinlab.history.build.report import Tally
from twinlab.history.build.rows.ledger_claims import LedgerClaims
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.ledger import Ledger

__all__ = ["Recipe", "build_remotely"]


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


def build_remotely(partition: Partition, recipe: Recipe) -> tuple[list[Block], Tally]:
    """Build a partition in a worker process."""
    return build_partition(partition, _claims(recipe))
