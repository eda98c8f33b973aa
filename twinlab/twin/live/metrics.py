"""Metrics of the historian for Prometheus, as text on a loopback address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["MetricsServer", "metrics_text"]

#: Metric of each source: name, type, key of the status, help.
_OF_SOURCE = (
    ("rows_received_total", "counter", "rows", "Rows received since the start."),
    ("rows_stored_total", "counter", "stored", "Rows that are durable, since the start."),
    ("rows_per_second", "gauge", "rate", "Rows received a second, over ten seconds."),
    ("rows_queued", "gauge", "queued", "Rows that wait for the ledger."),
    ("rows_unpublished", "gauge", "waiting", "Durable rows that are in the tail only."),
    ("last_row_age_seconds", "gauge", "age", "Seconds since the last row was received."),
    ("received_to_durable_p50_seconds", "gauge", "received_p50", "Median from receipt to durable, last minute."),
    (
        "received_to_durable_p99_seconds",
        "gauge",
        "received_p99",
        "99 % of rows are durable within this time, last minute.",
    ),
    ("event_to_durable_p99_seconds", "gauge", "event_p99", "As above, from the event on the source's clock."),
    ("errors_total", "counter", "errors", "Failed connections and messages that can't be read."),
    ("connections_total", "counter", "connections", "Times that the source has connected."),
    ("gaps_lost_total", "counter", "gaps_lost", "Gaps that can't be filled."),
    ("batches_refused_total", "counter", "refused", "Batches that don't fit the ledger, kept as files."),
    ("clock_offset_seconds", "gauge", "clock_offset", "The source's clock minus this machine's."),
    ("stale", "gauge", "stale", "1 if nothing came for longer than stale_after."),
)
_SECONDS = 5.0


def metrics_text(status: Mapping[str, Any]) -> str:
    """Return a status in Prometheus' text format [1]_.

    References
    ----------
    .. [1] Prometheus, "Exposition formats", version 0.0.4.
    """
    return "\n".join(_lines(status)) + "\n"


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    sources: Mapping[str, Mapping[str, Any]] = status["sources"]
    for name, kind, key, text in _OF_SOURCE:
        values = [(source, one[key]) for source, one in sources.items() if one[key] is not None]
        yield from _metric(name, kind, text, [(f'{{source="{source}"}}', value) for source, value in values])
    connected = [(f'{{source="{source}"}}', one["state"] == "connected") for source, one in sources.items()]
    yield from _metric("connected", "gauge", "1 if the source is connected.", connected)
    open_gaps = [(f'{{source="{source}"}}', len(one["gaps"])) for source, one in sources.items()]
    yield from _metric("gaps_open", "gauge", "Gaps that aren't filled.", open_gaps)
    done = status["publications"]
    yield from _metric("publications_total", "counter", "Publications of the history.", [("", done["count"])])
    yield from _metric("publication_seconds", "gauge", "Duration of the last publication.", [("", done["seconds"])])
    failed = [("", bool(done["error"]))]
    yield from _metric("publication_failed", "gauge", "1 if the last publication failed.", failed)
    started = [("", status["started_ns"] / 1e9)]
    yield from _metric("start_time_seconds", "gauge", "Start of the historian, seconds since 1970.", started)


def _metric(name: str, kind: str, text: str, values: list[tuple[str, Any]]) -> Iterator[str]:
    yield f"# HELP twinlab_live_{name} {text}"
    yield f"# TYPE twinlab_live_{name} {kind}"
    for labels, value in values:
        yield f"twinlab_live_{name}{labels} {float(value)!r}"


class MetricsServer:
    """Answers ``GET /metrics`` (Prometheus) and ``GET /status`` (JSON) on 127.0.0.1.

    Parameters
    ----------
    status : callable
        Returns the status of the historian.
    """

    def __init__(self, status: Callable[[], Mapping[str, Any]]) -> None:
        self._status = status
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on a port, 0 for a free one; return it.

        Raises
        ------
        OSError
            If the port is taken.
        """
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_SECONDS):
                request = await reader.readuntil(b"\r\n\r\n")
                method, path = request.split(b" ", 2)[:2]
                writer.write(self._page(method, path.split(b"?")[0]))
                await writer.drain()
        except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asked has gone, or asks for something else than HTTP
        finally:
            writer.close()

    def _page(self, method: bytes, path: bytes) -> bytes:
        if method not in (b"GET", b"HEAD"):
            return _response("405 Method Not Allowed", "text/plain", "expected GET\n")
        if path == b"/metrics":
            return _response("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics_text(self._status()))
        if path == b"/status":
            return _response("200 OK", "application/json", json.dumps(self._status()))
        return _response("404 Not Found", "text/plain", "expected /metrics or /status\n")


def _response(status: str, kind: str, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
