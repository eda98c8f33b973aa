"""Security events of a twin and what the rules remember, in one file that is replaced in one step."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from twinlab._files import sync_file, write_atomically
from twinlab.control.audit.tail import Place
from twinlab.events.intrusion.fold import Memory
from twinlab.events.intrusion.joined import SecurityEvent
from twinlab.events.intrusion.rule import Finding

__all__ = ["SecurityState"]

_FILE = Path("security") / "state.json"


@dataclass
class SecurityState:
    """What is known at the end of a round."""

    events: list[SecurityEvent] = field(default_factory=list)
    """Of the logs, in order of start."""
    false_values: dict[str, list[Finding]] = field(default_factory=dict)
    """Searched day, as ``2026-03-01`` -> findings in histories."""
    memory: dict[str, dict[str, Any]] = field(default_factory=dict)
    offset: int = 0
    """Bytes of the security log that were searched."""
    head: str = ""
    audited: int = 0
    """Rows of the audit that were searched,"""
    audit_seen: Place = field(default_factory=Place)
    """and where the next ones begin."""
    searched_until: int = 0
    """ns UTC until when histories were searched."""
    looked: int = 0
    """When the last round ended, ns UTC; 0 if there was none."""
    error: str = ""
    """Why histories or the audit couldn't be searched in the last round."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the state in a twin's folder; a new one if there is none or it can't be read."""
        try:
            found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return cls()
        with suppress(TypeError, KeyError):
            events = [SecurityEvent(**{**one, "evidence": tuple(one["evidence"])}) for one in found.pop("events")]
            days = {
                day: [Finding(**{**one, "evidence": tuple(one["evidence"])}) for one in findings]
                for day, findings in found.pop("false_values").items()
            }
            seen = found.pop("audit_seen", {})
            place = Place(**{**seen, "tree": tuple(seen.get("tree", ()))})
            return cls(events=events, false_values=days, audit_seen=place, **found)
        return cls()

    def write(self, folder: Path) -> None:
        """Put the state in the place of the earlier one, durably.

        Raises
        ------
        SourceError
            If the disk is full or fails.
        """
        target = folder / _FILE
        target.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), ensure_ascii=False)

        def draft(path: Path) -> None:
            path.write_text(text, encoding="utf-8")
            sync_file(path)

        write_atomically(target, draft)

    def as_memory(self) -> Memory:
        """Return what the rules remember; changes of it are changes of the state."""
        return Memory(self.memory)

    @staticmethod
    def stamp(folder: Path) -> object:
        """Return what differs if the file does."""
        try:
            about = (folder / _FILE).stat()
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino
