"""Requests to a bucket: get, get a part, put, put if nobody else did, list; errors say what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinlab.errors import HistoryConflictError, SourceError
from twinlab.objects.address import Address
from twinlab.objects.clients import RETRY, store_client

__all__ = ["Bucket", "Listed", "Missing"]

#: Objects of at least so many bytes are sent in parts.
_PART = 64 * 2**20
#: Objects that one request removes.
_DELETED = 500
#: What names the version of an object, in each kind of store.
_VERSIONS = {"s3": "e_tag", "gs": "version", "az": "e_tag"}


#: What stores answer if there is no such bucket, or if a signature is too old or too new.
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist")
_CLOCK = ("RequestTimeTooSkewed", "RequestExpired", "Request date header too old", "reasonable timeframe")
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID, or AWS_PROFILE and ~/.aws",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
    "az": "AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, or AZURE_CLIENT_ID with its secret",
}
_NEEDED = {
    "s3": {"read": "s3:GetObject", "write": "s3:PutObject and s3:DeleteObject", "list": "s3:ListBucket"},
    "gs": {
        "read": "storage.objects.get", "write": "storage.objects.create and storage.objects.delete", "list": "storage.objects.list",
    },
    "az": dict.fromkeys(("read", "list"), "Storage Blob Data Reader") | {"write": "Storage Blob Data Contributor"},
}  # fmt: skip


class Missing(Exception):  # noqa: N818  (an answer, not a fault)
    """There is no such object."""


@dataclass(frozen=True)
class Listed:
    """An object that is listed: its name below the prefix, and its bytes."""

    name: str
    size: int


class Bucket:
    """Objects below an address.

    Parameters
    ----------
    address : Address
    patience : float
        Seconds for which a request that fails is sent again.

    Raises
    ------
    ImportError
        If obstore isn't installed; names the extra.
    """

    def __init__(self, address: Address, *, patience: float = RETRY) -> None:
        self.address = address
        self._store = store_client(address, patience=patience)

    def __reduce__(self) -> tuple[type[Bucket], tuple[Address]]:
        """Pickle as the address: another process opens the store itself, with its own credentials."""
        return Bucket, (self.address,)

    def get(self, name: str) -> tuple[bytes, str | None]:
        """Return an object's bytes and its version (ETag; on Google its generation).

        Raises
        ------
        Missing
            If there is none.
        SourceError
            If the store can't be read; says why.
        """
        import obstore  # noqa: PLC0415  (few twins are in an object store)

        with self._errors("read", name):
            found = obstore.get(self._store, self.address.key(name))
            version: Any = found.meta.get(_VERSIONS[self.address.scheme])
            return bytes(found.bytes()), version

    def part(self, name: str, first: int, end: int) -> bytes:
        """Return the bytes ``first .. end - 1`` of an object; raises as `get`."""
        import obstore  # noqa: PLC0415

        with self._errors("read", name):
            return bytes(obstore.get_range(self._store, self.address.key(name), start=first, end=end))

    def put(self, name: str, data: bytes | Path) -> None:
        """Store bytes, or a file, as an object, which the store checks against its SHA-256.

        Raises
        ------
        SourceError
            If it can't be written; says why.
        """
        import obstore  # noqa: PLC0415

        large = isinstance(data, Path) or len(data) >= _PART
        with self._errors("write", name):
            obstore.put(self._store, self.address.key(name), data, use_multipart=large, chunk_size=_PART)

    def create(self, name: str, data: bytes) -> str | None:
        """Store an object that isn't there yet; return its version.

        Raises
        ------
        HistoryConflictError
            If it is there: another process was first.
        """
        return self._conditional(name, data, "create")

    def replace(self, name: str, data: bytes, version: str | None) -> str | None:
        """Replace the version of an object that `get` returned; return the new one.

        Raises
        ------
        HistoryConflictError
            If another process has replaced it meanwhile.
        """
        return self._conditional(name, data, {_VERSIONS[self.address.scheme]: version})

    def _conditional(self, name: str, data: bytes, mode: Any) -> str | None:  # noqa: ANN401  (obstore's mode)
        import obstore  # noqa: PLC0415
        from obstore.exceptions import AlreadyExistsError, PreconditionError  # noqa: PLC0415

        try:
            with self._errors("write", name):
                put: Any = obstore.put(self._store, self.address.key(name), data, mode=mode)
                version: str | None = put[_VERSIONS[self.address.scheme]]
                return version
        except (AlreadyExistsError, PreconditionError) as error:
            msg = (
                f"{self.address.place}: another process has written {name} meanwhile; nothing was replaced, call again"
            )
            raise HistoryConflictError(msg) from error

    def delete(self, *names: str) -> None:
        """Remove objects that are there."""
        import obstore  # noqa: PLC0415

        for first in range(0, len(names), _DELETED):
            some = names[first : first + _DELETED]
            with self._errors("write", some[0]):
                obstore.delete(self._store, [self.address.key(name) for name in some])

    def list(self, prefix: str = "") -> Iterator[Listed]:
        """Yield the objects whose names are below a prefix (whole parts of a path, without a slash at the end)."""
        import obstore  # noqa: PLC0415

        cut = len(self.address.key("")) if self.address.prefix else 0
        with self._errors("list", prefix or "its objects"):
            for some in obstore.list(self._store, self.address.key(prefix).rstrip("/") or None):
                yield from (Listed(one["path"][cut:], one["size"]) for one in some)

    def check_conditional_writes(self, name: str, data: bytes) -> None:
        """Check that two writers can't both create, or replace, one object; it stays as it is in any case.

        Parameters
        ----------
        name : str
            An object that is there.
        data : bytes
            What it has.

        Raises
        ------
        SourceError
            If they can: commits would be lost silently.
        """
        other = hashlib.md5(b"another version", usedforsecurity=False).hexdigest()
        kind = _VERSIONS[self.address.scheme]
        modes: dict[str, Any] = {
            "If-None-Match": "create",
            "If-Match": {kind: f'"{other}"' if kind == "e_tag" else "1"},
        }
        for header, mode in modes.items():
            try:
                self._conditional(name, data, mode)
            except HistoryConflictError:
                continue
            msg = (
                f"{self.address.place}: expected a store with conditional writes, but this one ignores {header}: of two pushes at once, "
                "one would be lost. Nothing was pushed. Use a store that has them (such as Amazon S3, MinIO, Ceph, Cloudflare R2); "
                "reading needs none"
            )
            raise SourceError(msg)

    @contextmanager
    def _errors(self, what: str, name: str) -> Iterator[None]:
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError  # noqa: PLC0415

        try:
            yield
        except (AlreadyExistsError, PreconditionError):
            raise
        except (BaseError, OSError) as error:
            raise self._explained(error, what, name) from error

    def _explained(self, error: Exception, what: str, name: str) -> Exception:
        from obstore.exceptions import PermissionDeniedError, UnauthenticatedError  # noqa: PLC0415

        text, place = str(error), self.address.place
        if any(code in text for code in _NO_BUCKET):
            msg = f"{place}: expected a bucket {self.address.bucket!r}, there is none; check its name, endpoint and region, or create it"
        elif isinstance(error, FileNotFoundError):
            return Missing(name)
        elif any(code in text for code in _CLOCK):
            msg = f"{place}: the clock of this computer differs from the store's by more than it allows (15 min on S3); set the clock"
        elif isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or "AccessDenied" in text:
            credentials, needed = _CREDENTIALS[self.address.scheme], _NEEDED[self.address.scheme][what]
            msg = f"{place}: no permission to {what} {name}: check the credentials ({credentials}) and that they allow {needed}"
        elif "NotImplemented" in text:
            msg = f"{place}: the store doesn't know a request that is needed to {what} {name} (conditional writes, perhaps)"
        else:
            msg = f"{place}: can't {what} {name}: {_reason(text)}; check endpoint, region and network, then call again"
        return SourceError(msg)


def _reason(text: str) -> str:
    """Return the part of an error's text that says what happened, in one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else "no reason given")[:300]
