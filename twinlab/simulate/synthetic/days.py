"""Which days of a history each synthetic day is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.errors import SchemaError

__all__ = ["DaySources", "choose_days"]

Ints = npt.NDArray[np.int64]
#: Other days that a synthetic day is made of, where there are so many of the weekday.
_OTHERS = 3


@dataclass(frozen=True)
class DaySources:
    """The days that synthetic days are made of, by number in the history.

    Parameters
    ----------
    first : int array, shape (day,)
        The day that events, states and most of the variance of gauges come from.
    others : int array, shape (other, day)
        Other days of the same weekday, which the rest of the variance comes from.
    """

    first: Ints
    others: Ints


def choose_days(weekdays: npt.ArrayLike, wanted: npt.ArrayLike, *, block: int, rng: np.random.Generator) -> DaySources:
    """Return the sources of synthetic days: blocks of days of a history that begin on the right weekday.

    A moving-block bootstrap [1]_ whose blocks begin on the weekday that they are put on, so that the weekly pattern stays. All assets and
    signals use the same days, so that they stay correlated.

    Parameters
    ----------
    weekdays : array of int, shape (history day,)
        Weekday of each day of the history, 0 is Monday.
    wanted : array of int, shape (day,)
        Weekday of each synthetic day.
    block : int
        Days of a block.
    rng : Generator

    Raises
    ------
    SchemaError
        If a weekday has fewer than two days in the history.

    References
    ----------
    .. [1] H. R. Künsch, "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17 (1989).

    >>> week = np.arange(28) % 7
    >>> days = choose_days(week, week[:7], block=3, rng=np.random.default_rng(1))
    >>> bool((week[days.first] == week[:7]).all()), bool((days.first != days.others).all())
    (True, True)
    """
    have, want = np.asarray(weekdays, dtype=np.int64), np.asarray(wanted, dtype=np.int64)
    of_weekday = {day: np.flatnonzero(have == day) for day in np.unique(want).tolist()}
    for day, found in of_weekday.items():
        if len(found) < 2:
            msg = f"expected at least two days of each weekday in the history, got {len(found)} of weekday {day} (0 is Monday); give a longer span"
            raise SchemaError(msg)
    first = np.empty(len(want), dtype=np.int64)
    place = 0
    while place < len(want):
        begin = int(rng.choice(of_weekday[int(want[place])]))
        # A block ends with the history, too.
        size = min(block, len(want) - place, len(have) - begin)
        first[place : place + size] = begin + np.arange(size)
        place += size
    others = np.empty((_OTHERS, len(want)), dtype=np.int64)
    for day, one in enumerate(first.tolist()):
        pool = of_weekday[int(want[day])]
        pool = pool[pool != one]
        others[:, day] = rng.choice(pool, size=_OTHERS, replace=len(pool) < _OTHERS)
    return DaySources(first, others)
