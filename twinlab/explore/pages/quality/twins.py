"""What the Quality page needs of a twin that can be checked, revised and calibrated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.calibration import Calibration

__all__ = ["Diff", "Repairable", "Report", "Revision", "can_repair"]


class Diff(Protocol):
    """What a revision changes."""

    cells: pd.DataFrame
    empty: bool

    def plot(self) -> Any:
        """Return a picture of the changed cells."""

    def _repr_html_(self) -> str: ...


class Revision(TwinReader, Protocol):
    """A history under other definitions."""

    id: str

    def diff(self) -> Diff:
        """Return what the revision changes."""

    def promote(self, *, author: str, reason: str) -> None:
        """Make it the published history."""

    def discard(self, *, author: str, reason: str) -> None:
        """Delete it."""


class Report(Protocol):
    """What was found."""

    table: pd.DataFrame
    mappings: dict[str, str]

    def fixed_mapping(self, *rows: int) -> str:
        """Return a mapping with the fixes of some rows."""

    def calibration(self, row: int) -> Calibration:
        """Return the calibration that a row proposes."""


@runtime_checkable
class Repairable(TwinReader, Protocol):
    """A twin that can be checked, revised and calibrated."""

    def check(self, *, start: object, stop: object) -> Report:
        """Find what is wrong with the data."""

    def remap(
        self, source: str, mapping: str, *, author: str, reason: str, progress: Callable[[int, int, str], None]
    ) -> Revision:
        """Build the history under another mapping."""

    def calibrations(self) -> pd.DataFrame:
        """Return the calibrations that apply."""

    def calibrated_exceptions(self, *, calibrations: Calibration) -> pd.DataFrame:
        """Return the exceptions that a calibration changes."""

    def add_calibration(self, calibration: Calibration, *, author: str, replace: bool) -> None:
        """Apply a calibration."""

    def remove_calibrations(self, asset: str, signal: str, *, at: object, author: str, reason: str) -> int:
        """Withdraw calibrations of a sensor."""

    def annotations(self) -> pd.DataFrame:
        """Return what people have annotated."""


def can_repair(twin: object) -> bool:
    """Return whether a twin can be checked and revised; a read-only view of its past can't."""
    return isinstance(twin, Repairable)
