"""Write all files of a network to a folder: the files of its systems, and the tables of the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twinlab.plant.files.dispatch import write_dispatch
from twinlab.plant.files.erp import write_erp
from twinlab.plant.files.failure_truth import write_failure_truth
from twinlab.plant.files.loggers import write_loggers
from twinlab.plant.files.maintenance import write_maintenance
from twinlab.plant.files.telematics import write_telematics
from twinlab.plant.files.truth import write_truth
from twinlab.plant.files.weather import write_weather
from twinlab.plant.network.network import Network

__all__ = ["PlantFiles", "write_files"]


@dataclass(frozen=True)
class PlantFiles:
    """Paths of a network's files."""

    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Files of the sources, in the order for ingesting: the ERP's master data first."""
        found = sorted((self.folder / "files").iterdir())
        return tuple(sorted(found, key=lambda path: path.suffix != ".sqlite"))

    @property
    def truth(self) -> tuple[Path, ...]:
        """Tables of the truth; not for ingesting into a twin."""
        return tuple(sorted((self.folder / "truth").iterdir()))


def write_files(
    network: Network, folder: str | Path, *, progress: Callable[[int, int, str], None] | None = None
) -> PlantFiles:
    """Write a network's files to ``folder/files`` and the truth to ``folder/truth``.

    Parameters
    ----------
    network : Network
        See `simulate_network`; the same network gives the same bytes.
    folder : path
        Created if it doesn't exist.
    progress : callable, optional
        Called with (steps done, number of steps, name of the next step).
    """
    report = progress or (lambda _done, _total, _what: None)
    target = Path(folder)
    files, truth = target / "files", target / "truth"
    files.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    report(0, 4, "ERP")
    write_erp(network, files)
    report(1, 4, "fridge loggers")
    write_loggers(network, files)
    report(2, 4, "telematics")
    write_telematics(network, files)
    report(3, 4, "dispatch sheet")
    _, edits = write_dispatch(network, files)
    write_maintenance(network, files)
    write_weather(network, files)
    write_truth(network, edits, truth)
    write_failure_truth(network, truth)
    report(4, 4, "")
    return PlantFiles(target)
