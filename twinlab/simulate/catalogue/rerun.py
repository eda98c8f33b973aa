"""A stored run is computed again, and each replication compared by its digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinlab.simulate.runs.results import Results

__all__ = ["Rerun", "compared_runs"]


@dataclass(frozen=True, repr=False)
class Rerun:
    """Result of computing a stored run again.

    Parameters
    ----------
    name : str
        Name of the stored run.
    replications : int
        Replications of all scenarios that were compared.
    differing : mapping of str to tuple of int
        Numbers of replications with other values, by scenario.
    code : (str, str)
        Version of the code then and now.
    results : Results
        The new results.
    """

    name: str
    replications: int
    differing: Mapping[str, tuple[int, ...]]
    code: tuple[str, str]
    results: Results

    @property
    def identical(self) -> bool:
        """Whether all replications have the same values, bit for bit."""
        return not self.differing

    def __repr__(self) -> str:
        then, now = self.code
        versions = f"version {now}" if then == now else f"version {then} then, {now} now"
        if self.identical:
            return f"{self.name}: all {self.replications:,} replications are identical ({versions})"
        count = sum(map(len, self.differing.values()))
        first = "; ".join(f"{name}: {numbers[0]} first" for name, numbers in self.differing.items())
        return f"{self.name}: {count:,} of {self.replications:,} replications differ ({first}; {versions})"


def compared_runs(name: str, stored: Results, again: Results) -> Rerun:
    """Compare two runs of the same models by the digests of their replications."""
    differing: dict[str, tuple[int, ...]] = {}
    count = 0
    for scenario in stored.scenarios:
        before: dict[int, Any] = stored.store.digests(scenario)
        after = again.store.digests(scenario)
        count += len(before)
        numbers = tuple(number for number in sorted(before) if before[number] != after.get(number))
        if numbers:
            differing[scenario] = numbers
    return Rerun(name, count, differing, (stored.about["code"], again.about["code"]), again)
