"""A server of S3's protocol (moto) in its own process, and a proxy before it that is slow, cuts, counts and forgets headers."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

#: What any S3 client needs; moto checks none of it.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_SERVER = """
import logging, sys
from werkzeug.serving import WSGIRequestHandler, make_server
from moto.server import DomainDispatcherApplication, create_backend_app
logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
WSGIRequestHandler.protocol_version = "HTTP/1.1"
server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Yield the URL of a server without buckets."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "the server of S3's protocol didn't start: pip install 'moto[s3]' flask flask-cors"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


def make_bucket(server: str, name: str) -> None:
    """Make a bucket."""
    with urllib.request.urlopen(
        urllib.request.Request(f"{server}/{name}", method="PUT", data=b""), timeout=60
    ) as answer:
        assert answer.status == 200


@dataclass
class Proxy:
    """Passes requests on to a server, with what goes wrong between two machines."""

    target: str
    delay: float = 0.0
    """Seconds that each answer takes longer."""
    drop: frozenset[str] = frozenset()
    """Headers of requests, in small letters, that are left out: a store that ignores conditions."""
    cut_after: int | None = None
    """Number of writes after which every connection is cut."""
    answer: tuple[int, str] | None = None
    """Status and code of an error that answers everything."""
    deny: str | None = None
    """A verb that isn't allowed."""
    fault: Callable[[str], str] = lambda _request: ""
    """Gets a request's method and path; returns "" or what goes wrong: "cut" (before it arrives), "no answer" (after), "twice"."""
    sent: int = 0
    received: int = 0
    requests: list[str] = field(default_factory=list)
    url: str = ""
    writes: int = 0

    def reset(self) -> None:
        """Count from zero."""
        self.sent = self.received = self.writes = 0
        self.requests.clear()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass the requests of one connection on."""
        host, _, port = self.target.removeprefix("http://").partition(":")
        try:
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            return
        try:
            while await self._one(reader, writer, up_reader, up_writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            up_writer.close()

    async def _one(self, reader, writer, up_reader, up_writer) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        kept = [lines[0], *(line for line in lines[1:] if line.partition(":")[0].lower() not in self.drop)]
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines[1:] if line}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(lines[0].rpartition(" ")[0])
        self.sent += len(body)
        if lines[0].startswith("PUT"):
            self.writes += 1
        if self.cut_after is not None and self.writes > self.cut_after:
            return False
        fault = self.fault(self.requests[-1])
        if fault == "cut":
            return False
        data = "\r\n".join(kept).encode("latin-1") + body
        if fault == "twice":
            await self._deliver(data)
        denied = (403, "AccessDenied") if self.deny is not None and lines[0].startswith(self.deny) else None
        if answer := self.answer or denied:
            text = (
                f"<?xml version='1.0'?><Error><Code>{answer[1]}</Code><Message>{answer[1]}</Message></Error>".encode()
            )
            writer.write(
                f"HTTP/1.1 {answer[0]} X\r\nContent-Type: application/xml\r\nContent-Length: {len(text)}\r\n\r\n".encode()
                + text
            )
            await writer.drain()
            return True
        if fault == "no answer":
            await self._deliver(data)
            return False
        up_writer.write(data)
        await up_writer.drain()
        return await self._answered(lines[0].split(" ")[0], writer, up_reader)

    async def _deliver(self, data: bytes) -> None:
        """Deliver a request whose answer nobody gets."""
        host, _, port = self.target.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(data)
            await writer.drain()
            await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.close()

    async def _answered(self, method: str, writer, up_reader) -> bool:
        answer = await up_reader.readuntil(b"\r\n\r\n")
        told = {
            line.partition(":")[0].lower(): line.partition(":")[2].strip()
            for line in answer.decode("latin-1").split("\r\n")[1:]
        }
        status = int(answer.split(b" ")[1])
        empty = method == "HEAD" or status in (204, 304)
        size = 0 if empty else int(told.get("content-length", 0))
        data = await up_reader.readexactly(size)
        if self.delay:
            await asyncio.sleep(self.delay)
        self.received += len(data)
        writer.write(answer + data)
        await writer.drain()
        return told.get("connection", "").lower() != "close"


@contextlib.contextmanager
def proxy(target: str, **settings) -> Iterator[Proxy]:
    """Yield a proxy before a server; its fields may be changed while it runs."""
    made = Proxy(target, **settings)
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(made.handle, "127.0.0.1", 0, limit=2**20))
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:

        async def stop() -> None:
            server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
