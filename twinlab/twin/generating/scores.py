"""How alike and how far from the original the synthetic signals are, as tables."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.simulate.synthetic.days import choose_days
from twinlab.simulate.synthetic.fidelity import gauge_fidelity, pair_fidelity
from twinlab.simulate.synthetic.privacy import longest_copy, membership_auc, nearest_ratio
from twinlab.simulate.synthetic.values import mixed_gauges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinlab.twin.generating.history import Group

__all__ = ["fidelity_table", "privacy_table"]

Floats = npt.NDArray[np.float64]
#: Assets, and cells of a day, that nearest neighbours are looked for with.
_ASSETS, _CELLS = 10, 48


def fidelity_table(groups: Sequence[Group]) -> pd.DataFrame:
    """Return one row a gauge: ``asset_type, signal, distribution, autocorrelation, daily_pattern, spread, correlation``.

    ``correlation`` is the largest difference of the correlation with another gauge of the same assets.
    """
    rows = []
    for group in groups:
        apart = dict.fromkeys(group.gauges, 0.0)
        for one, other in combinations(group.gauges, 2):
            found = pair_fidelity((group.original[one], group.original[other]), (group.made[one], group.made[other]))
            apart[one], apart[other] = max(apart[one], found), max(apart[other], found)
        for name in group.gauges:
            if np.isfinite(group.original[name]).any():
                scores = gauge_fidelity(group.original[name], group.made[name])
                rows.append({"asset_type": group.kind, "signal": name, **scores, "correlation": apart[name]})
    columns = ["asset_type", "signal", "distribution", "autocorrelation", "daily_pattern", "spread", "correlation"]
    return pd.DataFrame(rows, columns=columns)


def privacy_table(
    groups: Sequence[Group], weekdays: npt.NDArray[np.int64], *, block: int, mix: float, seed: int
) -> pd.DataFrame:
    """Return one row a gauge: ``asset_type, signal, longest_copy_hours, nearest_ratio, membership_auc``."""
    rows = []
    for group in groups:
        for name in group.gauges:
            original, made = group.original[name], group.made[name]
            if not np.isfinite(original).any():
                continue
            hours = 24 / original.shape[1]
            copied = longest_copy(original.reshape(-1, original.shape[2]), made.reshape(-1, made.shape[2]))
            ours, theirs = _fewer(original), _fewer(made)
            rows.append(
                {
                    "asset_type": group.kind, "signal": name, "longest_copy_hours": copied * hours, "nearest_ratio": nearest_ratio(ours, theirs),
                    "membership_auc": _membership(ours, weekdays, block=block, mix=mix, seed=seed),
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["asset_type", "signal", "longest_copy_hours", "nearest_ratio", "membership_auc"])


def _fewer(values: Floats) -> Floats:
    """Return at most so many assets and cells of a day as are compared."""
    return values[:, :: max(values.shape[1] // _CELLS, 1), :_ASSETS]


def _membership(values: Floats, weekdays: npt.NDArray[np.int64], *, block: int, mix: float, seed: int) -> float:
    weeks = len(values) // 14 * 2
    if weeks < 4:
        return float("nan")
    rng = np.random.default_rng([seed, 7])

    def make(used: Floats) -> Floats:
        days = weekdays[: len(used)]
        return mixed_gauges(used, days, choose_days(days, days, block=block, rng=rng), mix=mix, resolution=None)

    return membership_auc(values[: weeks * 7], make)
