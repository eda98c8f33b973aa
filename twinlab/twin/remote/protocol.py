"""What pushing needs of a twin."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from twinlab.ledger import Ledger
from twinlab.model.twinmodel import TwinModel

__all__ = ["PushedTwin"]


class PushedTwin(Protocol):
    """A twin in a folder."""

    folder: Path
    ledger: Ledger

    @property
    def model(self) -> TwinModel:
        """The twin's model."""
