"""Bytes on a disk: checksums, complete writes, syncs, and errors of system calls."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import google_crc32c

from twinlab._files import open_binary, replace_file, sync_folder
from twinlab.errors import CorruptionError, SourceError

__all__ = [
    "MAX_BUFFERS",
    "atomic_write",
    "corrupt",
    "crc32c",
    "disk_error",
    "read_at",
    "sync_data",
    "unwrap_json",
    "wrap_json",
    "write_all",
]

#: Buffers that one ``pwritev`` takes (IOV_MAX on Linux).
MAX_BUFFERS = 1024
#: Without positioned reads and writes, only one thread at a time may move a descriptor's position.
_SEEKING = threading.Lock()


def crc32c(data: bytes, crc: int = 0) -> int:
    """Return the CRC-32C (Castagnoli) of ``data``, continued from ``crc``."""
    return int(google_crc32c.extend(crc, data))


def corrupt(path: Path, offset: int, what: str) -> CorruptionError:
    """Return the error for damaged bytes of a file."""
    msg = (
        f"{path}, byte {offset}: {what}. The stored bytes are not what was written. "
        "Run `twinlab verify` to see the extent, restore this file from a backup, then run `twinlab rebuild`."
    )
    return CorruptionError(msg)


def disk_error(error: OSError, path: Path, doing: str) -> SourceError:
    """Return the error for a failed write, with what to do next."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        why = "the disk (or the quota, or the largest file allowed) is full"
        todo = "Free some space and append the same rows again"
    else:
        why = os.strerror(error.errno) if error.errno else str(error)
        todo = "Check the disk, then open the writer again and append the same rows again"
    msg = f"{doing} {path} failed: {why}. These rows weren't acknowledged; all earlier rows are intact. {todo}."
    return SourceError(msg)


def write_all(descriptor: int, buffers: Sequence[bytes], offset: int) -> int:
    """Write all buffers at ``offset``, in several calls if need be; return the number of bytes.

    Raises
    ------
    OSError
        If the system reports one; a part may have been written.
    """
    views = [memoryview(b) for b in buffers if len(b)]
    total = 0
    while views:
        done = _write(descriptor, views[:MAX_BUFFERS], offset + total)
        if done == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        total += done
        while views and done >= len(views[0]):
            done -= len(views[0])
            views.pop(0)
        if done:
            views[0] = views[0][done:]
    return total


def _write(descriptor: int, views: Sequence[memoryview], offset: int) -> int:
    # Looked up at each call: Windows has no positioned writes.
    if hasattr(os, "pwritev"):
        return os.pwritev(descriptor, views, offset)
    with _SEEKING:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, b"".join(views))


def _read(descriptor: int, size: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    with _SEEKING:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Return ``size`` bytes at ``offset``, fewer only at the end of the file."""
    parts = []
    while size > 0:
        part = _read(descriptor, size, offset)
        if not part:
            break
        parts.append(part)
        size -= len(part)
        offset += len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def sync_data(descriptor: int) -> None:
    """Make the bytes and the length of a file durable."""
    getattr(os, "fdatasync", os.fsync)(descriptor)  # macOS has only fsync


def atomic_write(path: Path, data: bytes) -> None:
    """Replace a file so that after a crash it has either the old or the new bytes, complete."""
    draft = path.with_name(path.name + ".tmp")
    descriptor = open_binary(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    try:
        write_all(descriptor, [data], 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    replace_file(draft, path)
    sync_folder(path.parent)


def wrap_json(body: Mapping[str, object]) -> bytes:
    """Return JSON with the CRC-32C of its content."""
    inner = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return json.dumps({"crc32c": f"{crc32c(inner.encode()):08x}", "body": body}, indent=1).encode()


def unwrap_json(data: bytes, path: Path) -> dict[str, object]:
    """Return the content that `wrap_json` wrapped.

    Raises
    ------
    CorruptionError
        If it isn't JSON or its checksum doesn't match.
    """
    try:
        outer = json.loads(data)
    except ValueError as error:
        raise corrupt(path, getattr(error, "pos", getattr(error, "start", 0)), "not valid JSON") from error
    body = outer.get("body") if isinstance(outer, dict) else None
    if not isinstance(body, dict):
        raise corrupt(path, 0, "the content is missing")
    inner = json.dumps(body, sort_keys=True, separators=(",", ":"))
    if outer.get("crc32c") != f"{crc32c(inner.encode()):08x}":
        raise corrupt(path, 0, "the checksum of the content doesn't match")
    return body
