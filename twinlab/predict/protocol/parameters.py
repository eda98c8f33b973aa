"""The base of predictors' parameters: their lead times as spans, and the hash of all of them."""

from __future__ import annotations

import numpy as np

from twinlab.predict.protocol.durations import duration
from twinlab.predict.protocol.hashing import hash_of

__all__ = ["Parameters"]


class Parameters:
    """The base of a frozen dataclass that has ``lead_times``."""

    lead_times: tuple[str, ...]

    @property
    def leads(self) -> list[np.timedelta64]:
        """The lead times."""
        return [duration(text, what="lead_times") for text in self.lead_times]

    def content_hash(self) -> str:
        """Hash of the parameters."""
        return hash_of(self)
