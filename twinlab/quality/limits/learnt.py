"""Limits that were learnt, with their evidence and their text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.model.yamltext import write_line
from twinlab.quality.signals.climatology import SeasonSpan

__all__ = ["LearntLimits"]


@dataclass(frozen=True)
class LearntLimits:
    """Spans of a signal by season and hour, as `learn_limits` found them."""

    spans: tuple[SeasonSpan, ...]
    """The last one that covers a value counts, so coarser ones come first."""
    zone: str
    """Time zone of months and hours."""
    unit: str
    """Unit of the spans."""
    start: np.datetime64
    """Time of the first value."""
    stop: np.datetime64
    """Time of the last value."""
    samples: int
    """Number of values they were learnt from."""
    series: int
    """Number of assets with values."""
    share_outside: float
    """Share of these values that is outside the limits, 0..1."""
    method: str
    """How a span follows from the values, one sentence."""

    def options(self) -> dict[str, object]:
        """Return the options of the quality test ``climatology``."""
        rows = []
        for span in self.spans:
            row: dict[str, object] = {}
            if len(span.months) < 12:
                row["months"] = list(span.months)
            if span.hours != (0, 24):
                row["hours"] = list(span.hours)
            rows.append(row | {"suspect": list(span.suspect)})
        return {"zone": self.zone, "spans": rows}

    @property
    def evidence(self) -> str:
        """What the limits come from, one sentence."""
        first, last = (np.datetime_as_string(one, unit="D") for one in (self.start, self.stop))
        return (
            f"learnt from {self.samples:,} values of {self.series} series, {first} to {last}; {self.method}; "
            f"{100 * self.share_outside:.3g} % of these values are outside"
        )

    def yaml(self) -> str:
        """Return the entry for ``tests:`` of the signal in ``twin.yaml``, with the evidence as a comment."""
        rows = [f"  - {write_line(row)}" for row in self._rows()]
        return "\n".join(
            [f"# {self.evidence}", "climatology:", f"  zone: {write_line(self.zone)}", "  spans:", *rows, ""]
        )

    def _rows(self) -> list[object]:
        rows = self.options()["spans"]
        return rows if isinstance(rows, list) else []
