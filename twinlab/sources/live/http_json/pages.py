"""The rows of an answer, and the request for the next page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

from twinlab.errors import SourceError
from twinlab.sources.live.http_json.options import Pages

__all__ = ["Request", "next_request", "rows_of", "value_at"]

_LINK = re.compile(r"<(?P<url>[^<>]*)>(?P<parameters>[^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*\"?(?:[^\";]*\s)?next(?:\s[^\";]*)?\"?\s*(?:[;,]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A request for one page."""

    url: str
    parameters: Mapping[str, str]


def rows_of(answer: object, place: str, *, what: str) -> list[Any]:
    """Return the list at a place of an answer.

    Raises
    ------
    SourceError
        If there is no list.

    >>> rows_of({"data": {"items": [1, 2]}}, "data.items", what="positions")
    [1, 2]
    """
    found = value_at(answer, place)
    if not isinstance(found, list):
        there = ", ".join(answer) if isinstance(answer, dict) else f"a {type(answer).__name__}"
        msg = f"{what}: expected a list at {place or 'the top'!r} of the answer, got a {type(found).__name__}; the answer has {there}"
        raise SourceError(msg)
    return found


def next_request(
    request: Request, answer: object, headers: Mapping[str, str], pages: Pages | None, *, rows: int
) -> Request | None:
    """Return the request for the page after one, or None if that was the last one.

    Parameters
    ----------
    request : Request
        The request that was answered.
    answer : object
        As JSON.
    headers : mapping of str to str
        Of the answer; names in lower case.
    pages : Pages or None
    rows : int
        Rows that the answer has.

    Raises
    ------
    SourceError
        If the next page is on another host, or is the same one again.
    """
    if pages is None or (pages.more is not None and not value_at(answer, pages.more)):
        return None
    if pages.by == "offset":
        if not rows:
            return None
        name = str(pages.parameter)
        return Request(request.url, {**request.parameters, name: str(int(request.parameters.get(name, "0")) + rows)})
    if pages.by == "cursor":
        cursor = value_at(answer, str(pages.next))
        if cursor is None or cursor == "":
            return None
        following = Request(request.url, {**request.parameters, str(pages.parameter): str(cursor)})
    else:
        link = _link(headers.get("link", "")) if pages.by == "link" else value_at(answer, str(pages.next))
        if not link:
            return None
        # The address has all parameters of the query.
        parts = urlsplit(urljoin(request.url, str(link)))
        following = Request(
            urlunsplit(parts._replace(query="", fragment="")), dict(parse_qsl(parts.query, keep_blank_values=True))
        )
        if _origin(following.url) != _origin(request.url):
            msg = (
                f"the next page of {request.url} is at {following.url}, another host: it isn't asked, and gets no token"
            )
            raise SourceError(msg)
    if following == request:
        if not rows:
            return None
        msg = f"{request.url} names the same page again as the next one: correct `pages`"
        raise SourceError(msg)
    return following


def _link(header: str) -> str | None:
    for match in _LINK.finditer(header):
        if _NEXT.search(match["parameters"]):
            return match["url"]
    return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def value_at(answer: object, place: str) -> object:
    """Return what is at a place of an answer, keys with dots between; None if there is nothing."""
    for key in place.split(".") if place else ():
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer
