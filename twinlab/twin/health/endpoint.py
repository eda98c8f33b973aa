"""An HTTP server for service managers and Prometheus: is the process alive, is it ready, what are its figures."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from twinlab._addresses import is_loopback
from twinlab.errors import SchemaError, SourceError
from twinlab.twin.health.checks import Check
from twinlab.twin.health.exposition import Family, content_type, exposition

__all__ = ["TOKEN_VARIABLE", "HealthEndpoint", "ask", "parse_place"]

#: Environment variable with the token that figures are given for.
TOKEN_VARIABLE = "TWINLAB_METRICS_TOKEN"  # noqa: S105  (a variable's name)
_SECONDS = 5.0
#: Shorter tokens can be guessed.
_LEAST = 16


def parse_place(text: str) -> tuple[str, int]:
    """Return host and port of ``"9464"`` or ``"0.0.0.0:9464"``.

    Raises
    ------
    SchemaError
        If it is something else.

    Examples
    --------
    >>> parse_place("9464"), parse_place("[::]:9464")
    (('127.0.0.1', 9464), ('::', 9464))
    """
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        msg = f"expected a port such as 9464, or host and port such as 0.0.0.0:9464, got {text!r}"
        raise SchemaError(msg)
    return host.strip("[]") or "127.0.0.1", int(port)


@dataclass(frozen=True)
class _Asked:
    method: str
    path: str
    headers: Mapping[str, str]


class HealthEndpoint:
    """Answers ``GET /health/live``, ``/health/ready``, ``/health``, ``/metrics`` and ``/status``.

    The first two say one word to everybody who reaches the address. The others are for this machine only, unless the environment variable
    ``TWINLAB_METRICS_TOKEN`` has a token: then for whoever sends it as ``Authorization: Bearer …``, from here or elsewhere.

    Parameters
    ----------
    checks : callable
        Returns what was looked at; the process is ready if nothing failed.
    families : callable
        Returns the metrics.
    status : callable, optional
        Returns what ``/status`` gives as JSON.
    """

    def __init__(
        self,
        checks: Callable[[], Iterable[Check]],
        families: Callable[[], Iterable[Family]],
        *,
        status: Callable[[], Mapping[str, Any]] | None = None,
    ) -> None:
        self._checks, self._families, self._status = checks, families, status
        self._server: asyncio.Server | None = None
        self._token = os.environ.get(TOKEN_VARIABLE, "")

    async def start(self, port: int, *, host: str = "127.0.0.1") -> int:
        """Listen on a port, 0 for a free one; return it.

        Raises
        ------
        SourceError
            If others can reach the address and there is no token, or the token is short.
        OSError
            If the port is taken.
        """
        if not is_loopback(host) and not self._token:
            msg = f"others can reach {host!r}: expected a token in {TOKEN_VARIABLE}, of at least {_LEAST} characters, or a loopback address"
            raise SourceError(msg)
        if self._token and len(self._token) < _LEAST:
            msg = f"{TOKEN_VARIABLE}: expected at least {_LEAST} characters, got {len(self._token)}; python -c 'import secrets; print(secrets.token_hex())'"
            raise SourceError(msg)
        self._server = await asyncio.start_server(self._answer, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._page(_parsed(head)))
                await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or asks for something else than HTTP
        finally:
            writer.close()

    def _page(self, asked: _Asked) -> bytes:
        if asked.method not in ("GET", "HEAD"):
            return _response("405 Method Not Allowed", "text/plain", "expected GET\n")
        if asked.path == "/health/live":
            return _response("200 OK", "text/plain", "live\n")
        if asked.path == "/health/ready":
            ready = all(one.state != "failed" for one in self._checks())
            return _response(
                *(
                    ("200 OK", "text/plain", "ready\n")
                    if ready
                    else ("503 Service Unavailable", "text/plain", "not ready\n")
                )
            )
        if asked.path not in ("/health", "/metrics", "/status") or (asked.path == "/status" and self._status is None):
            return _response(
                "404 Not Found", "text/plain", "expected /health/live, /health/ready, /health or /metrics\n"
            )
        if not self._is_allowed(asked):
            return _response(
                "401 Unauthorized",
                "text/plain",
                f"expected the token of {TOKEN_VARIABLE}\n",
                "WWW-Authenticate: Bearer",
            )
        return self._figures(asked)

    def _figures(self, asked: _Asked) -> bytes:
        if asked.path == "/metrics":
            kind = content_type(asked.headers.get("accept", ""))
            return _response("200 OK", kind, exposition(self._families(), kind=kind))
        if asked.path == "/status" and self._status is not None:
            return _response("200 OK", "application/json", json.dumps(self._status()))
        checks = list(self._checks())
        ok = all(one.state != "failed" for one in checks)
        text = json.dumps({"ok": ok, "checks": [vars(one) for one in checks]})
        return _response("200 OK" if ok else "503 Service Unavailable", "application/json", text)

    def _is_allowed(self, asked: _Asked) -> bool:
        if self._token:
            given = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
            return hmac.compare_digest(given.encode(), self._token.encode())
        # A page of another site that a browser here has open can ask for 127.0.0.1 under a name of its own.
        host = asked.headers.get("host", "localhost")
        return is_loopback(
            host.rpartition(":")[0].strip("[]") if host.rpartition(":")[2].isdigit() else host.strip("[]")
        )


def _parsed(head: bytes) -> _Asked:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path = first.split(" ", 2)[:2]
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    return _Asked(method, path.partition("?")[0], headers)


def _response(status: str, kind: str, text: str, *more: str) -> bytes:
    body = text.encode()
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(port: int, *, path: str = "/health/ready", seconds: float = _SECONDS) -> tuple[bool, str]:
    """Ask the process that listens on a port of this machine; return whether all is well, and what it says."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    request = Request(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        # Settings of a proxy don't count for this machine.
        with build_opener(ProxyHandler({})).open(request, timeout=seconds) as answer:
            return True, answer.read().decode().strip()
    except OSError as error:
        read = getattr(error, "read", None)
        said = read().decode().strip() if read is not None else str(getattr(error, "reason", error))
        return False, f"port {port}: {said}"
