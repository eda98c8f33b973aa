"""What of a twin its server needs for logins: the access policy, readers for purposes, and the audit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlab.explore.page_registry import PAGES
from twinlab.model.access.policy_faults import policy_faults
from twinlab.model.access.policy_file import FILE_NAME, AccessPolicyFile
from twinlab.model.load import refuse

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["access_policy", "audit_record", "reader_for_purpose"]


def access_policy(twin: TwinReader) -> AccessPolicyFile:
    """Return the policy file of a twin; without a file, or for a twin without a folder, the default policy counts.

    Raises
    ------
    SchemaError
        If the file isn't valid, or names a page, an asset type, a property, a purpose or a command that the twin doesn't
        have: with a line for each fault.
    """
    folder = getattr(twin, "folder", None)
    if not isinstance(folder, (str, Path)):
        return AccessPolicyFile()
    path = Path(folder) / FILE_NAME
    file = AccessPolicyFile(path)
    policy = file.read()
    refuse(policy_faults(policy, twin.model, pages=PAGES.names()), policy, str(path))
    return file


def reader_for_purpose(twin: TwinReader) -> Callable[[str, str], TwinReader] | None:
    """Return a function (purpose, user's name) -> reader that shows and records personal data as the purpose says.

    None for a reader that isn't a twin in a folder: of it, nobody sees personal data.
    """
    from twinlab.twin import Twin  # noqa: PLC0415  (pages of a fake need no twin)
    from twinlab.twin.privacy.opening import for_purpose  # noqa: PLC0415  (the same)

    if not isinstance(twin, Twin):
        return None
    return lambda purpose, user: for_purpose(twin, purpose, who=user)


def audit_record(twin: TwinReader) -> Callable[[dict[str, object]], object] | None:
    """Return a function that appends to the audit of a twin with a ``control.yaml``; None: what happens is only logged."""
    folder = getattr(twin, "folder", None)
    if not isinstance(folder, (str, Path)) or not (Path(folder) / "control.yaml").exists():
        return None
    audited: Any = twin
    # The log is opened by the first entry; if it isn't intact, nobody can log in.
    return lambda entry: audited.audit_log.append(entry)  # noqa: PLW0108  (not opened before)
