"""All files of a network, written to a folder: what its sources leave behind, and the truth beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twinlab.plant.files.dispatch import write_dispatch
from twinlab.plant.files.erp import write_erp
from twinlab.plant.files.loggers import write_loggers
from twinlab.plant.files.telematics import write_boxes
from twinlab.plant.files.truth import write_truth
from twinlab.plant.network.network import Network

__all__ = ["PlantFiles", "write_files"]


@dataclass(frozen=True)
class PlantFiles:
    """Where a network's files are."""

    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """What the sources left, in the order in which a twin takes it: the ERP's master data first."""
        found = sorted((self.folder / "files").iterdir())
        return tuple(sorted(found, key=lambda path: path.suffix != ".sqlite"))

    @property
    def truth(self) -> tuple[Path, ...]:
        """The tables of truth; they're not for a twin."""
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
        Made if it doesn't exist.
    progress : callable, optional
        Told about each step.
    """
    say = progress or (lambda _done, _total, _what: None)
    target = Path(folder)
    files, truth = target / "files", target / "truth"
    files.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    say(0, 4, "ERP")
    write_erp(network, files)
    say(1, 4, "fridge loggers")
    write_loggers(network, files)
    say(2, 4, "telematics")
    write_boxes(network, files)
    say(3, 4, "dispatch sheet")
    _, edits = write_dispatch(network, files)
    write_truth(network, edits, truth)
    say(4, 4, "")
    return PlantFiles(target)
