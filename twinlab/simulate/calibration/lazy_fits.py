"""Fits that are computed when they are looked up, since their goodness takes longer than the model does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from twinlab.simulate.calibration.arrivals import ArrivalRates
from twinlab.simulate.calibration.distributions import Fit

__all__ = ["AnyFit", "Fits", "Later"]

AnyFit = Fit | ArrivalRates
Later = Callable[[], AnyFit]


class Fits(Mapping[str, AnyFit]):
    """Fits by what they are about.

    Parameters
    ----------
    later : mapping of str to callable
        What computes each fit; it is called once.

    Examples
    --------
    >>> from functools import partial
    >>> from twinlab.simulate.calibration.distributions import fit_distribution
    >>> Fits({"delay": partial(fit_distribution, [5.0, 5.0])})["delay"].words
    'all 2 values are equal'
    """

    def __init__(self, later: Mapping[str, Later]) -> None:
        self._later = dict(later)
        self._found: dict[str, AnyFit] = {}

    def __getitem__(self, name: str) -> AnyFit:
        if name not in self._found:
            self._found[name] = self._later[name]()
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._later)

    def __len__(self) -> int:
        return len(self._later)

    def __repr__(self) -> str:
        return f"Fits of {', '.join(self)}"
