"""The methods of `Twin` that make, list, take back and finish revisions."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.load import check_mapping
from twinlab.model.terms import nearest
from twinlab.twin.definitions import mapping_file, mapping_files
from twinlab.twin.revisions.base import RevisedTwin
from twinlab.twin.revisions.edits import Edits
from twinlab.twin.revisions.revision_log import Definition, RevisionRecord, of_mapping

if TYPE_CHECKING:
    from distributed import Client

    from twinlab.history.write.historian import Progress
    from twinlab.twin.revisions.revision import Revision

__all__ = ["RevisionMethods"]


class RevisionMethods(RevisedTwin):
    """Revisions of a twin: other mappings or another model, tried beside the published history."""

    _edits: Edits | None = None

    def remap(
        self,
        source: str,
        mapping: str | Path,
        *,
        author: str = "",
        reason: str = "",
        force: bool = False,
        progress: Progress | None = None,
        client: Client | None = None,
    ) -> Revision:
        """Build the history under another mapping of a source, beside the published one.

        Only cells whose rows mean something else are built; all other chunks are shared. Look at ``rev.diff()``, then
        ``rev.promote()`` or ``rev.discard()``.

        Parameters
        ----------
        source : str
            A source of this twin.
        mapping : path, or YAML text
            The source's new mapping.
        author, reason : str
            For the twin's journal.
        force : bool
            Build it even if most rows would lose their meaning.
        progress : callable, optional
            Called with (cells done, total, what is being built); by default a bar is shown.
        client : distributed.Client, optional
            Build on this Dask cluster, whose workers see the twin's folder; this process writes.

        Returns
        -------
        Revision

        Raises
        ------
        UnknownTermError
            If no mapping has this source.
        SchemaError
            If the mapping breaks its schema, changes nothing, or leaves most rows without a meaning, or the twin has no history
            yet; nothing is built then.
        """
        from twinlab.twin.revisions.changed_definitions import check_readable, new_mapping  # noqa: PLC0415  (reading a twin needs no writer)

        _require_history(self.folder)
        model, mappings = self.reader.model, self.reader.mappings
        fresh, definition = new_mapping(source, mapping, model, mappings)
        if not force:
            check_readable(self.ledger, (model, mappings[source]), (model, fresh), _name(mapping))
        return _begin(self, source, [definition], author, reason, progress=progress, client=client)

    def remodel(
        self,
        model: str | Path,
        *,
        mappings: Mapping[str, str | Path] | None = None,
        author: str = "",
        reason: str = "",
        force: bool = False,
        progress: Progress | None = None,
        client: Client | None = None,
    ) -> Revision:
        """Build the history under another model, beside the published one.

        A renamed signal, another unit, span or resolution, a new state code: signals that are defined otherwise are built
        anew, all others are shared.

        Parameters
        ----------
        model : path, or YAML text
            The new ``twin.yaml``.
        mappings : dict of source to path or YAML text, optional
            New mappings of sources that name what the model renames.
        author, reason, force, progress, client
            As in `remap`.

        Raises
        ------
        SchemaError
            If the model breaks its schema or changes nothing, or a mapping of the twin doesn't fit it; nothing is built then.
        """
        from twinlab.twin.revisions.changed_definitions import check_readable, new_mapping, new_model  # noqa: PLC0415  (reading a twin needs no writer)

        _require_history(self.folder)
        old, known = self.reader.model, self.reader.mappings
        fresh, definition = new_model(model, old)
        changed = [definition]
        for source, given in (mappings or {}).items():
            mapping, one = new_mapping(source, given, fresh, known)
            changed.append(one)
            if not force:
                check_readable(self.ledger, (old, known[source]), (fresh, mapping), _name(given))
        for source, kept in known.items():
            if source not in (mappings or {}):
                check_mapping(kept, fresh, f"the mapping of {source!r}")
        return _begin(self, "model", changed, author, reason, progress=progress, client=client)

    def edits(self) -> list[str]:
        """Return a sentence for each file of a definition that says something else than the history shows.

        Files that were edited and aren't applied yet, that can't be read, or that are missing.
        """
        if self._edits is None:
            self._edits = Edits(self.folder)
        return self._edits.notes((self.reader.model, self.reader.mappings))

    def revisions(self) -> pd.DataFrame:
        """Return all revisions: ``revision, state, changes, created, author, reason, decided, decided_by, decision_reason``."""
        return self.revision_log.table()

    def revision(self, name: str) -> Revision:
        """Return a revision by its id.

        Raises
        ------
        UnknownTermError
            If there is none; shows the nearest.
        """
        from twinlab.twin.revisions.revision import Revision  # noqa: PLC0415  (reading a twin needs no writer)

        names = [one.id for one in self.revision_log.records()]
        if name not in names:
            msg = f"expected a revision of this twin, got {name!r}{nearest(name, names)}; twin.revisions() lists them"
            raise UnknownTermError(msg)
        return Revision(self, name)

    def rollback(self, *, author: str = "", reason: str = "") -> Revision:
        """Take back the revision that was promoted last: promote the definitions that it replaced. Rows stay.

        Returns
        -------
        Revision
            The promoted revision with the earlier definitions.

        Raises
        ------
        SchemaError
            If no revision was promoted, or all were taken back.
        """
        taken = {one.takes_back for one in self.revision_log.promoted()}
        open_ones = [one for one in self.revision_log.promoted() if not one.takes_back and one.id not in taken]
        if not open_ones:
            msg = "expected a promoted revision to take back, there is none; twin.revisions() lists what was done"
            raise SchemaError(msg)
        last = open_ones[-1]
        built = {one.key: one for one in self.applied_definitions(self.reader.model, self.reader.mappings)}
        wanted = [one for one in last.before if one.key not in built or built[one.key].hash != one.hash]
        if not wanted:
            msg = f"the definitions that revision {last.id!r} replaced are in use: nothing is to be taken back"
            raise SchemaError(msg)
        rev = _begin(self, "rollback", wanted, author, reason or f"takes back {last.id}", takes_back=last.id)
        rev.promote(author=author, reason=reason or f"takes back {last.id}")
        return rev

    def restore_mapping(self, source: str) -> Path:
        """Write the mapping of a source, as the twin's journal has it, to its file in the twin's folder again.

        Raises
        ------
        UnknownTermError
            If the history has no such mapping.
        """
        mappings = self.reader.mappings
        if source not in mappings:
            msg = f"expected a source of this twin, got {source!r}{nearest(source, mappings)}"
            raise UnknownTermError(msg)
        from twinlab.twin.revisions.promotion import write_definition  # noqa: PLC0415  (reading a twin needs no writer)

        write_definition(self.folder, of_mapping(mappings[source]))
        return mapping_files(self.folder).get(source, mapping_file(self.folder, source))


def _name(given: str | Path) -> str:
    return "the new YAML" if isinstance(given, str) and "\n" in given else Path(given).name


def _require_history(folder: Path) -> None:
    if not (folder / "history").exists():
        msg = f"expected a history to revise, {folder} has none yet; change the file in the folder itself, then ingest"
        raise SchemaError(msg)


def _begin(
    twin: RevisedTwin,
    what: str,
    definitions: Sequence[Definition],
    author: str,
    reason: str,
    *,
    takes_back: str = "",
    progress: Progress | None = None,
    client: Client | None = None,
) -> Revision:
    """Note a revision in the journal and build it; one whose building is interrupted is built when it is next read."""
    from twinlab.twin.revisions.revision import Revision  # noqa: PLC0415  (reading a twin needs no writer)

    stem = re.sub(r"[^A-Za-z0-9]+", "-", what).strip("-")[:40] or "revision"
    name = f"{stem}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    record = RevisionRecord(name, tuple(definitions), author, reason, time.time_ns(), takes_back=takes_back)
    rev = Revision(twin, name)
    twin.revision_log.begin(record)
    rev.build(progress, client=client)
    return rev
