"""Compare several scenarios at once, with one error rate for all verdicts together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.simulate.experiments.comparing import Method, compared
from twinlab.simulate.experiments.comparison import Comparison, quantity, verdict_of
from twinlab.simulate.experiments.samples import Better, better_of, kpi_values, sample

__all__ = ["Comparisons", "compare_all"]

Correction = Literal["bonferroni", "holm"]

_TEMPLATE = """\
<div><b>{{ head }}</b>
<table>
<tr><th></th><th>against</th><th>difference</th><th>interval</th><th>p</th><th>verdict</th></tr>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table></div>"""


@dataclass(frozen=True, repr=False)
class Comparisons:
    """Comparisons of several scenarios on one KPI: a sequence of `Comparison`.

    Parameters
    ----------
    rows : sequence of Comparison
        Their intervals are simultaneous: all contain the true difference with a probability of at least ``level``.
        P-values are adjusted.
    level : float
        Probability that no verdict is wrong.
    correction : str
        ``"bonferroni"`` or ``"holm"``.
    """

    rows: Sequence[Comparison]
    level: float
    correction: Correction

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.rows)

    def __getitem__(self, number: int) -> Comparison:
        return self.rows[number]

    def table(self) -> pd.DataFrame:
        """Return one row per comparison."""
        return pd.DataFrame([asdict(row) for row in self.rows])

    def __repr__(self) -> str:
        return "\n".join([self._head(), *(f"  {_words(row)}" for row in self.rows)])

    def _repr_html_(self) -> str:
        rows = [
            (
                row.b,
                row.a,
                quantity(row.difference, row.units),
                f"{quantity(row.low)} to {quantity(row.high, row.units)}",
                f"{row.p_value:.2g}",
                row.verdict,
            )
            for row in self.rows
        ]
        return html(_TEMPLATE, head=self._head(), rows=rows)

    def _head(self) -> str:
        paired = "paired by common random numbers" if all(row.paired for row in self.rows) else "not all paired"
        return (
            f"{self.rows[0].kpi}: {len(self.rows)} comparisons, {paired}; no verdict is wrong with a probability of at least "
            f"{100 * self.level:.4g} % ({self.correction.capitalize()})"
        )


def _words(row: Comparison) -> str:
    text = f"{row.b} against {row.a}: {row.verdict}, {quantity(row.difference)}"
    text += f" ({quantity(row.low)} to {quantity(row.high, row.units)})"
    if row.verdict == "can't tell" and row.more_replications is not None:
        text += f"; about {row.more_replications:,} more replications would separate them"
    return text


def compare_all(
    data: object,
    *,
    kpi: str | None = None,
    against: str | None = None,
    better: Better | None = None,
    level: float = 0.95,
    method: Method = "auto",
    indifference: float = 0.0,
    correction: Correction = "bonferroni",
    paired: bool | None = None,
    seed: int = 0,
) -> Comparisons:
    """Compare each scenario with a base, or each with each, so that all verdicts together have one error rate.

    Parameters
    ----------
    data : DataArray, Dataset or results
        KPIs with dims ``scenario, replication``.
    against : str, optional
        Name of the base; by default each pair of scenarios is compared.
    correction : "bonferroni" or "holm"
        Bonferroni's verdicts follow from the intervals. Holm's step-down test gives more verdicts at the same error rate; the
        intervals remain Bonferroni's, because Holm's test has no intervals of finite width for all, so that a verdict may
        come with an interval that contains zero.
    kpi, better, level, method, indifference, paired, seed
        As `compare`; ``level`` is that of all verdicts together.

    Raises
    ------
    SchemaError
        If there are fewer than two scenarios, or as `compare`.
    UnknownTermError
        If there is no such KPI or scenario.

    >>> import xarray as xr
    >>> values = xr.DataArray([[5.0, 7.0, 6.0, 9.0], [4.0, 5.8, 5.1, 7.9], [5.2, 7.0, 5.8, 9.1]], name="delay",
    ...     dims=("scenario", "replication"), coords={"scenario": ["base", "reroute", "shift"]}, attrs={"units": "min"})
    >>> compare_all(values, against="base", better="lower")
    delay: 2 comparisons, paired by common random numbers; no verdict is wrong with a probability of at least 95 % (Bonferroni)
      reroute against base: better, -1.05 (-1.32 to -0.7804 min)
      shift against base: can't tell, 0.025 (-0.3... to 0.3... min); about ... more replications would separate them
    """
    values = kpi_values(data, kpi)
    names = [str(name) for name in values["scenario"].values] if "scenario" in values.dims else []
    if len(names) < 2:
        msg = f"expected at least two scenarios to compare, got {len(names)}"
        raise SchemaError(msg)
    if correction not in ("bonferroni", "holm"):
        msg = f"expected correction 'bonferroni' or 'holm', got {correction!r}"
        raise SchemaError(msg)
    base = None if against is None else str(sample(values, against)["scenario"].item())
    pairs = list(combinations(names, 2)) if base is None else [(base, name) for name in names if name != base]
    known: Better | None = better_of(values, better)
    rows = [
        compared(
            sample(values, first),
            sample(values, second),
            names=(first, second),
            better=known,
            level=level,
            interval_level=1.0 - (1.0 - level) / len(pairs),
            method=method,
            indifference=indifference,
            paired=paired,
            seed=seed,
        )
        for first, second in pairs
    ]
    return Comparisons(tuple(_adjusted(rows, level, correction)), level, correction)


def _adjusted(rows: list[Comparison], level: float, correction: Correction) -> list[Comparison]:
    raw = np.array([row.p_value for row in rows])
    if correction == "bonferroni":
        adjusted = np.minimum(raw * len(raw), 1.0)
        return [replace(row, p_value=float(p)) for row, p in zip(rows, adjusted, strict=True)]
    order = np.argsort(raw, kind="stable")
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1)), 1.0)
    found = []
    for row, p in zip(rows, adjusted, strict=True):
        verdict = row.verdict
        if verdict == "can't tell" and p < 1.0 - level:
            at = row.difference
            verdict = verdict_of(at, at, better=row.better, indifference=0.0)
        more = row.more_replications if verdict == "can't tell" else 0
        found.append(replace(row, p_value=float(p), verdict=verdict, more_replications=more))
    return found
