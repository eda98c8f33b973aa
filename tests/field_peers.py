"""Real peers on loopback for the sources of field protocols, each in a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


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
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


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
