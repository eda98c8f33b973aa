"""Stored predictions, models and scenarios: pushed file by file, each folder with a list of its files, and fetched when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from twinlab.errors import CorruptionError
from twinlab.twin.remote.changing_files import stable_files
from twinlab.twin.remote.head import Pieces
from twinlab.twin.remote.payload import Payload

__all__ = ["DERIVED", "FOLDERS", "add_derived", "list_name", "listed_files"]

#: Folders of a twin that readers need and that aren't made again by reading.
FOLDERS = ("models", "predictions", "scenarios")
#: Where the lists are, among the files of the head: the list of ``models`` is ``derived/models.json``.
DERIVED = "derived/"


class _Contents(Protocol):
    """Objects and files of a push."""

    objects: dict[str, Payload]
    files: dict[str, Pieces]

    def add_file(self, path: str, payload: Payload) -> None:
        """Add a file."""


def list_name(folder: str) -> str:
    """Return the name of the list of a folder's files."""
    return f"{DERIVED}{folder}.json"


def add_derived(out: _Contents, root: Path, pushed: Mapping[str, Pieces]) -> None:
    """Add predictions, models and scenarios of a twin's folder; a folder that isn't there stays as it was pushed.

    Raises
    ------
    SourceError
        If a folder never stays as it is for long enough.
    """
    for folder in FOLDERS:
        name = list_name(folder)
        if not (root / folder).is_dir():
            if name in pushed:
                out.files[name] = pushed[name]
            continue
        listed = {}
        for path, payload in sorted(stable_files(root, root / folder, known={}).files.items()):
            sha = payload.sha256()
            out.objects[f"files/{sha}"] = payload
            listed[path] = [[payload.size, sha]]
        if listed:
            data = json.dumps(listed, separators=(",", ":")).encode()
            out.add_file(name, Payload(root / name, 0, len(data), data))


def listed_files(data: bytes, folder: str, place: str) -> dict[str, Pieces]:
    """Return the files of a list: path in the twin's folder -> pieces.

    Raises
    ------
    CorruptionError
        If a path leaves the folder.
    """
    found: dict[str, Pieces] = {
        str(path): tuple((int(size), str(sha)) for size, sha in pieces) for path, pieces in json.loads(data).items()
    }
    for path in found:
        parts = path.split("/")
        if parts[0] != folder or ".." in parts or "" in parts:
            msg = f"{place}: expected files of {folder}/, got {path!r}; push the twin again from its folder"
            raise CorruptionError(msg)
    return found
