"""The parts of stored predictions of one name: which there are, their issue times, and how many small ones become a large one."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab._files import sync_folder, write_atomically
from twinlab.predict.predictions.files import issue_times, load_predictions, save_predictions
from twinlab.predict.predictions.joining import join

__all__ = ["MOST_SMALL", "add_part", "issued_in", "merge_small", "parts_in"]

#: So many parts of one addition become one, since each is a directory of some dozens of files.
MOST_SMALL: Final = 64
_NAME: Final = re.compile(r"(\d+)(?:-(\d+))?\.zarr")
_INDEX: Final = "issued.json"


def parts_in(folder: Path) -> list[Path]:
    """Return the parts in order of addition: ``<n>.zarr``, and ``<n>-<m>.zarr`` in place of those from n to m."""
    found = []
    for path in folder.glob("[0-9]*.zarr") if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name)
        if match is not None:
            first = int(match[1])
            found.append((first, int(match[2] or first), path))
    # A merged part comes before those that a killed merge has left.
    found.sort(key=lambda one: (one[0], -one[1]))
    out, until = [], -1
    for _, last, path in found:
        if last > until:
            out.append(path)
            until = last
    return out


def issued_in(folder: Path) -> dict[Path, NDArray[np.datetime64]]:
    """Return the issue times of each part, from the index; of a part that it lacks, from the part itself.

    Raises
    ------
    CorruptionError
        If such a part can't be read.
    """
    known = _index(folder)
    return {
        part: np.array(known[part.name], "int64").astype("datetime64[ns]")
        if part.name in known
        else issue_times(part, part.stat().st_mtime_ns)
        for part in parts_in(folder)
    }


def add_part(folder: Path, data: xr.Dataset, issued: dict[Path, NDArray[np.datetime64]]) -> None:
    """Write predictions as a further part; the caller has the lock, and ``issued`` of `issued_in`."""
    number = 1 + max((_last(part) for part in issued), default=-1)
    target = folder / f"{number:06d}.zarr"
    write_atomically(target, lambda draft: save_predictions(data, draft))
    times = np.unique(data["issue_time"].values.astype("datetime64[ns]"))
    _write_index(folder, issued | {target: times})
    sync_folder(folder)


def merge_small(folder: Path) -> None:
    """Join small parts to one, if there are many; the caller has the lock.

    A reader of a part that is gone lists the parts again. What a kill leaves is ignored, and removed here.
    """
    parts = parts_in(folder)
    small = [part for part in parts if "-" not in part.stem]
    if len(small) >= MOST_SMALL:
        # The newest addition stays a part of its own: it is read most.
        some = small[: MOST_SMALL - 1]
        target = folder / f"{some[0].stem}-{some[-1].stem}.zarr"
        data = join([load_predictions(part) for part in some])
        write_atomically(target, lambda draft: save_predictions(data, draft))
        sync_folder(folder)
        parts = parts_in(folder)
        _write_index(folder, issued_in(folder))
    for path in folder.glob("[0-9]*.zarr"):
        if path not in parts:
            shutil.rmtree(path, ignore_errors=True)


def _last(part: Path) -> int:
    return int(part.stem.rpartition("-")[2])


def _index(folder: Path) -> dict[str, list[int]]:
    try:
        found: dict[str, list[int]] = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # It only saves reading the parts.
        return {}
    return found


def _write_index(folder: Path, issued: dict[Path, NDArray[np.datetime64]]) -> None:
    text = json.dumps({part.name: one.astype("int64").tolist() for part, one in issued.items()})
    write_atomically(folder / _INDEX, lambda draft: draft.write_text(text, encoding="utf-8"))
