"""Which model and mappings were active at an ingest time, according to the twin's journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.errors import SchemaError
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.ledger import Journal

__all__ = ["activated"]


def activated(journal: Journal, known: int, which: str, model: TwinModel) -> tuple[TwinModel, dict[str, Mapping]]:
    """Return the model and the mappings that were active at ``known`` (ns UTC); ``model`` if none was active yet.

    Raises
    ------
    SchemaError
        If ``which`` isn't "then".
    """
    if which != "then":
        msg = f"expected mapping='then' or mapping='current', got {which!r}"
        raise SchemaError(msg)
    mappings: dict[str, str] = {}
    for entry in journal.entries(kind="model", known=known):
        model_text = str(entry.payload["text"])
        model = TwinModel.model_validate_json(model_text)
    for entry in journal.entries(kind="mapping", known=known):
        mappings[str(entry.payload["source"])] = str(entry.payload["text"])
    return model, {name: Mapping.model_validate_json(text) for name, text in mappings.items()}
