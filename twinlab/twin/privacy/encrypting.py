"""Encryption of a twin's ledger, as its model and mappings state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.twin.privacy.keys import key_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from twinlab.ledger.encryption.encryption import Encryption
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.privacy.personal_columns import ColumnUse
    from twinlab.model.twinmodel import TwinModel

__all__ = ["ledger_encryption", "states_privacy"]


def states_privacy(model: TwinModel) -> bool:
    """Return whether a twin has opted in: its model has a section ``privacy:`` or ``purposes:``."""
    return model.privacy is not None or bool(model.purposes)


def ledger_encryption(folder: Path, model: TwinModel, mappings: Mapping[str, SourceMapping]) -> Encryption | None:
    """Return how personal columns of a twin are encrypted; None for a twin that hasn't opted in."""
    if not states_privacy(model):
        return None
    from twinlab.ledger.encryption.encryption import Encryption as Found  # noqa: PLC0415  (few twins need it)
    from twinlab.model.privacy.personal_columns import personal_columns, personal_tag  # noqa: PLC0415
    from twinlab.twin.privacy.undeclared import refuse_undeclared  # noqa: PLC0415

    def rules_of(source: str, table: str, names: Sequence[str]) -> Mapping[str, ColumnUse]:
        return personal_columns(model, mappings.get(source), source, table, names)

    def check(source: str, table: str, rows: pa.RecordBatch) -> None:
        refuse_undeclared(model, mappings, source, table, rows)

    def field_of(source: str, tag: str) -> str | None:
        return personal_tag(model, mappings.get(source), tag)

    return Found(key_folder(folder, model), rules_of, check=check, personal_tag=field_of)
