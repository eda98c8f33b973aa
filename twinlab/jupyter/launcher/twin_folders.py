"""The twins below a folder, found by their ``twin.yaml`` without opening them."""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

__all__ = ["TwinFolder", "find_twins", "named_twins"]

#: Deepest level below the folder, most folders that are looked into, most twins that are listed.
_DEEPEST, _MOST_FOLDERS, _MOST_TWINS = 3, 2_000, 100
_MOST_BYTES = 1_000_000
_SKIPPED = {"node_modules", "__pycache__", "site-packages"}


@dataclass(frozen=True)
class TwinFolder:
    """A twin that isn't open."""

    path: Path
    title: str
    place: str
    """Path relative to the folder that was searched; of a twin that was named, its whole path."""

    @property
    def key(self) -> str:
        """Part of the URL of its pages: readable, and different for each path."""
        digest = hashlib.sha256(str(self.path).encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{re.sub('[^a-z0-9]+', '-', self.path.name.lower()).strip('-') or 'twin'}-{digest}"


def find_twins(root: Path) -> list[TwinFolder]:
    """Return the twins in a folder and at most three levels below it, by place; hidden folders and links aren't followed.

    >>> find_twins(Path("/nowhere"))
    []
    """
    found: list[TwinFolder] = []
    for folder in _folders(root):
        if (folder / "twin.yaml").is_file():
            place = folder.relative_to(root).as_posix()
            found.append(TwinFolder(folder, _title(folder / "twin.yaml") or folder.name, place))
            if len(found) == _MOST_TWINS:
                break
    return sorted(found, key=lambda one: one.place)


def named_twins(folders: Iterable[Path]) -> list[TwinFolder]:
    """Return the twins in some folders, in their order; a folder without one is left out."""
    return [
        TwinFolder(path, _title(path / "twin.yaml") or path.name, str(path))
        for path in folders
        if (path / "twin.yaml").is_file()
    ]


def _folders(root: Path) -> Iterator[Path]:
    """Yield a folder and those below it, nearest first; none inside of a twin."""
    waiting = deque([(root, 0)])
    for _ in range(_MOST_FOLDERS):
        if not waiting:
            return
        folder, level = waiting.popleft()
        yield folder
        if level == _DEEPEST or (folder / "twin.yaml").is_file():
            continue
        try:
            with os.scandir(folder) as entries:
                names = sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
        except OSError:
            # A folder that can't be read has no twin for this reader.
            continue
        waiting.extend((folder / name, level + 1) for name in names if name[0] != "." and name not in _SKIPPED)


def _title(path: Path) -> str:
    """Return the title in a ``twin.yaml``; "" if it can't be read. Errors are shown when the twin is opened."""
    try:
        with path.open("rb") as file:
            found = yaml.safe_load(file.read(_MOST_BYTES).decode("utf-8", "replace"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    return str(found.get("title") or found.get("twin") or "")[:200]
