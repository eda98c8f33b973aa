"""Trucks of the first maker: an edge gateway with an outbox on each of them, over MQTT with TLS to a mosquitto broker.

Each truck has a client certificate of its own; the access list lets it write its own topics only. The historian connects
with the certificate ``historian``. Gateways store a report on their disk before they send it, and send it until the historian
has acknowledged it.

If the folder has ``truck.npz``, an exported anomaly model of the twin's trucks, gateways that are opened then score their rows with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import aiomqtt
import numpy as np

from twinlab.edge import Gateway, GatewaySettings, Reading
from twinlab.edge.transport import tls_context
from twinlab.errors import SourceError
from twinlab.plant.faults.proxy import FaultProxy
from twinlab.plant.network.names import asset_name, first_maker_trucks
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.children import bound_command
from twinlab.plant.peers.peer import Moment

__all__ = ["UNITS", "WEAR_UNITS", "TruckGateways"]

#: Tag -> unit as the trucks' boxes declare it.
UNITS = {"lat": "degree", "lon": "degree", "kmh": "km/h", "odo_km": "km", "fuel_l": "L"}
#: Tags that trucks send besides in a plant with failures.
WEAR_UNITS = {"brake_c": "degC", "coolant_c": "degC"}
#: Signal of the twin's trucks -> tag, of those that a model may have.
_TAGS = {"speed": "kmh", "fuel": "fuel_l", "brake_temperature": "brake_c", "coolant_temperature": "coolant_c"}
#: Trucks report every five minutes under way.
_EVERY = "5min"
_PATIENCE = 20.0
#: A gateway writes its own births and rows, and reads its own replies and requests; the historian the reverse.
_ACCESS = """
pattern write twinlab/%u/birth
pattern write twinlab/%u/rows
pattern read twinlab/%u/reply
pattern read twinlab/%u/request

user historian
topic read twinlab/+/birth
topic read twinlab/+/rows
topic write twinlab/+/reply
topic write twinlab/+/request
"""


class TruckGateways:
    """The broker, and the gateways of the trucks.

    Parameters
    ----------
    folder : path
        Gets ``outboxes/``, the disks of the gateways, and the broker's files. May have ``truck.npz``.
    authority : Authority
        Issues the certificates of broker, trucks and historian.
    """

    name = "mqtt"

    def __init__(self, folder: str | Path, authority: Authority) -> None:
        self._folder = Path(folder)
        self._authority = authority
        self._port = 0
        self._broker: subprocess.Popen[bytes] | None = None
        #: Between the gateways and the broker.
        self.link: FaultProxy | None = None
        self._gateways: dict[int, Gateway] = {}
        self._stacks: dict[int, contextlib.AsyncExitStack] = {}
        self._units = UNITS

    async def start(self, moment: Moment) -> None:
        """Start the broker, then the gateways.

        Raises
        ------
        SourceError
            If mosquitto isn't installed, or doesn't start.
        """
        if moment.wear is not None:
            self._units = {**UNITS, **WEAR_UNITS}
        await asyncio.to_thread(self._start_broker)
        self.link = FaultProxy(self._port, seed=f"{moment.plant.size.seed} trucks")
        await self.link.start()
        self._authority.issue("historian")
        trucks = range(first_maker_trucks(moment.plant.size.trucks))
        for truck in trucks:
            self._authority.issue(asset_name("truck", truck))
        await asyncio.gather(*(self._open(truck) for truck in trucks))

    async def publish(self, moment: Moment) -> None:
        """Give the gateways the reports of a step; each is on its truck's disk when this returns."""
        tracks, silent = moment.reports.tracks, moment.reports.silent
        readings: dict[int, list[Reading]] = {}
        columns = [
            tracks.latitude.round(5), tracks.longitude.round(5), tracks.speed.round(1), tracks.odometer.round(1),
            tracks.fuel.round(1),
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
            broker.host, self._port, tls_context=tls_context(broker), protocol=aiomqtt.ProtocolVersion.V5, timeout=5
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
        await asyncio.gather(*(stack.aclose() for stack in self._stacks.values()))
        self._stacks.clear()
        self._gateways.clear()
        if self.link is not None:
            await self.link.stop()
            self.link = None
        if self._broker is not None:
            await asyncio.to_thread(self._stop_broker, self._broker)
            self._broker = None

    @property
    def address(self) -> dict[str, object]:
        """Host and port of the broker, its authority's certificate, and the historian's certificate and key."""
        folder = self._authority.folder
        return {
            "host": "127.0.0.1", "port": self._port, "ca": str(self._authority.certificate),
            "certificate": str(folder / "historian.pem"), "key": str(folder / "historian.key.pem"), "prefix": "twinlab",
            "gateways": [asset_name("truck", truck) for truck in sorted(self._gateways)],
            "wear": self._units is not UNITS,
        }  # fmt: skip

    async def _open(self, truck: int) -> None:
        name = asset_name("truck", truck)
        assert self.link is not None
        (self._folder / "outboxes").mkdir(parents=True, exist_ok=True)
        settings = GatewaySettings.model_validate({
            "name": name,
            "broker": {
                "host": "127.0.0.1", "port": self.link.port, "ca": str(self._authority.certificate),
                "certificate": str(self._authority.folder / f"{name}.pem"),
                "key": str(self._authority.folder / f"{name}.key.pem"),
            },
            "outbox": str(self._folder / "outboxes" / f"{name}.db"),
            "units": self._units,
            "scores": _scores(self._folder / "truck.npz", name),
        })  # fmt: skip
        stack = self._stacks[truck] = contextlib.AsyncExitStack()
        self._gateways[truck] = await stack.enter_async_context(Gateway(settings))

    def _start_broker(self) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            msg = "the plant's trucks need the broker mosquitto, which isn't installed; install it with: apt install mosquitto"
            raise SourceError(msg)
        pair = self._authority.issue("broker", server=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._folder.mkdir(parents=True, exist_ok=True)
        access = self._authority.folder / "broker.access"
        access.touch(mode=0o600)
        access.write_text(_ACCESS, encoding="ascii")
        settings = [
            f"listener {self._port} 127.0.0.1", f"cafile {self._authority.certificate}", f"certfile {pair.certificate}",
            f"keyfile {pair.key}", "require_certificate true", "use_identity_as_username true",
            # Otherwise a client could take another's name and end its connection.
            "use_username_as_clientid true", "tls_version tlsv1.2", "allow_anonymous false", f"acl_file {access}",
            "persistence false", "max_queued_messages 1000", "log_type error", "log_type warning", "log_type notice",
            # What the access list refuses is among these.
            "log_type debug", "log_dest stderr", "log_timestamp_format %Y-%m-%dT%H:%M:%SZ",
        ]  # fmt: skip
        if os.geteuid() == 0:
            # It would become another user, who can't read the keys.
            settings.append(f"user {getpass.getuser()}")
        config, log = self._folder / "mosquitto.conf", self._folder / "mosquitto.log"
        config.write_text("\n".join(settings) + "\n", encoding="utf-8")
        with log.open("ab") as stream:
            self._broker = subprocess.Popen(  # noqa: S603  (the broker's program)
                bound_command([program, "-c", str(config)]), stdout=stream, stderr=stream, env={**os.environ, "TZ": "UTC"},
                # Ctrl+C in a terminal ends the plant, which then ends its peers in order.
                start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 0.2).close()
            except OSError as error:
                if self._broker.poll() is not None or time.monotonic() > until:
                    self._stop_broker(self._broker)
                    text = log.read_text(encoding="utf-8", errors="replace")
                    msg = f"mosquitto doesn't start: {text.strip()[-500:]}"
                    raise SourceError(msg) from error
                time.sleep(0.01)
            else:
                return

    def _stop_broker(self, broker: subprocess.Popen[bytes]) -> None:
        broker.terminate()
        try:
            broker.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            broker.kill()
            broker.wait()


def _scores(model: Path, truck: str) -> list[dict[str, object]]:
    """Return the settings with which a truck is scored; none without a model, or if the model doesn't have the truck."""
    if not model.is_file():
        return []
    with np.load(model) as arrays:
        if truck not in arrays["assets"]:
            return []
        tags = {str(signal): _TAGS[str(signal)] for signal in arrays["signals"] if str(signal) in _TAGS}
    return [{"model": str(model), "every": _EVERY, "assets": {truck: tags}}]
