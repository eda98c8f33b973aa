"""Learn what is usual for the assets of a type; then score rows as they come: rows and a state in, scores and the next state out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.predict.anomaly.levels import Levels, LevelState, fit_levels, mean_of, start_levels, subtract_levels
from twinlab.predict.anomaly.pca import Pca
from twinlab.predict.anomaly.values import Floats, signal_names, units_of, values_of

__all__ = ["AnomalyModel", "Detector", "FittedDetector", "fit"]

#: Rows with values that are needed for each signal.
_ROWS_A_SIGNAL = 20


class FittedDetector(Protocol):
    """A detector that has learnt what is usual. Rows are [row, signal], scaled, without missing values."""

    def index(self, scaled: Floats) -> Floats:
        """Return the index of each row: above 0, 1 at the limit."""

    def contributions(self, scaled: Floats) -> Floats:
        """Return the share of each signal in the index of each row."""


class Detector(Protocol):
    """Parameters of a detector."""

    def fit(self, scaled: Floats) -> FittedDetector:
        """Return the detector learnt from usual rows, [row, signal]."""


@dataclass(frozen=True)
class AnomalyModel:
    """What is usual for the assets of a type: a level and a scale for each asset and signal, and one detector for all assets."""

    assets: tuple[str, ...]
    signals: tuple[str, ...]
    units: tuple[str, ...]
    levels: Levels
    offset: Floats
    """[asset, signal]: by how much a signal is above its level on average."""
    scale: Floats
    """[asset, signal], in the signals' units."""
    detector: FittedDetector
    limit: float
    """Index from which on a row is unusual, see `limits`; 1 as learnt."""
    state: LevelState
    """After the last row learnt from."""

    def score(self, history: xr.Dataset, state: LevelState | None = None) -> tuple[xr.Dataset, LevelState]:
        """Return the scores of the rows that follow a state, and the state after them.

        Parameters
        ----------
        history : Dataset
            Rows of the assets and signals learnt from, in the same cadence; dims time and asset.
        state : LevelState, optional
            By default the one after the rows learnt from.

        Returns
        -------
        scores : Dataset
            ``index`` (time, asset): 1 and above is unusual, NaN if more than half of the signals are missing. ``contribution``
            (time, asset, signal): shares of the index, given where it is at least 1, NaN elsewhere.
        state : LevelState
            For the next rows.

        Raises
        ------
        SchemaError
            If an asset or a signal is missing.
        UnitError
            If a signal's unit isn't the one learnt.
        """
        values = values_of(history, self.signals, assets=self.assets, units=self.units)
        index, contribution, later = self.score_values(values, state)
        coordinates = {"time": history["time"].values, "asset": list(self.assets), "signal": list(self.signals)}
        scores = xr.Dataset(
            {"index": (("time", "asset"), index), "contribution": (("time", "asset", "signal"), contribution)}, coordinates
        )  # fmt: skip
        scores["index"].attrs = {"units": "1", "long_name": "Anomaly index, 1 at the limit"}
        return scores, later

    def score_values(self, values: Floats, state: LevelState | None = None) -> tuple[Floats, Floats, LevelState]:
        """Return index [time, asset] and contributions [time, asset, signal] of values [time, asset, signal], and the next state."""
        apart, later = subtract_levels(self.levels, values, self.state if state is None else state)
        known = np.isfinite(apart)
        # What is missing counts as usual.
        rows = np.where(known, (apart - self.offset) / self.scale, 0.0).reshape(-1, len(self.signals))
        index = self.detector.index(rows) / self.limit
        unusual = np.flatnonzero(index >= 1)
        contribution = np.full(rows.shape, np.nan)
        if len(unusual):
            contribution[unusual] = self.detector.contributions(rows[unusual])
        index = index.reshape(values.shape[:2])
        index[known.sum(axis=2) * 2 < len(self.signals)] = np.nan
        return index, contribution.reshape(values.shape), later

    def with_limit(self, limit: float) -> AnomalyModel:
        """Return the model with another limit, as a multiple of the one learnt.

        Raises
        ------
        SchemaError
            If the limit isn't a positive number.
        """
        if not 0 < limit < float("inf"):
            msg = f"expected a limit above 0, got {limit!r}"
            raise SchemaError(msg)
        return replace(self, limit=limit)


def fit(
    history: xr.Dataset,
    *,
    signals: Sequence[str] | None = None,
    detector: Detector | None = None,
    delay: int = 120,
    follow: float = 0.85,
) -> AnomalyModel:
    """Return the model of anomalies learnt from a usual span of an asset type's history.

    Parameters
    ----------
    history : Dataset
        Dims time and asset, at a regular cadence; cells whose flag is fail or missing don't count.
    signals : sequence of str, optional
        By default all numeric ones.
    detector : Pca, RobustZ or Forest, optional
        By default `Pca`.
    delay, follow : int, float
        The level of a signal that drifts follows it, as it was ``delay`` rows before: one for which that reduces the squared error
        below ``follow`` times the one of a level that stays. 0: all levels stay.

    Raises
    ------
    SchemaError
        If there are too few rows, or a signal has no value or only one.

    Examples
    --------
    >>> time = np.arange(400).astype("M8[m]")
    >>> usual = xr.Dataset({"a": (("time", "asset"), np.sin(np.arange(400.0))[:, None])}, {"time": time, "asset": ["P1"]})
    >>> scores, _ = fit(usual, follow=0).score(usual + 5)
    >>> bool((scores["index"] > 1).all())
    True
    """
    chosen = tuple(signals) if signals is not None else signal_names(history)
    if not chosen or delay < 1:
        msg = f"expected at least one signal and a delay of at least 1 row, got {', '.join(chosen) or 'no signal'} and {delay}"
        raise SchemaError(msg)
    values = values_of(history, chosen)
    _check(values, chosen, [str(one) for one in history["asset"].values])
    levels = fit_levels(values, delay=delay, better=follow)
    apart, state = subtract_levels(levels, values, start_levels(levels))
    offset, scale = mean_of(apart), _scales(apart)
    scaled = ((apart - offset) / scale).reshape(-1, len(chosen))
    scaled = scaled[np.isfinite(scaled).all(axis=1)]
    if len(scaled) < _ROWS_A_SIGNAL * len(chosen):
        msg = f"expected at least {_ROWS_A_SIGNAL * len(chosen)} rows in which all of {', '.join(chosen)} have a value, got {len(scaled)}"
        raise SchemaError(msg)
    fitted = (detector or Pca()).fit(scaled)
    assets = tuple(str(one) for one in history["asset"].values)
    return AnomalyModel(assets, chosen, units_of(history, chosen), levels, offset, scale, fitted, 1.0, state)


def _check(values: Floats, signals: Sequence[str], assets: Sequence[str]) -> None:
    """Raise `SchemaError` if there are too few values, or a signal never changes."""
    for place, name in enumerate(signals):
        own = values[:, :, place]
        empty = [asset for asset, column in zip(assets, own.T, strict=True) if not np.isfinite(column).any()]
        if empty:
            msg = f"{name}: expected values of every asset in the span to learn from; {', '.join(empty[:5])} has none: leave it out"
            raise SchemaError(msg)
        if np.nanmax(own) == np.nanmin(own):
            msg = f"{name}: the value is {np.nanmin(own):g} in the whole span to learn from: leave the signal out or choose another span"
            raise SchemaError(msg)


def _scales(apart: Floats) -> Floats:
    """Return the scale of each asset and signal; of one that never changes, the median of the other assets'."""
    scale = np.nanstd(apart, axis=0)
    usual = np.array([np.median(column[column > 0]) if (column > 0).any() else 1.0 for column in scale.T])
    return np.where(scale > 1e-9 * usual, scale, usual)
