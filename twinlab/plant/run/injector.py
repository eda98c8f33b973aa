"""Begin and end the faults of a run, and record them as truth."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from twinlab.plant.faults.proxy import FaultProxy
from twinlab.plant.faults.schedule import CONNECTED, KINDS, Schedule, ScheduledFault
from twinlab.plant.faults.sensors import SensorFaults
from twinlab.plant.network.names import asset_number, first_maker_trucks
from twinlab.plant.peers.peer import Peer
from twinlab.plant.run.truth import Truth
from twinlab.plant.steps.plant import Plant, Step

__all__ = ["Injector"]


class Injector:
    """The faults of a run: proxies before its peers, and wrong sensors.

    Parameters
    ----------
    plant : Plant
        At the run's begin.
    schedule : Schedule
        Faults by their times since then.

    Raises
    ------
    UnknownTermError
        If the schedule names an asset that the plant doesn't have.
    """

    def __init__(self, plant: Plant, schedule: Schedule) -> None:
        self.sensors = SensorFaults(plant.size)
        self._seed = plant.size.seed
        self._trucks = plant.size.trucks
        self._proxies: dict[str, FaultProxy] = {}
        self._peers: dict[str, Peer] = {}
        self._faults: list[tuple[ScheduledFault, tuple[int, int]]] = []
        for fault in schedule.faults:
            self.add(fault, plant.time)

    def add(self, fault: ScheduledFault, begin: int) -> None:
        """Add a fault whose start is after ``begin`` (UTC seconds)."""
        if KINDS[fault.kind].of == "gateway":
            asset_number("truck", fault.target, count=first_maker_trucks(self._trucks))
        elif fault.asset_type:
            self.sensors.add(fault, begin)
        self._faults.append((fault, fault.span(begin)))

    async def attach(self, peer: Peer) -> dict[str, object]:
        """Start a proxy before a peer; return the peer's address with the proxy's port."""
        address = dict(peer.address)
        if (link := getattr(peer, "link", None)) is not None:
            self._proxies["trucks" if peer.name == "mqtt" else peer.name] = link
        self._peers[peer.name] = peer
        if peer.name not in CONNECTED or peer.name in self._proxies:
            return address
        endpoint = address.get("endpoint")
        port = urlsplit(str(endpoint)).port if endpoint is not None else int(str(address["port"]))
        assert port is not None
        proxy = self._proxies[peer.name] = FaultProxy(port, seed=f"{self._seed} {peer.name}")
        await proxy.start()
        if endpoint is not None:
            address["endpoint"] = str(endpoint).replace(f":{port}", f":{proxy.port}", 1)
            if isinstance(commands := address.get("commands"), dict) and "url" in commands["options"]:
                options = {**commands["options"], "url": address["endpoint"]}
                address["commands"] = {**commands, "options": options}
        else:
            address["port"] = proxy.port
        return address

    async def apply(self, step: Step, truth: Truth) -> None:
        """Begin and end the faults of a step."""
        for fault, (first, last) in self._faults:
            if step.begin <= first < step.end:
                await self._switch(fault, on=True)
                truth.record_fault(first, "begins", _named(fault), _details(fault))
            if step.begin <= last < step.end:
                await self._switch(fault, on=False)
                truth.record_fault(last, "ends", _named(fault), _details(fault))

    async def stop(self) -> None:
        """Close all connections."""
        for proxy in self._proxies.values():
            await proxy.stop()

    async def _switch(self, fault: ScheduledFault, *, on: bool) -> None:
        gateways = self._peers.get("mqtt")
        if KINDS[fault.kind].of == "gateway":
            # Nothing ends: the disk stays the new one, and what was refused stays refused.
            if on and gateways is not None:
                await _harm_gateway(gateways, fault, self._trucks)
        elif KINDS[fault.kind].of == "service":
            if (set_mood := getattr(self._peers.get(fault.target), "set_mood", None)) is not None:
                set_mood(bad=True if on else None)
        elif (proxy := self._proxies.get(fault.target)) is not None:
            if on:
                proxy.begin(fault.kind, fault.amount)
            else:
                proxy.end(fault.kind)


async def _harm_gateway(gateways: Any, fault: ScheduledFault, trucks: int) -> None:  # noqa: ANN401  (loaded with its libraries)
    truck = asset_number("truck", fault.target, count=trucks)
    if fault.kind == "disk_replaced":
        await gateways.replace_disk(truck)
    else:
        await gateways.pose_as(truck, (truck + 1) % first_maker_trucks(trucks))


def _named(fault: ScheduledFault) -> tuple[str, str, str, str]:
    """Return kind, asset type (``peer`` for a server), asset and signal as the truth has them."""
    return fault.kind, fault.asset_type or "peer", fault.target, fault.signal or "*"


def _details(fault: ScheduledFault) -> dict[str, float | str]:
    kind = KINDS[fault.kind]
    if kind.amount is None or fault.amount is None:
        return {}
    return {"amount": fault.amount, "what": kind.amount[0], "unit": kind.amount[1]}
