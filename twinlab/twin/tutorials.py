"""The project's notebooks, copied to where their reader can change them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from twinlab.errors import SourceError

__all__ = ["CopiedTutorials", "copy_tutorials"]


@dataclass(frozen=True)
class CopiedTutorials:
    """What was copied, and what was not because the reader has changed it."""

    copied: tuple[Path, ...]
    kept: tuple[Path, ...]


def copy_tutorials(folder: Path, *, overwrite: bool = False) -> CopiedTutorials:
    """Copy the notebooks into a folder; one that was changed there isn't replaced unless ``overwrite``.

    Raises
    ------
    SourceError
        If the notebooks aren't installed, or can't be written there.
    """
    copied, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in tutorial_files():
            target = folder / source.name
            if target.exists() and not overwrite:
                if target.read_bytes() != source.read_bytes():
                    kept.append(target)
                continue
            shutil.copyfile(source, target)
            copied.append(target)
    except OSError as error:
        msg = f"the notebooks can't be copied to {folder} ({error.strerror or error}); name another folder"
        raise SourceError(msg) from error
    return CopiedTutorials(tuple(copied), tuple(kept))


def tutorial_files() -> list[Path]:
    """Return the notebooks, from the installed package or from the clone that it's installed from.

    Raises
    ------
    SourceError
        If neither has them.
    """
    package = Path(str(files("twinlab")))
    # In a wheel they are inside the package; in an editable install beside it.
    for folder in (package / "_tutorials", package.parent / "notebooks"):
        found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
        if found:
            return found
    msg = f"there are no notebooks in {package}; install twinlab again"
    raise SourceError(msg)
