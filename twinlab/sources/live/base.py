"""What kinds of live sources have in common whose peer needs no acknowledgement."""

from __future__ import annotations

from typing import ClassVar

from twinlab.sources.live.health import HealthMeter
from twinlab.sources.live.protocol import Gap, Health, LiveBatch

__all__ = ["SourceBase"]


class SourceBase:
    """Base of sources that only read: an acknowledgement does nothing, no gap can be filled, and a meter has the health.

    A class that derives from it sets ``not_kept``, or overrides `fill` if its peer has earlier rows.
    """

    not_kept: ClassVar[str] = "the peer keeps no earlier rows"
    """Why no gap can be filled."""
    _meter: HealthMeter

    async def acknowledge(self, batch: LiveBatch) -> None:
        """Do nothing: what the peer keeps doesn't depend on this reader."""

    async def fill(self, gap: Gap) -> str:
        """Return why the rows of a gap are lost."""
        del gap
        return self.not_kept

    @property
    def health(self) -> Health:
        """State, rate, errors and gaps at this moment."""
        return self._meter.health()
