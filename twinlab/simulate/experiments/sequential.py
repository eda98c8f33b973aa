"""Decide with as few replications as needed: look while they come in, and stop at a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtr

from twinlab._html import html
from twinlab.errors import SchemaError
from twinlab.simulate.experiments.boundaries import boundaries, look_times, verdict_probability
from twinlab.simulate.experiments.comparing import Method, check_options, compared
from twinlab.simulate.experiments.comparison import Comparison
from twinlab.simulate.experiments.replications import Run, Values
from twinlab.simulate.experiments.samples import Better, better_of

__all__ = ["Decision", "Decisions", "decide", "decide_all"]

#: Predicted probability of a verdict below which it isn't waited for.
HOPELESS = 0.01


@dataclass(frozen=True, repr=False)
class Decision:
    """How a comparison was decided.

    Parameters
    ----------
    comparison : Comparison
        At the look that stopped; its interval is wide enough for all looks together.
    looks : DataFrame
        One row per look: ``replications, difference, low, high, verdict``.
    most : int
        Replications that a test of a fixed number would have taken.
    stopped : str
        ``"verdict"``; ``"hopeless"`` if all replications would give a verdict with a probability below 1 %; or ``"all used"``.
    """

    comparison: Comparison
    looks: pd.DataFrame
    most: int
    stopped: Literal["verdict", "hopeless", "all used"]

    @property
    def replications(self) -> int:
        """Replications of each scenario that were used."""
        return int(self.looks["replications"].iloc[-1])

    @property
    def saved(self) -> float:
        """Share of the replications that weren't needed."""
        return 1.0 - self.replications / self.most

    def __repr__(self) -> str:
        return f"{self.comparison!r}\n{self._foot()}"

    def _repr_html_(self) -> str:
        shown = html("{{ foot }}", foot=self._foot())
        return f"{self.comparison._repr_html_()}<div>{shown}</div>"

    def _foot(self) -> str:
        why = {
            "verdict": "stopped at a verdict",
            "hopeless": "stopped because more would hardly give a verdict",
            "all used": "no early stop",
        }[self.stopped]
        return (
            f"{self.replications} of at most {self.most:,} replications ({100 * self.saved:.0f} % saved), "
            f"{len(self.looks)} look{'s' if len(self.looks) > 1 else ''}: {why}. A verdict is wrong with a probability of at most {100 * (1 - self.comparison.level):.3g} %."
        )


@dataclass(frozen=True, repr=False)
class Decisions:
    """Decisions about several scenarios: a sequence of `Decision`; all verdicts together have one error.

    Parameters
    ----------
    rows : sequence of Decision
        One per comparison.
    simulated : int
        Replications that were simulated, over all scenarios.
    """

    rows: Sequence[Decision]
    simulated: int

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Decision]:
        return iter(self.rows)

    def __getitem__(self, number: int) -> Decision:
        return self.rows[number]

    def table(self) -> pd.DataFrame:
        """Return one row per comparison, with the replications used and why it stopped."""
        tables = [
            row.comparison.table().assign(replications=row.replications, saved=row.saved, stopped=row.stopped)
            for row in self.rows
        ]
        return pd.concat(tables, ignore_index=True)

    def __repr__(self) -> str:
        lines = [
            f"{row.comparison.b} against {row.comparison.a}: {row.comparison.verdict} after {row.replications} of {row.most:,}"
            for row in self.rows
        ]
        level = 100 * self.rows[0].comparison.level
        return "\n".join(
            [
                f"{self.simulated:,} replications simulated; no verdict is wrong with a probability of at least {level:.4g} %",
                *lines,
            ]
        )

    def _repr_html_(self) -> str:
        return html("<pre>{{ text }}</pre>", text=repr(self))


def decide(
    run: Run,
    a: str,
    b: str,
    *,
    kpi: str | None = None,
    better: Better | None = None,
    level: float = 0.95,
    most: int = 1000,
    first: int = 20,
    indifference: float = 0.0,
    method: Method = "auto",
    paired: bool | None = None,
    seed: int = 0,
) -> Decision:
    """Compare two scenarios with as few replications as needed.

    Replications are simulated in chunks. After each, an interval that is wide enough for all looks together is compared with zero
    (Haybittle and Peto's group-sequential test: early looks stop at p < 0.001, and the last one is adjusted so that the error of all looks
    together is ``1 - level``). From half of ``most`` on it also stops when all replications would hardly give a verdict.

    Parameters
    ----------
    run : callable
        ``run(scenario_names, replications)`` returns KPIs with dims ``scenario, replication`` for these replication numbers.
    a, b : str
        Names of the scenarios; the verdict is about ``b``.
    most : int
        Replications of each scenario at most.
    first : int
        Replications before the first look. With fewer than about 20, or with very skewed differences, Student's t isn't accurate
        enough at p < 0.001; take more, or ``method="bootstrap"``.
    kpi, better, level, indifference, method, paired, seed
        As `compare`.

    Raises
    ------
    SchemaError
        If ``run`` doesn't return what was asked for, or an argument doesn't fit.

    >>> import xarray as xr
    >>> def run(names, replications):
    ...     rng = np.random.default_rng(list(replications))
    ...     values = rng.normal(20, 5, len(replications)) - np.array([[0.0], [1.0]]) + rng.normal(0, 1, (2, len(replications)))
    ...     return xr.DataArray(values, dims=("scenario", "replication"), name="delay", attrs={"units": "min"},
    ...                         coords={"scenario": ["base", "reroute"], "replication": list(replications)}).sel(scenario=names)
    >>> decide(run, "base", "reroute", better="lower")
    delay: reroute is better than base; difference -1.17 (95 % interval -2.262 to -0.07766 min)
    20 replications of each, paired by common random numbers, Student's t.
    20 of at most 1,000 replications (98 % saved), 1 look: stopped at a verdict. A verdict is wrong with a probability of at most 5 %.
    """
    found = _decided(
        run,
        [(a, b)],
        kpi=kpi,
        better=better,
        level=level,
        most=most,
        first=first,
        indifference=indifference,
        method=method,
        paired=paired,
        seed=seed,
    )
    return found[0]


def decide_all(
    run: Run,
    scenarios: Sequence[str],
    *,
    against: str | None = None,
    kpi: str | None = None,
    better: Better | None = None,
    level: float = 0.95,
    most: int = 1000,
    first: int = 20,
    indifference: float = 0.0,
    method: Method = "auto",
    paired: bool | None = None,
    seed: int = 0,
) -> Decisions:
    """Compare each scenario with a base, or each with each, with as few replications of each as needed.

    A scenario whose comparisons are all decided isn't simulated any more. All verdicts together have the error ``1 - level`` (Bonferroni).

    Parameters
    ----------
    run : callable
        As `decide`.
    scenarios : sequence of str
        Names, at least two.
    against : str, optional
        Name of the base; by default each pair of scenarios is compared.
    kpi, better, level, most, first, indifference, method, paired, seed
        As `decide`.

    Raises
    ------
    SchemaError
        If there are fewer than two scenarios, the base isn't one of them, or as `decide`.
    """
    names = list(dict.fromkeys(scenarios))
    if len(names) < 2 or (against is not None and against not in names):
        msg = f"expected at least two scenarios and a base among them, got {', '.join(names) or 'none'} and against={against!r}"
        raise SchemaError(msg)
    pairs = list(combinations(names, 2)) if against is None else [(against, name) for name in names if name != against]
    return _decided(
        run,
        pairs,
        kpi=kpi,
        better=better,
        level=level,
        most=most,
        first=first,
        indifference=indifference,
        method=method,
        paired=paired,
        seed=seed,
    )


def _decided(
    run: Run,
    pairs: list[tuple[str, str]],
    *,
    kpi: str | None,
    better: Better | None,
    level: float,
    most: int,
    first: int,
    indifference: float,
    method: Method,
    paired: bool | None,
    seed: int,
) -> Decisions:
    check_options(level=level, indifference=indifference, method=method)
    if not 2 <= first <= most:
        msg = f"expected 2 <= first <= most, got first={first!r}, most={most!r}"
        raise SchemaError(msg)
    looks = look_times(first, most)
    bounds = boundaries(tuple(looks), (1.0 - level) / len(pairs))
    values = Values(run, kpi)
    history: dict[tuple[str, str], list[Comparison]] = {names: [] for names in pairs}
    stopped: dict[tuple[str, str], Literal["verdict", "hopeless", "all used"]] = {}
    for number, bound in zip(looks, bounds, strict=True):
        open_pairs = [names for names in pairs if names not in stopped]
        if not open_pairs:
            break
        values.extend(list(dict.fromkeys(name for names in open_pairs for name in names)), number)
        for names in open_pairs:
            one, two = (values.of(name) for name in names)
            found = compared(
                one,
                two,
                names=names,
                better=better_of(one, better),
                level=level,
                interval_level=1.0 - 2.0 * float(ndtr(-bound)),
                method=method,
                indifference=indifference,
                paired=paired,
                seed=seed,
            )
            history[names].append(found)
            if found.verdict != "can't tell":
                stopped[names] = "verdict"
            elif number == most:
                stopped[names] = "all used"
            elif number >= most / 2 and _hopeless(found, bounds, number, most):
                stopped[names] = "hopeless"
    rows = [Decision(history[names][-1], _table(history[names], looks), most, stopped[names]) for names in pairs]
    return Decisions(rows, values.simulated)


def _hopeless(found: Comparison, bounds: Sequence[float], number: int, most: int) -> bool:
    deviation = (found.high - found.low) / 2 / bounds[0] * np.sqrt(number)
    chance = verdict_probability(
        found.difference, deviation, now=number, most=most, last=bounds[-1], indifference=found.indifference
    )
    return chance < HOPELESS


def _table(history: list[Comparison], looks: list[int]) -> pd.DataFrame:
    rows = [
        (number, each.difference, each.low, each.high, each.verdict)
        for number, each in zip(looks, history, strict=False)
    ]
    return pd.DataFrame(rows, columns=["replications", "difference", "low", "high", "verdict"])
