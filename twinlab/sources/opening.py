"""Open a file for reading only, plain or compressed, and detect its kind by its first bytes."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, cast

from twinlab.errors import SchemaError, SourceError

__all__ = ["kind_of", "open_bytes", "read_some"]

_MAGIC = (
    (b"PAR1", "parquet"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x7fELF", "program"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"ARROW1", "arrow"),
)

#: Exceptions of damaged or deleted files while they are read.
READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile)


def kind_of(path: Path) -> str:
    """Return the kind of a file by its first bytes: "text" if they aren't known.

    Returns
    -------
    str
        "empty", "excel", "zip", "gzip", "parquet", "sqlite", "xls", "pdf", "web page or XML" … or "text".
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(32)
    except OSError as error:
        raise unreadable(path, error) from error
    if not head:
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(path)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "web page or XML"  # the login page of a web portal, for example
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "text")


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except READ_ERRORS as error:
        raise unreadable(path, error) from error
    if any(name.startswith("xl/") for name in names):
        return "excel"
    return "zip"


def unreadable(path: Path, error: BaseException) -> SourceError:
    """Return the SourceError for a file that can't be read (to its end)."""
    return SourceError(
        f"{path.name}: can't be read ({error}); expected a whole file that may be read: "
        "check that its copying has finished and its permissions, then retry"
    )


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading as bytes, through gzip or a zip archive of one member.

    Raises
    ------
    SourceError
        If the file can't be opened, or is damaged or encrypted.
    SchemaError
        If an archive has no file or several.
    """
    kind = kind_of(path)
    if kind == "zip":
        with _open_archive(path) as archive, _open_member(path, archive) as member:
            yield member
        return
    try:
        plain = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error
    with plain, gzip.GzipFile(fileobj=plain) if kind == "gzip" else nullcontext(plain) as stream:
        yield cast("IO[bytes]", stream)


def _open_archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except READ_ERRORS as error:
        raise unreadable(path, error) from error


def _open_member(path: Path, archive: zipfile.ZipFile) -> IO[bytes]:
    members = [
        info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith(("__MACOSX/", "."))
    ]
    if len(members) != 1:
        names = ", ".join(info.filename for info in members[:5]) or "none"
        msg = f"{path.name}: contains {len(members)} files ({names}); expected an archive of one table: unpack it first"
        raise SchemaError(msg)
    try:
        return archive.open(members[0])
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or a compression Python doesn't know
        raise unreadable(path, error) from error
    except READ_ERRORS as error:
        raise unreadable(path, error) from error


def read_some(stream: IO[bytes], size: int, path: Path) -> bytes:
    """Read up to ``size`` bytes; fewer only at the end. A damaged file raises SourceError."""
    parts = []
    try:
        while size > 0 and (part := stream.read(size)):
            parts.append(part)
            size -= len(part)
    except READ_ERRORS as error:
        raise unreadable(path, error) from error
    return b"".join(parts)
