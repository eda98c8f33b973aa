"""One connection to a Modbus TCP peer, with a stated pace of requests."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from twinlab.errors import SourceError
from twinlab.sources.live.modbus.registers import Block
from twinlab.sources.live.request_pace import Pace

__all__ = ["Line", "LineError", "Reply"]

#: Exception codes of the protocol (V1.1b3, chapter 7).
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "device behind the gateway doesn't respond",
}
_ILLEGAL_ADDRESS = 2


class LineError(SourceError):
    """A block wasn't read."""

    def __init__(self, message: str, reason: str, *, illegal_address: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        """In few words, for a gap."""
        self.illegal_address = illegal_address
        """Whether the device doesn't have one of the addresses."""


@dataclass(frozen=True)
class Reply:
    """What a request has read."""

    words: Sequence[int | bool]
    time_ns: int
    """Middle between request and answer on this machine's clock, UTC: the value was read then, give or take half of the way."""


class Line:
    """A connection that makes at most so many requests a second, one after the other.

    Parameters
    ----------
    host, port : str, int
    requests_per_second : float
    timeout : float
        Seconds that connecting and an answer may take.
    """

    def __init__(self, host: str, port: int, *, requests_per_second: float, timeout: float) -> None:
        self.address = f"{host}:{port}"
        self._host, self._port, self._timeout = host, port, timeout
        self._pace = Pace(requests_per_second)
        self._client: AsyncModbusTcpClient | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None and self._client.connected

    async def connect(self) -> None:
        """Connect.

        Raises
        ------
        SourceError
            If nobody answers at the address.
        """
        self.close()
        # The source connects again by itself: the client's own attempts have no jitter, and repeated requests no pace.
        client = AsyncModbusTcpClient(self._host, port=self._port, timeout=self._timeout, retries=0, reconnect_delay=0)
        self._client = client
        if not await client.connect():
            self.close()
            msg = f"no Modbus device answers at {self.address}: check host, port and network"
            raise SourceError(msg)

    async def read(self, block: Block) -> Reply:
        """Read a block once the pace allows it.

        Raises
        ------
        LineError
            If the device refuses, or there is no answer in time, or none that can be read. The connection is closed then unless
            the device refused, so that a late answer isn't taken for that of the next request.
        """
        await self._pace.wait()
        client = self._client
        span = f"{block.address} to {block.address + block.count - 1}" if block.count > 1 else f"{block.address}"
        where = f"{block.table} {span} of device {block.device} at {self.address}"
        if client is None:
            msg = f"{where}: there is no connection"
            raise LineError(msg, "no connection")
        began = time.time_ns()
        try:
            answer = await _request(client, block)
        except (ModbusException, OSError) as error:
            self.close()
            msg = f"{where}: the connection was lost, or no answer came within {self._timeout:g} s"
            raise LineError(msg, "no answer") from error
        now = time.time_ns()
        if answer.isError():
            code = getattr(answer, "exception_code", 0)
            what = _EXCEPTIONS.get(code, f"exception {code}")
            msg = f"{where}: the device refuses: {what}"
            raise LineError(msg, f"refused: {what}", illegal_address=code == _ILLEGAL_ADDRESS)
        words: Sequence[int | bool] = (
            answer.bits[: block.count] if block.table in {"coil", "discrete"} else answer.registers
        )
        if len(words) < block.count:
            self.close()
            msg = f"{where}: expected {block.count} values, got {len(words)}"
            raise LineError(msg, "short answer")
        return Reply(words, began + (now - began) // 2)

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None


async def _request(client: AsyncModbusTcpClient, block: Block) -> ModbusPDU:
    if block.table == "holding":
        return await client.read_holding_registers(block.address, count=block.count, device_id=block.device)
    if block.table == "input":
        return await client.read_input_registers(block.address, count=block.count, device_id=block.device)
    if block.table == "coil":
        return await client.read_coils(block.address, count=block.count, device_id=block.device)
    return await client.read_discrete_inputs(block.address, count=block.count, device_id=block.device)
