"""How long assets run until they break down, and how long repairs take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.distributions import Fit, fit_distribution

__all__ = ["Breakdowns", "breakdowns"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Breakdowns:
    """Times between breakdowns, and of repair, in seconds."""

    running_times: Floats
    """From the end of a repair to the next breakdown."""
    still_running: Bools
    """Which of them hadn't ended with the window."""
    repair_times: Floats
    """From a breakdown to the end of its repair."""
    still_broken: Bools
    """Which of them hadn't ended with the window."""
    availability: float
    """Share of the window in which the assets ran."""
    seed: int = 0
    """Seed of the goodness of fit."""

    @property
    def count(self) -> int:
        """Number of breakdowns."""
        return len(self.repair_times)

    @cached_property
    def running(self) -> Fit:
        """Distribution of the times of running."""
        return fit_distribution(self.running_times, censored=self.still_running, seed=self.seed)

    @cached_property
    def repair(self) -> Fit:
        """Distribution of the times of repair."""
        return fit_distribution(self.repair_times, censored=self.still_broken, seed=self.seed)

    def repair_quantiles(self, probability: Floats) -> Floats:
        """Return the times of repair below which these shares are, without a family."""
        fit = fit_distribution(self.repair_times, censored=self.still_broken, candidates=("empirical",))
        return fit.quantile(probability)


def breakdowns(spans: pd.DataFrame, *, assets: Sequence[str], start: object, stop: object, seed: int = 0) -> Breakdowns:
    """Return the distributions of running and repair times from spans in which assets were down.

    Parameters
    ----------
    spans : DataFrame
        Columns ``asset``, ``start``, ``end`` of breakdowns, such as an event table; a missing end means that it still lasts.
    assets : sequence of str
        All assets that could break down, those that never did included.
    start, stop : instants
        The window. The first time of running of an asset is measured from the start of the window.

    Raises
    ------
    SchemaError
        If no asset broke down in the window or no repair ended: the distributions aren't known then.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-03-02", "2026-03-05"])
    >>> spans = pd.DataFrame({"asset": "F1", "start": day, "end": day + pd.Timedelta("6h")})
    >>> breakdowns(spans, assets=["F1"], start="2026-03-01", stop="2026-03-08").count
    2
    """
    begin, end = pd.Timestamp(start), pd.Timestamp(stop)  # type: ignore[arg-type]
    running: list[float] = []
    going_on: list[bool] = []
    repair: list[float] = []
    lasting: list[bool] = []
    inside = spans[(spans["start"] < end) & (spans["end"].isna() | (spans["end"] > begin))].sort_values("start")
    of_asset = dict(list(inside.groupby("asset")))
    for asset in assets:
        last = begin
        for since, until in of_asset[asset][["start", "end"]].itertuples(index=False) if asset in of_asset else ():
            if since > last:
                running.append((since - last).total_seconds())
                going_on.append(False)
            over = end if pd.isna(until) else min(until, end)
            if since >= begin:
                repair.append((over - since).total_seconds())
                lasting.append(pd.isna(until) or until > end)
            last = max(last, over)
        if last < end:
            running.append((end - last).total_seconds())
            going_on.append(True)
    if all(going_on) or not repair or all(lasting):
        msg = (
            f"breakdowns: {len(inside)} of them from {begin} to {end}, of which {lasting.count(False)} ended; expected at least one "
            "that began and ended in the window; take a longer one"
        )
        raise SchemaError(msg)
    return Breakdowns(
        np.array(running),
        np.array(going_on),
        np.array(repair),
        np.array(lasting),
        float(np.sum(running) / (len(assets) * (end - begin).total_seconds())),
        seed,
    )
