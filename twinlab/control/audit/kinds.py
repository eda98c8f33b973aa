"""What rows of an audit may say: the kinds, and for each the fields that it may have.

A row has names of signers and users, and nothing else about persons: a field that isn't listed is refused.

Three kinds the log writes by itself, and takes from nobody: ``segment`` (the first row of each file: the log and the tree before it),
``torn`` (bytes that a writer didn't finish, and that were never acknowledged), ``heads`` (signed heads didn't reach a second place, or do
again).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["KINDS"]

_COMMAND: Final = (
    "id", "twin", "operation", "target", "parameter", "value", "unit", "counter", "issued_at", "expires_at", "expected_state", "asked_because",
    "outcome", "reason", "check", "more", "device", "time", "wire", "wire_sha256",
)  # fmt: skip
_PLAN: Final = ("id", "target", "parameter", "value", "unit", "before", "verdict", "outcome", "reason")

#: Kind of a row -> fields of its ``what``.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    # Messages to a guard, and what it answered. `wire` is the envelope, so that nobody can deny it.
    "command accepted": _COMMAND,
    "command refused": _COMMAND,
    "command answered": _COMMAND,
    # After a restart, of one that was under way; and of a target that went to fail-safe by itself.
    "command recovered": _COMMAND,
    "link lost": _COMMAND,
    "emergency stop": _COMMAND,
    # What a device has recorded by itself and signed: its entry's number and kind, and the hash of its line.
    "device record": ("number", "recorded", "sha256", *_COMMAND),
    # What was proposed, who agreed, what was sent, and what the asset reported afterwards.
    "proposal": _PLAN,
    "approval": _PLAN,
    "plan sent": (*_PLAN, "predicted", "reported"),
    "plan withdrawn": _PLAN,
    # Once, when what was predicted is over: whether it came so.
    "plan compared": _PLAN,
    # Personal data that were read; of whom isn't recorded.
    "read": ("asset_type", "event_type", "fields", "purpose", "start", "stop", "rows", "page", "outcome", "reason"),
    "release": (
        "id", "purpose", "to", "recipient", "fields", "rows", "file", "sha256", "risk", "epsilon", "group_size", "outcome", "reason",
    ),
    "erasure": (
        "id", "subject", "subject_sha256", "keys", "months", "files", "hits_before", "hits_after", "outcome", "reason",
    ),
    # The first row after a backup was restored: rows between it and the backup's instant were lost.
    "restored": ("number", "at", "rows", "keys"),
    "reidentification": ("id", "pseudonym", "pseudonym_sha256", "purpose", "outcome", "reason"),
    # Logins, and what was refused to whom.
    "login": ("how", "address", "outcome", "reason"),
    "login refused": ("how", "address", "outcome", "reason"),
    "logout": ("how",),
    "access refused": ("page", "question", "field", "purpose", "reason"),
    "roles changed": ("user", "roles", "reason"),
    # The hash of a file that says who may do what, or of a part of it, before and after; who noticed the change.
    "policy changed": ("policy", "before", "sha256", "modified", "reason"),
    "keys changed": ("owner", "key_id", "outcome", "reason"),
    "intrusion": ("id", "source", "test", "outcome", "reason"),
}  # fmt: skip
