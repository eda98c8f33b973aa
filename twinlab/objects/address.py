"""Where a twin is in an object store: bucket, prefix, endpoint and region; no secret is part of it."""

from __future__ import annotations

import os
import re
from configparser import ConfigParser
from configparser import Error as ParserError
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from twinlab.errors import SchemaError

__all__ = ["SCHEMES", "Address", "address_in", "is_address", "profile_settings"]

#: Kinds of stores, with the variables that name an endpoint: S3-compatible ones, Google Cloud Storage, Azure Blob Storage.
SCHEMES = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")


def is_address(text: object) -> bool:
    """Return whether a text names an object store rather than a folder.

    >>> is_address("s3://plant/pilot"), is_address("pilot/")
    (True, False)
    """
    return isinstance(text, str) and "://" in text


def address_in(path: Path) -> str | None:
    """Return the address that a path was made of; None for a path of a folder.

    >>> address_in(Path("s3://plant/pilot")), address_in(Path("pilot"))
    ('s3://plant/pilot', None)
    """
    scheme, _, rest = path.as_posix().partition(":/")
    return f"{scheme}://{rest.lstrip('/')}" if rest and scheme in SCHEMES else None


@dataclass(frozen=True)
class Address:
    """A prefix of a bucket (on Azure: of a container), with the endpoint and the region of its store."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    """URL of the store's service; None is that of the cloud itself."""
    region: str | None = None
    """Region of an S3-compatible store."""
    scheme: str = "s3"
    """Kind of store: a key of `SCHEMES`."""
    account: str | None = None
    """Storage account on Azure."""

    @classmethod
    def parse(cls, url: str, *, endpoint: str | None = None, region: str | None = None) -> Self:
        """Read an address; what isn't given comes from the environment, or from the AWS profile.

        Parameters
        ----------
        url : str
            ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``.
        endpoint, region : str, optional
            By default ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``, and ``AWS_REGION`` or ``AWS_DEFAULT_REGION``, of the environment,
            then those of the profile in ``~/.aws/config``; on Azure ``AZURE_STORAGE_ENDPOINT``, and the account is that of
            ``AZURE_STORAGE_ACCOUNT_NAME`` or of the endpoint's host; on Google ``GOOGLE_BASE_URL``.

        Raises
        ------
        SchemaError
            If the text isn't an address.

        Examples
        --------
        >>> Address.parse("s3://plant/pilots/cold-chain/", endpoint="https://store.example", region="eu-1").url
        's3://plant/pilots/cold-chain'
        """
        scheme, _, rest = url.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme not in SCHEMES or _BUCKET.fullmatch(bucket) is None:
            msg = (
                f"expected an address such as s3://bucket/prefix (or gs://, az://), got {url!r}. A bucket's name has 3 to 63 small "
                "letters, digits, dots and hyphens"
            )
            raise SchemaError(msg)
        if "@" in url or "?" in url:
            msg = "expected an address without user, password or options: credentials come from the environment or the AWS profile"
            raise SchemaError(msg)
        ours = os.environ.get
        profile = profile_settings() if scheme == "s3" else {}
        named = next((found for name in SCHEMES[scheme] if (found := ours(name))), None)
        endpoint = endpoint or named or profile.get("endpoint_url")
        if scheme == "s3":
            region = region or ours("AWS_REGION") or ours("AWS_DEFAULT_REGION") or profile.get("region")
        account = _account(endpoint, bucket) if scheme == "az" else None
        return cls(bucket, "/".join(part for part in prefix.split("/") if part), endpoint, region, scheme, account)

    @property
    def url(self) -> str:
        """The address as a text, without endpoint and region."""
        return f"{self.scheme}://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def place(self) -> str:
        """The address and its endpoint, for messages."""
        return self.url if self.endpoint is None else f"{self.url} at {self.endpoint}"

    def key(self, name: str) -> str:
        """Return the key in the bucket of an object below the prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def to_json(self) -> dict[str, str | None]:
        """Return the fields, for a JSON file; the arguments that make it again."""
        return asdict(self)


def _account(endpoint: str | None, container: str) -> str:
    """Return the storage account on Azure; raises SchemaError if nothing names it."""
    found = os.environ.get("AZURE_STORAGE_ACCOUNT_NAME") or os.environ.get("AZURE_STORAGE_ACCOUNT")
    host = (endpoint or "").partition("://")[2].partition("/")[0]
    if not found and host.partition(".")[2].startswith("blob."):
        found = host.partition(".")[0]
    if not found:
        msg = (
            f"az://{container}: expected the name of a storage account, there is none: set AZURE_STORAGE_ACCOUNT_NAME, or the endpoint "
            "https://ACCOUNT.blob.core.windows.net"
        )
        raise SchemaError(msg)
    return found


def profile_settings() -> dict[str, str]:
    """Return the settings of the AWS profile (``AWS_PROFILE``, or "default"): those of the config and of the credentials file."""
    name = os.environ.get("AWS_PROFILE") or "default"
    home = Path.home() / ".aws"
    files = {
        os.environ.get("AWS_CONFIG_FILE") or str(home / "config"): name if name == "default" else f"profile {name}",
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or str(home / "credentials"): name,
    }
    found: dict[str, str] = {}
    for path, section in files.items():
        parser = ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
        except (OSError, ParserError, UnicodeDecodeError):
            continue
        if parser.has_section(section):
            found |= dict(parser[section])
    return found
