"""The guard before every HTTP request: host names, origins, rates; as the guard of the pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twinlab._addresses import host_of, is_named, plain_host
from twinlab.apps.login.rates import Buckets, network

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestGuard"]

#: Requests a second of one address, and at once.
_RATE, _BURST = 50, 400
_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class RequestGuard:
    """Refuses requests under another host name (DNS rebinding), from another site, or beyond the rate.

    Parameters
    ----------
    app : ASGI application
    names : iterable of str
        Host names of this server, as for the pages.
    scheme : str
        "http" or "https".
    """

    def __init__(self, app: ASGIApp, *, names: Iterable[str], scheme: str) -> None:
        self._app, self._scheme = app, scheme
        self._names = tuple(plain_host(name) for name in names)
        self._rates = Buckets(rate=_RATE, burst=_BURST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why it is refused."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, _with_headers(send))
        else:
            await _answer(send, *refused)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        asked = headers.get(b"host", "")
        if not any(is_named(plain_host(host_of(asked)), name) for name in self._names):
            return 421, "This server is asked under its own names only."
        origin = headers.get(b"origin")
        if origin is not None and origin.casefold() != f"{self._scheme}://{asked}".casefold():
            return 403, "Another site may not send requests here."
        client = scope.get("client")
        if not self._rates.take(network(client[0] if client else None)):
            return 429, "Too many requests. Please wait a few seconds."
        return None


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
        await send(message)

    return sent


async def _answer(send: Send, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *_HEADERS]
    if status == 429:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
