"""Select the best of several scenarios, with a stated probability that it is the best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.simulate.experiments.comparing import check_options
from twinlab.simulate.experiments.comparison import quantity
from twinlab.simulate.experiments.replications import Run, Values
from twinlab.simulate.experiments.samples import Better, better_of

__all__ = ["Selection", "select_best"]


@dataclass(frozen=True, repr=False)
class Selection:
    """The scenario that was selected.

    Parameters
    ----------
    best : str
        Its name.
    scenarios : DataFrame
        Index ``scenario``, best first: ``mean``, ``replications`` used, and ``eliminated_by`` (empty for the best and for those that
        were left at the end).
    kpi, units : str
        The KPI and its unit.
    indifference, level : float
        The selected scenario is the best with a probability of at least ``level`` if the best is better than all others by
        ``indifference`` or more; otherwise it is, with that probability, one that is worse by less.
    guaranteed : bool
        False if ``most`` ended it before.
    simulated : int
        Replications simulated, over all scenarios.
    """

    best: str
    scenarios: pd.DataFrame
    kpi: str
    units: str
    indifference: float
    level: float
    guaranteed: bool
    simulated: int

    def __repr__(self) -> str:
        rows = [
            f"  {name}: {quantity(row['mean'], self.units)} after {row['replications']} replications"
            + (f", eliminated by {row['eliminated_by']}" if row["eliminated_by"] else "")
            for name, row in self.scenarios.iterrows()
        ]
        return "\n".join([self._head(), *rows])

    def _repr_html_(self) -> str:
        shown = html("<div><b>{{ head }}</b></div>", head=self._head())
        return f"{shown}{self.scenarios.to_html(escape=True)}"

    def _head(self) -> str:
        sure = (
            f"the best, or less than {quantity(self.indifference, self.units)} worse, with a probability of at least "
            f"{100 * self.level:.4g} %"
            if self.guaranteed
            else "the best so far, without a guarantee, because most= ended the selection"
        )
        return f"{self.kpi}: {self.best} is {sure}; {self.simulated:,} replications simulated"


def select_best(
    run: Run,
    scenarios: Sequence[str],
    *,
    indifference: float,
    kpi: str | None = None,
    better: Better | None = None,
    level: float = 0.95,
    first: int = 20,
    chunk: int = 10,
    most: int = 10_000,
) -> Selection:
    """Select the best scenario by the procedure of Kim and Nelson: those that are clearly worse are eliminated as replications come in.

    Parameters
    ----------
    run : callable
        ``run(scenario_names, replications)`` returns KPIs with dims ``scenario, replication``. With the same random numbers in each
        scenario (common random numbers), fewer are needed.
    scenarios : sequence of str
        Names, at least two.
    indifference : float
        Smallest difference that matters, in the KPI's unit, more than 0.
    kpi, better
        As `compare`; which is better has to be known.
    level : float
        Probability of a correct selection, more than 1 / number of scenarios.
    first : int
        Replications from which variances are estimated.
    chunk : int
        Replications that are simulated at once.
    most : int
        Replications of a scenario at most.

    Raises
    ------
    SchemaError
        If an argument doesn't fit, it isn't known which is better, or a value is missing.

    References
    ----------
    .. [1] Kim and Nelson, "A fully sequential procedure for indifference-zone selection in simulation", ACM TOMACS 11, 2001.

    >>> import xarray as xr
    >>> def run(names, replications):
    ...     values = [[np.random.default_rng(r).normal(effect) for r in replications] for effect in (map(len, names))]
    ...     return xr.DataArray(values, dims=("scenario", "replication"), coords={"scenario": names, "replication": list(replications)})
    >>> select_best(run, ["a", "bb", "ccc"], better="higher", indifference=0.5).best
    'ccc'
    """
    names = list(dict.fromkeys(scenarios))
    check_options(level=level, indifference=indifference)
    if len(names) < 2 or not indifference > 0 or level <= 1 / len(names) or not 2 <= first <= most or chunk < 1:
        msg = (
            "expected at least two scenarios, indifference > 0, a level of more than 1 / number of scenarios, 2 <= first <= most "
            f"and chunk >= 1, got {len(names)}, {indifference!r}, {level!r}, {first!r}, {most!r} and {chunk!r}"
        )
        raise SchemaError(msg)
    values = Values(run, kpi)
    values.extend(names, first)
    known = better_of(values.of(names[0]), better)
    if known is None:
        msg = "expected better='higher' or 'lower', because the KPI doesn't state it"
        raise SchemaError(msg)
    sign = 1.0 if known == "higher" else -1.0
    race = _Race(len(names), indifference, level, np.array([sign * _complete(values, name) for name in names]))
    count = first
    while not race.step(count) and count < most:
        if count == race.available:
            target = min(count + chunk, most)
            values.extend([names[number] for number in race.left], target)
            race.add({number: sign * _complete(values, names[number]) for number in race.left})
        count += 1
    return _selection(names, race, values, sign=sign, indifference=indifference, level=level)


def _complete(values: Values, name: str) -> NDArray[np.float64]:
    found = values.of(name).values.astype(np.float64)
    if not np.isfinite(found).all():
        msg = f"expected a value in each replication of {name!r}, got {int((~np.isfinite(found)).sum())} missing"
        raise SchemaError(msg)
    return found


class _Race:
    """The scenarios that are left, after each replication."""

    def __init__(self, number: int, indifference: float, level: float, first: NDArray[np.float64]) -> None:
        size = first.shape[1]
        # Equation for eta with c = 1, and h squared; alpha / (k - 1) is valid with dependent scenarios, too.
        eta = ((2 * (1 - level) / (number - 1)) ** (-2 / (size - 1)) - 1) / 2
        variances = (first[:, None] - first[None]).var(axis=2, ddof=1)
        self._limits = 2 * eta * (size - 1) * variances / indifference**2
        self._indifference = indifference
        self._sums = [row.cumsum() for row in first]
        self.left = list(range(number))
        self.used = [size] * number
        self.eliminated_by = [-1] * number
        self.finished = False

    @property
    def available(self) -> int:
        """Replications that the scenarios that are left have."""
        return len(self._sums[self.left[0]])

    def add(self, rows: dict[int, NDArray[np.float64]]) -> None:
        for number, row in rows.items():
            self._sums[number] = row.cumsum()

    def mean(self, number: int) -> float:
        """Return the mean of the replications that a scenario has used."""
        used = self.used[number]
        return float(self._sums[number][used - 1] / used)

    def step(self, count: int) -> bool:
        """Eliminate by the first ``count`` replications; return whether one is left, or enough for a selection are used."""
        left = np.array(self.left)
        for number in self.left:
            self.used[number] = count
        means = np.array([self._sums[number][count - 1] / count for number in left])
        limits = self._limits[np.ix_(left, left)]
        slack = np.maximum(0.0, self._indifference / (2 * count) * (limits - count))
        behind = means[:, None] < means[None] - slack
        for at, number in enumerate(left):
            if behind[at].any():
                self.eliminated_by[number] = int(left[np.argmax(np.where(behind[at], means, -np.inf))])
        self.left = [number for number in self.left if self.eliminated_by[number] < 0]
        self.finished = len(self.left) == 1 or count > np.floor(self._limits[np.ix_(self.left, self.left)]).max()
        return self.finished


def _selection(
    names: list[str], race: _Race, values: Values, *, sign: float, indifference: float, level: float
) -> Selection:
    best = max(race.left, key=race.mean)
    order = sorted(range(len(names)), key=lambda number: (number != best, -race.mean(number)))
    table = pd.DataFrame(
        {
            "mean": [sign * race.mean(number) for number in order],
            "replications": [race.used[number] for number in order],
            "eliminated_by": [names[by] if (by := race.eliminated_by[number]) >= 0 else "" for number in order],
        },
        index=pd.Index([names[number] for number in order], name="scenario"),
    )
    one = values.of(names[best])
    return Selection(
        best=names[best],
        scenarios=table,
        kpi=str(one.attrs.get("long_name", "KPI" if one.name is None else one.name)),
        units=str(one.attrs.get("units", "")),
        indifference=indifference,
        level=level,
        guaranteed=race.finished,
        simulated=values.simulated,
    )
