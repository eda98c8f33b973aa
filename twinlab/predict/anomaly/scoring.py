"""Learn what is usual for the assets of a type; then score rows as they come: rows and a state in, scores and the next state out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab._files import write_atomically
from twinlab.edge import scorer
from twinlab.errors import SchemaError
from twinlab.predict.anomaly.levels import Levels, LevelState, fit_levels, mean_of, start_levels
from twinlab.predict.anomaly.pca import Pca
from twinlab.predict.anomaly.values import Columns, Floats, columns_of, full_turns, signal_names, units_of, values_of

__all__ = ["AnomalyModel", "Detector", "FittedDetector", "fit"]

#: Rows with values that are needed for each signal.
_ROWS_A_SIGNAL = 20


class FittedDetector(Protocol):
    """A detector that has learnt what is usual. Rows are [row, column], scaled, without missing values."""

    def index(self, scaled: Floats) -> Floats:
        """Return the index of each row: above 0, 1 at the limit."""

    def contributions(self, scaled: Floats) -> Floats:
        """Return the share of each column in the index of each row."""

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what a function of `twinlab.edge.scorer` needs for the index, and its name as ``kind``."""


class Detector(Protocol):
    """Parameters of a detector."""

    def fit(self, scaled: Floats) -> FittedDetector:
        """Return the detector learnt from usual rows, [row, column]."""


@dataclass(frozen=True, repr=False)
class AnomalyModel:
    """What is usual for the assets of a type: a level and a scale for each asset and signal, and one detector for all assets."""

    assets: tuple[str, ...]
    signals: tuple[str, ...]
    units: tuple[str, ...]
    turns: tuple[float, ...]
    """A full turn of each signal that is an angle, in its unit; 0 for the others. Of an angle, cosine and sine are two columns."""
    levels: Levels
    offset: Floats
    """[asset, column]: by how much a column is above its level on average."""
    scale: Floats
    """[asset, column], in the signals' units."""
    detector: FittedDetector
    limit: float
    """Index from which on a row is unusual, see `limits`; 1 as learnt."""
    state: LevelState
    """After the last row learnt from."""

    def __repr__(self) -> str:
        kind = type(self.detector).__name__
        return f"<AnomalyModel: {kind} of {', '.join(self.signals)}, {len(self.assets)} assets, limit {self.limit:.4g}>"

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
        arrays, before = self._arrays, self.state if state is None else state
        rows, later = scorer.scaled_rows(arrays, values, (before.newest, before.earlier))
        index = (self.detector.index(rows.T) / self.limit).reshape(values.shape[:2])
        index[np.isfinite(values).sum(axis=2) * 2 < len(self.signals)] = np.nan
        unusual = np.flatnonzero(index.ravel() >= 1)
        contribution = np.full((rows.shape[1], len(self.signals)), np.nan)
        if len(unusual):
            shares = self.detector.contributions(rows[:, unusual].T)
            contribution[unusual] = self.columns.of_signals(shares, len(self.signals))
        return index, contribution.reshape(values.shape), LevelState(*later)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the model as arrays, none of them of objects: what `twinlab.edge.scorer.score` takes.

        Raises
        ------
        SchemaError
            If ``twinlab.edge.scorer`` has no function for the detector.
        """
        found = self._arrays | {
            "assets": np.array(self.assets), "signals": np.array(self.signals), "units": np.array(self.units),
            "turns": np.array(self.turns), "first": self.levels.first, "delay": np.array(self.levels.delay),
            "limit": np.array(self.limit), "newest": self.state.newest, "earlier": np.array(self.state.earlier),
        } | self.detector.arrays()  # fmt: skip
        if str(found.get("kind")) not in ("pca", "robust", "forest"):
            msg = f"expected the detector Pca, RobustZ or Forest, got {type(self.detector).__name__}: it can't be written as arrays"
            raise SchemaError(msg)
        return found

    def export(self, path: str | Path) -> Path:
        """Write the model as a file of arrays, and beside it the module that scores with it, which needs numpy only.

        ``score(model, values)`` of the module gives the index of `score_values`, to the last bit, as ``model`` the arrays of the file.

        Parameters
        ----------
        path : path
            Ends in ``.npz``.

        Returns
        -------
        Path
            The module, ``twinlab_scorer.py``.

        Raises
        ------
        SchemaError
            If the path has another ending, or the detector is one of another library.
        SourceError
            If the disk is full or fails.
        """
        target = Path(path)
        if target.suffix != ".npz":
            msg = f"expected a file whose name ends in .npz, got {target.name!r}"
            raise SchemaError(msg)
        arrays = self.arrays()
        write_atomically(target, lambda draft: np.savez(draft, **arrays))  # type: ignore[arg-type]
        module = Path(scorer.__file__).read_bytes()
        return write_atomically(target.with_name("twinlab_scorer.py"), lambda draft: draft.write_bytes(module))

    @property
    def columns(self) -> Columns:
        """What the detector sees of the signals."""
        return columns_of(self.turns)

    @cached_property
    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What scaling needs."""
        columns = self.columns
        return {
            "place": columns.place, "turn": columns.turn, "shift": columns.shift, "mean": self.levels.mean,
            "share": self.levels.share, "offset": self.offset, "scale": self.scale,
        }  # fmt: skip

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
    angles: Mapping[str, float] | None = None,
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
    angles : mapping of str to float, optional
        A full turn of signals that are angles, 0 of those that aren't; by default as `values.full_turns` states. Of an angle,
        detectors get cosine and sine, so that 359 degrees is close to 1.

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
    units = units_of(history, chosen)
    turns = full_turns(chosen, units, angles)
    levels, offset, scale, state, scaled = _scaling(values, columns_of(turns), delay=delay, follow=follow)
    if len(scaled) < _ROWS_A_SIGNAL * len(chosen):
        msg = f"expected at least {_ROWS_A_SIGNAL * len(chosen)} rows in which all of {', '.join(chosen)} have a value, got {len(scaled)}"
        raise SchemaError(msg)
    fitted = (detector or Pca()).fit(scaled)
    assets = tuple(str(one) for one in history["asset"].values)
    return AnomalyModel(assets, chosen, units, turns, levels, offset, scale, fitted, 1.0, state)


def _scaling(
    values: Floats, columns: Columns, *, delay: int, follow: float
) -> tuple[Levels, Floats, Floats, LevelState, Floats]:
    """Return levels, offsets and scales of columns, the state after the values, and the scaled rows that are complete, [row, column]."""
    every = columns.of_values(values)
    levels = fit_levels(every, delay=delay, better=follow)
    same = columns_of((0.0,) * every.shape[2])
    arrays: dict[str, Any] = {
        "place": same.place, "turn": same.turn, "mean": levels.mean, "share": levels.share, "offset": 0.0, "scale": 1.0,
    }  # fmt: skip
    start = start_levels(levels)
    flat, state = scorer.scaled_rows(arrays, every, (start.newest, start.earlier))
    apart: Floats = np.where(np.isfinite(every), flat.T.reshape(every.shape), np.nan)
    offset, scale = mean_of(apart), _scales(apart)
    scaled = ((apart - offset) / scale).reshape(-1, every.shape[2])
    return levels, offset, scale, LevelState(*state), scaled[np.isfinite(scaled).all(axis=1)]


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
