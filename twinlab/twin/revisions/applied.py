"""The definitions that a twin writes with: the files in its folder, once interrupted promotions are complete."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import CorruptionError, HistoryConflictError, SourceError
from twinlab.history.read.definitions import Definitions, texts_of
from twinlab.history.store.opening import open_history
from twinlab.model.mapping import Mapping
from twinlab.model.twinmodel import TwinModel
from twinlab.twin.definitions import read_definitions
from twinlab.twin.revisions.revision_log import RevisionLog

if TYPE_CHECKING:
    from collections.abc import Mapping as Dictionary

    from twinlab.ledger import Journal, Ledger

__all__ = ["AppliedDefinitions", "missing_mappings"]


class AppliedDefinitions:
    """Reads a twin's definitions, and notices when another process promotes others.

    Parameters
    ----------
    folder : Path
        The twin's folder.
    ledger : Ledger
    log : RevisionLog
    """

    def __init__(self, folder: Path, ledger: Ledger, log: RevisionLog) -> None:
        self._folder, self._ledger, self._log = folder, ledger, log
        self._known: set[str] = set()

    def read(self) -> Definitions:
        """Return the model and the mappings in the folder, with those mappings that only the journal still has.

        A promotion that was interrupted is completed first; if this process can't write, or another one is at it, the files
        are read as they are.
        """
        if self._log.promoting():
            from twinlab.twin.revisions.promotion import finish_promotions  # noqa: PLC0415  (reading a twin needs no writer)

            with suppress(CorruptionError, SourceError, OSError):
                model, mappings = self._published()
                finish_promotions(self._folder, self._ledger, self._log, model=model, mappings=mappings)
        self._known = self._decided()
        model, mappings = read_definitions(self._folder)
        return model, {**missing_mappings(self._ledger.journal, mappings), **mappings}

    def outdated(self) -> bool:
        """Whether another process promoted a revision, or began to, since `read`."""
        return self._decided() != self._known

    def check(self) -> None:
        """Refuse to write with definitions that another process has replaced.

        Raises
        ------
        HistoryConflictError
            If it has.
        """
        if self.outdated():
            msg = f"another process promoted a revision of {self._folder} meanwhile: nothing was written; call again"
            raise HistoryConflictError(msg)

    def remove_missing(self) -> None:
        """Note in the journal that mappings without a file are removed."""
        journal = self._ledger.journal
        files = read_definitions(self._folder)[1]
        for source in sorted(missing_mappings(journal, files)):
            journal.append("mapping", {"source": source, "hash": "", "text": ""})

    def _decided(self) -> set[str]:
        return {one.id for one in self._log.records() if one.state in ("promoting", "promoted")}

    def _published(self) -> Definitions:
        """Return the definitions that the published history was built with, from the journal alone."""
        meta = open_history(self._folder / "history").meta
        hashes: dict[str, str] = {str(n): str(h) for n, h in dict(meta.get("mappings", {})).items()}  # type: ignore[call-overload]
        texts = texts_of(self._ledger.journal, {str(meta.get("model")), *hashes.values()})
        if str(meta.get("model")) not in texts:
            msg = f"expected the model of the history in the journal of {self._folder}, it isn't there; run `twinlab rebuild`"
            raise CorruptionError(msg)
        model = TwinModel.model_validate_json(texts[str(meta.get("model"))])
        return model, {n: Mapping.model_validate_json(texts[h]) for n, h in hashes.items() if h in texts}


def missing_mappings(journal: Journal, mappings: Dictionary[str, Mapping]) -> dict[str, Mapping]:
    """Return the active mappings that aren't among ``mappings``."""
    active = journal.active_hashes()
    wanted = {source: found for (kind, source), found in active.items() if kind == "mapping" and source not in mappings}
    texts = texts_of(journal, set(wanted.values())) if wanted else {}
    return {source: Mapping.model_validate_json(texts[found]) for source, found in wanted.items() if found in texts}
