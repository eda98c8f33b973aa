"""What pages need of a twin with live sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LiveTwin", "Status", "has_live_sources"]


class Status(Protocol):
    """State of the historian and of its sources at an instant."""

    @property
    def running(self) -> bool:
        """Whether a historian runs."""

    @property
    def updated_ns(self) -> int:
        """When the historian wrote this, ns UTC; 0 if none has ever run."""

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Source -> its health, latencies, counts, findings and gaps."""


class LiveTwin(TwinReader, Protocol):
    """A twin with live sources."""

    @property
    def mappings(self) -> Mapping[str, Any]:
        """Source -> its mapping."""

    def live_status(self) -> Status:
        """Return the last status of the historian."""

    def gaps(self, source: str) -> pd.DataFrame:
        """Return the gaps that a source recorded."""

    def recent_rows(self, source: str, *, rows: int) -> pd.DataFrame:
        """Return the rows of a source that arrived last, newest first."""

    def freshness(self) -> pd.DataFrame:
        """Return a row for each asset that a live source has sent rows of: state, age, latency, gaps, clock offset."""


def has_live_sources(twin: object) -> TypeGuard[LiveTwin]:
    """Return whether a mapping of a twin has ``live:``; a view of a twin's past has none."""
    # Not isinstance: before Python 3.12 it evaluates each property of the protocol, and `events` reads all tables.
    if not hasattr(twin, "live_status"):
        return False
    mappings: Mapping[str, Any] = getattr(twin, "mappings", {})
    return any(getattr(one, "live", None) is not None for one in mappings.values())
