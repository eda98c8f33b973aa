"""What privacy needs of a `Twin`, as a protocol: the façade is above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from twinlab.model.reader import TwinReader

if TYPE_CHECKING:
    from twinlab.ledger import Ledger, VerifyReport
    from twinlab.model.mapping import Mapping as SourceMapping

__all__ = ["WholeTwin"]


class WholeTwin(TwinReader, Protocol):
    """A twin with its folder and its ledger."""

    folder: Path
    ledger: Ledger
    mappings: Mapping[str, SourceMapping]

    def verify(self) -> VerifyReport:
        """Check the ledger."""

    def close(self) -> None:
        """Close open files."""

    def reload(self) -> None:
        """Read the model and the mappings again."""

    def rebuild(self) -> object:
        """Make the history again."""

    def update_events(self) -> object:
        """Bring stored events up to date."""

    def people(self) -> Sequence[str]:
        """Return the names of the people whose data the ledger has."""
