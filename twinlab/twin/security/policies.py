"""Changes of who may do what: the hash of each policy before and after, in the audit, once for each change."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._files import write_atomically
from twinlab._locks import Lock
from twinlab.control.audit.rows import AuditEntry
from twinlab.control.audit.search import RowFilter, newest_rows
from twinlab.errors import HistoryConflictError
from twinlab.model.access.policy_file import FILE_NAME
from twinlab.twin.commanding.settings import control_settings
from twinlab.twin.privacy.recording import AUDIT

if TYPE_CHECKING:
    from twinlab.control.audit import AuditLog
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["note_policy_changes", "policies_of"]

_KIND = "policy changed"
_STATE = Path("security") / "policies.json"
#: Rows that are searched for the last one of a policy.
_ROWS = 1_000


def policies_of(folder: Path, model: TwinModel, mappings: Mapping[str, SourceMapping]) -> dict[str, tuple[bytes, Path]]:
    """Return policy -> its bytes and its file: ``access.yaml``, ``commands:``, ``control.yaml`` and the files of keys; not those without a file."""
    files = {name: folder / name for name in (FILE_NAME, "control.yaml")}
    for stated in (control_settings(folder).keys, *_rings(mappings)):
        files[f"keys {stated}"] = folder / stated
    found = {name: (path.read_bytes(), path) for name, path in files.items() if path.is_file()}
    if model.commands:
        commands = {
            kind: {name: spec.model_dump(mode="json") for name, spec in specs.items()}
            for kind, specs in model.commands.items()
        }
        found["commands"] = (json.dumps(commands, sort_keys=True).encode(), folder / "twin.yaml")
    return found


def note_policy_changes(policies: Mapping[str, tuple[bytes, Path]], folder: Path, log: Callable[[], AuditLog]) -> int:
    """Write a row for each policy that isn't as it was when it was looked at last; return how many.

    Parameters
    ----------
    policies : mapping of str to (bytes, Path)
        See `policies_of`. One that was there before and isn't any more has changed, too.
    folder : Path
        The twin's.
    log : callable
        Returns the audit; called only if something has changed.

    Raises
    ------
    ControlError
        If the audit can't be written.
    SourceError
        If the state can't be written.
    """
    state = folder / _STATE
    now = {name: hashlib.sha256(data).hexdigest() for name, (data, _) in policies.items()}
    if _read(state) == now:
        return 0
    state.parent.mkdir(parents=True, exist_ok=True)
    try:
        with Lock(state.with_suffix(".lock"), what="the policies of the twin", named=False):
            before = _read(state)
            # A process that was killed between the row and the state has written the row already.
            before |= _audited(folder / AUDIT) if before != now else {}
            changed = [name for name in sorted({*before, *now}) if before.get(name, "") != now.get(name, "")]
            for name in changed:
                path = policies[name][1] if name in policies else None
                log().append(_entry(name, before.get(name, ""), now.get(name, ""), path))
            write_atomically(state, lambda path: path.write_text(json.dumps(now), encoding="utf-8"))
    except HistoryConflictError:
        # Another process notes them at this moment.
        return 0
    return len(changed)


def _entry(name: str, before: str, after: str, path: Path | None) -> AuditEntry:
    what = {"policy": name, "before": before, "sha256": after}
    if path is not None:
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        what["modified"] = modified.isoformat(timespec="seconds").replace("+00:00", "Z")
    what["reason"] = "seen for the first time" if not before else "changed" if after else "removed"
    return AuditEntry(_KIND, (_user(),), what)


def _user() -> str:
    """Return the account of the process that has noticed a change; who made it isn't known."""
    try:
        return getpass.getuser()[:100]
    except (KeyError, OSError):
        return "unknown account"


def _rings(mappings: Mapping[str, SourceMapping]) -> list[str]:
    found = (getattr(mapping.live.options, "keys", None) for mapping in mappings.values() if mapping.live is not None)
    return [str(one) for one in found if one]


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(sha256) for name, sha256 in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _audited(audit: Path) -> dict[str, str]:
    """Return policy -> its last hash in the audit."""
    rows = newest_rows(audit, _ROWS, RowFilter(kinds=(_KIND,))) if audit.is_dir() else []
    return {str(row.what["policy"]): str(row.what["sha256"]) for row in reversed(rows)}
