"""The workshop's audit: who proposed, approved and was refused; and the keys that count."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab.control.audit import AuditLog
from twinlab.signing.keys import create_key
from twinlab.signing.keys.ring_edits import add_key, revoke_keys

if TYPE_CHECKING:
    from twinlab.signing.keys import Role

__all__ = ["write_records"]

#: Kind, who, and what of each row.
_ROWS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("login", "operator-1", {"how": "password"}),
    ("proposal", "operator-1", {"id": "p1", "target": "forklift/V1", "parameter": "max_speed", "value": 5, "unit": "km/h", "verdict": "safe"}),
    ("approval", "operator-2", {"id": "p1", "target": "forklift/V1", "parameter": "max_speed", "value": 5, "unit": "km/h"}),
    ("login refused", "viewer-1", {"how": "password", "reason": "wrong password"}),
    ("login refused", "operator-3", {"how": "password", "reason": "wrong password"}),
    ("login refused", "operator-3", {"how": "password", "reason": "wrong password"}),
    ("login", "viewer-1", {"how": "password"}),
    ("access refused", "viewer-1", {"page": "control", "reason": "the role viewer doesn't open this page"}),
    ("access refused", "viewer-2", {"page": "quality", "reason": "the role viewer doesn't open this page"}),
    ("access refused", "viewer-1", {"page": "security", "reason": "the role viewer doesn't open this page"}),
    ("proposal", "operator-3", {"id": "p2", "target": "forklift/V2", "parameter": "max_speed", "value": 7, "unit": "km/h", "verdict": "unsafe"}),
    ("plan withdrawn", "operator-3", {"id": "p2", "target": "forklift/V2", "parameter": "max_speed", "value": 7, "unit": "km/h"}),
    ("roles changed", "admin-1", {"user": "viewer-2", "roles": ["analyst"]}),
    ("logout", "operator-1", {"how": "password"}),
)  # fmt: skip
#: Owner of a key -> roles.
_PEOPLE: dict[str, list[Role]] = {
    "operator-1": ["operator", "dispatcher"], "operator-2": ["operator"], "operator-3": ["operator"],
    "dispatcher-1": ["dispatcher"], "dispatcher-2": ["dispatcher"], "viewer-1": ["viewer"],
}  # fmt: skip
_REVOKED = ("operator-3", "dispatcher-2")


def write_records(folder: Path) -> None:
    """Write the audit, ``keys.yaml`` and ``control.yaml`` of a workshop twin. No endpoint: nothing can be sent, whatever is approved."""
    keys = folder / "keys.yaml"
    # The private keys are thrown away: nobody signs in the workshop.
    with tempfile.TemporaryDirectory() as scratch:
        for owner, roles in _PEOPLE.items():
            add_key(keys, owner, create_key(Path(scratch) / f"{owner}.pem"), roles=roles)
    for owner in _REVOKED:
        revoke_keys(keys, owner, reason="lost")
    (folder / "control.yaml").write_text(
        "# No endpoints: no device is reached from here.\nkeys: keys.yaml\n", encoding="utf-8"
    )
    with AuditLog(folder / "audit") as log:
        for kind, who, what in _ROWS:
            log.append({"kind": kind, "who": [who], "what": what})
