"""What the Security page needs of a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeGuard

from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SecuredTwin", "has_security"]


class SecuredTwin(TwinReader, Protocol):
    """A twin with security events."""

    def security_events(self, *, start: object = None, stop: object = None) -> pd.DataFrame:
        """Return the security events that overlap a window."""

    def gateways(self) -> pd.DataFrame:
        """Return a row for each gateway: state, keys, epoch, sequence, messages in quarantine."""

    def quarantine(self, source: str | None = None) -> pd.DataFrame:
        """Return the messages that sources didn't take."""

    def release_message(self, id: str, *, by: str, note: str = "") -> None:  # noqa: A002
        """Let a quarantined message in."""

    def discard_message(self, id: str, *, by: str, note: str = "") -> None:  # noqa: A002
        """Discard a quarantined message."""

    def personal_reads(self, *, count: int = 200) -> pd.DataFrame:
        """Return who has read, released or erased personal data."""

    def privacy_budget(self) -> pd.DataFrame:
        """Return for each purpose what releases have cost, and how much is left."""


def has_security(twin: object) -> TypeGuard[SecuredTwin]:
    """Return whether a twin has anything to secure: gateways, commands, or personal data."""
    return hasattr(twin, "security_events") and bool(getattr(twin, "has_security", False))
