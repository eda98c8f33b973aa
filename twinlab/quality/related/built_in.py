"""The tests that compare as entries of the registry, with their options and the signals they need."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from twinlab.model.basics import Term
from twinlab.model.extensions.options import Difference, Options
from twinlab.model.extensions.quality_test import QualityTest
from twinlab.quality.related.peers import peer_flags

__all__ = ["PEERS"]


class PeerOptions(Options):
    """Options of `peer_flags`."""

    resolution: Difference = Field(gt=0)
    """Smallest standard deviation of the assets that is assumed."""
    suspect: float = Field(default=5.0, gt=0)
    """In robust standard deviations."""
    fail: float | None = None
    least: int = Field(default=4, ge=2)
    """Smallest number of other assets with a value."""
    group: Term | None = None
    """Property of the asset: only assets with the same value are compared."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.fail is not None and self.fail < self.suspect:
            msg = f"expected suspect <= fail, got suspect {self.suspect}, fail {self.fail}"
            raise ValueError(msg)
        return self


PEERS = QualityTest("peers", peer_flags, PeerOptions, lazy=True, scope="type")
