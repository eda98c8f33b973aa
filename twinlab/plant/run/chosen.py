"""Which peers a run starts, and which assets each of them serves."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from twinlab.errors import SourceError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.plant.network.names import asset_name, first_maker_trucks
from twinlab.plant.peers.peer import Peer
from twinlab.plant.steps.plant import Plant

__all__ = ["PEERS", "make_peers", "old_and_new_rooms"]

#: Peers in the order in which they are started.
PEERS = ("erp", "mqtt", "forklifts", "modbus", "opcua", "rest", "dispatch")
#: Those whose devices take commands.
COMMANDED = frozenset({"mqtt", "forklifts", "modbus", "opcua"})


def make_peers(plant: Plant, folder: str | Path, names: Sequence[str] = PEERS) -> list[Peer]:
    """Return the peers of these names; certificates and passwords are written to ``folder/secrets``.

    Raises
    ------
    UnknownTermError
        If there is no such peer.
    SourceError
        If a peer's library isn't installed.
    """
    for name in names:
        if name not in PEERS:
            msg = f"there is no peer {name!r}{nearest(name, PEERS)}"
            raise UnknownTermError(msg)
    try:
        keys = _run_keys(plant, Path(folder)) if COMMANDED.intersection(names) else None
        found = [_make(name, plant, Path(folder), keys) for name in PEERS if name in names]
    except ModuleNotFoundError as error:
        msg = f'the plant\'s peers need the package {error.name}; install it with: pip install "twinlab-kit[plant]"'
        raise SourceError(msg) from error
    return found


def _make(name: str, plant: Plant, folder: Path, keys: object) -> Peer:
    module = importlib.import_module(f"twinlab.plant.peers.{name}")
    old, new = old_and_new_rooms(plant)
    found: object
    if name == "modbus":
        found = module.ModbusUnits(old, _authority(folder, name), folder / "refrigeration", keys)
    elif name == "opcua":
        found = module.OpcUaServer(new, _authority(folder, name), folder / "warehouses", keys)
    elif name == "rest":
        found = module.Telematics(_authority(folder, name))
    elif name == "mqtt":
        found = module.TruckGateways(folder / "mqtt", _authority(folder, name), keys)
    elif name == "forklifts":
        found = module.ForkliftGateways(folder / "forklifts", _authority(folder, name), keys)
    elif name == "erp":
        found = module.Erp(folder / "secrets")
    else:
        found = module.NightlyDispatch(folder / "dispatch", truth=folder / "truth")
    return cast("Peer", found)


def _run_keys(plant: Plant, folder: Path) -> object:
    """Return the keys of a run's devices, and of the people who try the demo."""
    size = plant.size
    devices = [
        *(f"forklift/{asset_name('forklift', number)}" for number in range(size.forklifts)),
        *(f"truck/{asset_name('truck', number)}" for number in range(first_maker_trucks(size.trucks))),
        "warehouses", "refrigeration", "audit",
    ]  # fmt: skip
    return importlib.import_module("twinlab.plant.devices.keys").RunKeys(folder / "secrets" / "commands", devices)


def _authority(folder: Path, name: str) -> object:
    certificates = importlib.import_module("twinlab.plant.peers.certificates")
    return certificates.Authority(folder / "secrets" / name)


def old_and_new_rooms(plant: Plant) -> tuple[list[int], list[int]]:
    """Return the rooms with old refrigeration units (every second hub), and those of new warehouses."""
    hubs = plant.plan.rooms.hub.tolist()
    return [room for room, hub in enumerate(hubs) if hub % 2 == 0], [room for room, hub in enumerate(hubs) if hub % 2]
