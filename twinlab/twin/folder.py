"""Create and open a twin in a directory."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, overload

from twinlab.errors import SchemaError, SourceError
from twinlab.model.load import EDITOR_LINES, write_schemas
from twinlab.objects.address import is_address
from twinlab.twin.definitions import ADDRESS, MAPPINGS, MODEL, RESTORING, mapping_file, read_definitions
from twinlab.twin.facade import Twin

if TYPE_CHECKING:
    from twinlab.twin.privacy.opening import PurposeTwin

__all__ = ["create", "open_twin"]


def create(
    folder: str | Path,
    *,
    model: str | Path | None = None,
    mappings: str | Path | Sequence[str | Path] | None = None,
    files: Sequence[str | Path] | None = None,
) -> Twin:
    """Make a new twin in ``folder``.

    Parameters
    ----------
    folder : path
        Directory of the twin; it must not contain a twin yet.
    model : path, optional
        A ``twin.yaml`` to start from.
    mappings : path or paths, optional
        Mapping files, or a folder of them.
    files : sequence of paths, optional
        Instead of a model: your own files. ``twin.yaml`` and a mapping per file are drafted from them for you to edit;
        then call ``twin.ingest(*files)``.

    Raises
    ------
    SourceError
        If there is a twin in the folder already, or a file can't be read.
    SchemaError
        If the model or a mapping breaks its schema.
    """
    root = Path(folder)
    if (root / MODEL).exists():
        msg = f"{root} contains a twin already; open it with twinlab.open({str(root)!r}), or choose another folder"
        raise SourceError(msg)
    if (model is None) == (files is None):
        msg = "expected either model= (a twin.yaml) or files= (to draft one from them)"
        raise SchemaError(msg)
    existed = root.exists()
    (root / MAPPINGS).mkdir(parents=True, exist_ok=True)
    try:
        if files is not None:
            from twinlab.twin.ingest import need_file  # noqa: PLC0415  (opening a twin reads no files)

            _draft(root, [need_file(Path(file)) for file in files])
        else:
            shutil.copyfile(Path(str(model)), root / MODEL)
            for path in _mapping_files(mappings):
                shutil.copyfile(path, root / MAPPINGS / path.name)
        read_definitions(root)
    except BaseException:
        # Remove what was written before the error.
        if existed:
            (root / MODEL).unlink(missing_ok=True)
            shutil.rmtree(root / MAPPINGS)
        else:
            shutil.rmtree(root)
        raise
    return Twin(root)


@overload
def open_twin(folder: str | Path) -> Twin: ...


@overload
def open_twin(folder: str | Path, *, purpose: str, who: str = "local") -> PurposeTwin: ...


def open_twin(folder: str | Path, *, purpose: str | None = None, who: str = "local") -> Twin | PurposeTwin:
    """Open the twin in ``folder``, or at an address in an object store.

    Parameters
    ----------
    folder : path or str
        Directory of the twin; or an address such as ``s3://bucket/prefix`` (``gs://``, ``az://``), where `Twin.push` has put a twin. That is read only, what is
        read is kept in a cache on the disk.
    purpose : str, optional
        A key of ``purposes:`` in ``twin.yaml``. The twin that is returned can be read only, and has only what this purpose shows, in
        its precision and with its pseudonyms; each read of personal data is recorded.
    who : str
        Who reads, for that record.

    Raises
    ------
    SourceError
        If there is no ``twin.yaml`` in the folder, or no twin that can be read at the address; says why.
    UnknownTermError
        If the twin has no such purpose.
    """
    twin = _opened(folder)
    if purpose is None:
        return twin
    from twinlab.twin.privacy.opening import for_purpose  # noqa: PLC0415  (only this path needs it)

    return for_purpose(twin, purpose, who=who)


def _opened(folder: str | Path) -> Twin:
    root = Path(folder)
    if is_address(folder) or (root / ADDRESS).exists():
        from twinlab.twin.remote.opening import RemoteTwin, open_remote  # noqa: PLC0415  (few twins are in an object store)

        return open_remote(str(folder)) if is_address(folder) else RemoteTwin(root)
    if (root / RESTORING).exists():
        msg = f"{root} isn't complete: it is being restored, or that was interrupted; `twinlab restore` with this folder continues it"
        raise SourceError(msg)
    if not (root / MODEL).exists():
        msg = f"expected a twin in {root}, but there is no {MODEL}; make one with `twinlab create {root} --from FILES`"
        raise SourceError(msg)
    return Twin(root)


def _mapping_files(mappings: str | Path | Sequence[str | Path] | None) -> list[Path]:
    if mappings is None:
        return []
    given = [mappings] if isinstance(mappings, (str, Path)) else mappings
    found: list[Path] = []
    for path in map(Path, given):
        found += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return found


def _draft(root: Path, files: list[Path]) -> None:
    from twinlab.harmonise import draft  # noqa: PLC0415  (only this path needs it)

    drafted = draft(files, name=root.name)
    (root / MODEL).write_text(EDITOR_LINES["model"] + drafted.model_yaml, encoding="utf-8")
    for source, text in drafted.mappings.items():
        mapping_file(root, source).write_text(EDITOR_LINES["mapping"] + text, encoding="utf-8")
    # Editors complete and check both kinds of file from these.
    write_schemas(root)
