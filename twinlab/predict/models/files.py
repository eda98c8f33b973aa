"""A fitted model as one file: a zip of arrays as NumPy writes them, texts, and ``model.json`` with their checksums.

`numpy.load` opens it as an ``.npz``; texts, such as LightGBM's own, are read by the library that they are of.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twinlab._files import sync_file, sync_folder, write_atomically
from twinlab.errors import CorruptionError, SourceError, UnknownTermError
from twinlab.predict.models.format import from_arrays, to_arrays

__all__ = ["read_facts", "read_model", "write_model"]

Array = NDArray[Any]
_CONTENT: Final = "model.json"
#: A file that claims to unpack to more isn't read, bytes.
_MOST: Final = 4 * 2**30
#: Instant of all members, so that equal models are equal files.
_DATE: Final = (1980, 1, 1, 0, 0, 0)


def write_model(path: str | Path, fitted: object, *, facts: Mapping[str, object] | None = None) -> Path:
    """Write a fitted model to a file: in one step, and durable when this returns.

    Parameters
    ----------
    path : path
        Such as ``"delay.model"``; an existing file is replaced.
    fitted : object
        As of `to_arrays`.
    facts : mapping, optional
        What `read_facts` returns without reading the model: text, finite numbers, lists and mappings of these.

    Raises
    ------
    SchemaError
        If a part of it can't be stored; nothing is written then.
    SourceError
        If the file can't be written.
    """
    arrays, content = to_arrays(fitted)
    members = {_member(name): _bytes(name, one) for name, one in sorted(arrays.items())}
    sums = {name: hashlib.sha256(one).hexdigest() for name, one in members.items()}
    text = json.dumps(
        content | {"members": sums, "facts": dict(facts or {})}, indent=1, sort_keys=True, allow_nan=False
    )

    def write(draft: Path) -> None:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, one in {_CONTENT: text.encode(), **members}.items():
                info = zipfile.ZipInfo(name, _DATE)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, one)
        sync_file(draft)

    target = write_atomically(Path(path), write)
    sync_folder(target.parent)
    return target


def read_model(path: str | Path) -> Any:  # noqa: ANN401  (any kind of model)
    """Read a fitted model that `write_model` wrote. No code in the file is run, and none is looked for.

    Parameters
    ----------
    path : path

    Raises
    ------
    SourceError
        If there is no such file, or a library that the model needs isn't installed.
    CorruptionError
        If the file is damaged, cut off, or of a version that this one doesn't read; names the file.
    UnknownTermError
        If the package that has the model's format isn't installed.
    """
    with _reading(path) as file:
        arrays, content = _unpacked(file)
        return from_arrays(arrays, content)


def read_facts(path: str | Path) -> dict[str, Any]:
    """Return the facts that were written beside a model, and of what ``libraries`` it was, without reading its arrays.

    Raises
    ------
    SourceError
        If there is no such file.
    CorruptionError
        If the file is damaged or cut off; names the file.
    """
    with _reading(path) as file, zipfile.ZipFile(file) as archive:
        content = json.loads(archive.read(_CONTENT))
        return {**content["facts"], "libraries": dict(content["libraries"])}


@contextmanager
def _reading(path: str | Path) -> Iterator[Path]:
    """Name the file in what is raised while it is read."""
    file = Path(path)
    if not file.is_file():
        msg = f"expected the file of a model, there is none: {file}"
        raise SourceError(msg)
    try:
        yield file
    except (SourceError, UnknownTermError, CorruptionError):
        raise
    except Exception as error:
        # Whatever a damaged or foreign file makes a parser raise.
        msg = f"the model {file} can't be read: {str(error) or type(error).__name__}; restore the file, or fit the model again"
        raise CorruptionError(msg) from error


def _unpacked(file: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    with zipfile.ZipFile(file) as archive:
        total = sum(one.file_size for one in archive.infolist())
        if total > _MOST:
            _refuse(file, f"it unpacks to {total / 2**30:.0f} GiB, at most {_MOST / 2**30:.0f} are read")
        names = archive.namelist()
        if _CONTENT not in names:
            _refuse(file, f"it has no {_CONTENT}")
        content = json.loads(archive.read(_CONTENT))
        sums = content.get("members") if isinstance(content, dict) else None
        if not isinstance(sums, Mapping):
            _refuse(file, f"{_CONTENT} names no members")
        assert isinstance(sums, Mapping)
        if sorted(names) != sorted([_CONTENT, *sums]):
            _refuse(file, f"expected the members {', '.join(sorted(sums))}, got {', '.join(sorted(names))}")
        arrays = {}
        for name in sums:
            found = archive.read(name)
            if hashlib.sha256(found).hexdigest() != sums[name]:
                _refuse(file, f"{name} isn't as it was written: its SHA-256 differs")
            arrays[name.removesuffix(".npy")] = _array(name, found)
    return arrays, content


def _refuse(file: Path, why: str) -> None:
    msg = f"the model {file} can't be read: {why}; restore the file, or fit the model again"
    raise CorruptionError(msg)


def _member(name: str) -> str:
    return name if name.endswith(".txt") else f"{name}.npy"


def _bytes(name: str, array: Array) -> bytes:
    if name.endswith(".txt"):
        return array.tobytes()
    out = io.BytesIO()
    np.lib.format.write_array(out, array, allow_pickle=False)
    return out.getvalue()


def _array(name: str, found: bytes) -> Array:
    """Return an array; its header can't claim more than there is."""
    if name.endswith(".txt"):
        return np.frombuffer(found, np.uint8).copy()
    stream = io.BytesIO(found)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    rest = len(found) - stream.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != rest:
        msg = f"{name}: expected {math.prod(shape) * dtype.itemsize} bytes of {dtype} after the header, got {rest}"
        raise ValueError(msg)
    flat = np.frombuffer(found, dtype, offset=stream.tell()).copy()
    return flat.reshape(shape, order="F" if fortran else "C")
