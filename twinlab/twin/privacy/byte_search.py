"""Search the bytes of files for texts, also inside of what is compressed: the proof that somebody is forgotten.

Every file is searched as it is, and so is each zstd, gzip and zip stream that begins anywhere in it: Arrow and Parquet pages, chunks and manifests of the
history, copies of source files. A text is searched as UTF-8, UTF-16, UTF-32 and as JSON writes it with escapes. Encrypted bytes aren't decrypted: what a
key no longer opens isn't there.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

__all__ = ["Hit", "files_below", "search"]

_ZSTD, _GZIP, _ZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"PK\x03\x04"
#: Streams within streams: a zip of a Parquet file of zstd pages.
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a text was found."""

    path: Path
    text: int
    """Number of the text among those that were searched."""
    inside: str
    """How it is stored there: "" as it is, "zstd", "zip/zstd"."""


def files_below(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of folders, and files themselves, sorted."""
    for folder in folders:
        if folder.is_file():
            yield folder
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def search(places: Iterable[Path], texts: Iterable[str]) -> list[Hit]:
    """Return where texts are found in files; of each file, text and way of storing one hit.

    Parameters
    ----------
    places : iterable of Path
        Folders, with all that is below, and files.
    texts : iterable of str

    >>> import gzip, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.gz").write_bytes(gzip.compress(b"driver: Ann Archer"))
    >>> [(hit.path.name, hit.inside) for hit in search([folder], ["Ann Archer", "Bob"])]
    [('a.gz', 'gzip')]
    """
    needles = {form: number for number, text in enumerate(texts) for form in _forms(text)}
    if not needles:
        return []
    pattern = re.compile(b"|".join(re.escape(one) for one in sorted(needles, key=len, reverse=True)))
    found: dict[Hit, None] = {}
    for path in files_below(places):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        for number, inside in _search_bytes(data, pattern, needles, "", _DEPTH):
            found[Hit(path, number, inside)] = None
    return list(found)


def _forms(text: str) -> set[bytes]:
    escaped = json.dumps(text)[1:-1]
    return {text.encode(way) for way in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")} | {
        escaped.encode()
    }


def _search_bytes(
    data: bytes, pattern: re.Pattern[bytes], needles: dict[bytes, int], inside: str, depth: int
) -> Iterator[tuple[int, str]]:
    seen = set()
    for match in pattern.finditer(data):
        number = needles[match[0]]
        if number not in seen:
            seen.add(number)
            yield number, inside
    if depth == 0:
        return
    for way, content in _streams(data):
        yield from _search_bytes(content, pattern, needles, f"{inside}/{way}".lstrip("/"), depth - 1)


def _streams(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the content of each compressed stream that begins anywhere in some bytes."""
    if data[:4] == _ZIP:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield "zip", archive.read(name)
    for magic, way, read in ((_ZSTD, "zstd", _zstd), (_GZIP, "gzip", _gzip)):
        at = data.find(magic)
        while at >= 0:
            content = read(data, at)
            if content:
                yield way, content
            at = data.find(magic, at + 1)


def _zstd(data: bytes, at: int) -> bytes:
    """Return what can be decompressed from here: bytes behind the stream end it."""
    parts: list[bytes] = []
    try:
        with pa.CompressedInputStream(pa.BufferReader(memoryview(data)[at:]), "zstd") as stream:
            while piece := stream.read(1 << 16):
                parts.append(piece)
    except (OSError, ValueError):
        pass
    return b"".join(parts)


def _gzip(data: bytes, at: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(memoryview(data)[at:])
    except zlib.error:
        return b""
