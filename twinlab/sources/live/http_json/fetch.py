"""Requests to a service: at a stated pace, again after errors that pass, without an answer if nothing has changed."""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from twinlab._backoff import Backoff
from twinlab.errors import SourceError
from twinlab.model.basics import parse_duration
from twinlab.model.extensions.secrets import secret_of
from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.http_json.options import HttpOptions
from twinlab.sources.live.http_json.pages import Request
from twinlab.sources.live.request_pace import Pace
from twinlab.sources.parsing.json_objects import DECODER

__all__ = ["Answer", "Fetcher", "UselessError"]

#: Answers after which the same request may succeed: timeout, too early, too many, and the server's own errors.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Attempts of one request.
_ATTEMPTS = 5
#: The longest pause that a service may ask for, seconds.
_LONGEST_PAUSE = 3600.0
#: Bytes of one answer.
_MOST_BYTES = 64 << 20
#: Addresses whose validators are remembered.
_VALIDATORS = 100


class UselessError(SourceError):
    """The service refuses a request that it will refuse again."""


@dataclass(frozen=True)
class Answer:
    """An answer as JSON."""

    document: object
    headers: Mapping[str, str]


class Fetcher:
    """Asks one service, one request at a time.

    Parameters
    ----------
    options : HttpOptions
    folder : Path
        Where a relative path of certificates begins.
    meter : HealthMeter
        Each failed attempt is noted there.

    Raises
    ------
    UselessError
        If a secret or the file of certificates is missing.
    """

    def __init__(self, options: HttpOptions, folder: Path, meter: HealthMeter) -> None:
        self._meter = meter
        self._pace = Pace(options.requests_per_second)
        self._validators: OrderedDict[tuple[object, ...], dict[str, str]] = OrderedDict()
        headers = {"accept": "application/json", **options.headers}
        try:
            if options.token is not None:
                headers["authorization"] = f"Bearer {secret_of(options.token, 'the token of http')}"
            headers |= {name: secret_of(one, f"the header {name}") for name, one in options.secret_headers.items()}
        except SourceError as error:
            raise UselessError(str(error)) from error
        verify = ssl.create_default_context()
        if options.certificates is not None:
            path = folder / options.certificates
            try:
                verify = ssl.create_default_context(cafile=path)
            except OSError as error:
                msg = f"expected certificates in {path}, which can't be read ({error}): correct `certificates`"
                raise UselessError(msg) from error
        # Redirects aren't followed: they could lead a token to another host.
        self._client = httpx.AsyncClient(
            headers=headers, timeout=parse_duration(options.timeout) / 1e9, verify=verify, follow_redirects=False
        )

    async def get(self, request: Request, *, last_of: str | None = None) -> Answer | None:
        """Return the answer to a request.

        With ``last_of``, the name of a table, it is None if the service says that it is the same as the last one for that table.

        Raises
        ------
        UselessError
            If the service refuses the request.
        SourceError
            If there is no answer after several attempts, or none that is JSON.
        """
        backoff = Backoff(0.5, 60.0)
        for attempt in range(1, _ATTEMPTS + 1):
            await self._pace.wait()
            try:
                answer = await self._once(request, last_of)
            except _PassingError as error:
                self._meter.failed_once(error)
                if attempt == _ATTEMPTS:
                    raise
                pause = backoff.next()
                self._pace.hold(pause if error.after is None else min(error.after, _LONGEST_PAUSE))
            else:
                self._meter.answered()
                return answer
        raise AssertionError  # the last attempt returns or raises

    def forget(self) -> None:
        """Ask for whole answers again, such as after an answer whose rows weren't taken."""
        self._validators.clear()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _once(self, request: Request, last_of: str | None) -> Answer | None:
        known = (last_of, request.url, *sorted(request.parameters.items()))
        extra = {} if last_of is None else self._validators.get(known, {})
        query = dict(request.parameters) or None
        try:
            async with self._client.stream("GET", request.url, params=query, headers=extra) as response:
                self._check(request, response)
                if response.status_code == httpx.codes.NOT_MODIFIED:
                    return None
                body = await _body(request, response)
        except httpx.HTTPError as error:
            msg = f"{request.url}: no answer ({' '.join(str(error).split()) or type(error).__name__})"
            raise _PassingError(msg) from error
        document = _document(request, response, body)
        if last_of is not None:
            self._remember(known, response.headers)
        return Answer(document, {name.lower(): value for name, value in response.headers.items()})

    def _check(self, request: Request, response: httpx.Response) -> None:
        code = response.status_code
        said = f"{request.url} answers {code} {response.reason_phrase}"
        if code in _PASSING:
            raise _PassingError(said, after=_retry_after(response.headers.get("retry-after")))
        if response.has_redirect_location:
            msg = f"{said} to {response.headers.get('location')}: state that address in the mapping's `live`"
            raise UselessError(msg)
        if code in {401, 403}:
            msg = f"{said}: check `token` and what it may read"
            raise UselessError(msg)
        if code != httpx.codes.NOT_MODIFIED and not response.is_success:
            msg = f"{said}: check `path` and `parameters`"
            raise UselessError(msg)

    def _remember(self, known: tuple[object, ...], headers: httpx.Headers) -> None:
        names = {"etag": "if-none-match", "last-modified": "if-modified-since"}
        self._validators[known] = {names[one]: headers[one] for one in names if one in headers}
        self._validators.move_to_end(known)
        while len(self._validators) > _VALIDATORS:
            self._validators.popitem(last=False)


class _PassingError(SourceError):
    """An error after which the same request may succeed."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after
        """Seconds that the service asks to wait."""


async def _body(request: Request, response: httpx.Response) -> bytes:
    parts, count = [], 0
    async for part in response.aiter_bytes():
        count += len(part)
        if count > _MOST_BYTES:
            msg = f"{request.url}: an answer has more than {_MOST_BYTES >> 20} MiB: ask for smaller pages with `parameters`"
            raise UselessError(msg)
        parts.append(part)
    return b"".join(parts)


def _document(request: Request, response: httpx.Response, body: bytes) -> object:
    try:
        document: object = DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        kind = response.headers.get("content-type", "no content type")
        msg = f"{request.url}: expected JSON, got {kind} that begins {body[:80]!r} ({error})"
        raise _PassingError(msg) from error
    return document


def _retry_after(text: str | None) -> float | None:
    """Return the seconds that a service asks to wait (RFC 9110, 10.2.3); None if it says nothing that can be read."""
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
