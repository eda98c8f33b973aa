"""Old refrigeration units: Modbus TCP without clock, authentication and units; tenths of °F, sentinels, swapped words.

Each hub is one unit with its own device id; each of its rooms has ten holding registers, see `REGISTERS`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from twinlab.errors import CommandRejectedError
from twinlab.plant.network.names import asset_name
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.peers.peer import Moment
from twinlab.plant.steps.plant import Plant

__all__ = ["BROKEN", "REGISTERS", "ROOM_REGISTERS", "ModbusUnits"]

#: Address within a room's registers -> contents.
REGISTERS = {
    0: "temperature, tenths of °F, signed; 0x8000 while the sensor is broken",
    1: "set point, tenths of °F, signed; can be written",
    2: "door: 0 closed, 1 open",
    3: "compressor: 0 off, 1 running",
    4: "running hours of the compressor, 32-bit float, low word first (2 registers)",
    6: "starts of the compressor, unsigned 32-bit integer, low word first (2 registers)",
    8: "current of the compressor, hundredths of an ampere; 0 in a plant without failures",
}
ROOM_REGISTERS = 10
#: Value of a temperature while its sensor is broken.
BROKEN = 0x8000
_SET_POINT = 1


class ModbusUnits:
    """The refrigeration units of some rooms.

    Parameters
    ----------
    rooms : sequence of int
        Numbers of the rooms, from 0.
    port : int
        0 for a free one.
    """

    name = "modbus"

    def __init__(self, rooms: Sequence[int], *, port: int = 0) -> None:
        self._rooms = list(rooms)
        self._port = port
        self._server: ModbusTcpServer | None = None
        self._members: dict[int, list[int]] = {}
        self._memory: dict[int, list[int]] = {}
        self._hours = np.zeros(0)
        self._starts = np.zeros(0, dtype=np.int64)
        self._ran = np.zeros(0, dtype=bool)
        self._wear = False

    async def start(self, moment: Moment) -> None:
        """Listen on a free port."""
        plant, self._wear = moment.plant, moment.wear is not None
        for room in self._rooms:
            self._members.setdefault(int(plant.plan.rooms.hub[room]) + 1, []).append(room)
        # The units have been running for years.
        random = plant.size.random("run hours")
        self._hours = random.uniform(4_000, 60_000, plant.size.cold_rooms)
        self._starts = (self._hours * random.uniform(2.5, 5.0, plant.size.cold_rooms)).astype(np.int64)
        self._ran = plant.state.rooms.running.copy()
        self._memory = {unit: [0] * (ROOM_REGISTERS * len(rooms)) for unit, rooms in self._members.items()}
        self._show(plant, plant.state.rooms.temperature, np.zeros(plant.size.cold_rooms, dtype=bool), moment)
        devices = [self._device(unit, plant) for unit in self._members]
        self._server = ModbusTcpServer(devices, address=("127.0.0.1", self._port))
        await self._server.serve_forever(background=True)
        self._port = self._server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio.Server

    async def publish(self, moment: Moment) -> None:
        """Show the values of the step's last minute, and count hours and starts of all of them."""
        running = moment.step.rooms.compressor
        if not len(running):
            return
        before = np.concatenate([self._ran[None, :], running[:-1]])
        self._hours = self._hours + running.sum(axis=0) / 60
        self._starts = self._starts + (running & ~before).sum(axis=0)
        self._ran = running[-1]
        self._show(
            moment.plant,
            moment.rooms.temperature[:, -1],
            moment.rooms.silent[:, -1] | np.isnan(moment.rooms.temperature[:, -1]),
            moment,
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

    @property
    def address(self) -> dict[str, object]:
        """Host and port, and the rooms of each device id in the order of their registers."""
        units = {
            str(unit): {"hub": TOWNS[unit - 1].code, "rooms": [asset_name("cold_room", room) for room in rooms]}
            for unit, rooms in self._members.items()
        }
        return {
            "host": "127.0.0.1", "port": self._port, "registers_a_room": ROOM_REGISTERS, "units": units, "wear": self._wear
        }  # fmt: skip

    def _show(self, plant: Plant, temperature: Any, broken: Any, moment: Moment) -> None:  # noqa: ANN401  (arrays of the rooms)
        last = len(moment.step.rooms.door) - 1
        for unit, rooms in self._members.items():
            memory = self._memory[unit]
            for place, room in enumerate(rooms):
                wrong = last >= 0 and bool(moment.rooms.celsius[room, -1])
                value = float(temperature[room])
                written = value if wrong else value * 1.8 + 32
                door = bool(moment.step.rooms.door[last, room]) if last >= 0 else False
                current = moment.wear.current[last, room] if moment.wear is not None and last >= 0 else 0.0
                memory[place * ROOM_REGISTERS : place * ROOM_REGISTERS + 9] = [
                    BROKEN if broken[room] else _tenths(written),
                    _tenths(float(plant.state.rooms.set_to[room]) * 1.8 + 32),
                    int(door),
                    int(self._ran[room]),
                    *_low_word_first(">f", float(self._hours[room])),
                    *_low_word_first(">I", int(self._starts[room])),
                    max(0, round(100 * float(current))),
                ]

    def _device(self, unit: int, plant: Plant) -> SimDevice:
        memory, rooms = self._memory[unit], self._members[unit]

        async def answer(
            _function: int,
            _start: int,
            address: int,
            count: int,
            registers: list[int],
            values: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            if values is not None:
                if count != 1 or address % ROOM_REGISTERS != _SET_POINT:
                    return ExcCodes.ILLEGAL_ADDRESS
                fahrenheit = (int(values[0]) ^ 0x8000) - 0x8000
                try:
                    room = asset_name("cold_room", rooms[address // ROOM_REGISTERS])
                    plant.command("set_temperature", room, (fahrenheit / 10 - 32) / 1.8)
                except CommandRejectedError:
                    return ExcCodes.ILLEGAL_VALUE
                memory[address] = int(values[0])
            registers[: len(memory)] = memory
            return None

        data = SimData(0, values=list(memory), datatype=DataType.REGISTERS)
        return SimDevice(unit, simdata=[data], action=answer)


def _tenths(value: float) -> int:
    """Return tenths as a signed 16-bit register.

    >>> _tenths(39.2), _tenths(-4.0)
    (392, 65496)
    """
    return max(-32_767, min(32_767, round(10 * value))) & 0xFFFF


def _low_word_first(form: str, value: float) -> list[int]:
    """Return a 32-bit value as two registers, the low word first.

    >>> _low_word_first(">I", 100_000)
    [34464, 1]
    """
    high, low = struct.unpack(">HH", struct.pack(form, value))
    return [low, high]
