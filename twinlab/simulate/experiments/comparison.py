"""A comparison of two scenarios: the difference, its interval, and a verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from twinlab._html import html
from twinlab.simulate.experiments.samples import Better

__all__ = ["Comparison", "Verdict", "quantity", "verdict_of"]

Verdict = Literal["better", "worse", "higher", "lower", "no difference", "can't tell"]

_TEMPLATE = """\
<div><b>{{ head }}</b>
<table>
<tr><th></th><th>mean</th><th>{{ level }} interval</th></tr>
{% for name, mean, low, high in rows %}<tr><td>{{ name }}</td><td>{{ mean }}</td><td>{{ low }} to {{ high }}</td></tr>
{% endfor %}</table>
<div>{{ foot }}</div></div>"""


def quantity(value: float, units: str = "") -> str:
    """Write a number with four digits and its unit.

    >>> quantity(-3.20451, "min")
    '-3.205 min'
    >>> quantity(12345678)
    '12,345,678'
    """
    text = f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return text if units in ("", "1") else f"{text} {units}"


def verdict_of(low: float, high: float, *, better: Better | None, indifference: float) -> Verdict:
    """Return the verdict on the second scenario.

    Parameters
    ----------
    low, high : float
        Interval of ``second - first``.
    better : "higher", "lower" or None
        Which direction is better; None returns ``"higher"`` or ``"lower"`` instead of ``"better"`` or ``"worse"``.
    indifference : float
        Smallest difference that matters; if it is positive, an interval inside ``±indifference`` is ``"no difference"``.

    >>> verdict_of(0.2, 1.0, better="lower", indifference=0.0)
    'worse'
    """
    if indifference > 0 and -indifference < low and high < indifference:
        return "no difference"
    if low <= 0 <= high:
        return "can't tell"
    if better is None:
        return "higher" if low > 0 else "lower"
    return "better" if (low > 0) == (better == "higher") else "worse"


@dataclass(frozen=True, repr=False)
class Comparison:
    """Scenario ``b`` against scenario ``a``, on one KPI.

    Parameters
    ----------
    a, b : str
        Names of the scenarios; ``difference`` is ``b - a`` and the verdict is about ``b``.
    kpi, units : str
        The KPI and its unit.
    difference, low, high : float
        Mean difference and its confidence interval.
    level : float
        Confidence level; of the family if the comparison is one of several (`Comparisons`).
    verdict : str
        ``"better"``, ``"worse"`` or ``"can't tell"``; ``"no difference"`` if the interval is inside ``±indifference``;
        ``"higher"`` or ``"lower"`` if it isn't known which of these is better.
    p_value : float
        Two-sided; adjusted if the comparison is one of several.
    mean_a, low_a, high_a, mean_b, low_b, high_b : float
        Mean of each scenario and its interval at the same level.
    better : "higher", "lower" or None
        Which direction is better.
    indifference : float
        Smallest difference that matters.
    method : str
        ``"t"``, ``"bootstrap"`` or ``"rate"``.
    paired : bool
        Whether replications were paired by number (common random numbers).
    replications : int
        Replications of each scenario; the smaller number if they differ.
    left_out : int
        Replications without a value or without a partner.
    more_replications : int or None
        Estimate of how many more of each scenario give a verdict with a probability of 80 %; 0 if there is one; None if a
        million wouldn't do.
    saved_by_pairing : float
        Variance of the difference if the scenarios were independent, divided by the variance as paired; NaN if not paired.
    """

    a: str
    b: str
    kpi: str
    units: str
    difference: float
    low: float
    high: float
    level: float
    verdict: Verdict
    p_value: float
    mean_a: float
    low_a: float
    high_a: float
    mean_b: float
    low_b: float
    high_b: float
    better: Better | None
    indifference: float
    method: str
    paired: bool
    replications: int
    left_out: int
    more_replications: int | None
    saved_by_pairing: float

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._foot()}"

    def _repr_html_(self) -> str:
        rows = [
            (name, *(quantity(value, self.units) for value in values))
            for name, values in (
                (self.a, (self.mean_a, self.low_a, self.high_a)),
                (self.b, (self.mean_b, self.low_b, self.high_b)),
                (f"{self.b} − {self.a}", (self.difference, self.low, self.high)),
            )
        ]
        return html(_TEMPLATE, head=self._head(), level=f"{100 * self.level:.4g} %", rows=rows, foot=self._foot())

    def table(self) -> pd.DataFrame:
        """Return the fields as a table with one row."""
        return pd.DataFrame([asdict(self)])

    def _head(self) -> str:
        sentence = {
            "can't tell": f"can't tell whether {self.b} differs from {self.a}",
            "no difference": f"{self.b} and {self.a} differ by less than {quantity(self.indifference, self.units)}",
        }.get(self.verdict, f"{self.b} is {self.verdict} than {self.a}")
        spread = f"{quantity(self.low)} to {quantity(self.high, self.units)}"
        return f"{self.kpi}: {sentence}; difference {quantity(self.difference)} ({100 * self.level:.4g} % interval {spread})"

    def _foot(self) -> str:
        how = "paired by common random numbers" if self.paired else "independent (not paired)"
        parts = [f"{self.replications} replications of each, {how}, {_METHODS[self.method]}"]
        if self.left_out:
            parts.append(f"{self.left_out} values left out, because they are missing or have no partner")
        if self.verdict == "can't tell":
            parts.append(self._needed())
        elif self.better is None and self.verdict != "no difference":
            parts.append("it isn't stated whether higher or lower is better")
        return "; ".join(parts) + "."

    def _needed(self) -> str:
        if self.low == self.high == 0.0:
            return "they are equal in every replication"
        if self.more_replications is None:
            return "a million more replications would hardly separate them"
        return f"about {self.more_replications:,} more replications would separate {self.a} from {self.b} (80 % power)"


_METHODS = {"t": "Student's t", "bootstrap": "studentised bootstrap", "rate": "Newcombe's interval of rates"}
