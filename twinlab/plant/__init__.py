"""PLANT: a simulated parcel network for demos, tests and training; from a seed, with messy files as real systems write.

In: a size and a seed. Out: the files of its systems, and the true states in separate files.
Read in order: `network/` (the simulation), `files/` (the files of each system).
Never: an import from a room that reads these files; different bytes for the same seed.
"""

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
