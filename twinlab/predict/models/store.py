"""Stored models in a folder beside the twin: versions by content hash, and which of them is in use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pandas as pd

from twinlab._files import file_name, sync_folder
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, SchemaError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.predict.models.decisions import (
    FILE,
    Decision,
    current_version,
    open_proposals,
    read_decisions,
    state_of,
    write_decision,
)  # fmt: skip
from twinlab.predict.models.files import read_facts, read_model, write_model
from twinlab.predict.models.stored import ModelRecord, StoredModel

__all__ = ["SHORT", "ModelStore"]

_ENDING: Final = ".model"
#: Seconds for which another writer is waited for.
_PATIENCE: Final = 30.0
#: Digits of a version in tables and texts, by which it may be named, too.
SHORT: Final = 10


class ModelStore:
    """Stored models by name; each version is a file that is never changed.

    Parameters
    ----------
    path : path
        Folder; it is made with the first model. A model is the folder ``<name>`` with ``<version>.model`` and ``decisions.json``.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    # -- reading
    @property
    def names(self) -> list[str]:
        """Names of the models, in alphabetic order."""
        folders = self.path.iterdir() if self.path.is_dir() else ()
        return sorted(unquote(one.name) for one in folders if (one / FILE).is_file())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(name.strip()) and (self._folder(name) / FILE).is_file()

    def decisions(self, name: str) -> pd.DataFrame:
        """Return what was decided about a model: ``at`` (UTC), ``what, version, before, author, reason``.

        Raises
        ------
        UnknownTermError
            If there is no such model; shows the nearest name.
        CorruptionError
            If they can't be read.
        """
        found = read_decisions(self._existing(name))
        table = pd.DataFrame(
            [vars(one) for one in found], columns=["at", "what", "version", "before", "author", "reason"]
        )
        return table.assign(at=pd.to_datetime(table["at"]))

    def versions(self, name: str) -> pd.DataFrame:
        """Return the versions of a model: ``version``, ``state`` (current, proposed, earlier), ``start, stop`` (training), ``added`` and ``bytes``."""
        folder = self._existing(name)
        decided = read_decisions(folder)
        rows = []
        for file in self._files(folder):
            record = self.record(name, file.stem)
            state = state_of(decided, file.stem)
            rows.append(
                (file.stem, state, *map(pd.Timestamp, (record.start, record.stop, record.added)), file.stat().st_size)
            )
        table = pd.DataFrame(rows, columns=["version", "state", "start", "stop", "added", "bytes"])
        return table[table["state"] != ""].sort_values("added", ignore_index=True)

    def current(self, name: str) -> str:
        """Return the version of a model that is in use."""
        return current_version(read_decisions(self._existing(name)))

    def proposals(self, name: str) -> list[str]:
        """Return the versions of a model that are proposed."""
        return open_proposals(read_decisions(self._existing(name)))

    def state(self, name: str, version: str) -> str:
        """Return ``current``, ``proposed``, ``earlier`` or ``discarded`` of a version."""
        return state_of(read_decisions(self._existing(name)), version)

    def record(self, name: str, version: str | None = None) -> ModelRecord:
        """Return what is known of a version, by default of the one in use, without reading its arrays.

        Raises
        ------
        UnknownTermError
            If there is no such model or version.
        CorruptionError
            If its file can't be read; names it.
        """
        file = self._file(name, version)
        return ModelRecord.of(read_facts(file), where=str(file))

    def read(self, name: str, version: str | None = None) -> StoredModel:
        """Return a version, by default the one in use.

        Raises
        ------
        UnknownTermError
            If there is no such model or version, or the package that has its kind isn't installed.
        CorruptionError
            If its file can't be read; names it.
        """
        file = self._file(name, version)
        found = read_model(file)
        if not isinstance(found, StoredModel):
            msg = f"the model {file} can't be read: it is a {type(found).__name__}, and was stored by something else; add the model again"
            raise CorruptionError(msg)
        return found

    def size(self, name: str, version: str) -> int:
        """Return the bytes of a version's file."""
        return self._file(name, version).stat().st_size

    # -- writing
    def write(self, model: StoredModel, record: ModelRecord, *, what: str, author: str, reason: str) -> None:
        """Store a version, and note that it was added or proposed.

        Parameters
        ----------
        model : StoredModel
        record : ModelRecord
        what : "added" or "proposed"
        author, reason : str

        Raises
        ------
        SchemaError
            If a model is added whose name is taken, or a version is proposed that is in use or proposed already.
        HistoryConflictError
            If another process writes to the model for more than 30 s.
        """
        folder, version = self._folder(record.name), record.version
        with self._locked(folder):
            decided = read_decisions(folder)
            before, state = current_version(decided), state_of(decided, version)
            if what == "added" and before:
                msg = f"expected a new name, {record.name!r} is a model already; propose the new version: twin.models.propose({record.name!r}, …)"
                raise SchemaError(msg)
            if state in ("current", "proposed"):
                msg = f"version {version[:SHORT]} of {record.name!r} is {state} already: the same data and parameters give the same model"
                raise SchemaError(msg)
            write_model(folder / f"{version}{_ENDING}", model, facts=record.facts())
            write_decision(
                folder,
                Decision("added" if what == "added" else "proposed", version, before, author=author, reason=reason),
            )

    def promote(self, name: str, version: str, *, author: str, reason: str) -> None:
        """Use a proposed version from now on.

        Raises
        ------
        SchemaError
            If it isn't proposed.
        """
        self._decide(name, version, "promoted", author=author, reason=reason)

    def discard(self, name: str, version: str, *, author: str, reason: str) -> None:
        """Remove a proposed version.

        Raises
        ------
        SchemaError
            If it isn't proposed.
        """
        self._decide(name, version, "discarded", author=author, reason=reason)

    def rollback(self, name: str, *, author: str, reason: str) -> str:
        """Use the version again that was in use before the last promotion; returns it.

        Raises
        ------
        SchemaError
            If no promotion is left to take back.
        """
        folder = self._existing(name)
        with self._locked(folder):
            decided = read_decisions(folder)
            now = current_version(decided)
            # The promotion that brought what is in use now: an earlier rollback has taken back later ones.
            brought = [one for one in decided if one.what == "promoted" and one.version == now]
            if not brought:
                msg = f"expected a promotion of {name!r} to take back, {now[:SHORT]} is the first version; twin.models.decisions({name!r}) lists them"
                raise SchemaError(msg)
            write_decision(folder, Decision("rolled back", brought[-1].before, now, author=author, reason=reason))
            return brought[-1].before

    def _decide(self, name: str, version: str, what: str, *, author: str, reason: str) -> None:
        folder = self._existing(name)
        with self._locked(folder):
            decided = read_decisions(folder)
            state = state_of(decided, version)
            if state != "proposed":
                msg = f"expected a proposed version of {name!r}, {version[:SHORT]} is {state or 'unknown'}; twin.models.versions({name!r}) lists them"
                raise SchemaError(msg)
            before = current_version(decided)
            kind = "promoted" if what == "promoted" else "discarded"
            write_decision(folder, Decision(kind, version, before, author=author, reason=reason))  # type: ignore[arg-type]

    @contextmanager
    def _locked(self, folder: Path) -> Iterator[None]:
        """Lock a model for a writer; files that no decision is about, of interrupted writers, and discarded ones are removed."""
        folder.mkdir(parents=True, exist_ok=True)
        with Lock(folder / "lock", what=f"the model {unquote(folder.name)!r}", wait=_PATIENCE):
            try:
                yield
            finally:
                decided = read_decisions(folder)
                for file in [*self._files(folder), *folder.glob(".*.model")]:
                    if file.name.startswith(".") or state_of(decided, file.stem) in ("", "discarded"):
                        file.unlink(missing_ok=True)
                sync_folder(folder)

    # -- files
    def _folder(self, name: str) -> Path:
        if not name.strip():
            msg = f"expected a name for the model, got {name!r}"
            raise SchemaError(msg)
        return self.path / file_name(name, safe=" ")

    def _existing(self, name: str) -> Path:
        if name not in self:
            msg = f"expected the name of a stored model in {self.path}, got {name!r}{nearest(name, self.names)}"
            raise UnknownTermError(msg)
        return self._folder(name)

    def _file(self, name: str, version: str | None) -> Path:
        folder = self._existing(name)
        if version is None:
            return folder / f"{current_version(read_decisions(folder))}{_ENDING}"
        fits = [file for file in self._files(folder) if len(version) >= 4 and file.stem.startswith(version)]
        if len(fits) != 1:
            known = ", ".join(file.stem[:SHORT] for file in self._files(folder))
            msg = f"expected a version of {name!r} such as {known}, got {version!r}"
            raise UnknownTermError(msg)
        return fits[0]

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        return sorted(file for file in folder.glob(f"*{_ENDING}") if not file.name.startswith("."))
