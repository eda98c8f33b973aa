"""``control.yaml`` of the parcel twin for a running plant: where its devices take commands, and which keys count."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

__all__ = ["control_of", "write_control"]

#: Endpoint -> the plant's peer.
_ENDPOINTS = {"forklifts": "forklifts", "trucks": "mqtt", "warehouses": "opcua", "refrigeration": "modbus"}
#: Beside the twin's folder.
_HEADS = "../audit-heads.jsonl"


def control_of(peers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the contents of ``control.yaml``; None if no server of the plant takes commands.

    Parameters
    ----------
    peers : mapping of str to mapping
        ``peers`` of the running plant's ``plant.json``: name -> address.
    """
    found = {name: peers[peer]["commands"] for name, peer in _ENDPOINTS.items() if "commands" in peers.get(peer, {})}
    if not found:
        return None
    run_keys = next(iter(found.values()))["run_keys"]
    endpoints = {name: {key: value for key, value in one.items() if key != "run_keys"} for name, one in found.items()}
    # A demo has one disk: the second place of the audit's heads is another folder of it.
    audit = {"key": str(Path(run_keys["keys"]).parent / "devices" / "audit.pem"), "heads": [{"file": {"path": _HEADS}}]}
    return {"keys": run_keys["keys"], "endpoints": endpoints, "people": run_keys["people"], "audit": audit}


def write_control(peers: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Write ``control.yaml`` to a twin's folder, if the plant takes commands."""
    found = control_of(peers)
    if found is not None:
        text = "# The addresses and keys of this run of the plant; there are paths here, no secrets.\n"
        (folder / "control.yaml").write_text(text + yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
