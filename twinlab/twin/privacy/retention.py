"""Retention by class: keys of months that are too old are destroyed, so that nobody reads these data any more."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from twinlab.signing.subjects.key_folder import file_subject
from twinlab.twin.privacy.erasure import destroy_and_rebuild
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit

if TYPE_CHECKING:
    from twinlab.model.privacy.section import PrivacyRule
    from twinlab.signing.subjects.key_folder import KeyFolder

__all__ = ["apply_retention", "first_month_kept", "is_due"]


def first_month_kept(now: datetime, longest_ns: int) -> str:
    """Return the first month of which some data are young enough.

    >>> first_month_kept(datetime(2026, 5, 15, tzinfo=UTC), 30 * 86_400 * 10**9)
    '2026-04'
    """
    return (now - timedelta(microseconds=longest_ns // 1000)).strftime("%Y-%m")


def apply_retention(twin: WholeTwin, *, now: datetime | None = None, who: str = "housekeeping") -> list[str]:
    """Destroy the keys of months all of whose data are older than ``privacy.retention`` allows; return these periods of people's keys.

    A month's key is needed until its last day is too old. Copies of files have the shortest of the stated ages, whether people have keys
    or not. If keys of people were destroyed, the history is made again.
    """
    encryption, rule = twin.ledger.encryption, twin.model.privacy
    if encryption is None or rule is None or not rule.retention:
        return []
    keys, firsts = encryption.keys, _firsts(rule, now)
    of_files = max(firsts.values())
    people, files = _overdue(keys, firsts)
    if not people and not files:
        return []

    def destroy() -> list[str]:
        gone = {
            period for name in people for kind, first in firsts.items()
            for period in keys.destroy(name, before=first, of=kind)
        }  # fmt: skip
        for name in files:
            keys.destroy(name, before=of_files)
        return sorted(gone)

    audit = PrivacyAudit(twin.folder)
    row = {"id": uuid.uuid4().hex[:12], "keys": len(people) + len(files)}
    begun = {**row, "months": sorted({period for due in people.values() for period in due}), "outcome": "begun"}
    audit.append({"kind": "erasure", "who": [who], "what": begun})
    # The history is made of the ledger's rows, not of copies of files.
    gone = destroy_and_rebuild(twin, destroy) if people else destroy()
    audit.append({"kind": "erasure", "who": [who], "what": {**row, "months": gone, "outcome": "too old"}})
    return gone


def is_due(twin: WholeTwin, *, now: datetime | None = None) -> bool:
    """Return whether `apply_retention` would destroy keys; nothing is changed."""
    encryption, rule = twin.ledger.encryption, twin.model.privacy
    if encryption is None or rule is None or not rule.retention:
        return False
    return any(_overdue(encryption.keys, _firsts(rule, now)))


def _firsts(rule: PrivacyRule, now: datetime | None) -> dict[str, str]:
    """Return class -> first month that is kept."""
    instant = datetime.now(UTC) if now is None else now
    return {name: first_month_kept(instant, age) for name, age in rule.retention_ns.items()}


def _overdue(keys: KeyFolder, firsts: Mapping[str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return the people who have keys that are too old, with the periods of these, and such copies of files."""
    of_files = {"personal": max(firsts.values())}
    people = {name: due for name in keys.subjects() if (due := _due(keys.months(name), firsts))}
    files = [name for name in map(file_subject, keys.files()) if _due(keys.months(name), of_files)]
    return people, files


def _due(periods: Iterable[str], firsts: Mapping[str, str]) -> list[str]:
    """Return the periods before the first month that is kept of their class."""
    found = ((period, *period.partition(" ")) for period in periods)
    return [
        period for period, month, _, kind in found if month < firsts.get(kind or "personal", "") and month[:1].isdigit()
    ]
