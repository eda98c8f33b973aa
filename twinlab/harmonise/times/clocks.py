"""Assets with a clock of their own: the times of their rows, corrected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.times.formats import instant
from twinlab.model.basics import parse_duration
from twinlab.model.mapping import ClockRule

__all__ = ["corrected_times", "largest_shift"]

_LOW, _HIGH = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


def corrected_times(
    clocks: Sequence[ClockRule], times: Ints, assets: Sequence[str], codes: npt.NDArray[np.integer]
) -> Ints:
    """Return the times of rows with each asset's clock put right; the same array if no asset has one.

    Parameters
    ----------
    clocks : sequence of ClockRule
        The first that fits a row applies.
    times : int64[n]
        ns UTC as read; NAT stays NAT.
    assets : sequence of str
        Ids.
    codes : integers[n]
        The asset of each row, -1 for none.

    >>> rule = ClockRule(assets=["T7"], shift="1h", shift_sign=-1)
    >>> hour = 3600 * 10**9
    >>> corrected_times([rule], np.array([5 * hour, 5 * hour]), ["T6", "T7"], np.array([0, 1])) // hour
    array([5, 4])
    """
    left = np.ones(len(times), dtype=bool)
    out = times
    for clock in clocks:
        # The last place is that of rows without an asset.
        mine = np.array([*map(clock.covers, assets), False])
        if not mine.any():
            continue
        fits = mine[codes] & left & (times != NAT)
        fits &= (times >= instant(clock.valid_from, _LOW)) & (times < instant(clock.valid_until, _HIGH))
        out = np.where(fits, out + clock.shift_sign * parse_duration(clock.shift), out)
        left &= ~fits
    return out


def largest_shift(clocks: Sequence[ClockRule]) -> int:
    """Return the largest shift of some clocks in ns, 0 without any."""
    return max((parse_duration(one.shift) for one in clocks), default=0)
