"""What is known about one sensor's drift: numbers, a sentence of evidence, a calibration, or why nothing can be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from twinlab.model.calibration.pieces import Calibration
from twinlab.model.yamltext import write_line
from twinlab.quality.findings import Finding

__all__ = ["MONTH", "Drift", "Method", "Verdict", "six_digits"]

#: Days of a month, as slopes are stated.
MONTH: Final = 30.0
Verdict = Literal["drift", "none", "unknown"]
Method = Literal["peers", "redundancy", "past", "reference", "visits"]

_DAY: Final = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class Drift:
    """The judgement on one sensor.

    >>> print(Drift("3", "unknown", "peers", reason="2 peers, 3 are needed"))
    3: undecided (2 peers, 3 are needed)
    """

    asset: str
    """Asset, its id."""
    verdict: Verdict
    """Whether the sensor drifts; unknown if the data can't decide."""
    method: Method
    """What the sensor was compared with."""
    onset: np.datetime64 | None = None
    """When the drift began, to a day."""
    onset_interval: tuple[np.datetime64, np.datetime64] | None = None
    """Interval that contains the onset with 90 % probability."""
    until: np.datetime64 | None = None
    """When the drift was reset; None if it goes on."""
    last: np.datetime64 | None = None
    """End of the data."""
    slope: float = 0.0
    """Change a month of 30 days, in the signal's unit."""
    slope_interval: tuple[float, float] | None = None
    """Interval that contains the slope with 90 % probability."""
    spread: float = 0.0
    """Standard deviation of the daily level around the line."""
    confidence: float = 0.0
    """Probability of the verdict, 0..1."""
    evidence: str = ""
    """One sentence with numbers."""
    reason: str = ""
    """Why the data can't decide, or what else is to be known."""
    unit: str = ""
    """Unit of the signal."""
    points: tuple[tuple[np.datetime64, float], ...] = ()
    """Offsets at instants that correct the drift; from reference measurements they are those measured."""

    def __str__(self) -> str:
        """Return the judgement as one line."""
        text = {"drift": self.evidence, "none": "no drift", "unknown": "undecided"}[self.verdict]
        return f"{self.asset or 'sensor'}: {text}" + (f" ({self.reason})" if self.reason else "")

    @property
    def change(self) -> float:
        """The change from the onset to the reset, or to the end of the data; in the signal's unit."""
        if self.onset is None or self.last is None:
            return 0.0
        end = self.last if self.until is None else self.until
        return self.slope / MONTH * float((end - self.onset) / _DAY)

    def calibration(self, asset: str, signal: str) -> Calibration | None:
        """Return the proposed correction: an offset that grows against the drift from its onset; None without a drift.

        Parameters
        ----------
        asset : str
            The asset as type/id.
        signal : str
            The signal's name in the model.

        >>> day = np.datetime64("2026-03-01", "ns")
        >>> points = ((day, 0.0), (day + np.timedelta64(30, "D"), -0.5))
        >>> found = Drift("3", "drift", "peers", onset=day, slope=0.5, evidence="+0.5 degC a month", points=points)
        >>> found.calibration("room/3", "temperature").offset_at(np.array([day + np.timedelta64(15, "D")]).view("int64"))
        array([-0.25])
        """
        if self.verdict != "drift" or not self.points:
            return None
        interval = None
        if self.slope_interval is not None and self.slope:
            share = self.points[-1][1] / self.slope
            interval = tuple(sorted(six_digits(share * bound) for bound in self.slope_interval))
        return Calibration.model_validate(
            {
                "asset": asset,
                "signal": signal,
                "from": _iso(self.points[0][0]),
                "until": None if self.until is None else _iso(self.until),
                "offset": {_iso(at): six_digits(value) for at, value in self.points},
                "interval": interval,
                "reason": self.evidence,
            }
        )

    def finding(self, asset: str, signal: str) -> Finding | None:
        """Return the drift as a `Finding` whose fix is the line for ``calibration.yaml``; None without a drift.

        >>> Drift("3", "none", "peers").finding("room/3", "temperature") is None
        True
        """
        if self.verdict != "drift":
            return None
        fix = self.calibration(asset, signal)
        line = "" if fix is None else write_line(fix.model_dump(by_alias=True, exclude_defaults=True, mode="json"))
        return Finding(
            "drift",
            asset=self.asset,
            signal=signal,
            since=self.onset,
            until=self.until,
            confidence=self.confidence,
            evidence=self.evidence + (f"; {self.reason}" if self.reason else ""),
            fix=f"- {line}" if line else "",
        )


def six_digits(value: float) -> float:
    """Return a number with six significant digits, as a calibration states it.

    >>> six_digits(-0.000123456789)
    -0.000123457
    """
    return float(f"{value:.6g}")


def _iso(at: np.datetime64) -> str:
    return f"{at.astype('datetime64[s]')}Z"
