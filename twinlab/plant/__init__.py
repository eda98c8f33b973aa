"""PLANT: a simulated parcel network for demos, tests and training; from a seed, with messy files as real systems write.

In: a size, a seed and commands. Out: what happens step by step; the files of its systems, and the truth beside them.
Read in order: `network/` (the parts of the simulation), `steps/` (advance and command them), `files/` (the files of each
system), `faults/`, `peers/` (servers) and `run/` (the running program).
Never: an import from a room that reads these files; different bytes for the same seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab._lazy import attach

if TYPE_CHECKING:
    from twinlab.plant.files.writing import PlantFiles, write_files
    from twinlab.plant.network.network import Network
    from twinlab.plant.network.rates import FailureRates
    from twinlab.plant.network.size import ParcelSize
    from twinlab.plant.steps.plant import Plant
    from twinlab.plant.steps.simulate import simulate_network

__all__ = ["FailureRates", "Network", "ParcelSize", "Plant", "PlantFiles", "simulate_network", "write_files"]

__getattr__, __dir__ = attach(
    __name__,
    {
        "FailureRates": "network.rates",
        "Network": "network.network",
        "ParcelSize": "network.size",
        "Plant": "steps.plant",
        "PlantFiles": "files.writing",
        "simulate_network": "steps.simulate",
        "write_files": "files.writing",
    },
)
