"""The twins of the exercises: demo twins to read, copies and a workshop to change."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twinlab._locks import Lock
from twinlab.demos import ParcelSize, cache_folder, demo
from twinlab.learn.exercise import find_exercise
from twinlab.learn.workshop import build_workshop
from twinlab.twin import Twin, open_twin

__all__ = ["practice_folder", "twin"]


def twin(exercise: str, *, fresh: bool = False) -> Twin:
    """Open the twin of an exercise; the first call builds it in the user's cache.

    Parameters
    ----------
    exercise : str
        Such as ``"steward.wrong-unit"``.
    fresh : bool
        Begin again: replace a twin that the exercise changes by a new one. Demo twins, which are only read, stay.

    Returns
    -------
    Twin

    Raises
    ------
    UnknownTermError
        If there is no such exercise.
    SourceError
        If the package with the demo's data isn't installed.
    """
    found = find_exercise(exercise)
    if found.twin == "nyc":
        return demo("nyc")
    if found.twin == "parcel":
        return demo("parcel", size=ParcelSize.small())
    target = practice_folder(exercise)
    with Lock(target.parent / f".{target.name}.lock", what=f"the twin of the exercise {exercise!r}", wait=None):
        if fresh or not target.exists():
            _build(found.twin, target)
    return open_twin(target)


def practice_folder(exercise: str) -> Path:
    """Return the folder of a twin that an exercise changes, whether it's there or not."""
    folder: Path = cache_folder() / "learn"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / exercise.replace(".", "-")


def _build(kind: str, target: Path) -> None:
    # Beside and moved into place, so that an interrupted call leaves no incomplete twin.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        folder = Path(scratch) / "twin"
        if kind == "copy":
            source = demo("parcel", size=ParcelSize.small())
            source.close()
            shutil.copytree(source.folder, folder)
        else:
            build_workshop(folder)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
