"""PLANT: the outside world of the demo, tests and training: a seeded parcel network that leaves messy files behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.plant.files.writing import PlantFiles, write_files
    from twinlab.plant.network.network import Network, simulate_network
    from twinlab.plant.network.size import ParcelSize

__all__ = ["Network", "ParcelSize", "PlantFiles", "simulate_network", "write_files"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "Network": "network.network",
        "ParcelSize": "network.size",
        "PlantFiles": "files.writing",
        "simulate_network": "network.network",
        "write_files": "files.writing",
    },
)
