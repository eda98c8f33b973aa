"""The twins of the exercises: demo twins to read, copies and a workshop to change."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from twinlab._locks import Lock
from twinlab.demos import ParcelSize, cache_folder, demo
from twinlab.history import BUILD_VERSION
from twinlab.learn.exercise import find_exercise
from twinlab.learn.workshop import build_workshop
from twinlab.twin import Twin, open_twin

__all__ = ["practice_folder", "twin"]

#: Seconds for which a workshop is copied. A proposal takes reports that are younger than 30 minutes.
_RECENT = 600


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
    """Return the folder of a twin that an exercise changes, whether it's there or not; another one for another version of what it's made of."""
    folder: Path = cache_folder() / "learn"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{exercise.replace('.', '-')}-{_fingerprint()}"


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    digest = hashlib.sha256(str(BUILD_VERSION).encode())
    for path in sorted(Path(str(files("twinlab.learn.workshop"))).rglob("*")):
        if path.suffix in (".py", ".yaml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _build(kind: str, target: Path) -> None:
    # Beside and moved into place, so that an interrupted call leaves no incomplete twin.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as scratch:
        folder = Path(scratch) / "twin"
        if kind == "copy":
            source = demo("parcel", size=ParcelSize.small())
            source.close()
            shutil.copytree(source.folder, folder)
        else:
            shutil.copytree(_workshop(target.parent), folder)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


def _workshop(place: Path) -> Path:
    """Return a workshop that was built in the last minutes, of which exercises get copies: its forklifts report until then."""
    found = place / f"workshop-{_fingerprint()}"
    with Lock(place / f".{found.name}.lock", what="the workshop of the exercises", wait=None):
        if not found.exists() or time.time() - found.stat().st_mtime > _RECENT:
            with tempfile.TemporaryDirectory(dir=place, prefix=".workshop-") as scratch:
                build_workshop(Path(scratch) / "twin")
                shutil.rmtree(found, ignore_errors=True)
                (Path(scratch) / "twin").rename(found)
            # The folder's own time is that of its last entry.
            os.utime(found)
    return found
