"""What the page Use needs of a twin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeGuard

from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CountedTwin", "has_usage"]


class CountedTwin(TwinReader, Protocol):
    """A twin whose use is counted."""

    def usage(self, *, by: Literal["week", "day"] = "week") -> pd.DataFrame:
        """Return how often pages were opened and tasks were done."""

    @property
    def counts_usage(self) -> bool:
        """Whether use is counted now."""


def has_usage(twin: object) -> TypeGuard[CountedTwin]:
    """Return whether use of a twin is counted, or was."""
    return hasattr(twin, "usage") and bool(getattr(twin, "has_usage", False))
