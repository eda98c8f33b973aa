"""Controllers of trucks and forklifts: each takes signed commands over MQTT, with a certificate, a key and a memory of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from twinlab._tasks import cancel_all
from twinlab.commands.guard.rules import Rule
from twinlab.edge.commanding.device import CommandedDevice
from twinlab.edge.commanding.mqtt_device import MqttDevice
from twinlab.edge.settings import Broker as BrokerSettings
from twinlab.plant.devices.actuators import Setting
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.devices.made import make_device
from twinlab.plant.peers.broker import AUDITOR, CONTROL, Broker
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.steps.plant import Plant

__all__ = ["Controllers", "client_name"]


def client_name(asset: str) -> str:
    """Return the name in the certificate of an asset's controller.

    >>> client_name("F07")
    'F07-controller'
    """
    return f"{asset}-controller"


class Controllers:
    """The controllers of some assets of a type.

    Parameters
    ----------
    folder : path
        Gets ``devices/``, the memories of the controllers.
    asset_type : str
        ``forklift`` or ``truck``.
    broker : Broker
        Where they connect.
    authority : Authority
        Issues their certificates.
    keys : RunKeys
        Has their keys.
    """

    def __init__(
        self, folder: str | Path, asset_type: str, *, broker: Broker, authority: Authority, keys: RunKeys
    ) -> None:
        self._folder = Path(folder) / "devices"
        self._type = asset_type
        self._broker, self._authority, self._keys = broker, authority, keys
        #: Asset -> its device.
        self.devices: dict[str, CommandedDevice] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(
        self, names: Sequence[str], plant: Plant, *, port: int, rule: Callable[[Sequence[str]], Rule], setting: Setting
    ) -> None:
        """Connect a controller of each asset through a port, and wait until all of them listen."""
        connections = []
        for name in names:
            self._authority.issue(client_name(name))
            target = f"{self._type}/{name}"
            device = self.devices[name] = await make_device(
                target, self._folder / name, plant=plant, keys=self._keys, rule=rule([target]), setting=setting
            )
            broker = BrokerSettings.model_validate({**self._broker.client(client_name(name)), "port": port})
            connections.append(MqttDevice(device, broker, client=client_name(name)))
        self._tasks = [asyncio.create_task(one.run()) for one in connections]
        listening = asyncio.create_task(_all_connected(connections))
        done, _ = await asyncio.wait([listening, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        await cancel_all([listening])
        for task in done:
            # Only an error ends the task of a connection.
            task.result()

    async def stop(self) -> None:
        """Disconnect, and wait until nothing is under way."""
        await cancel_all(self._tasks)
        self._tasks.clear()
        for device in self.devices.values():
            # What is under way needs the event loop.
            await asyncio.to_thread(device.close)

    @property
    def address(self) -> dict[str, object]:
        """How commands reach them: for ``control.yaml``."""
        reader = self._broker.client(AUDITOR)
        return {
            "carrier": "mqtt", "run_keys": self._keys.address, "assets": [f"{self._type}/{name}" for name in self.devices],
            "options": {
                **self._broker.client(CONTROL), "client": client_name("{name}"),
                "records": {"name": AUDITOR, "certificate": reader["certificate"], "key": reader["key"]},
            },
        }  # fmt: skip


async def _all_connected(connections: Sequence[MqttDevice]) -> None:
    for one in connections:
        await one.connected.wait()
