"""A repository whose objects are in a store: a file beside its folder says where, and the folder has references and seals only."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.errors import CorruptionError
from twinlab.history.remote.bundle import bundle_path, read_bundle

if TYPE_CHECKING:
    import icechunk

    from twinlab.objects.address import Address
    from twinlab.objects.parts import ObjectParts

__all__ = ["REPOSITORY", "address_of", "icechunk_storage", "object_parts", "write_address"]

_FILE = "objects.json"
#: The repository's name below the address.
REPOSITORY = "history/icechunk"


def write_address(path: Path, address: Address) -> None:
    """State that the objects of the repository ``path`` are below an address."""
    (path.parent / _FILE).write_text(json.dumps(address.to_json()), encoding="utf-8")


def address_of(path: Path) -> Address | None:
    """Return the address of a repository's objects; None if they are the files in ``path``.

    Raises
    ------
    CorruptionError
        If the file that says so is damaged.
    """
    try:
        text = (path.parent / _FILE).read_text(encoding="utf-8")
    except OSError:
        return None
    # Loaded when needed: few histories are in an object store.
    from twinlab.objects.address import Address  # noqa: PLC0415

    try:
        return Address(**json.loads(text))
    except (ValueError, TypeError) as error:
        msg = f"{path.parent / _FILE}: expected an address, got {text[:80]!r}; open the twin again by its address"
        raise CorruptionError(msg) from error


def object_parts(path: Path, snapshot: str) -> ObjectParts | None:
    """Return the reader of a repository's objects in a store; None if they are the files in ``path``.

    What is in the snapshot's bundle, beside the repository, is read from there.
    """
    address = address_of(path)
    if address is None:
        return None
    from twinlab.objects.bucket import Bucket  # noqa: PLC0415
    from twinlab.objects.disk_cache import DiskCache, cache_folder, cache_limit  # noqa: PLC0415
    from twinlab.objects.parts import ObjectParts  # noqa: PLC0415

    cache = DiskCache(cache_folder() / "parts", limit=cache_limit())
    return ObjectParts(Bucket(address), REPOSITORY, cache, fetched=partial(read_bundle, bundle_path(path, snapshot)))


def icechunk_storage(address: Address) -> icechunk.Storage:
    """Return Icechunk's own storage of a repository in an object store."""
    import icechunk  # noqa: PLC0415

    prefix = address.key(REPOSITORY)
    if address.scheme == "gs":
        return icechunk.gcs_storage(bucket=address.bucket, prefix=prefix, from_env=True)
    if address.scheme == "az":
        where = {} if address.endpoint is None else {"azure_storage_endpoint": address.endpoint}
        return icechunk.azure_storage(
            account=str(address.account), container=address.bucket, prefix=prefix, from_env=True, config=where
        )
    return icechunk.s3_storage(
        bucket=address.bucket,
        prefix=prefix,
        region=address.region or "us-east-1",
        endpoint_url=address.endpoint,
        allow_http=address.endpoint is not None and address.endpoint.startswith("http://"),
        force_path_style=address.endpoint is not None,
        from_env=True,
    )
