"""Recognise counters: totals that never fall but for resets, whatever single zeros and spikes are among them."""

from __future__ import annotations

import re

import numpy as np

from twinlab.harmonise.claims import NAT, Bools, Floats, Ints
from twinlab.model.quantities.table import quantities

__all__ = ["counter_evidence", "may_count"]

_NAMED = re.compile(
    r"(?i)total|count|energy|kwh|mwh|meter|zähler|zaehler|odometer|mileage|km-?stand|cumul|index|compteur|contador|contatore|teller|hours|betriebsstunden"
)
#: A reset leads to less than this share of the value before.
_RESET_SHARE = 0.2
#: Maximal shares: resets to rises, and transients to all values.
_MAX_RESETS, _MAX_TRANSIENTS = 0.1, 0.02
_MIN_RISES = 3


def may_count(name: str, quantity: str | None) -> bool:
    """Return whether a column's name or quantity is one of a running total."""
    known = quantities().get(quantity or "")
    return _NAMED.search(name) is not None or (known is not None and known.cumulative)


def counter_evidence(values: Floats, groups: Ints, wall: Ints) -> str | None:
    """Return why values look like a counter, or None if they don't.

    Parameters
    ----------
    values : float64[n]
        NaN where the row has no value.
    groups : int64[n]
        Number of each row's asset.
    wall : int64[n]
        Times of the rows.

    >>> hours = np.arange(12)
    >>> counter_evidence(np.array([5, 6, 7, 0, 8, 9, 10, 11, 0.0, 1, 2, 3]), np.zeros(12, np.int64), hours)
    'never falls but for 1 reset; 1 passing value left out'
    """
    known = np.isfinite(values) & (wall != NAT)
    order = np.lexsort((wall[known], groups[known]))
    value, group = values[known][order], groups[known][order]
    if len(value) < _MIN_RISES + 1 or value.min() < 0:
        return None
    passing = _transients(value, group)
    value, group = value[~passing], group[~passing]
    steps = np.diff(value)[np.diff(group) == 0]
    before = value[:-1][np.diff(group) == 0]
    falls = steps < 0
    resets = falls & (before + steps <= _RESET_SHARE * before)
    rises, fallen, reset = int((steps > 0).sum()), int(falls.sum()), int(resets.sum())
    if rises < _MIN_RISES or fallen > reset or reset > max(1.0, _MAX_RESETS * rises):
        return None
    if passing.sum() > max(1.0, _MAX_TRANSIENTS * len(passing)):
        return None
    what = f"never falls but for {reset} reset{'s' if reset > 1 else ''}" if reset else "never falls"
    left_out = int(passing.sum())
    return f"{what}; {left_out} passing value{'s' if left_out > 1 else ''} left out" if left_out else what


def _transients(value: Floats, group: Ints) -> Bools:
    """Return single values out of line: the next value goes on where the one before left off."""
    found = np.zeros(len(value), dtype=bool)
    if len(value) < 3:
        return found
    before, middle, after = value[:-2], value[1:-1], value[2:]
    same = (group[:-2] == group[1:-1]) & (group[1:-1] == group[2:])
    found[1:-1] = same & (after >= before) & ((middle < before) | (middle > after))
    return found
