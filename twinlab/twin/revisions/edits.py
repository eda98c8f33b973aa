"""Definitions in the twin's folder that aren't the ones its history was built with: edited, unreadable or missing files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import TwinlabError
from twinlab.history.build.mapping_context import content_hash
from twinlab.model.load import load_mapping, load_model
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.twin.definitions import MAPPINGS, MODEL

if TYPE_CHECKING:
    from twinlab.history.read.definitions import Definitions

__all__ = ["Edits"]

_Stamp = tuple[tuple[str, int, int], ...]


@dataclass
class Edits:
    """Compares the files in a twin's folder with the definitions of its history; files are read again when they change.

    Parameters
    ----------
    folder : Path
    """

    folder: Path
    _seen: tuple[_Stamp, object, list[str]] | None = None

    def notes(self, built: Definitions) -> list[str]:
        """Return a sentence for each file that says something else than the history shows.

        Parameters
        ----------
        built : (TwinModel, dict of source to Mapping)
            The definitions that the history was built with.
        """
        stamp = self._stamp()
        if self._seen is None or self._seen[0] != stamp or self._seen[1] is not built[1]:
            self._seen = stamp, built[1], self._compare(built)
        return list(self._seen[2])

    def _stamp(self) -> _Stamp:
        paths = [self.folder / MODEL, *sorted((self.folder / MAPPINGS).glob("*.yaml"))]
        found = [(path, path.stat()) for path in paths if path.exists()]
        return tuple((str(path), status.st_mtime_ns, status.st_size) for path, status in found)

    def _compare(self, built: Definitions) -> list[str]:
        out: list[str] = []
        try:
            if content_hash(load_model(self.folder / MODEL)) != content_hash(built[0]):
                out.append(
                    f"{MODEL} changed: the history shows what it said before; twin.remodel tries it, twin.rebuild applies it"
                )
        except (TwinlabError, OSError) as error:
            out.append(f"{MODEL} can't be read: the history shows what it said before ({_first_line(error)})")
        files: dict[str, Path] = {}
        for path in sorted((self.folder / MAPPINGS).glob("*.yaml")):
            try:
                mapping = load_mapping(path)
            except (TwinlabError, OSError) as error:
                out.append(
                    f"{MAPPINGS}/{path.name} can't be read: the history shows what it said before ({_first_line(error)})"
                )
                continue
            files[mapping.source] = path
            known = built[1].get(mapping.source)
            if known is not None and content_hash(mapping) != content_hash(known):
                out.append(
                    f"{MAPPINGS}/{path.name} changed: the history shows what it said before; "
                    f"twin.remap({mapping.source!r}, ...) tries it, the next ingest or twin.rebuild applies it"
                )
        return out + missing_notes(built[1], files)


def missing_notes(mappings: Mapping[str, SourceMapping], files: Mapping[str, Path]) -> list[str]:
    """Return a sentence for each source whose mapping has no file."""
    return [
        f"the mapping of source {name!r} has no file in {MAPPINGS}/: its meaning is taken from the twin's journal until "
        "twin.rebuild removes it; twin.restore_mapping writes the file again"
        for name in sorted(mappings.keys() - files.keys())
    ]


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
