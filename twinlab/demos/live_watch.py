"""What is usual of a plant that runs, learnt from its past: rooms are watched by the historian, trucks scored by their gateways."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from twinlab._files import replace_file
from twinlab.twin import Twin

__all__ = ["watch_usual"]

#: What is watched while the historian runs.
_WATCHED: Final = "cold_room"
#: Signals of trucks that their boxes have, too.
_OF_TRUCKS: Final = ("speed", "fuel")


def watch_usual(twin: Twin, gateways: Path) -> None:
    """Watch the cold rooms of a twin from now on, and give the gateways of its trucks a model to score their rows with.

    Parameters
    ----------
    twin : Twin
        With the past of its plant.
    gateways : Path
        Folder of the plant's gateways; gets ``truck.npz``.
    """
    twin.watch_anomalies(_WATCHED)
    if not gateways.is_dir():
        # The plant runs without them.
        return
    model = twin.fit_anomalies("truck", signals=list(_OF_TRUCKS)).model
    # Gateways are opened again as soon as the model is there: it has to be whole.
    model.export(gateways / "draft.npz")
    replace_file(gateways / "draft.npz", gateways / "truck.npz")
