"""Set points of machines with Modbus TCP: written to a holding register, and read back from it.

Modbus knows no signatures: whoever reaches the machine may write. The machine must be in a network that only the gateway is in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from twinlab.commands.guard.actuator import State
from twinlab.commands.guard.fence import Fence
from twinlab.commands.messages.state import state_hash
from twinlab.edge.commanding.settings import ModbusParameter, Registers
from twinlab.errors import ControlError

if TYPE_CHECKING:
    from pymodbus.client import AsyncModbusTcpClient

__all__ = ["ModbusActuator"]

#: Seconds for an answer when nobody states how long it may take.
_PATIENCE = 3.0
#: Seconds for an answer on the way to safety.
_BRIEF = 1.0

_T = TypeVar("_T")


class ModbusActuator:
    """Sets registers; an `Actuator`.

    Parameters
    ----------
    host, port : str, int
        The machine.
    parameters : mapping of str to ModbusParameter
        What may be set: how a register states it.
    targets : mapping of str to Registers
        Asset -> where its registers are.
    fence : Path
        File with the epoch of the guard that may act, for all gateways of this machine.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        parameters: Mapping[str, ModbusParameter],
        targets: Mapping[str, Registers],
        fence: Path,
    ) -> None:
        self._where = host, port
        self._parameters, self._targets = parameters, targets
        self._fence = Fence(fence)
        # The units answer one request at a time; a way to safety has a connection of its own.
        self._acting = threading.Lock()

    def take_over(self) -> int:
        """Return a new epoch; older ones are refused from now on."""
        return self._fence.advance()

    def state(self, target: str, parameter: str) -> State:
        """Return what the registers state now."""
        return self.read_back(target, parameter)

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        """Write a register, and return whether the machine acknowledged it."""
        with self._fence.acting(epoch), self._acting:
            self._write(target, parameter, value, timeout=timeout)
        return True

    def read_back(self, target: str, parameter: str) -> State:
        """Return what the registers state now.

        Raises
        ------
        ControlError
            If the machine doesn't answer, or with an exception of Modbus.
        """
        known, registers = self._parameters[parameter], self._targets[target]
        names, addresses = [*registers.watched], [registers.addresses[parameter], *registers.watched.values()]
        found, *others = _run(self._read(registers.device, addresses))
        value = known.value_of(found)
        watched = {name: float(one) for name, one in zip(names, others, strict=True)}
        sha256 = state_hash(target, parameter, value, known.unit, watched=watched)
        return State(value, known.unit, datetime.now(UTC), sha256)

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        """Write the fail-safe value, whatever else is under way; without one the machine stays as it is.

        A value of the asset itself counts first.
        """
        value = self._targets[target].fail_safe.get(parameter, value)
        if value is None:
            return False
        self._write(target, parameter, value, timeout=_BRIEF)
        return True

    def _write(self, target: str, parameter: str, value: float, *, timeout: float) -> None:
        known, registers = self._parameters[parameter], self._targets[target]
        address, word = registers.addresses[parameter], known.register_of(value)
        what = f"{parameter} of {target} wasn't written"
        _run(self._write_register(registers.device, address, word, seconds=timeout, what=what))

    async def _read(self, device: int, addresses: list[int]) -> list[int]:
        words = []
        async with self._client(_PATIENCE) as client:
            for address in addresses:
                answer = await client.read_holding_registers(address, count=1, device_id=device)
                _check(answer, f"register {address} of the device {device} wasn't read")
                words.append(int(answer.registers[0]))
        return words

    async def _write_register(self, device: int, address: int, word: int, *, seconds: float, what: str) -> None:
        async with self._client(seconds) as client:
            _check(await client.write_register(address, word, device_id=device), what)

    @asynccontextmanager
    async def _client(self, seconds: float) -> AsyncIterator[AsyncModbusTcpClient]:
        # The synchronous client waits with `select`, which fails in a process with more than a thousand open files.
        from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415  (an extra)

        # Never again by itself: what wasn't acknowledged is read back.
        client = AsyncModbusTcpClient(
            self._where[0], port=self._where[1], timeout=seconds, retries=0, reconnect_delay=0
        )
        try:
            if not await client.connect():
                msg = f"{self._where[0]}:{self._where[1]}: expected a Modbus machine that listens, got no connection"
                raise ControlError(msg)
            yield client
        finally:
            client.close()


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine returns; in a thread of its own where an event loop runs, as while a gateway starts."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()


def _check(answer: Any, what: str) -> None:  # noqa: ANN401  (an answer of pymodbus)
    if answer.isError():
        msg = f"{what}: {answer}"
        raise ControlError(msg)
