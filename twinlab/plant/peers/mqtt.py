"""Trucks of the first maker: an edge gateway with an outbox on each of them, over MQTT with TLS to a mosquitto broker.

Each truck has a client certificate of its own; the access list lets it write its own topics only. The historian connects
with the certificate ``historian``. Gateways store a report on their disk before they send it, and send it until the historian
has acknowledged it. Beside it, a controller takes signed commands, `speed_factor`.

Once the folder has ``truck.npz``, an exported anomaly model of the twin's trucks, gateways score their rows with it; those that are open are opened again.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import aiomqtt
import numpy as np

from twinlab.edge import Gateway, GatewaySettings, Reading
from twinlab.edge.transport import tls_context
from twinlab.plant.devices.actuators import speed_factor_setting
from twinlab.plant.devices.gateway_keys import GatewayKeys
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.devices.rules import speed_factor_rule
from twinlab.plant.faults.proxy import FaultProxy
from twinlab.plant.network.names import asset_name, first_maker_trucks
from twinlab.plant.peers.broker import HISTORIAN, Broker
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.controllers import Controllers
from twinlab.plant.peers.peer import Moment
from twinlab.plant.steps.commands import speed_factor

__all__ = ["UNITS", "WEAR_UNITS", "TruckGateways"]

#: Tag -> unit as the trucks' boxes declare it.
UNITS = {"lat": "degree", "lon": "degree", "kmh": "km/h", "odo_km": "km", "fuel_l": "L", "speed_factor": "1"}
#: Tags that trucks send besides in a plant with failures.
WEAR_UNITS = {"brake_c": "degC", "coolant_c": "degC"}
#: Signal of the twin's trucks -> tag, of those that a model may have.
_TAGS = {"speed": "kmh", "fuel": "fuel_l", "brake_temperature": "brake_c", "coolant_temperature": "coolant_c"}
#: Trucks report every five minutes under way.
_EVERY = "5min"


class TruckGateways:
    """The broker, and the gateways of the trucks.

    Parameters
    ----------
    folder : path
        Gets ``outboxes/``, the disks of the gateways, and the broker's files. May have ``truck.npz``.
    authority : Authority
        Issues the certificates of broker, trucks and clients.
    keys : RunKeys
        Keys of the run, with those of the trucks.
    """

    name = "mqtt"

    def __init__(self, folder: str | Path, authority: Authority, keys: RunKeys) -> None:
        self._folder = Path(folder)
        self._authority = authority
        self._broker = Broker(self._folder, authority)
        self._keys = GatewayKeys(authority.folder, self.name)
        #: What takes commands.
        self.controllers = Controllers(self._folder, "truck", broker=self._broker, authority=authority, keys=keys)
        #: Between the gateways and the broker.
        self.link: FaultProxy | None = None
        self._gateways: dict[int, Gateway] = {}
        self._stacks: dict[int, contextlib.AsyncExitStack] = {}
        self._units = UNITS
        self._scoring = False

    async def start(self, moment: Moment) -> None:
        """Start the broker, then the gateways.

        Raises
        ------
        SourceError
            If mosquitto isn't installed, or doesn't start.
        """
        if moment.wear is not None:
            self._units = {**UNITS, **WEAR_UNITS}
        await self._broker.start()
        self.link = FaultProxy(self._broker.port, seed=f"{moment.plant.size.seed} trucks")
        await self.link.start()
        self._scoring = self._model.is_file()
        trucks = range(first_maker_trucks(moment.plant.size.trucks))
        for truck in trucks:
            self._authority.issue(asset_name("truck", truck))
        await asyncio.gather(*(self._open(truck) for truck in trucks))
        names = [asset_name("truck", truck) for truck in trucks]
        await self.controllers.start(
            names, moment.plant, port=self.link.port, rule=speed_factor_rule, setting=speed_factor_setting()
        )

    async def publish(self, moment: Moment) -> None:
        """Give the gateways the reports of a step; each is on its truck's disk when this returns."""
        if not self._scoring and self._model.is_file():
            self._scoring = True
            for truck in sorted(self._gateways):
                # Its outbox stays.
                await self._stacks.pop(truck).aclose()
                await self._open(truck)
        tracks, silent = moment.reports.tracks, moment.reports.silent
        readings: dict[int, list[Reading]] = {}
        sent = zip(tracks.truck.tolist(), tracks.time.tolist(), strict=True)
        shares = [speed_factor(moment.plant.state.commands, truck, at) for truck, at in sent]
        columns = [
            tracks.latitude.round(5), tracks.longitude.round(5), tracks.speed.round(1), tracks.odometer.round(1),
            tracks.fuel.round(1), np.array(shares),
        ]  # fmt: skip
        if moment.wear is not None:
            columns += [moment.wear.temperatures.brake.round(0), moment.wear.temperatures.coolant.round(1)]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        reports = zip(tracks.truck.tolist(), tracks.time.tolist(), silent.tolist(), rows, strict=True)
        for truck, second, missing, values in reports:
            if truck in self._gateways and not missing:
                readings.setdefault(truck, []).extend(
                    Reading(tag, second * 1_000_000_000, value) for tag, value in zip(self._units, values, strict=True)
                )
        await asyncio.gather(*(self._gateways[truck].write(rows) for truck, rows in readings.items()))

    async def replace_disk(self, truck: int) -> None:
        """Give a truck's gateway an empty disk: what it hasn't sent is lost, and its outbox has a new epoch."""
        await self._stacks.pop(truck).aclose()
        for path in self._folder.glob(f"outboxes/{asset_name('truck', truck)}.db*"):
            path.unlink()
        await self._open(truck)

    async def pose_as(self, truck: int, other: int) -> None:
        """Publish false rows on another truck's topic with a truck's certificate: the broker refuses, and logs it."""
        broker = self._gateways[truck].settings.broker
        # A name has one connection: the truck's own gateway would end this one when it reconnects, at times before the
        # rows are sent. Its outbox stays.
        await self._stacks.pop(truck).aclose()
        client = aiomqtt.Client(
            broker.host,
            self._broker.port,
            tls_context=tls_context(broker),
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=5,
        )
        # Some brokers end the connection.
        with contextlib.suppress(aiomqtt.MqttError):
            async with client:
                await client.publish(f"twinlab/{asset_name('truck', other)}/rows", b"false rows", qos=1)
        await self._open(truck)

    def waiting(self, truck: int) -> int:
        """Return how many rows of a truck the historian hasn't acknowledged."""
        return self._gateways[truck].outbox.rows

    async def stop(self) -> None:
        """Close the gateways, then the broker; rows that aren't acknowledged stay in the outboxes."""
        await self.controllers.stop()
        await asyncio.gather(*(stack.aclose() for stack in self._stacks.values()))
        self._stacks.clear()
        self._gateways.clear()
        if self.link is not None:
            await self.link.stop()
            self.link = None
        await self._broker.stop()

    @property
    def address(self) -> dict[str, object]:
        """Host and port of the broker, its authority's certificate, and the historian's certificate and key."""
        return {
            **self._broker.client(HISTORIAN), "prefix": "twinlab",
            "gateways": [asset_name("truck", truck) for truck in sorted(self._gateways)],
            "gateway_keys": str(self._keys.ring), "broker_log": str(self._broker.log),
            "wear": self._units is not UNITS, "commands": self.controllers.address,
        }  # fmt: skip

    @property
    def _model(self) -> Path:
        return self._folder / "truck.npz"

    async def _open(self, truck: int) -> None:
        name = asset_name("truck", truck)
        assert self.link is not None
        (self._folder / "outboxes").mkdir(parents=True, exist_ok=True)
        settings = GatewaySettings.model_validate({
            "name": name,
            "broker": {**self._broker.client(name), "port": self.link.port},
            "outbox": str(self._folder / "outboxes" / f"{name}.db"),
            "signing_key": str(self._keys.key(name)),
            "units": self._units,
            "scores": _scores(self._model, name),
        })  # fmt: skip
        stack = self._stacks[truck] = contextlib.AsyncExitStack()
        self._gateways[truck] = await stack.enter_async_context(Gateway(settings))


def _scores(model: Path, truck: str) -> list[dict[str, object]]:
    """Return the settings with which a truck is scored; none without a model, or if the model doesn't have the truck."""
    if not model.is_file():
        return []
    with np.load(model) as arrays:
        if truck not in arrays["assets"]:
            return []
        tags = {str(signal): _TAGS[str(signal)] for signal in arrays["signals"] if str(signal) in _TAGS}
    return [{"model": str(model), "every": _EVERY, "assets": {truck: tags}}]
