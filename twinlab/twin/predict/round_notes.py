"""When the predictions of ``twin.yaml`` were last tried, and why they failed: a file beside the stored predictions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from twinlab._files import write_atomically

__all__ = ["note_rounds", "read_rounds"]

_FILE: Final = ".rounds.json"


def read_rounds(folder: Path) -> dict[str, dict[str, str]]:
    """Return the last round of each rule: ``at`` (UTC), and ``error``, empty if it did what it should."""
    try:
        found: dict[str, dict[str, str]] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Nothing was tried, or a file that the next round writes again.
        return {}
    return found


def note_rounds(folder: Path, now: np.datetime64, tried: Sequence[str], failed: Mapping[str, str]) -> None:
    """Note that rules were tried at an instant."""
    if not tried:
        return
    at = np.datetime_as_string(now, "s")
    found = read_rounds(folder) | {name: {"at": at, "error": failed.get(name, "")} for name in tried}
    folder.mkdir(exist_ok=True)
    write_atomically(folder / _FILE, lambda draft: draft.write_text(json.dumps(found), encoding="utf-8"))
