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

__all__ = ["Address", "address_in", "is_address", "profile_settings"]

_SCHEME = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


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
    text = path.as_posix()
    scheme = _SCHEME.rstrip("/") + "/"
    return _SCHEME + text.removeprefix(scheme).lstrip("/") if text.startswith(scheme) else None


@dataclass(frozen=True)
class Address:
    """A prefix of a bucket, with the endpoint and the region of its store."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    """URL of the store's service; None is Amazon's own."""
    region: str | None = None

    @classmethod
    def parse(cls, url: str, *, endpoint: str | None = None, region: str | None = None) -> Self:
        """Read an address; what isn't given comes from the environment, or from the AWS profile.

        Parameters
        ----------
        url : str
            ``s3://bucket/prefix``.
        endpoint, region : str, optional
            By default ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL``, and ``AWS_REGION`` or ``AWS_DEFAULT_REGION``, of the environment,
            then those of the profile in ``~/.aws/config``.

        Raises
        ------
        SchemaError
            If the text isn't an address.

        Examples
        --------
        >>> Address.parse("s3://plant/pilots/cold-chain/", endpoint="https://store.example", region="eu-1").url
        's3://plant/pilots/cold-chain'
        """
        bucket, _, prefix = url.removeprefix(_SCHEME).partition("/")
        if not url.startswith(_SCHEME) or _BUCKET.fullmatch(bucket) is None:
            msg = (
                f"expected an address such as s3://bucket/prefix, got {url!r}. A bucket's name has 3 to 63 small letters, "
                "digits, dots and hyphens"
            )
            raise SchemaError(msg)
        if "@" in url or "?" in url:
            msg = "expected an address without user, password or options: credentials come from the environment or the AWS profile"
            raise SchemaError(msg)
        ours, profile = os.environ.get, profile_settings()
        return cls(
            bucket,
            "/".join(part for part in prefix.split("/") if part),
            endpoint or ours("AWS_ENDPOINT_URL_S3") or ours("AWS_ENDPOINT_URL") or profile.get("endpoint_url"),
            region or ours("AWS_REGION") or ours("AWS_DEFAULT_REGION") or profile.get("region"),
        )

    @property
    def url(self) -> str:
        """The address as a text, without endpoint and region."""
        return f"{_SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

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
