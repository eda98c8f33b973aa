"""Old refrigeration units: Modbus TCP without clock, authentication and units; tenths of °F, sentinels, swapped words.

Each hub is one unit with its own device id; each of its rooms has ten holding registers, see `REGISTERS`. The units can't verify a
command. So the port that others reach only reads; set points are written through another one, which only a gateway reaches that
verifies commands: see `twinlab.edge.commanding`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from twinlab.edge.commanding.command_gateway import CommandGateway
from twinlab.edge.commanding.settings import CommandGatewaySettings
from twinlab.errors import CommandRejectedError
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.devices.rules import TWIN, set_point_parameter
from twinlab.plant.network.cold_rooms import usual_set_point
from twinlab.plant.network.names import asset_name
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.peers.broker import CONTROL
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.peer import Moment
from twinlab.plant.steps.plant import Plant

__all__ = ["BROKEN", "REGISTERS", "ROOM_REGISTERS", "ModbusUnits"]

#: Address within a room's registers -> contents.
REGISTERS = {
    0: "temperature, tenths of °F, signed; 0x8000 while the sensor is broken",
    1: "set point, tenths of °F, signed; written by the gateway only",
    2: "door: 0 closed, 1 open",
    3: "compressor: 0 off, 1 running",
    4: "running hours of the compressor, 32-bit float, low word first (2 registers)",
    6: "starts of the compressor, unsigned 32-bit integer, low word first (2 registers)",
    8: "current of the compressor, hundredths of an ampere; 0 in a plant without failures",
}
ROOM_REGISTERS = 10
#: Value of a temperature while its sensor is broken.
BROKEN = 0x8000
_SET_POINT, _DOOR = 1, 2


class ModbusUnits:
    """The refrigeration units of some rooms.

    Parameters
    ----------
    rooms : sequence of int
        Numbers of the rooms, from 0.
    authority : Authority, optional
        Issues the certificates of the gateway and of the client ``control``; without it there is no gateway.
    folder : Path, optional
        Gets the memory of the gateway.
    keys : RunKeys, optional
        Keys of the run, with that of the device ``refrigeration``.
    port : int
        0 for a free one.
    """

    name = "modbus"

    def __init__(
        self,
        rooms: Sequence[int],
        authority: Authority | None = None,
        folder: Path | None = None,
        keys: RunKeys | None = None,
        *,
        port: int = 0,
    ) -> None:
        self._rooms = list(rooms)
        self._port = port
        self._authority, self._folder, self._keys = authority, folder, keys
        self._servers: list[ModbusTcpServer] = []
        #: What takes commands.
        self.gateway: CommandGateway | None = None
        #: Port that set points are written through.
        self.inner_port = 0
        self._members: dict[int, list[int]] = {}
        self._memory: dict[int, list[int]] = {}
        self._hours = np.zeros(0)
        self._starts = np.zeros(0, dtype=np.int64)
        self._ran = np.zeros(0, dtype=bool)
        self._wear = False

    async def start(self, moment: Moment) -> None:
        """Listen on free ports."""
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
        self._port = await self._listen(plant, self._port, writes=False)
        self.inner_port = await self._listen(plant, 0, writes=True)
        if self._authority is not None and self._folder is not None and self._keys is not None:
            settings = self.gateway_settings(self._authority, self._keys, self._folder)
            # In a thread: what was under way when an earlier run ended is read back from the units, which this loop serves.
            self.gateway = await asyncio.to_thread(CommandGateway, settings)
            await self.gateway.server.start()

    async def publish(self, moment: Moment) -> None:
        """Show the values of the step's last minute, and count hours and starts of all of them."""
        running = moment.step.rooms.compressor
        if not len(running):
            # A set point is valid at once.
            self._show_set_points(moment.plant)
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
        if self.gateway is not None:
            await self.gateway.server.stop()
            await asyncio.to_thread(self.gateway.device.close)
            self.gateway = None
        for server in self._servers:
            await server.shutdown()  # type: ignore[no-untyped-call]
        self._servers.clear()

    @property
    def address(self) -> dict[str, object]:
        """Host and port, and the rooms of each device id in the order of their registers."""
        units = {
            str(unit): {"hub": TOWNS[unit - 1].code, "rooms": [asset_name("cold_room", room) for room in rooms]}
            for unit, rooms in self._members.items()
        }
        return {
            "host": "127.0.0.1", "port": self._port, "registers_a_room": ROOM_REGISTERS, "units": units, "wear": self._wear,
            **({} if self.gateway is None else {"commands": self._commands(self.gateway.server.port)}),
        }  # fmt: skip

    def gateway_settings(self, authority: Authority, keys: RunKeys, folder: Path) -> CommandGatewaySettings:
        """Return the settings of a gateway of these units, whose certificates are issued."""
        pair = authority.issue("refrigeration", server=True)
        authority.issue(CONTROL)
        targets = {
            f"cold_room/{asset_name('cold_room', room)}": {
                "device": unit, "addresses": {"set_point": place * ROOM_REGISTERS + _SET_POINT},
                "watched": {"door": place * ROOM_REGISTERS + _DOOR}, "fail_safe": {"set_point": usual_set_point(room)},
            }
            for unit, rooms in self._members.items() for place, room in enumerate(rooms)
        }  # fmt: skip
        return CommandGatewaySettings.model_validate({
            "name": "refrigeration", "twin": TWIN, "keys": str(keys.ring), "key": str(keys.device("refrigeration")),
            "folder": str(folder),
            "listen": {
                "ca": str(authority.certificate), "certificate": str(pair.certificate), "key": str(pair.key), "clients": [CONTROL]
            },
            "modbus": {
                "host": "127.0.0.1", "port": self.inner_port, "parameters": {"set_point": set_point_parameter()}, "targets": targets
            },
        })  # fmt: skip

    def _commands(self, port: int) -> dict[str, object]:
        """How commands reach the rooms: for ``control.yaml``."""
        assert self._authority is not None
        assert self._keys is not None
        folder = self._authority.folder
        return {
            "carrier": "modbus", "run_keys": self._keys.address, "device": "refrigeration",
            "assets": [f"cold_room/{asset_name('cold_room', room)}" for room in self._rooms],
            "options": {
                "host": "127.0.0.1", "port": port, "ca": str(self._authority.certificate),
                "certificate": str(folder / f"{CONTROL}.pem"), "key": str(folder / f"{CONTROL}.key.pem"),
            },
        }  # fmt: skip

    async def _listen(self, plant: Plant, port: int, *, writes: bool) -> int:
        server = ModbusTcpServer(
            [self._device(unit, plant, writes=writes) for unit in self._members], address=("127.0.0.1", port)
        )
        await server.serve_forever(background=True)
        self._servers.append(server)
        found: int = server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio.Server
        return found

    def _show_set_points(self, plant: Plant) -> None:
        for unit, rooms in self._members.items():
            for place, room in enumerate(rooms):
                self._memory[unit][place * ROOM_REGISTERS + _SET_POINT] = _tenths(
                    float(plant.state.rooms.set_to[room]) * 1.8 + 32
                )

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

    def _device(self, unit: int, plant: Plant, *, writes: bool) -> SimDevice:
        memory, rooms = self._memory[unit], self._members[unit]

        async def answer(
            _function: int,
            _start: int,
            address: int,
            count: int,
            registers: list[int],
            values: list[int] | list[bool] | None,
        ) -> ExcCodes | None:
            if values is not None and not writes:
                return ExcCodes.ILLEGAL_FUNCTION
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
