"""Files of a twin's folder beside definitions, ledger and history: which are in a backup, and how they are read while they change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from twinlab.twin.remote.changing_files import Found, stable_files

__all__ = ["Found", "is_private_key", "other_files"]

#: What is made again from the ledger, or belongs to a process that runs; at the top of the folder.
_DERIVED = ("cache", "history", "history.building", "history.old", "ledger", "also")
#: Of a twin with data about people: made from their data, and readable without their keys.
_FROM_PEOPLE = ("anomalies", "finders", "models", "predictions", "proposals", "scenarios", "scores")
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")

WHY_KEY = "a private key: who has the backup could sign as its owner; keep a copy apart, or use --with-keys"
WHY_PEOPLE = "made from data about people, readable without their keys; it is made again"


def other_files(folder: Path, *, private: bool, with_keys: bool, known: Mapping[str, object]) -> Found:
    """Return the files of a twin's folder that a push doesn't send.

    Each folder at the top is as it was at one instant: if a file changes while it is read, the folder is read again.

    Parameters
    ----------
    folder : Path
    private : bool
        Whether the twin has data about people.
    with_keys : bool
        Whether private keys are included.
    known : mapping
        Paths that are in the backup already.

    Raises
    ------
    SourceError
        If a folder never stays as it is for long enough.
    """
    found = Found()
    # The audit last: what happens is in it before it happens.
    for top in sorted(folder.iterdir(), key=lambda path: (path.name == "audit", path.name)):
        if top.name in _DERIVED or top.name.startswith("."):
            continue
        if private and top.name in _FROM_PEOPLE:
            found.left_out[f"{top.name}/"] = WHY_PEOPLE
            continue
        part = stable_files(folder, top, left_out=None if with_keys else _why_key, known=known)
        found.files |= part.files
        found.left_out |= part.left_out
    return found


def is_private_key(path: Path) -> bool:
    """Return whether a file has a private key, plain or sealed with a passphrase."""
    with path.open("rb") as file:
        head = file.read(4096)
    return _KEY.search(head) is not None or (path.parent.name == "keys" and path.parent.parent.name == "control")


def _why_key(path: Path) -> str | None:
    return WHY_KEY if is_private_key(path) else None
