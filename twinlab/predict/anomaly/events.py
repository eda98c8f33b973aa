"""Events from scores: they begin and end with hysteresis, and name the signals that contributed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.values import Floats

__all__ = ["Hysteresis", "HysteresisState", "find_events"]


@dataclass(frozen=True)
class HysteresisState:
    """One element per asset: whether an event is active, and the rows in a row that would change it."""

    active: npt.NDArray[np.bool_]
    rows: npt.NDArray[np.int64]

    @classmethod
    def start(cls, assets: int) -> HysteresisState:
        """Return the state in which nothing is active."""
        return cls(np.zeros(assets, dtype=bool), np.zeros(assets, dtype=np.int64))


@dataclass(frozen=True)
class Hysteresis:
    """When an event begins and ends."""

    begin: int = 3
    """Rows in a row with an index of at least 1 after which it begins."""
    end: int = 12
    """Rows in a row with an index below ``release`` after which it ends."""
    release: float = 0.8

    def __post_init__(self) -> None:
        """Raise `SchemaError` for parameters that aren't valid."""
        if self.begin < 1 or self.end < 1 or not 0 < self.release <= 1:
            msg = f"Hysteresis: expected begin and end of at least 1 row and a release in (0, 1], got {self}"
            raise SchemaError(msg)

    def active(
        self, index: Floats, state: HysteresisState | None = None
    ) -> tuple[npt.NDArray[np.bool_], HysteresisState]:
        """Return in which rows an event is active, [time, asset], and the state after them.

        A row without an index changes nothing.
        """
        now = HysteresisState.start(index.shape[1]) if state is None else state
        active, rows = now.active.copy(), now.rows.copy()
        found = np.empty(index.shape, dtype=bool)
        for place, row in enumerate(index):
            changes = np.where(active, row < self.release, row >= 1)
            rows = np.where(np.isnan(row), rows, np.where(changes, rows + 1, 0))
            change = rows >= np.where(active, self.end, self.begin)
            active, rows = active ^ change, np.where(change, 0, rows)
            found[place] = active
        return found, HysteresisState(active, rows)


def find_events(scores: xr.Dataset, hysteresis: Hysteresis | None = None) -> pd.DataFrame:
    """Return the events in scores.

    Parameters
    ----------
    scores : Dataset
        As `AnomalyModel.score` returns them.
    hysteresis : Hysteresis, optional

    Returns
    -------
    DataFrame
        ``asset``, ``start`` (the row with which the event began), ``end`` (NaT while it is active), ``peak`` (the largest index),
        ``peak_time``, ``signals`` (those that contributed, most first, with their mean shares).
    """
    index = scores["index"].transpose("time", "asset").values
    active, _ = (hysteresis or Hysteresis()).active(index)
    shares = scores["contribution"].transpose("time", "asset", "signal").values
    names = [str(one) for one in scores["signal"].values]
    time = scores["time"].values
    rows = []
    for place, asset in enumerate(scores["asset"].values):
        for first, last in _runs(active[:, place]):
            own = index[first:last, place]
            peak = first + int(np.nanargmax(np.where(np.isnan(own), -np.inf, own)))
            rows.append((
                str(asset), time[first], time[last] if last < len(time) else np.datetime64("NaT"), float(index[peak, place]),
                time[peak], _shares_text(shares[first:last, place], names),
            ))  # fmt: skip
    found = pd.DataFrame(rows, columns=["asset", "start", "end", "peak", "peak_time", "signals"])
    return found.sort_values(["start", "asset"], ignore_index=True)


def _runs(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield ``first, last + 1`` of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _shares_text(shares: Floats, names: list[str]) -> str:
    """Return the signals with at least a tenth of the contributions, most first."""
    known = shares[np.isfinite(shares).all(axis=1)]
    if not len(known):
        return ""
    mean = known.mean(axis=0)
    return ", ".join(f"{names[place]} {mean[place]:.0%}" for place in np.argsort(-mean) if mean[place] >= 0.1)
