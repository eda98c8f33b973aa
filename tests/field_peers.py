"""Real peers on loopback for the sources of field protocols, each in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

Result = TypeVar("Result")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses at the moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class LoopThread:
    """An event loop in a thread, so that a peer serves while a test runs its own loop."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result], *, seconds: float = 20.0) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def close(self) -> None:
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _end(self) -> None:
        """Cancel what a server leaves running."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class ModbusPeer:
    """Modbus devices 1 and 2 at one address: registers 0 to 9, 20 to 21 and 100 of each table are there, others aren't."""

    def __init__(self) -> None:
        self.port = free_port()
        self.requests: list[tuple[int, int, int]] = []
        """Device, address and count of each request."""
        self.writes = 0
        self.connections = 0
        self.most_connections = 0
        self.silent = False
        """Whether requests get no answer."""
        self._thread = LoopThread()
        self._server: Any = None
        self.start()

    def start(self) -> None:
        self._thread.run(self._start())

    def stop(self) -> None:
        """Stop serving and close all connections."""
        self._thread.run(self._server.shutdown())

    def close(self) -> None:
        self.stop()
        self._thread.close()

    def set(self, address: int, words: list[int], *, device: int = 1, function: int = 3) -> None:
        """Set registers (function 3 holding, 4 input) or coils (1)."""
        self._thread.run(self._server.async_setValues(device, function, address, words))

    async def _start(self) -> None:
        from pymodbus.server import ModbusTcpServer
        from pymodbus.simulator import DataType, SimData, SimDevice

        registers = [
            SimData(at, count=count, values=0, datatype=DataType.REGISTERS)
            for at, count in ((0, 10), (20, 2), (100, 1))
        ]
        bits = [SimData(0, values=[False, True, False, True], datatype=DataType.BITS)]
        devices = [SimDevice(number, simdata=(bits, bits, registers, registers)) for number in (1, 2)]
        server = ModbusTcpServer(
            devices,
            address=("127.0.0.1", self.port),
            trace_pdu=self._pdu,
            trace_connect=self._connect,
            trace_packet=self._packet,
        )
        await server.serve_forever(background=True)
        self._server = server

    def _pdu(self, sending: bool, pdu: Any) -> Any:
        if not sending:
            self.requests.append((pdu.dev_id, pdu.address, pdu.count))
            self.writes += pdu.function_code not in (1, 2, 3, 4)
        return pdu

    def _packet(self, sending: bool, data: bytes) -> bytes:
        return b"" if self.silent and sending else data

    def _connect(self, connected: bool) -> None:
        self.connections += 1 if connected else -1
        self.most_connections = max(self.most_connections, self.connections)


class OpcuaPeer:
    """An OPC UA server (Basic256Sha256, Sign and Encrypt) with the nodes Temperature and Count, whose history it keeps.

    It knows the user "historian" with the password "secret", and whoever has the certificate client.der.
    """

    nodes: ClassVar = {
        "temperature": "nsu=urn:twinlab:test;s=Temperature",
        "count": "nsu=urn:twinlab:test;s=Count",
    }

    def __init__(self, folder: Path, *, max_queue: int = 10_000) -> None:
        from asyncua.server.history import HistoryDict

        self.folder, self.port, self._max_queue = folder, free_port(), max_queue
        self.url = f"opc.tcp://127.0.0.1:{self.port}/twinlab"
        self.written: list[tuple[str, int, float]] = []
        """Tag, time in ns and value of what was written: the truth."""
        self._thread = LoopThread()
        self._server: Any = None
        # It outlives a restart, as that of a real server; pages are small.
        self._history: Any = HistoryDict(max_history_data_response_size=500)
        self._thread.run(self._certificates())
        self.start()

    def start(self) -> None:
        self._thread.run(self._start())

    def stop(self) -> None:
        self._thread.run(self._server.stop())

    def close(self) -> None:
        self.stop()
        self._thread.close()

    def write(self, tag: str, values: list[float], *, status: int = 0, behind: float = 0.0) -> None:
        """Write values one after the other, without a pause for the server to send any; ``behind``: how far its clock is, seconds."""
        self._thread.run(self._write(tag, values, status, timedelta(seconds=behind)))

    @property
    def sessions(self) -> int:
        """Number of open sessions of clients."""
        return len(self._server.bserver.clients)

    async def _write(self, tag: str, values: list[float], status: int, behind: timedelta) -> None:
        from asyncua import ua

        for value in values:
            stamp = datetime.now(UTC) - behind
            given = ua.DataValue(ua.Variant(value), StatusCode=ua.StatusCode(status), SourceTimestamp=stamp)
            await self._server.write_attribute_value(self._ids[tag], given)
            if tag in self.nodes:
                # Not by the server's own subscription, whose queue drops values as well.
                await self._history.save_node_value(self._ids[tag], given)
            self.written.append((tag, (stamp - EPOCH) // timedelta(microseconds=1) * 1000, value))

    async def _certificates(self) -> None:
        from asyncua.crypto.cert_gen import setup_self_signed_certificate
        from cryptography.x509.oid import ExtendedKeyUsageOID

        uses = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
        for name, use in {**uses, "rogue": ExtendedKeyUsageOID.CLIENT_AUTH}.items():
            files = self.folder / f"{name}.pem", self.folder / f"{name}.der"
            await setup_self_signed_certificate(*files, f"urn:twinlab:{name}", "localhost", [use], {"commonName": name})

    async def _start(self) -> None:
        from asyncua import Server, ua
        from asyncua.crypto.permission_rules import SimpleRoleRuleset, User, UserRole

        trusted = (self.folder / "client.der").read_bytes()

        class Users:
            def get_user(
                self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None
            ) -> Any:
                known = (username, password) == ("historian", "secret") if username else certificate == trusted
                return User(role=UserRole.User) if known else None

        server = Server(user_manager=Users())
        server.iserver.history_manager.set_storage(self._history)
        server.iserver.max_monitored_item_queue_size = self._max_queue
        await server.init()
        server.set_endpoint(self.url)
        server.set_security_policy(
            [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt], permission_ruleset=SimpleRoleRuleset()
        )
        await server.load_certificate(str(self.folder / "server.der"))
        await server.load_private_key(str(self.folder / "server.pem"))
        space = await server.register_namespace("urn:twinlab:test")
        self._ids = {tag: ua.NodeId(text.rpartition("s=")[2], space) for tag, text in self.nodes.items()}
        self._ids["unkept"] = ua.NodeId("Unkept", space)
        for tag, node_id in self._ids.items():
            node = await server.nodes.objects.add_variable(node_id, f"{space}:{tag}", 0.0)
            if tag == "temperature":
                await node.add_property(0, "EURange", ua.Range(Low=-40.0, High=30.0))
                unit = ua.EUInformation(DisplayName=ua.LocalizedText("°F"), UnitId=4604232)
                await node.add_property(0, "EngineeringUnits", unit)
        for tag in self.nodes:
            if self._ids[tag] not in self._history._datachanges_period:
                await self._history.new_historized_node(self._ids[tag], None)
        await server.start()
        for tag in self.nodes:
            await self._history.save_node_value(self._ids[tag], await server.get_node(self._ids[tag]).read_data_value())
        self._server = server


class Link:
    """A TCP connection to a peer's port that can be cut and mended."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._thread = LoopThread()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.mend()

    def mend(self) -> None:
        self._thread.run(self._listen())

    def cut(self) -> None:
        """Refuse new connections and close the others."""
        self._thread.run(self._cut())

    def close(self) -> None:
        if self._server is not None:
            self.cut()
        self._thread.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def _cut(self) -> None:
        assert self._server is not None
        self._server.close()
        self._server = None
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        await asyncio.sleep(0.05)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._target)
        self._open |= {writer, there[1]}
        await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self._open.discard(writer)


class HttpPeer:
    """A service with the table of positions in pages of three, found in each of four ways, and the table of depots in one piece.

    It wants the token "secret". The first answers are those of ``moods``, a status with headers each.
    """

    def __init__(self) -> None:
        self.positions: list[dict[str, Any]] = []
        self.depots: Any = []
        self.moods: list[tuple[int, dict[str, str]]] = []
        self.requests: list[tuple[float, str, dict[str, str]]] = []
        """Monotonic time, path and query of each request."""
        self.answers: list[int] = []
        self.seen_headers: dict[str, str] = {}
        peer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                peer._answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/api"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        query = dict(parse_qsl(parts.query))
        self.requests.append((time.monotonic(), parts.path, query))
        self.seen_headers = {name.lower(): value for name, value in handler.headers.items()}
        if self.moods:
            status, headers = self.moods.pop(0)
            self._send(handler, status, headers, headers.pop("body", "").encode())
        elif handler.headers.get("authorization") != "Bearer secret":
            self._send(handler, 401, {}, b"")
        elif parts.path == "/api/v1/depots":
            body = json.dumps(self.depots).encode()
            tag = f'"{hash(body)}"'
            if handler.headers.get("if-none-match") == tag:
                self._send(handler, 304, {"ETag": tag}, b"")
            else:
                self._send(handler, 200, {"ETag": tag}, body)
        elif parts.path.startswith("/api/v1/positions/"):
            self._page(handler, parts.path.rpartition("/")[2], query)
        else:
            self._send(handler, 404, {}, b"")

    def _page(self, handler: BaseHTTPRequestHandler, way: str, query: dict[str, str]) -> None:
        rows = [row for row in self.positions if row["updated"] >= query.get("updated_after", "")]
        at = int(query.get("at", "0"))
        more = str(at + 3) if at + 3 < len(rows) else None
        here = f"http://{handler.headers['host']}/api/v1/positions/{way}"
        following = f"{here}?{urlencode({**query, 'at': more})}" if more else None
        meta = {"cursor": more} if way == "cursor" else {"url": following} if way == "url" else {}
        headers = {"Link": f'<{here}>; rel="first", <{following}>; rel="next"'} if way == "link" and following else {}
        self._send(handler, 200, headers, json.dumps({"data": {"items": rows[at : at + 3]}, "next": meta}).encode())

    def _send(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
        self.answers.append(status)
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
