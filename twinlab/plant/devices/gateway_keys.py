"""Keys that the gateways of a broker sign their messages with; made at a run's start, removed at its end."""

from __future__ import annotations

from pathlib import Path

import yaml

from twinlab._files import write_atomically
from twinlab.signing.keys.private_keys import make_key, public_text, read_key

__all__ = ["GatewayKeys"]


class GatewayKeys:
    """A private key for each gateway, and the ring of public keys for the historian.

    Parameters
    ----------
    folder : Path
        That of certificates and secrets.
    name : str
        Of the broker: ``<name>-gateways.yaml`` has the public keys.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self.ring = folder / f"{name}-gateways", folder / f"{name}-gateways.yaml"
        self._public: dict[str, str] = {}

    def key(self, gateway: str) -> Path:
        """Return the file of a gateway's private key; made, and added to the ring, if there is none."""
        path = self._folder / f"{gateway}.pem"
        if gateway not in self._public:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._public[gateway] = public_text(read_key(path)) if path.exists() else make_key(path)
            devices = {name: {"keys": [{"public": public}]} for name, public in self._public.items()}
            text = yaml.safe_dump({"people": {}, "devices": devices}, sort_keys=False)
            write_atomically(self.ring, lambda draft: draft.write_text(text, encoding="utf-8"))
        return path
