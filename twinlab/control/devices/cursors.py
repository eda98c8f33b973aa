"""Which entries of each device's record the audit has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from twinlab._files import sync_file, write_atomically
from twinlab.control.audit.rows import AuditRow

__all__ = ["KIND", "REPLACED", "Cursor", "Cursors"]

#: Kind of the rows, and what they say was recorded if a record begins anew.
KIND, REPLACED = "device record", "record replaced"


@dataclass(frozen=True)
class Cursor:
    """What of one device's record is in the audit."""

    next: int = 0
    """Number of the first entry that isn't."""
    last: str | None = None
    """SHA-256 of the line before it."""


@dataclass
class Cursors:
    """The cursors of all devices.

    They are derived from the audit, so that a process that is killed after a row was written doesn't write it again; the file only
    says up to which row of the audit they are known.
    """

    audited: int = 0
    """Number of the first row of the audit that wasn't looked at."""
    devices: dict[str, Cursor] = field(default_factory=dict)
    """Device -> cursor."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the cursors in a file; those of no row if it isn't there or can't be read."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(found["audited"]), {name: Cursor(**one) for name, one in found["devices"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def take(self, rows: Iterable[AuditRow]) -> None:
        """Advance the cursors over further rows of the audit.

        >>> cursors = Cursors()
        >>> what = {"device": "forklift/7", "number": 4, "recorded": "command refused", "sha256": "ab"}
        >>> cursors.take([AuditRow(9, "", "2026-03-01T12:00:00Z", "device record", (), what)])
        >>> cursors.devices, cursors.audited
        ({'forklift/7': Cursor(next=5, last='ab')}, 10)
        """
        for row in rows:
            self.audited = row.n + 1
            if row.kind != KIND:
                continue
            replaced = row.what.get("recorded") == REPLACED
            self.devices[str(row.what["device"])] = (
                Cursor() if replaced else Cursor(int(row.what["number"]) + 1, str(row.what["sha256"]))
            )

    def write(self, path: Path) -> None:
        """Put the cursors in the place of earlier ones.

        Raises
        ------
        SourceError
            If the file can't be written.
        """

        def draft(target: Path) -> None:
            target.write_text(json.dumps(asdict(self)), encoding="utf-8")
            sync_file(target)

        write_atomically(path, draft)
