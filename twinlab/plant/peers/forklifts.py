"""Forklifts: a gateway with an outbox and a controller on each of them, over MQTT with TLS to the halls' broker.

Every five seconds they report where they are, how fast they drive and may drive, and how near the nearest person is; every ten
minutes battery, load and mode, as their boxes write them to files. The
controllers take signed commands, `max_speed`; one that a command has set stops if it has no link to the broker.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from twinlab.edge import Gateway, GatewaySettings, Reading
from twinlab.plant.devices.actuators import max_speed
from twinlab.plant.devices.gateway_keys import GatewayKeys
from twinlab.plant.devices.keys import RunKeys
from twinlab.plant.devices.rules import max_speed_rule
from twinlab.plant.faults.proxy import FaultProxy
from twinlab.plant.network.forklifts import CHARGING, DRIVING, IDLE, present_mode
from twinlab.plant.network.motion import MotionState, move_forklifts, start_motion
from twinlab.plant.network.names import asset_name
from twinlab.plant.peers.broker import HISTORIAN, Broker
from twinlab.plant.peers.certificates import Authority
from twinlab.plant.peers.controllers import Controllers
from twinlab.plant.peers.peer import Moment

__all__ = ["UNITS", "WEAR_UNITS", "ForkliftGateways"]

#: Tag -> unit as the forklifts' boxes declare it.
UNITS = {
    "x_m": "m", "y_m": "m", "kmh": "km/h", "max_kmh": "km/h", "person_m": "m", "battery_pct": "%", "load_kg": "kg",
}  # fmt: skip
#: Tag that forklifts send besides in a plant with failures.
WEAR_UNITS = {"volt": "V"}
_MODES = {IDLE: "idle", DRIVING: "drive", CHARGING: "charge"}


class ForkliftGateways:
    """The halls' broker, and the gateways of the forklifts.

    Parameters
    ----------
    folder : path
        Gets ``outboxes/``, the disks of the gateways, and the broker's files.
    authority : Authority
        Issues the certificates of broker, forklifts and clients.
    keys : RunKeys
        Keys of the run, with those of the forklifts.
    """

    name = "forklifts"

    def __init__(self, folder: str | Path, authority: Authority, keys: RunKeys) -> None:
        self._folder = Path(folder)
        self._authority = authority
        self.broker = Broker(self._folder, authority)
        self._keys = GatewayKeys(authority.folder, self.name)
        #: What takes commands.
        self.controllers = Controllers(self._folder, "forklift", broker=self.broker, authority=authority, keys=keys)
        #: Between the forklifts and the broker.
        self.link: FaultProxy | None = None
        self._gateways: list[Gateway] = []
        self._stack = contextlib.AsyncExitStack()
        self._motion: MotionState | None = None
        self._wear = False

    async def start(self, moment: Moment) -> None:
        """Start the broker, then the gateways.

        Raises
        ------
        SourceError
            If mosquitto isn't installed, or doesn't start.
        """
        plant, self._wear = moment.plant, moment.wear is not None
        self._motion = start_motion(plant.size, plant.time)
        await self.broker.start()
        self.link = FaultProxy(self.broker.port, seed=f"{plant.size.seed} forklifts")
        await self.link.start()
        for number in range(plant.size.forklifts):
            name = asset_name("forklift", number)
            self._authority.issue(name)
            self._gateways.append(await self._stack.enter_async_context(Gateway(self._settings(name))))
        names = [gateway.settings.name for gateway in self._gateways]
        await self.controllers.start(names, plant, port=self.link.port, rule=max_speed_rule, setting=max_speed())

    async def publish(self, moment: Moment) -> None:
        """Give the gateways the rows of a step; each is on its forklift's disk when this returns."""
        assert self._motion is not None
        plant, step = moment.plant, moment.step
        self._motion, motion = move_forklifts(
            self._motion, step.end, mode=present_mode(plant.plan.forklifts, plant.state.forklifts),
            max_speed=plant.state.forklifts.max_speed,
        )  # fmt: skip
        allowed = plant.state.forklifts.max_speed.round(2).tolist()
        columns = [one.round(1).T.tolist() for one in (motion.x, motion.y, motion.speed, motion.person)]
        readings = self._samples(moment)
        for second, at in enumerate(motion.time.tolist()):
            for number, rows in enumerate(readings):
                x, y, speed, person = (column[number][second] for column in columns)
                values = zip(
                    ("x_m", "y_m", "kmh", "max_kmh", "person_m"), (x, y, speed, allowed[number], person), strict=True
                )
                rows += [Reading(tag, at * 1_000_000_000, value) for tag, value in values]
        writes = [gateway.write(rows) for gateway, rows in zip(self._gateways, readings, strict=True) if rows]
        await asyncio.gather(*writes)

    async def stop(self) -> None:
        """Close the gateways, then the broker; rows that aren't acknowledged stay in the outboxes."""
        await self.controllers.stop()
        await self._stack.aclose()
        self._gateways.clear()
        if self.link is not None:
            await self.link.stop()
            self.link = None
        await self.broker.stop()

    @property
    def address(self) -> dict[str, object]:
        """Host and port of the broker, its authority's certificate, and the historian's certificate and key."""
        names = [gateway.settings.name for gateway in self._gateways]
        return {**self.broker.client(HISTORIAN), "prefix": "twinlab", "gateways": names, "wear": self._wear,
                "gateway_keys": str(self._keys.ring), "broker_log": str(self.broker.log), "commands": self.controllers.address}  # fmt: skip

    def waiting(self) -> int:
        """Return how many rows the historian hasn't acknowledged."""
        return sum(gateway.outbox.rows for gateway in self._gateways)

    def _samples(self, moment: Moment) -> list[list[Reading]]:
        """Return battery, load, mode and voltage of each forklift."""
        samples, offset = moment.forklifts, moment.plant.plan.forklifts.offset.tolist()
        found: list[list[Reading]] = [[] for _ in self._gateways]
        for place, second in enumerate(samples.time.tolist()):
            for number, rows in enumerate(found):
                if moment.step.forklift_silent[place, number]:
                    continue
                at = (second + offset[number]) * 1_000_000_000
                rows.append(Reading("battery_pct", at, round(float(samples.battery[place, number]), 1)))
                rows.append(Reading("load_kg", at, round(float(samples.load[place, number]))))
                rows.append(Reading("mode", at, None, _MODES[int(samples.mode[place, number])]))
                if moment.wear is not None:
                    rows.append(Reading("volt", at, round(float(moment.wear.voltage[place, number]), 2)))
        return found

    def _settings(self, name: str) -> GatewaySettings:
        assert self.link is not None
        outboxes = self._folder / "outboxes"
        outboxes.mkdir(parents=True, exist_ok=True)
        return GatewaySettings.model_validate({
            "name": name, "broker": {**self.broker.client(name), "port": self.link.port},
            "outbox": str(outboxes / f"{name}.db"), "signing_key": str(self._keys.key(name)), "units": UNITS | (WEAR_UNITS if self._wear else {}),
        })  # fmt: skip
