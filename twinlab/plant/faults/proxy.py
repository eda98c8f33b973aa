"""A TCP proxy whose connections fail on demand: down, half-open, reset, late, with lost or doubled data."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct

__all__ = ["FaultProxy"]

_CHUNK = 1 << 16


class FaultProxy:
    """Forwards connections on a free port of 127.0.0.1 to another port.

    Parameters
    ----------
    port : int
        Where connections are forwarded to.
    seed : str
        Which data are lost or doubled.
    """

    def __init__(self, port: int, *, seed: str = "") -> None:
        self._upstream = port
        self._random = random.Random(seed)  # noqa: S311  (which data are lost, no secrets)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._down = False
        self._amounts = {"delay": 0.0, "drop": 0.0, "duplicate": 0.0}
        self.port = 0

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is None:
            return
        self._server.close()
        self._abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    def begin(self, kind: str, amount: float | None = None) -> None:
        """Begin a fault: ``link_down``, ``half_open``, ``reset``, ``delay``, ``drop`` or ``duplicate``."""
        if kind == "link_down":
            self._down = True
            self._abort()
        elif kind == "half_open":
            self._flows.clear()
        elif kind == "reset":
            self._abort()
        else:
            self._amounts[kind] = amount or 0.0

    def end(self, kind: str) -> None:
        """End a fault; connections that were half-open get what was sent meanwhile."""
        if kind == "link_down":
            self._down = False
        elif kind == "half_open":
            self._flows.set()
        elif kind != "reset":
            self._amounts[kind] = 0.0

    def _abort(self) -> None:
        """End every connection at once with a reset."""
        for writer in list(self._writers):
            if (found := writer.get_extra_info("socket")) is not None:
                with contextlib.suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            if self._down:
                self._abort()
                return
            there, back = await asyncio.open_connection("127.0.0.1", self._upstream)
            self._writers.add(back)
            try:
                pumps = [asyncio.create_task(self._pump(reader, back)), asyncio.create_task(self._pump(there, writer))]
                self._tasks.update(pumps)
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
                    self._tasks.difference_update(pumps)
            finally:
                self._writers.discard(back)
                back.transport.abort()
        except (OSError, asyncio.CancelledError):
            # The peer doesn't listen any more, or the proxy is being stopped.
            return
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._flows.wait()
                if self._amounts["delay"]:
                    await asyncio.sleep(self._amounts["delay"])
                if self._random.random() < self._amounts["drop"]:
                    continue
                writer.write(data)
                if self._random.random() < self._amounts["duplicate"]:
                    writer.write(data)
                await writer.drain()
