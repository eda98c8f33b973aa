"""New warehouses: an OPC UA server with Basic256Sha256 Sign & Encrypt, two roles by certificate, and HistoryRead.

``Warehouses/<hub>/<room>`` has the variables `VARIABLES`; each room's ``Temperature`` and ``SetPoint`` state °C as their
engineering unit. Node ids are strings such as ``R07.Temperature``. The certificate ``opcua-viewer`` may only read. ``opcua-operator``
may also call each room's methods ``Select``, ``Operate`` and ``Stop``, which take signed commands; nobody writes a set point.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from asyncua import Server, ua
from asyncua.common.node import Node
from asyncua.crypto.permission_rules import UserRole
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.history import HistoryDict
from asyncua.server.user_managers import CertificateUserManager

from twinlab._tasks import cancel_all
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.plant.devices.actuators import set_point
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.devices.made import make_device
from twinlab.plant.devices.rules import set_point_rule
from twinlab.plant.network.names import asset_name, asset_number
from twinlab.plant.network.towns import TOWNS
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.opcua_access import AccessRules, add_methods
from twinlab.plant.peers.peer import Moment
from twinlab.plant.steps.plant import Plant

__all__ = ["NAMESPACE", "VARIABLES", "OpcUaServer"]

NAMESPACE = "urn:twinlab:plant:warehouses"
#: Variable of a room -> its type.
VARIABLES = {
    "Temperature": ua.VariantType.Double,
    "SetPoint": ua.VariantType.Double,
    "Door": ua.VariantType.Boolean,
    "Compressor": ua.VariantType.Boolean,
}
#: The variable that a plant with failures has besides, in A.
CURRENT = "Current"
_CELSIUS = ua.EUInformation(
    NamespaceUri="http://www.opcfoundation.org/UA/units/un/cefact", UnitId=4408652,
    DisplayName=ua.LocalizedText("°C"), Description=ua.LocalizedText("degree Celsius"),
)  # fmt: skip
_AMPERE = ua.EUInformation(
    NamespaceUri="http://www.opcfoundation.org/UA/units/un/cefact", UnitId=4279632,
    DisplayName=ua.LocalizedText("A"), Description=ua.LocalizedText("ampere"),
)  # fmt: skip
_UNITS = {"Temperature": _CELSIUS, "SetPoint": _CELSIUS, CURRENT: _AMPERE}
_URI = "urn:twinlab:plant:server"


class _Room(NamedTuple):
    number: int
    nodes: dict[str, Node]


class OpcUaServer:
    """The warehouse server of some rooms.

    Parameters
    ----------
    rooms : sequence of int
        Numbers of the rooms, from 0.
    authority : Authority
        Issues the server's and the clients' certificates.
    folder : Path
        Gets the memory of what verifies commands.
    keys : RunKeys
        Keys of the run, with that of the device ``warehouses``.
    port : int
        0 for a free one.
    kept : int
        Values that the history keeps of each variable.
    """

    name = "opcua"

    def __init__(
        self,
        rooms: Sequence[int],
        authority: Authority,
        folder: Path,
        keys: RunKeys,
        *,
        port: int = 0,
        kept: int = 20_000,
    ) -> None:
        self._numbers = list(rooms)
        self._authority = authority
        self._folder, self._keys = folder, keys
        self._port = port
        #: What takes commands.
        self.device: CommandedDevice | None = None
        self._watch: asyncio.Task[None] | None = None
        self._doors: dict[int, bool] = {}
        self._kept = kept
        self._history = HistoryDict()
        self._server: Server | None = None
        self._rooms: list[_Room] = []
        self._shown: dict[int, float] = {}
        self._variables = dict(VARIABLES)

    async def start(self, moment: Moment) -> None:
        """Issue certificates, build the address space, listen on a free port."""
        if moment.wear is not None:
            self._variables[CURRENT] = ua.VariantType.Double
        self._doors = dict.fromkeys(self._numbers, False)
        self.device = await self._make_device(moment.plant)
        users = CertificateUserManager()
        own = self._authority.issue("opcua-server", server=True, uri=_URI)
        for name in ("viewer", "operator"):
            pair = self._authority.issue(f"opcua-{name}", uri=f"urn:twinlab:{name}")
            role = UserRole.Admin if name == "operator" else UserRole.User
            await users.add_role(pair.certificate, role, name)
        self._port = self._port or _free_port()
        server = self._server = Server(user_manager=users)
        server.iserver.history_manager.set_storage(self._history)
        await server.init()
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self._port}/twinlab/")
        server.set_server_name("twinlab plant, warehouses")
        await server.set_application_uri(_URI)
        server.set_security_policy(
            [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt], permission_ruleset=AccessRules(self._note_refusal)
        )
        server.set_identity_tokens([ua.X509IdentityToken, ua.AnonymousIdentityToken])
        server.set_certificate_validator(
            CertificateValidator(CertificateValidatorOptions.BASIC_VALIDATION | CertificateValidatorOptions.PEER_CLIENT)
        )
        await server.load_certificate(own.certificate)
        await server.load_private_key(own.key)
        await self._build(server, moment)
        await server.start()
        self._watch = asyncio.create_task(self.device.run())

    async def publish(self, moment: Moment) -> None:
        """Write the values of all minutes, in order."""
        minutes, measured = moment.step.rooms, moment.rooms
        for room in self._rooms:
            await self._show_set_point(room, moment.plant)
            if len(minutes.time):
                self._doors[room.number] = bool(minutes.door[-1, room.number])
            for place, second in enumerate(minutes.time.tolist()):
                fast = int(measured.fast[room.number, place])
                when = datetime.fromtimestamp(second + fast, UTC)
                temperature = float(measured.temperature[room.number, place])
                if measured.celsius[room.number, place]:
                    # This channel is configured in °F.
                    temperature = temperature * 1.8 + 32
                dead = bool(measured.silent[room.number, place]) or np.isnan(temperature)
                await self._write(room, "Temperature", 0.0 if np.isnan(temperature) else temperature, when, bad=dead)
                await self._write(room, "Door", bool(minutes.door[place, room.number]), when)
                await self._write(room, "Compressor", bool(minutes.compressor[place, room.number]), when)
                if moment.wear is not None:
                    await self._write(room, CURRENT, round(float(moment.wear.current[place, room.number]), 2), when)

    async def stop(self) -> None:
        """Close all sessions, and wait until nothing is under way."""
        if self._watch is not None:
            await cancel_all([self._watch])
        if self._server is not None:
            await self._server.stop()
            self._server = None
        if self.device is not None:
            # What is under way needs the event loop.
            await asyncio.to_thread(self.device.close)
            self.device = None

    @property
    def address(self) -> dict[str, object]:
        """Endpoint, namespace, and the paths of the certificates that clients use."""
        folder = self._authority.folder
        return {
            "endpoint": f"opc.tcp://127.0.0.1:{self._port}/twinlab/",
            "namespace": NAMESPACE,
            "server_certificate": str(folder / "opcua-server.pem"),
            "viewer": {"certificate": str(folder / "opcua-viewer.pem"), "key": str(folder / "opcua-viewer.key.pem"),
                       "application_uri": "urn:twinlab:viewer"},
            "operator": {"certificate": str(folder / "opcua-operator.pem"), "key": str(folder / "opcua-operator.key.pem"),
                         "application_uri": "urn:twinlab:operator"},
            "rooms": [asset_name("cold_room", room) for room in self._numbers],
            "wear": CURRENT in self._variables, "commands": self._commands,
        }  # fmt: skip

    @property
    def _commands(self) -> dict[str, object]:
        """How commands reach the rooms: for ``control.yaml``."""
        folder = self._authority.folder
        return {
            "carrier": "opcua", "run_keys": self._keys.address, "device": "warehouses",
            "assets": [f"cold_room/{asset_name('cold_room', room)}" for room in self._numbers],
            "options": {
                "url": f"opc.tcp://127.0.0.1:{self._port}/twinlab/", "namespace": NAMESPACE,
                "server_certificate": str(folder / "opcua-server.pem"), "certificate": str(folder / "opcua-operator.pem"),
                "key": str(folder / "opcua-operator.key.pem"), "application_uri": "urn:twinlab:operator",
                "variables": {"set_point": ["SetPoint", "degC"]},
            },
        }  # fmt: skip

    async def _build(self, server: Server, moment: Moment) -> None:
        index = await server.register_namespace(NAMESPACE)
        root = await server.nodes.objects.add_object(ua.NodeId("Warehouses", index), "Warehouses")
        hubs: dict[int, Node] = {}
        state = moment.plant.state.rooms
        when = datetime.fromtimestamp(moment.plant.time, UTC)
        for number in self._numbers:
            hub = int(moment.plant.plan.rooms.hub[number])
            if hub not in hubs:
                code = TOWNS[hub].code
                hubs[hub] = await root.add_object(ua.NodeId(code, index), code)
            name = asset_name("cold_room", number)
            parent = await hubs[hub].add_object(ua.NodeId(name, index), name)
            first = {
                "Temperature": float(state.temperature[number]), "SetPoint": float(state.set_to[number]),
                "Door": False, "Compressor": bool(state.running[number]), CURRENT: 0.0,
            }  # fmt: skip
            room = _Room(number, {})
            for variable, kind in self._variables.items():
                node = await parent.add_variable(
                    ua.NodeId(f"{name}.{variable}", index), variable, first[variable], kind
                )
                room.nodes[variable] = node
                if variable in _UNITS:
                    unit = ua.NodeId(f"{name}.{variable}.Unit", index)
                    await node.add_property(unit, "EngineeringUnits", _UNITS[variable])
                for bits in (ua.AttributeIds.AccessLevel, ua.AttributeIds.UserAccessLevel):
                    await node.set_attr_bit(bits, ua.AccessLevel.HistoryRead)
                await node.write_attribute(
                    ua.AttributeIds.Historizing,
                    ua.DataValue(ua.Variant(Value=True, VariantType=ua.VariantType.Boolean)),
                )
                await self._history.new_historized_node(node.nodeid, None, self._kept)
                await self._write(room, variable, first[variable], when)
            self._shown[number] = first["SetPoint"]
            self._rooms.append(room)
            await self._add_methods(room, parent, index, moment.plant)

    async def _show_set_point(self, room: _Room, plant: Plant) -> None:
        valid = float(plant.state.rooms.set_to[room.number])
        if valid != self._shown[room.number]:
            self._shown[room.number] = valid
            await self._write(room, "SetPoint", valid, datetime.fromtimestamp(plant.time, UTC))

    async def _add_methods(self, room: _Room, parent: Node, index: int, plant: Plant) -> None:
        async def show() -> None:
            await self._show_set_point(room, plant)

        assert self.device is not None
        asset = f"cold_room/{asset_name('cold_room', room.number)}"
        await add_methods(parent, index, asset, device=self.device, after=show)

    def _note_refusal(self, user: str, reason: str) -> None:
        assert self.device is not None
        self.device.note("request refused", reason, who=user)

    async def _make_device(self, plant: Plant) -> CommandedDevice:
        targets = [f"cold_room/{asset_name('cold_room', room)}" for room in self._numbers]
        return await make_device(
            "warehouses", self._folder, plant=plant, keys=self._keys, rule=set_point_rule(targets), setting=set_point(),
            watched=lambda name: {"door": float(self._doors[asset_number("cold_room", name, count=plant.size.cold_rooms)])},
        )  # fmt: skip

    async def _write(self, room: _Room, variable: str, value: float, when: datetime, *, bad: bool = False) -> None:
        assert self._server is not None
        node = room.nodes[variable]
        status = ua.StatusCodes.BadSensorFailure if bad else ua.StatusCodes.Good
        written = ua.DataValue(
            ua.Variant(value, self._variables[variable]), ua.StatusCode(ua.UInt32(status)),
            SourceTimestamp=when, ServerTimestamp=datetime.now(UTC),
        )  # fmt: skip
        await self._server.write_attribute_value(node.nodeid, written)
        await self._history.save_node_value(node.nodeid, written)


def _free_port() -> int:
    """Return a port that is free now: asyncua doesn't report which one it got."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
