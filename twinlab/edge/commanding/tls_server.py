"""Commands over TLS with a client certificate: what a gateway of old machines listens on.

A request is one byte for its kind (``C`` an envelope with a command, ``R`` a request for a report, ``L`` one
for the record), four bytes with the length of what
follows, and so many bytes. The answer is four bytes with its length, and the signed bytes. A connection may have any number of
requests, one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Collection
from pathlib import Path

from twinlab.edge.commanding.device import CommandedDevice
from twinlab.errors import SourceError
from twinlab.signing.envelopes.strict_json import MAX_BYTES

__all__ = ["COMMAND", "READ", "RECORDS", "TlsServer", "read_frame", "server_context", "write_frame"]

COMMAND, READ, RECORDS = b"C", b"R", b"L"
#: Longer requests end the connection; those that are too long for a command are still refused and recorded.
LONGEST = 4 * MAX_BYTES
#: Seconds for a handshake, and between the begin and the end of a request.
_PATIENCE = 5.0


class TlsServer:
    """Listens for clients with one of some names in their certificates.

    Parameters
    ----------
    device : CommandedDevice
        What answers.
    context : ssl.SSLContext
        See `server_context`.
    clients : collection of str
        Common names of the certificates that may send.
    host : str
        Address to listen on.
    port : int
        0 for a free one.
    """

    def __init__(
        self,
        device: CommandedDevice,
        context: ssl.SSLContext,
        *,
        clients: Collection[str],
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.device = device
        self.port = port
        self._context, self._clients, self._host = context, frozenset(clients), host
        self._server: asyncio.Server | None = None
        self._watch: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen, and let the device's watchdog run."""
        # The handshake is made once a connection is there, so that those which fail are recorded.
        self._server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._watch = asyncio.create_task(self.device.run())

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is None or self._watch is None:
            return
        self._server.close()
        for task in [self._watch, *self._connections]:
            task.cancel()
        await asyncio.gather(self._watch, *self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if await self._enters(writer):
                await self._serve(reader, writer)
        except asyncio.CancelledError:
            # The server stops.
            return
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _enters(self, writer: asyncio.StreamWriter) -> bool:
        """Return whether a client has a valid certificate with a name that may send; record it if not."""
        peer = writer.get_extra_info("peername")
        where = f"{peer[0]}:{peer[1]}" if peer else "an unknown address"
        try:
            await writer.start_tls(self._context, ssl_handshake_timeout=_PATIENCE)
        except (ssl.SSLError, OSError) as error:
            self.device.note("connection refused", f"{where}: no valid certificate: {error}")
            return False
        certificate = writer.get_extra_info("peercert") or {}
        names = [value for part in certificate.get("subject", ()) for name, value in part if name == "commonName"]
        if not self._clients.intersection(names):
            who = ", ".join(names) or "nobody"
            wanted = ", ".join(sorted(self._clients))
            self.device.note("connection refused", f"{where}: expected the certificate of {wanted}, got {who}", who=who)
            return False
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        works = {COMMAND: self.device.answer, READ: self.device.report, RECORDS: self.device.recorded}
        while True:
            kind = await reader.readexactly(1)
            payload = await asyncio.wait_for(read_frame(reader), _PATIENCE)
            if kind not in works:
                self.device.note("message refused", f"expected a request of the kind C, R or L, got {kind!r}")
                return
            answer = await works[kind](payload)
            if answer is None:
                return
            with contextlib.suppress(ConnectionError):
                write_frame(writer, answer)
                await writer.drain()


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """Return so many bytes as the four bytes before them state.

    Raises
    ------
    OSError
        If they are more than `LONGEST`.
    """
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    if length > LONGEST:
        msg = f"expected at most {LONGEST} bytes, got {length}"
        raise OSError(msg)
    return await reader.readexactly(length)


def write_frame(writer: asyncio.StreamWriter, payload: bytes, *, kind: bytes = b"") -> None:
    """Write bytes with their length before them."""
    writer.write(kind + struct.pack(">I", len(payload)) + payload)


def server_context(certificate: Path, key: Path, ca: Path) -> ssl.SSLContext:
    """Return the TLS settings of a server whose clients need a certificate of an authority.

    Raises
    ------
    SourceError
        If a file can't be read.
    """
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(ca)
    except (OSError, ssl.SSLError) as error:
        msg = f"certificates {certificate}, {key}, {ca}: {error}. Expected readable PEM files."
        raise SourceError(msg) from error
    context.verify_mode = ssl.CERT_REQUIRED
    return context
