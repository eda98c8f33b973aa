"""Keys of a run: one for each device, and those of the people who try the demo; made at its start, removed at its end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import yaml

from twinlab._files import file_name, write_atomically
from twinlab.signing.keys.key_file import create_key
from twinlab.signing.keys.ring import PublicKey, Role

__all__ = ["PEOPLE", "RunKeys"]

#: Who may try the demo: name -> role. Two operators, because some commands need two.
PEOPLE: dict[str, Role] = {
    "operator-1": "operator", "operator-2": "operator", "dispatcher-1": "dispatcher", "viewer-1": "viewer",
    "security-1": "security",
}  # fmt: skip


class RunKeys:
    """Files of keys in a folder that only its owner may read.

    Parameters
    ----------
    folder : Path
        Gets ``keys.yaml`` (public keys), ``people/`` and ``devices/`` (a private key each); those of a run that has begun are taken.
    devices : iterable of str
        Names of devices, such as ``forklift/F01``.
    """

    def __init__(self, folder: Path, devices: Iterable[str]) -> None:
        self.folder = folder
        if self.ring.exists():
            return
        for name in ("people", "devices"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        people = {
            name: {"roles": [role], "keys": [_plain(create_key(self.person(name)))]} for name, role in PEOPLE.items()
        }
        machines = {name: {"keys": [_plain(create_key(self.device(name)))]} for name in devices}
        text = yaml.safe_dump({"people": people, "devices": machines}, sort_keys=False)
        write_atomically(self.ring, lambda draft: draft.write_text(text, encoding="utf-8"))

    @property
    def ring(self) -> Path:
        """The file of public keys, which devices read for each message."""
        return self.folder / "keys.yaml"

    def person(self, name: str) -> Path:
        """Return the file of a person's private key."""
        return self.folder / "people" / f"{name}.pem"

    def device(self, name: str) -> Path:
        """Return the file of a device's private key."""
        return self.folder / "devices" / f"{file_name(name)}.pem"

    @property
    def address(self) -> dict[str, object]:
        """Paths of the file of keys, and of the private keys of people."""
        return {"keys": str(self.ring), "people": {name: str(self.person(name)) for name in PEOPLE}}


def _plain(key: PublicKey) -> dict[str, str]:
    return {"public": key.public}
