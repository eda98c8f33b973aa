"""What a reader has solved: a file in their configuration folder, sent to nobody; off by one line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twinlab._files import write_atomically
from twinlab.apps.frame.settings import config_folder

__all__ = ["note", "progress_file", "remember", "solved"]


def progress_file() -> Path:
    """Return the file: ``learning.json`` in the user's configuration folder for twinlab."""
    return config_folder() / "learning.json"


def remember(progress: bool = True, /) -> None:  # noqa: FBT001, FBT002  (one line, read as a sentence)
    """State whether solved exercises are noted in a file of this user; ``remember(False)`` also removes what was noted.

    Parameters
    ----------
    progress : bool
        False: nothing is noted from now on.

    Raises
    ------
    OSError
        If the file can't be written.
    """
    _write({"remember": bool(progress), "exercises": _read()["exercises"] if progress else {}})


def note(exercise: str, *, right: bool) -> None:
    """Note a try, unless the reader wants none noted or the folder can't be written."""
    found = _read()
    if not found["remember"]:
        return
    entry = found["exercises"].setdefault(exercise, {"tries": 0, "solved": ""})
    entry["tries"] += 1
    if right and not entry["solved"]:
        entry["solved"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    try:
        _write(found)
    except OSError:
        # A check is worth more than its note.
        return


def solved() -> dict[str, str]:
    """Return exercise -> instant at which it was solved first, UTC."""
    return {name: entry["solved"] for name, entry in _read()["exercises"].items() if entry["solved"]}


def _read() -> dict[str, Any]:
    """Return the contents of the file; those of a new one if it isn't there or isn't readable."""
    try:
        found = json.loads(progress_file().read_text(encoding="utf-8"))
        entries = {
            str(name): {"tries": int(one["tries"]), "solved": str(one["solved"])}
            for name, one in found["exercises"].items()
        }
        return {"remember": bool(found["remember"]), "exercises": entries}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"remember": True, "exercises": {}}


def _write(contents: dict[str, Any]) -> None:
    path = progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(contents, indent=1) + "\n"
    write_atomically(path, lambda draft: draft.write_text(text, encoding="utf-8"))
