"""Retention by class: keys of months that are too old are destroyed, so that nobody reads these data any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twinlab.signing.subjects.key_folder import file_subject
from twinlab.twin.privacy.erasure import destroy_and_rebuild
from twinlab.twin.privacy.protocol import WholeTwin
from twinlab.twin.privacy.recording import PrivacyAudit

__all__ = ["apply_retention", "first_month_kept"]


def first_month_kept(now: datetime, longest_ns: int) -> str:
    """Return the first month of which some data are young enough.

    >>> first_month_kept(datetime(2026, 5, 15, tzinfo=UTC), 30 * 86_400 * 10**9)
    '2026-04'
    """
    return (now - timedelta(microseconds=longest_ns // 1000)).strftime("%Y-%m")


def apply_retention(twin: WholeTwin, *, now: datetime | None = None, who: str = "housekeeping") -> list[str]:
    """Destroy the keys of months all of whose data are older than ``privacy.retention`` allows; return these periods.

    A month's key is needed until its last day is too old. Copies of files have the shortest of the stated ages. If keys were destroyed, the
    history is made again.
    """
    encryption, rule = twin.ledger.encryption, twin.model.privacy
    if encryption is None or rule is None or not rule.retention:
        return []
    keys, instant = encryption.keys, datetime.now(UTC) if now is None else now
    firsts = {name: first_month_kept(instant, age) for name, age in rule.retention_ns.items()}
    of_files = max(firsts.values())

    def destroy() -> list[str]:
        gone = {
            period for name in keys.subjects() for kind, first in firsts.items()
            for period in keys.destroy(name, before=first, of=kind)
        }  # fmt: skip
        for file in keys.files():
            keys.destroy(file_subject(file), before=of_files)
        return sorted(gone)

    def is_due(period: str) -> bool:
        month, _, kind = period.partition(" ")
        return month < firsts.get(kind or "personal", "") and month[:1].isdigit()

    if not any(is_due(period) for name in keys.subjects() for period in keys.months(name)):
        return []
    gone = destroy_and_rebuild(twin, destroy)
    what = {"months": gone, "outcome": "too old"}
    PrivacyAudit(twin.folder).append({"kind": "erasure", "who": [who], "what": what})
    return gone
