"""Read chunks of a pinned snapshot straight from their files, or from the objects of a store.

Icechunk's own `get` costs 0.5 ms CPU per chunk here, opening the file a thirtieth of that. The snapshot's manifests say
which file has a chunk: FlatBuffers after a 39-byte header [1]_, zstd-compressed. This module checks every snapshot and
manifest against the seal written at its publication, so that a damaged one can't name a wrong chunk.

References
----------
.. [1] Icechunk specification, version 1 of the format: snapshot.fbs, manifest.fbs, object_ids.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import google_crc32c
import pyarrow as pa

from twinlab.errors import CorruptionError
from twinlab.history.store.byte_store import Request
from twinlab.history.store.codecs import corrupt
from twinlab.objects.parts import FileParts, MissingPartError, Part, PartReader

__all__ = ["DirectBytes", "Metadata", "UnknownFormatError", "manifest_names", "read_seal", "seal_path", "write_seal"]

_MAGIC = "ICE\N{ICE CUBE}CHUNK".encode()
_HEADER = 39
_SPEC, _KIND, _COMPRESSION = 36, 37, 38
_VERSION = 1
_ARRAY = 1
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class UnknownFormatError(CorruptionError):
    """The format is unknown to this module, but Icechunk can read it."""


class _Table:
    """A FlatBuffers table: fields by number."""

    __slots__ = ("at", "data", "fields")

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        (back,) = struct.unpack_from("<i", data, at)
        start = at - back
        (size,) = struct.unpack_from("<H", data, start)
        self.fields = struct.unpack_from(f"<{size // 2 - 2}H", data, start + 4)

    def field(self, number: int) -> int | None:
        """Return the offset of a field, None if it is absent."""
        offset = self.fields[number] if number < len(self.fields) else 0
        return self.at + offset if offset else None

    def bytes_at(self, number: int, size: int) -> bytes | None:
        """Return a struct of ``size`` bytes."""
        at = self.field(number)
        return None if at is None else self.data[at : at + size]

    def u64(self, number: int) -> int:
        """Return an unsigned 64-bit number, 0 if absent."""
        at = self.field(number)
        return 0 if at is None else int(struct.unpack_from("<Q", self.data, at)[0])

    def vector(self, number: int) -> tuple[int, int] | None:
        """Return the offset of a vector's first element, and the number of elements."""
        at = self.field(number)
        if at is None:
            return None
        at += struct.unpack_from("<I", self.data, at)[0]
        return at + 4, struct.unpack_from("<I", self.data, at)[0]

    def table(self, number: int) -> _Table | None:
        """Return the table that a field refers to."""
        at = self.field(number)
        return None if at is None else _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])

    def tables(self, number: int) -> Iterator[_Table]:
        """Yield the tables of a vector."""
        found = self.vector(number)
        if found is not None:
            start, count = found
            for i in range(count):
                at = start + 4 * i
                yield _Table(self.data, at + struct.unpack_from("<I", self.data, at)[0])


def _object_name(identity: bytes) -> str:
    """Return an id as Icechunk names its files: Crockford's base 32."""
    bits = len(identity) * 8
    count = -(-bits // 5)
    number = int.from_bytes(identity, "big") << (count * 5 - bits)
    return "".join(_ALPHABET[(number >> (5 * (count - 1 - i))) & 31] for i in range(count))


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _load(parts: PartReader, name: str, expected: int | None) -> _Table:
    try:
        data = parts.whole(name)
    except MissingPartError as error:
        raise corrupt(name.rpartition("/")[2], error.reason) from error
    if expected is not None and google_crc32c.value(data) != expected:
        raise corrupt(name, "the checksum differs")
    if data[:12] != _MAGIC or data[_SPEC] != _VERSION:
        msg = f"expected a file of Icechunk's format {_VERSION}, got {name.rpartition('/')[2]}; update twinlab-kit"
        raise UnknownFormatError(msg)
    body = data[_HEADER:]
    if data[_COMPRESSION] == 1:
        try:
            with pa.input_stream(pa.BufferReader(body), compression="zstd") as stream:
                body = stream.read()
        except (OSError, pa.ArrowException) as error:
            raise corrupt(name, str(error)) from error
    return _Table(body, struct.unpack_from("<I", body)[0])


@dataclass(frozen=True)
class _Ref:
    name: str
    offset: int
    length: int
    inline: bytes | None


class Metadata:
    """Nodes and chunk references of one snapshot; manifests are loaded when one of their arrays is first read."""

    def __init__(self, parts: PartReader, snapshot: str, seal: dict[str, int]) -> None:
        self._parts = parts
        self._seal = seal
        root = _load(parts, f"snapshots/{snapshot}", self._expected(snapshot))
        self._nodes: dict[str, _Table] = {}
        for node in root.tables(2):
            found = node.vector(1)
            if found is not None:
                self._nodes[node.data[found[0] : found[0] + found[1]].decode()] = node
        self._arrays: dict[str, dict[tuple[int, ...], _Ref]] = {}
        self._manifests: dict[str, dict[bytes, _Table]] = {}

    def _expected(self, name: str) -> int:
        if name not in self._seal:
            raise corrupt(name, "it isn't in the seal")
        return self._seal[name]

    def nodes(self, prefix: str) -> set[str]:
        """Return the paths of the groups and arrays that start with ``prefix``."""
        return {path[1:] for path in self._nodes if path[1:].startswith(prefix)}

    def document(self, path: str) -> bytes | None:
        """Return the ``zarr.json`` of a node."""
        node = self._nodes.get("/" + path)
        found = node.vector(2) if node is not None else None
        return None if node is None or found is None else node.data[found[0] : found[0] + found[1]]

    def chunks(self, path: str) -> dict[tuple[int, ...], _Ref]:
        """Return the references of an array's chunks, by chunk index."""
        if path not in self._arrays:
            self._arrays[path] = dict(self._read_chunks("/" + path))
        return self._arrays[path]

    def _read_chunks(self, path: str) -> Iterator[tuple[tuple[int, ...], _Ref]]:
        node = self._nodes.get(path)
        body = node.table(4) if node is not None else None
        kind = node.field(3) if node is not None else None
        if node is None or body is None or kind is None or node.data[kind] != _ARRAY:
            return
        identity = node.bytes_at(0, 8) or b""
        for manifest in body.tables(2):
            array = self._manifest(_object_name(manifest.bytes_at(0, 12) or b"")).get(identity)
            for ref in array.tables(1) if array is not None else ():
                yield _read_ref(ref)

    def _manifest(self, name: str) -> dict[bytes, _Table]:
        if name not in self._manifests:
            root = _load(self._parts, f"manifests/{name}", self._expected(name))
            self._manifests[name] = {array.bytes_at(0, 8) or b"": array for array in root.tables(1)}
        return self._manifests[name]

    def chunk_objects(self) -> set[str]:
        """Return the names of the objects that have the chunks."""
        refs = (ref for path in self._nodes for ref in self.chunks(path[1:]).values())
        return {ref.name for ref in refs if ref.inline is None}

    def sizes(self) -> dict[str, int]:
        """Return the bytes of every array's chunks."""
        paths = [path[1:] for path in self._nodes]
        return {path: sum(ref.length for ref in self.chunks(path).values()) for path in paths if self.chunks(path)}


def _read_ref(ref: _Table) -> tuple[tuple[int, ...], _Ref]:
    start, count = ref.vector(0) or (0, 0)
    index = struct.unpack_from(f"<{count}I", ref.data, start)
    inline = ref.vector(1)
    if inline is not None:
        data = ref.data[inline[0] : inline[0] + inline[1]]
        return index, _Ref("", 0, len(data), data)
    return index, _Ref(_object_name(ref.bytes_at(4, 12) or b""), ref.u64(2), ref.u64(3), None)


class DirectBytes:
    """Chunks of a pinned snapshot, read from their files.

    Parameters
    ----------
    path : Path
        Folder of the repository, with the seals beside it.
    snapshot : str
    parts : PartReader, optional
        Where the repository's objects are; by default the files in the folder.
    """

    def __init__(self, path: Path, snapshot: str, parts: PartReader | None = None) -> None:
        self._parts = FileParts(path) if parts is None else parts
        self.far = self._parts.far
        self.metadata = Metadata(self._parts, snapshot, read_seal(path, snapshot))

    def fetch(self, requests: Sequence[Request]) -> list[bytes | None]:
        """Return the bytes of each request; None where the key doesn't exist."""
        out: list[bytes | None] = [None] * len(requests)
        wanted: list[Part] = []
        places: list[int] = []
        for number, (key, span) in enumerate(requests):
            found = self._find(key, span)
            if isinstance(found, Part):
                wanted.append(found)
                places.append(number)
            else:
                out[number] = found
        try:
            read = self._parts.parts(wanted)
        except MissingPartError as error:
            raise corrupt(requests[places[error.number]][0], error.reason) from error
        for number, data in zip(places, read, strict=True):
            out[number] = data
        return out

    def _find(self, key: str, span: tuple[int, int] | None) -> Part | bytes | None:
        """Return the bytes of a request if the metadata have them, else where they are; None if the key doesn't exist."""
        if key.endswith("zarr.json"):
            return self.metadata.document(key.removesuffix("zarr.json").rstrip("/"))
        array, _, index = key.rpartition("/c/")
        ref = self.metadata.chunks(array).get(tuple(map(int, index.split("/"))))
        if ref is None:
            return None
        first, end = (0, ref.length) if span is None else span
        if first < 0:
            first, end = max(0, ref.length + first), ref.length
        if ref.inline is not None:
            return ref.inline[first:end]
        return Part(f"chunks/{ref.name}", ref.offset + first, ref.offset + end, 0 if ref.offset else ref.length)

    def put(self, key: str, data: bytes) -> None:
        """Raise TypeError: a snapshot can't be changed."""
        msg = f"a snapshot can't be changed: expected no write of {len(data)} bytes to {key}; use a transaction"
        raise TypeError(msg)

    def delete(self, key: str) -> None:
        """Raise TypeError: a snapshot can't be changed."""
        self.put(key, b"")


def manifest_names(path: Path, snapshot: str) -> list[str]:
    """Return the names of the manifests that a snapshot refers to; only right after it was written, since it isn't verified."""
    root = _load(FileParts(path), f"snapshots/{snapshot}", None)
    start, count = root.vector(6) or (0, 0)
    # ManifestFileInfo: 12 bytes of id, 4 of padding, 8 of size, 4 of count, 4 of padding.
    return [_object_name(root.data[start + 32 * i : start + 32 * i + 12]) for i in range(count)]


def seal_path(path: Path, snapshot: str) -> Path:
    """Return the file with the checksums of a snapshot, beside the repository."""
    return path.parent / "seals" / snapshot


def write_seal(path: Path, snapshot: str, *, base: dict[str, int]) -> None:
    """Write the checksums of a snapshot and its manifests; those in ``base`` are copied, not computed again."""
    folders = {snapshot: "snapshots"} | dict.fromkeys(manifest_names(path, snapshot), "manifests")
    sums = {
        name: base[name] if name in base else google_crc32c.value((path / folder / name).read_bytes())
        for name, folder in folders.items()
    }
    body = "".join(f"{name} {value:08x}\n" for name, value in sorted(sums.items()))
    target = seal_path(path, snapshot)
    target.parent.mkdir(exist_ok=True)
    target.write_text(f"{body}{google_crc32c.value(body.encode()):08x}\n", encoding="ascii", newline="\n")


def read_seal(path: Path, snapshot: str) -> dict[str, int]:
    """Return the checksums of a snapshot and its manifests.

    Raises
    ------
    CorruptionError
        If the seal is missing or damaged.
    """
    try:
        text = seal_path(path, snapshot).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise corrupt(_short(seal_path(path, snapshot)), "they can't be read") from error
    lines = text.splitlines()
    body = "".join(f"{line}\n" for line in lines[:-1])
    if not lines or lines[-1] != f"{google_crc32c.value(body.encode()):08x}":
        raise corrupt(_short(seal_path(path, snapshot)), "the checksum differs")
    return {name: int(value, 16) for name, value in (line.split() for line in lines[:-1])}


def verify_seal(path: Path, snapshot: str, *, known: Mapping[str, int] | None = None) -> dict[str, int]:
    """Check a snapshot and all its manifests against the seal; return the seal.

    Files in ``known`` (name -> checksum) were checked before and aren't read again.

    Raises
    ------
    CorruptionError
        If one differs or is missing.
    """
    seal, parts = read_seal(path, snapshot), FileParts(path)
    for name, expected in seal.items():
        if known is not None and known.get(name) == expected:
            continue
        _load(parts, f"{'snapshots' if name == snapshot else 'manifests'}/{name}", expected)
    return seal
