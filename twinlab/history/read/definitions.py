"""The model and the mappings that a state of the history was built with, whatever the files in the twin's folder say now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinlab.history.build.mapping_context import content_hash
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.twinmodel import TwinModel

if TYPE_CHECKING:
    from twinlab.ledger import Journal

__all__ = ["BuiltWith", "Definitions", "texts_of"]

#: Kinds of the journal's entries that have the text of a definition, with its hash.
_KINDS = ("model", "mapping", "revision")

Definitions = tuple[TwinModel, dict[str, SourceMapping]]


class BuiltWith:
    """Finds the definitions that states of one history were built with.

    Those that are given are used where they are the same; others are read from the journal, which has the text of each
    definition that was ever applied.

    Parameters
    ----------
    journal : Journal
    model : TwinModel
    mappings : dict of source to Mapping
    """

    def __init__(self, journal: Journal, model: TwinModel, mappings: Mapping[str, SourceMapping]) -> None:
        self._journal = journal
        self.given: Definitions = model, dict(mappings)
        self._hashes = content_hash(model), {name: content_hash(mapping) for name, mapping in mappings.items()}
        self._found: tuple[object, Definitions] | None = None

    def definitions(self, meta: Mapping[str, Any]) -> Definitions:
        """Return the definitions of a state with the metadata ``meta``; the same objects for the same definitions.

        Mappings of sources that the state doesn't have yet are those that were given.
        """
        built = str(meta.get("model", self._hashes[0])), {n: str(h) for n, h in dict(meta.get("mappings", {})).items()}
        if self._found is None or self._found[0] != built:
            self._found = built, self._read(*built)
        return self._found[1]

    def _read(self, model_hash: str, wanted: Mapping[str, str]) -> Definitions:
        model, mappings = self.given
        others = {name: found for name, found in wanted.items() if self._hashes[1].get(name) != found}
        if model_hash == self._hashes[0] and not others:
            return self.given
        texts = texts_of(self._journal, {model_hash, *others.values()})
        if model_hash != self._hashes[0] and model_hash in texts:
            model = TwinModel.model_validate_json(texts[model_hash])
        read = {n: SourceMapping.model_validate_json(texts[found]) for n, found in others.items() if found in texts}
        return model, {**mappings, **read}


def texts_of(journal: Journal, hashes: set[str]) -> dict[str, str]:
    """Return the texts of definitions in the journal, by hash; hashes that it doesn't have are left out."""
    found: dict[str, str] = {}
    for kind in _KINDS:
        for entry in journal.entries(kind):
            parts = entry.payload.get("definitions", [entry.payload])
            found |= {str(part["hash"]): str(part["text"]) for part in parts if part["hash"] in hashes}
    return found
