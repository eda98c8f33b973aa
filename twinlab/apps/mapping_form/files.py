"""The files of the mapping form: finding, reading and replacing them."""

from __future__ import annotations

import codecs
import os
import tempfile
from fnmatch import fnmatch
from pathlib import Path

from twinlab._files import replace_file
from twinlab.apps.mapping_form.draft import MappingDraft
from twinlab.apps.mapping_form.preview import Properties
from twinlab.errors import SourceError, TwinlabError
from twinlab.languages import tr
from twinlab.model.edits.yaml_edit import Path_
from twinlab.model.load import check_mapping, load_mapping
from twinlab.model.terms import nearest
from twinlab.model.twinmodel import TwinModel
from twinlab.model.yamltext import path_text, read_text, read_yaml

__all__ = ["EditedFile", "changes", "check_others", "find_mapping", "find_sample_file", "properties"]


class EditedFile:
    """A text file that is being edited, with its text as last read or saved.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = read_text(path)
        # `text` has "\\n" only; the file's own line ends and its byte order mark are written back.
        written = path.read_bytes()
        self._line_end = "\r\n" if b"\r\n" in written else "\n"
        self._mark = "\ufeff" if written.startswith(codecs.BOM_UTF8) else ""

    def reload(self) -> str:
        """Read the file again and return its text."""
        self.text = read_text(self.path)
        return self.text

    def check(self) -> None:
        """Check that nobody else has changed the file since it was read. A second call accepts the change.

        Raises
        ------
        SourceError
            If the file has changed.
        """
        there = read_text(self.path) if self.path.exists() else self.text
        if there != self.text:
            self.text = there
            msg = (
                f"{self.path.name} was changed by somebody else since it was read here, so nothing was written; "
                "Save again to replace it with this form's, or Reload to forget the edits"
            )
            raise SourceError(msg)

    def replace(self, text: str) -> list[str]:
        """Write the file and return the changes, one line for each value. Without a change nothing is written.

        Raises
        ------
        SourceError
            If it can't be written; the file is then unchanged.
        """
        if text == self.text:
            return []
        before, after = (read_yaml(one, name=self.path.name).data for one in (self.text, text))
        write_atomically(self.path, self._mark + text.replace("\n", self._line_end))
        self.text = text
        return [f"{self.path.name}: {line}" for line in changes(before, after) or [tr("comments or layout only")]]


def check_others(folder: Path, model: TwinModel, *, but: Path) -> None:
    """Check the twin's other mappings against an edited model.

    Raises
    ------
    SchemaError
        If one of them uses a name that the model no longer has.
    """
    for path in sorted((folder / "mapping").glob("*.yaml")):
        if path != but:
            check_mapping(load_mapping(path), model, path.name)


def find_mapping(root: Path, source: str) -> Path:
    """Return the mapping file of a source: by the file's name, else by its ``source`` key."""
    direct = root / "mapping" / f"{source}.yaml"
    if direct.is_file():
        return direct
    found: dict[str, Path] = {}
    for path in sorted((root / "mapping").glob("*.yaml")):
        try:
            data = read_yaml(read_text(path), name=path.name).data
        except TwinlabError:
            continue  # a broken mapping of another source doesn't matter here
        if isinstance(data, dict):
            found[str(data.get("source", path.stem))] = path
    if source not in found:
        msg = f"the twin in {root} has no mapping of a source {source!r}{nearest(source, found)}"
        raise SourceError(msg)
    return found[source]


def find_sample_file(root: Path, draft: MappingDraft) -> Path | None:
    """Return the first file that matches the mapping's patterns, in the twin's folder, the one above, or the working one."""
    given = (draft.data or {}).get("files")
    patterns = [str(pattern) for pattern in given] if isinstance(given, list) else []
    for folder in (root, root.resolve().parent, Path.cwd()):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and any(fnmatch(path.name, pattern) for pattern in patterns):
                return path
    return None


def properties(folder: Path) -> Properties:
    """Return the properties of all assets in the twin's history; empty without a history."""
    from twinlab.twin.folder import open_twin  # noqa: PLC0415  (only mappings with `zone_of` need history)

    if not (folder / "history").is_dir():
        return {}
    twin = open_twin(folder)
    known: dict[str, dict[str, dict[str, object]]] = {}
    for kind in twin.model.asset_types:
        table = twin.assets(kind)
        known[kind] = {
            str(name): {str(key): value for key, value in row.items()} for name, row in table.to_dict("index").items()
        }
    return known


def write_atomically(path: Path, text: str) -> None:
    """Write a temporary file beside, then replace the file by it: a crash leaves the old one or the new one."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            Path(name).chmod(path.stat().st_mode & 0o777)
        else:
            Path(name).chmod(0o644)
        replace_file(Path(name), path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        msg = (
            f"{path.name} could not be written ({error.strerror}); nothing was changed: check the folder's permissions"
        )
        raise SourceError(msg) from error


def changes(before: object, after: object, path: Path_ = ()) -> list[str]:
    """Return the differences between two documents, one line for each value.

    >>> changes({"unit": "F"}, {"unit": "degC", "scale": 2})
    ['unit: F → degC', 'scale: added 2']
    """
    if isinstance(before, dict) and isinstance(after, dict):
        made: list[str] = []
        for key in [*before, *(key for key in after if key not in before)]:
            here = (*path, str(key))
            if key not in after:
                made.append(tr("{here}: removed {key}", here=path_text(here), key=_short(before[key])))
            elif key not in before:
                made.append(tr("{here}: added {key}", here=path_text(here), key=_short(after[key])))
            else:
                made += changes(before[key], after[key], here)
        return made
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [line for place, (old, new) in pairs for line in changes(old, new, (*path, place))]
    return [] if before == after else [f"{path_text(path) or 'all'}: {_short(before)} → {_short(after)}"]


def _short(value: object) -> str:
    text = str(value) if value is not None else "nothing"
    return text if len(text) <= 80 else text[:79] + "…"
