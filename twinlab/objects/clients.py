"""The client of a store, of each kind of store: S3-compatible ones, Google Cloud Storage, Azure Blob Storage."""

from __future__ import annotations

import os
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twinlab.objects.address import Address, profile_settings
from twinlab.objects.credentials import credential_settings

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

__all__ = ["RETRY", "store_client"]

#: Seconds after which a request that isn't answered fails, and for which one that fails is sent again.
_TIMEOUT, RETRY = 30, 60
#: Beginnings of the variables from which clients take credentials.
_VARIABLES = ("AWS_", "AZURE_", "GOOGLE_")


def store_client(address: Address, *, patience: float = RETRY) -> S3Store | GCSStore | AzureStore:
    """Return the client of a store, one for all buckets with the same settings: its connections are used again.

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
    settings = {name: value for name, value in os.environ.items() if name.startswith(_VARIABLES)} | profile_settings()
    return _client(address, patience, os.getpid(), hash(frozenset(settings.items())))


@lru_cache(maxsize=32)
def _client(address: Address, patience: float, process: int, settings: int) -> S3Store | GCSStore | AzureStore:  # noqa: ARG001  (a client depends on both)
    try:
        from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415  (few twins are in an object store)
    except ImportError as error:
        msg = f"expected obstore for {address.url}, it isn't installed: pip install 'twinlab-kit[s3]'"
        raise ImportError(msg) from error
    plain = address.endpoint is not None and address.endpoint.startswith("http://")
    options: dict[str, Any] = {
        "client_options": {"allow_http": plain, "timeout": timedelta(seconds=min(_TIMEOUT, patience))},
        "retry_config": {
            "max_retries": 4,
            "retry_timeout": timedelta(seconds=patience),
            "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=5), "base": 3},
        },
    }
    where: dict[str, Any]
    if address.scheme == "gs":
        # Credentials by Google's usual chain: GOOGLE_APPLICATION_CREDENTIALS, the file of gcloud, the machine.
        where = {} if address.endpoint is None else {"base_url": address.endpoint}
        return GCSStore(address.bucket, **where, **options)
    if address.scheme == "az":
        # Credentials of the environment (AZURE_STORAGE_ACCOUNT_KEY, AZURE_STORAGE_SAS_TOKEN, AZURE_CLIENT_ID …), or of the machine.
        where = {} if address.endpoint is None else {"endpoint": address.endpoint}
        return AzureStore(address.bucket, account_name=address.account, **where, **options)
    where = {} if address.endpoint is None else {"endpoint": address.endpoint}
    return S3Store(
        address.bucket,
        region=address.region or "us-east-1",
        **where,
        **credential_settings(),
        checksum_algorithm="SHA256",
        **options,
    )
