"""Set points of machines with Modbus TCP: written to a holding register, and read back from it.

Modbus knows no signatures: whoever reaches the machine may write. The machine must be in a network that only the gateway is in.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab.commands.guard.actuator import State
from twinlab.commands.guard.fence import Fence
from twinlab.commands.messages.state import state_hash
from twinlab.edge.commanding.settings import ModbusParameter, Registers
from twinlab.errors import ControlError

if TYPE_CHECKING:
    from pymodbus.client import ModbusTcpClient

__all__ = ["ModbusActuator"]

#: Seconds for an answer when nobody states how long it may take.
_PATIENCE = 3.0
#: Seconds for an answer on the way to safety.
_BRIEF = 1.0


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
        with self._client(_PATIENCE) as client:
            value = known.value_of(_read(client, registers.device, registers.addresses[parameter]))
            watched = {
                signal: float(_read(client, registers.device, address)) for signal, address in registers.watched.items()
            }
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
        with self._client(timeout) as client:
            answer = client.write_register(
                registers.addresses[parameter], known.register_of(value), device_id=registers.device
            )
        _check(answer, f"{parameter} of {target} wasn't written")

    def _client(self, timeout: float) -> ModbusTcpClient:
        from pymodbus.client import ModbusTcpClient  # noqa: PLC0415  (an extra)

        # Never again by itself: what wasn't acknowledged is read back.
        client = ModbusTcpClient(self._where[0], port=self._where[1], timeout=timeout, retries=0)
        if not client.connect():  # type: ignore[no-untyped-call]
            client.close()  # type: ignore[no-untyped-call]
            msg = f"{self._where[0]}:{self._where[1]}: expected a Modbus machine that listens, got no connection"
            raise ControlError(msg)
        return client


def _read(client: ModbusTcpClient, device: int, address: int) -> int:
    answer = client.read_holding_registers(address, count=1, device_id=device)
    _check(answer, f"register {address} of the device {device} wasn't read")
    return int(answer.registers[0])


def _check(answer: Any, what: str) -> None:  # noqa: ANN401  (an answer of pymodbus)
    if answer.isError():
        msg = f"{what}: {answer}"
        raise ControlError(msg)
