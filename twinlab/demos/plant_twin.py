"""A twin of a plant that runs already, in this or another process: its model, a mapping for each of its servers."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from twinlab.demos.live_control import write_control
from twinlab.demos.live_mappings import live_mappings
from twinlab.demos.recipes import write_live_recipe
from twinlab.errors import SourceError
from twinlab.model.load import load_model
from twinlab.plant import ParcelSize
from twinlab.twin import create

if TYPE_CHECKING:
    from twinlab.twin import Twin

__all__ = ["twin_of_plant"]


def twin_of_plant(plant: str | Path, folder: str | Path) -> Twin:
    """Make a twin that follows a running plant once ``twinlab run`` runs it.

    Parameters
    ----------
    plant : path
        Folder of the plant.
    folder : path
        Of the new twin.

    Raises
    ------
    SourceError
        If no plant runs there, or there is a twin already.
    """
    notice = Path(plant) / "plant.json"
    if not notice.exists():
        msg = f"{plant}: expected the folder of a running plant, with plant.json; start one with: twinlab plant run --folder {plant}"
        raise SourceError(msg)
    peers = json.loads(notice.read_text(encoding="utf-8"))["peers"]
    with tempfile.TemporaryDirectory() as drafts:
        model = write_live_recipe(ParcelSize.small(), Path(drafts)) / "twin.yaml"
        types = load_model(model).asset_types
        signals = {(name, signal) for name, one in types.items() for signal in one.signals}
        mappings = Path(drafts) / "mapping"
        mappings.mkdir()
        for name, mapping in live_mappings(peers, signals=signals).items():
            text = yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False)
            (mappings / f"{name}.yaml").write_text(text, encoding="utf-8")
        made = create(folder, model=model, mappings=mappings)
    write_control(peers, made.folder)
    return made
