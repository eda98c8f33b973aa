"""PLANT: the outside world of the demo, tests and training: a seeded parcel network that leaves messy files behind.

In: a size and a seed. Out: files as real systems write them, and the truth beside them.
Read in order: `network` (what happens), `files` (what is left behind).
Never: an import from a room that reads those files; the same seed and another byte.
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
