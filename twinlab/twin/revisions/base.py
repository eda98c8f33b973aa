"""What revisions need of a twin."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError
from twinlab.model.load import parse_mapping, parse_model
from twinlab.twin.definitions import MODEL, mapping_files
from twinlab.twin.revisions.revision_log import Definition, RevisionLog, model_definition, of_mapping

if TYPE_CHECKING:
    from twinlab.compute.handles import Opening
    from twinlab.events.annotations import Carried
    from twinlab.history import HistoryReader
    from twinlab.ledger import Ledger
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel
    from twinlab.twin.revisions.diff import RevisionDiff

__all__ = ["RevisedTwin"]


class RevisedTwin(ABC):
    """A twin that can be revised."""

    folder: Path
    ledger: Ledger
    revision_log: RevisionLog

    @property
    @abstractmethod
    def reader(self) -> HistoryReader:
        """The reader of the twin's history."""

    @abstractmethod
    def reload(self) -> None:
        """Read the model and the mappings in the twin's folder again."""

    if TYPE_CHECKING:
        # `SharingMethods` and `AnnotationMethods` have them, wherever they are among the bases of a twin.
        def opening(self) -> Opening:
            """Return how the workers of a Dask cluster open the twin."""

        def moved_annotations(self, changes: Callable[[], RevisionDiff], *, author: str, cause: str) -> list[Carried]:
            """Return what a revision does to annotations of exceptions and events."""

    def applied_definitions(self, model: TwinModel, mappings: Mapping[str, SourceMapping]) -> list[Definition]:
        """Return a model and mappings as definitions, with the YAML of their files where these say the same."""
        files = {("mapping", source): path for source, path in mapping_files(self.folder).items()}
        files["model", ""] = self.folder / MODEL
        found = []
        for one in (model_definition(model), *(of_mapping(mapping) for mapping in mappings.values())):
            path = files.get(one.key)
            text = path.read_text(encoding="utf-8") if path is not None and path.exists() else ""
            found.append(_with_text(one, text))
        return found


def _with_text(one: Definition, text: str) -> Definition:
    try:
        read = (
            model_definition(parse_model(text), text) if one.kind == "model" else of_mapping(parse_mapping(text), text)
        )
    except TwinlabError:
        return one
    return read if read.hash == one.hash else one
