"""A parcel twin that may be commanded, with keys that are sealed with passphrases, and signed heads of its audit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.twin.commanding.conftest import Plant, _new_signer, template
from twinlab.control.audit import AuditLog
from twinlab.model.alerts.channel import Channel
from twinlab.signing.keys import SealedKeys

__all__ = ["PASSPHRASES", "signing_plant", "template"]

PASSPHRASES = {"Ann": "correct horse battery", "Bob": "staple ox umbrella"}


def make_signing_plant(folder: Path, template: Path) -> Plant:
    """Return a plant whose people sign from a page."""
    plant = Plant(folder, template)
    sealed = SealedKeys(plant.twin.folder / "control" / "keys")
    public = {name: sealed.create(name, passphrase).public for name, passphrase in PASSPHRASES.items()}
    ring = yaml.safe_load(plant.keys.read_text(encoding="utf-8"))
    for name, key in public.items():
        ring["people"][name]["keys"].append({"public": key})
    signer = _new_signer()
    ring["devices"]["audit"] = {"keys": [{"public": signer.public_key.keyval["public"]}]}
    for path in (plant.keys, plant.twin.folder / "keys.yaml"):
        path.write_text(yaml.safe_dump(ring), encoding="utf-8")
    heads = folder / "heads.jsonl"
    (plant.twin.folder / "control.yaml").write_text(
        yaml.safe_dump({"keys": "keys.yaml", "audit": {"heads": [{"file": {"path": str(heads)}}]}}), encoding="utf-8"
    )
    plant.audit.close()
    plant.audit = AuditLog(
        plant.twin.folder / "audit", signer=signer, places=[Channel(file={"path": str(heads)})], rows=5, seconds=1
    )
    return plant


def close(plant: Plant) -> None:
    plant.twin.control.close()
    plant.audit.close()


@pytest.fixture
def signing_plant(tmp_path: Path, template: Path, cheap_keys: None) -> Iterator[Any]:
    made = make_signing_plant(tmp_path, template)
    yield made
    close(made)
