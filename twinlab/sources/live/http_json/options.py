"""The options of the kind `http`, checked without the client library."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from twinlab.model.basics import Duration
from twinlab.model.extensions.options import Options
from twinlab.model.extensions.secrets import PlainUrl, Secret

__all__ = ["HttpOptions", "Pages", "ServiceTable"]

_OWN_MACHINE = {"127.0.0.1", "::1", "localhost"}


class Pages(Options):
    """How the next page of an answer is found."""

    by: Literal["cursor", "url", "link", "offset"]
    """`cursor`: the answer has a text at `next` that the next request repeats as `parameter`; `url`: it has the address of the next
    page at `next`; `link`: it has a header `Link` with `rel="next"` (RFC 8288); `offset`: requests count rows in `parameter`."""
    next: str | None = None
    """Place in the answer, keys with dots between: ``meta.next_cursor``."""
    parameter: str | None = None
    """Parameter of the query."""
    more: str | None = None
    """Place in the answer of a truth value that says whether there is a next page."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = {"cursor": {"next", "parameter"}, "url": {"next"}, "link": set(), "offset": {"parameter"}}[self.by]
        for key in ("next", "parameter"):
            if (getattr(self, key) is not None) != (key in needed):
                what = "needs" if key in needed else "doesn't use"
                msg = f"pages by {self.by} {what} the key {key!r}"
                raise ValueError(msg)
        return self


class ServiceTable(Options):
    """A table of a service."""

    path: str
    """Path below the address, ``/v1/positions``."""
    rows: str = ""
    """Place of the list of rows in the answer, keys with dots between (``data.items``); empty if the answer is the list."""
    key: Annotated[list[str], Field(min_length=1)]
    """Columns that identify a row: one that comes again unchanged is dropped. Nested objects have columns such as ``vehicle.id``."""
    updated: str | None = None
    """Column with the time of the last change of a row."""
    since: str | None = None
    """Parameter of the query for rows that have changed since a time; it needs `updated`. Without it everything is read each time."""
    times: Literal["iso", "s", "ms", "number"] = "iso"
    """How `updated` and `since` are written: text in ISO format (UTC where it has no zone), seconds or milliseconds since 1970, or
    numbers that the service counts rows by, which need no overlap."""
    oldest: str | None = None
    """Place in the answer of the smallest number that the service still has; numbers before it that weren't read are a gap."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """Other parameters of the query."""
    pages: Pages | None = None
    """How the next page is found; without it an answer has all rows."""

    @model_validator(mode="after")
    def _since_needs_updated(self) -> Self:
        if (self.since is None) != (self.updated is None):
            msg = "expected since and updated, or neither"
            raise ValueError(msg)
        if self.oldest is not None and self.times != "number":
            msg = "the key 'oldest' needs `times: number`: it is a number of a row"
            raise ValueError(msg)
        return self


class HttpOptions(Options):
    """Options of an HTTP service that is polled."""

    url: Annotated[PlainUrl, Field(pattern=r"^https?://[^/?#]+[^?#]*$")]
    """Address of the service, ``https://telematics.example.org/api``."""
    tables: Annotated[dict[str, ServiceTable], Field(min_length=1)]
    """Table -> how it is polled."""
    token: Secret | None = None
    """Where the token is that is sent as ``Authorization: Bearer …``: ``${TELEMATICS_TOKEN}`` or ``file:/run/secrets/token``."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Other headers of requests; a secret doesn't belong here."""
    secret_headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers whose values are secrets, ``{X-Api-Key: "${API_KEY}"}``."""
    certificates: str | None = None
    """File (.pem) with the certificates of authorities to trust, instead of the system's; relative paths begin in the twin's folder."""
    every: Duration = "10s"
    """Time from one poll to the next."""
    overlap: Duration = "1min"
    """How long before the newest row a poll begins: more than clocks of writers differ, and than a row takes to appear."""
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5.0
    """Requests to the service, at most; one at a time."""
    timeout: Duration = "10s"
    """How long connecting and an answer may take."""

    @model_validator(mode="after")
    def _no_secret_in_plain(self) -> Self:
        parts = urlsplit(self.url)
        if (self.token or self.secret_headers) and parts.scheme == "http" and parts.hostname not in _OWN_MACHINE:
            msg = f"expected https: a token that is sent to {parts.hostname} by http can be read on the way"
            raise ValueError(msg)
        return self
