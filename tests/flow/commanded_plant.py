"""A plant whose devices take commands over their real protocols, for tests of what it refuses."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import yaml

from twinlab.commands.messages import (
    Answer,
    approve_command,
    new_command,
    new_stop,
    open_answer,
    sign_command,
    state_hash,
)
from twinlab.control.carriers import Endpoints, open_endpoints
from twinlab.demos.live_control import write_control
from twinlab.edge.commanding import CommandedDevice, Records
from twinlab.plant import ParcelSize, Plant
from twinlab.plant.network.names import asset_name
from twinlab.plant.peers.peer import Peer
from twinlab.plant.run.chosen import make_peers
from twinlab.plant.run.runner import run_plant
from twinlab.plant.steps.commands import speed_factor
from twinlab.signing.keys import read_signer

__all__ = ["SIZE", "CommandedPlant", "wait"]

SIZE = ParcelSize(hubs=4, trucks=4, cold_rooms=6, forklifts=6, parcels_a_week=20, weeks=1, seed=3, start="2026-03-23")
#: Parameter -> unit and who signs.
PARAMETERS = {
    "max_speed": ("km/h", ("operator-1",)),
    "set_point": ("degC", ("operator-1", "operator-2")),
    "speed_factor": ("1", ("dispatcher-1",)),
}


def wait(reached: Callable[[], object], seconds: float = 15.0) -> Any:
    """Wait until something is so, and return it."""
    until = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


class CommandedPlant:
    """A plant that runs in a thread, with the endpoints of a twin."""

    def __init__(self, folder: Path, peers: tuple[str, ...] = ("mqtt", "forklifts", "modbus", "opcua")) -> None:
        self.folder = folder
        self.plant = Plant(SIZE)
        # Monday at nine, local time: forklifts drive.
        self.plant.advance(self.plant.time + 8 * 3600)
        for room in range(SIZE.cold_rooms):
            # Doors belong to the state that a person looks at.
            self.plant.command("close_door", asset_name("cold_room", room))
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._stop = asyncio.Event()
        self._names = peers
        self.peers: dict[str, Peer] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self._stack = ExitStack()
        self._counter = time.time_ns() // 1_000_000
        self._sent: dict[str, float] = {}
        self.endpoints: Endpoints

    def __enter__(self) -> Self:
        self._thread.start()
        ready = threading.Event()

        def note(addresses: dict[str, dict[str, object]]) -> None:
            self.addresses = addresses
            ready.set()

        made = make_peers(self.plant, self.folder, self._names)
        self.peers = {peer.name: peer for peer in made}
        self._running = asyncio.run_coroutine_threadsafe(
            run_plant(self.plant, self.folder, tick=0.1, peers=made, stop=self._stop, ready=note), self.loop
        )
        wait(lambda: ready.is_set() or self._running.done(), 60)
        if self._running.done():
            self._running.result()
        write_control(self.addresses, self.folder)
        self.endpoints = self._stack.enter_context(open_endpoints(self.folder / "control.yaml"))
        return self

    def __exit__(self, *args: object) -> None:
        self._stack.close()
        self.loop.call_soon_threadsafe(self._stop.set)
        self._running.result(30)
        asyncio.run_coroutine_threadsafe(_cancel_others(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()
        with warnings.catch_warnings():
            # Libraries leave sockets of lost connections to the garbage collector.
            warnings.simplefilter("ignore")
            gc.collect()

    # -- the plant ---------------------------------------------------------------------------------------------------
    @property
    def changes(self) -> int:
        """How many commands the plant has carried out."""
        return len(self.plant.state.commands)

    def value(self, target: str) -> float:
        """Return the true value of what is set of an asset."""
        kind, _, name = target.partition("/")
        number = int(name[1:]) - 1
        if kind == "truck":
            return speed_factor(self.plant.state.commands, number, self.plant.time)
        if kind == "forklift":
            return float(self.plant.state.forklifts.max_speed[number])
        return round(float(self.plant.state.rooms.set_to[number]), 1)

    def device(self, target: str) -> CommandedDevice:
        """Return the device of a target."""
        kind, _, name = target.partition("/")
        if kind in ("forklift", "truck"):
            return self.peers["forklifts" if kind == "forklift" else "mqtt"].controllers.devices[name]  # type: ignore[attr-defined]
        opcua: Any = self.peers["opcua"]
        if target in opcua.device.targets:
            return opcua.device  # type: ignore[no-any-return]
        return self.peers["modbus"].gateway.device  # type: ignore[attr-defined,no-any-return]

    def records(self, target: str) -> Records:
        """Return what the device of a target has recorded."""
        return self.device(target).records

    # -- messages ----------------------------------------------------------------------------------------------------
    def signer(self, person: str) -> Any:
        """Return what signs as a person."""
        return read_signer(self.endpoints.settings.people[person])

    def state(self, target: str, parameter: str) -> str:
        """Return the hash of the present state, as who proposes computes it."""
        watched = {"door": 0.0} if parameter == "set_point" else {}
        return state_hash(target, parameter, self.value(target), PARAMETERS[parameter][0], watched=watched)

    def wire(
        self,
        target: str,
        parameter: str,
        value: float,
        operation: str = "operate",
        *,
        people: tuple[str, ...] | None = None,
        **fields: Any,
    ) -> bytes:
        """Return a signed command; ``fields`` replace those of a valid one."""
        unit, signers = PARAMETERS[parameter]
        self._counter += 1
        given = {
            "twin": "parcel", "operation": operation, "counter": self._counter, "reason": "test",
            "expected_state": fields.pop("expected_state", None) or self.state(target, parameter),
        }  # fmt: skip
        command = new_command(target, parameter, value, fields.pop("unit", unit), **{**given, **fields})
        first, *others = people or signers
        wire = sign_command(command, self.signer(first))
        for one in others:
            wire = approve_command(wire, self.signer(one))
        return wire

    def stop_wire(self, target: str, parameter: str, person: str = "operator-1") -> bytes:
        """Return a signed emergency stop."""
        return sign_command(new_stop(target, parameter, twin="parcel", reason="test"), self.signer(person))

    def send(self, wire: bytes, target: str, timeout: float = 8.0) -> Answer:
        """Send an envelope over the carrier of its target, and return the verified answer; within the rate of its device."""
        time.sleep(max(0.0, self._sent.get(target, 0.0) + 0.25 - time.monotonic()))
        self._sent[target] = time.monotonic()
        return open_answer(self.endpoints.send(wire, target=target, timeout=timeout), ring=self.endpoints.ring.read())

    def set(self, target: str, parameter: str, value: float) -> Answer:
        """Select and operate, as a twin does."""
        selected = self.send(self.wire(target, parameter, value, "select"), target)
        assert selected.outcome == "selected", selected.reason
        return self.send(self.wire(target, parameter, value, "operate"), target)

    def control(self, **changes: Any) -> Path:
        """Write another ``control.yaml`` in which options of all endpoints are replaced; return it."""
        settings = yaml.safe_load((self.folder / "control.yaml").read_text())
        for endpoint in settings["endpoints"].values():
            endpoint["options"] |= {key: value for key, value in changes.items() if key in endpoint["options"]}
        path = self.folder / f"control-{time.time_ns()}.yaml"
        path.write_text(yaml.safe_dump(settings))
        return path


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
