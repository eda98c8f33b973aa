"""What a twin keeps of its older data: ``retention:`` in ``twin.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from twinlab.model.basics import Duration, Model, parse_duration

__all__ = ["RetentionRule"]

_DAY = 86_400 * 10**9


class RetentionRule(Model):
    """What ``twinlab compact --apply-retention`` does with cells of gauges that are older than `full_rate`.

    States, counters, events and all rollups stay, and no row of the ledger is removed.
    """

    full_rate: Duration
    """Cells younger than this stay as they are; at least 7d."""
    older: Literal["rollups", "rounded"] = "rollups"
    """Older cells of gauges are removed (their rollups stay), or rounded to `resolution`."""
    resolution: Annotated[int, Field(ge=2, le=1000)] = 4
    """With `rounded`: to so many times the signal's resolution."""
    keep: tuple[Literal["events", "flagged"], ...] = ("events", "flagged")
    """Older cells that stay as they are: those of assets during their exceptions and events (of event types and of
    finders), and those around suspect and failed values. Of a finder with a relation, cells of the other asset don't."""
    margin: Duration = "1h"
    """How much before and after these stays, too."""
    ledger: Literal["keep", "archive"] = "keep"
    """Whether rows of the ledger that are older than `full_rate` are moved to the archive, as Parquet: sealed observations, and
    rows of tables with values of signals or events. Rows of assets and relationships stay: each change of these reads all of them."""
    archive: str = "archive"
    """Folder of the archive; a relative one is in the twin's folder."""

    @property
    def full_rate_ns(self) -> int:
        """`full_rate` in nanoseconds."""
        return parse_duration(self.full_rate)

    @property
    def margin_ns(self) -> int:
        """`margin` in nanoseconds."""
        return parse_duration(self.margin)

    def faults(self) -> list[str]:
        """Return what is wrong with the keys taken together."""
        if self.full_rate_ns < 7 * _DAY:
            return [f"retention.full_rate: expected at least 7d, got {self.full_rate!r}: newer rows may still be late"]
        return []
