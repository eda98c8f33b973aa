"""What was decided about the versions of a model, by whom, when and why: a file that is replaced in one step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from twinlab._files import sync_file, sync_folder, write_atomically
from twinlab.errors import CorruptionError

__all__ = ["FILE", "Decision", "current_version", "open_proposals", "read_decisions", "state_of", "write_decision"]

FILE: Final = "decisions.json"
What = Literal["added", "proposed", "promoted", "discarded", "rolled back"]
#: Decisions after which the version is the one in use.
_IN_USE: Final = ("added", "promoted", "rolled back")


@dataclass(frozen=True)
class Decision:
    """One decision.

    Parameters
    ----------
    what : "added", "proposed", "promoted", "discarded" or "rolled back"
    version : str
        What it is about; of "rolled back" the version that is in use again.
    before : str
        The version in use before it; empty for the first one.
    at : str
        When, UTC.
    author, reason : str
    """

    what: What
    version: str
    before: str = ""
    at: str = ""
    author: str = ""
    reason: str = ""


def read_decisions(folder: Path) -> list[Decision]:
    """Return the decisions of a model, the first one first; none if there is no file.

    Raises
    ------
    CorruptionError
        If the file can't be read; names it.
    """
    file = folder / FILE
    try:
        return [Decision(**one) for one in json.loads(file.read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        msg = f"the decisions {file} can't be read: {error}; restore the file, or remove its folder and add the model again"
        raise CorruptionError(msg) from error


def write_decision(folder: Path, decision: Decision) -> None:
    """Add a decision; it is durable when this returns, and an interrupt leaves the file as it was."""
    stamped = asdict(decision) | {"at": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")}
    found = [*map(asdict, read_decisions(folder)), stamped]

    def write(draft: Path) -> None:
        draft.write_text(json.dumps(found, indent=1, ensure_ascii=False), encoding="utf-8")
        sync_file(draft)

    write_atomically(folder / FILE, write)
    sync_folder(folder)


def current_version(decisions: Sequence[Decision]) -> str:
    """Return the version in use; empty if there is none yet."""
    used = [one.version for one in decisions if one.what in _IN_USE]
    return used[-1] if used else ""


def state_of(decisions: Sequence[Decision], version: str) -> str:
    """Return ``current``, ``proposed``, ``earlier`` or ``discarded`` of a version; empty if nothing was decided about it."""
    if version == current_version(decisions):
        return "current"
    own = [one.what for one in decisions if one.version == version]
    if not own:
        return ""
    return own[-1] if own[-1] in ("proposed", "discarded") else "earlier"


def open_proposals(decisions: Sequence[Decision]) -> list[str]:
    """Return the versions that are proposed and neither promoted nor discarded."""
    versions = dict.fromkeys(one.version for one in decisions if one.what == "proposed")
    return [one for one in versions if state_of(decisions, one) == "proposed"]
