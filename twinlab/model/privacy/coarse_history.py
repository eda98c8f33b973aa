"""Histories in the precision of a purpose: a value stays the same for the whole step, a position for its whole cell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.privacy.coarse import coarse_positions, coarse_times

if TYPE_CHECKING:
    import numpy.typing as npt
    import xarray as xr

    from twinlab.model.signal import Signal

__all__ = ["in_cells", "in_steps"]

_PASS, _MISSING = 1, 9


def in_steps(
    fine: xr.Dataset, coarse: xr.Dataset, signals: dict[str, Signal], *, step_ns: int, rollups: bool
) -> xr.Dataset:
    """Return a dataset in which some signals change once a step only.

    Parameters
    ----------
    fine : Dataset
        What was asked for: cells, or rollups at a shorter step.
    coarse : Dataset
        Rollups of these signals at the step, of the same assets.
    signals : dict of str to Signal
        The signals that are made coarse: a gauge is its mean over the step, a state the most frequent one, a counter its lowest value.
    step_ns : int
        The step, ns.
    rollups : bool
        Whether ``fine`` has rollups; each of their variables is then that of the whole step.
    """
    steps = coarse_times(fine["time"].values, step_ns)
    held = coarse.reindex(time=np.unique(steps))
    if rollups:
        names = [str(name) for name in held.data_vars if str(name) in fine.data_vars]
        return fine.assign({name: _spread(held[name], steps, fine) for name in names})
    made: dict[str, xr.DataArray] = {}
    for name, signal in signals.items():
        values = _spread(_of_step(held, name, signal), steps, fine)
        made[name] = values.assign_attrs(fine[name].attrs)
        flags = f"{name}_qc"
        if flags in fine:
            passed = values.notnull() * np.uint8(_PASS) + values.isnull() * np.uint8(_MISSING)
            made[flags] = passed.astype(fine[flags].dtype).assign_attrs(fine[flags].attrs)
    return fine.assign(made)


def _of_step(held: xr.Dataset, name: str, signal: Signal) -> xr.DataArray:
    if signal.kind == "gauge":
        return held[f"{name}_mean"]
    if signal.kind == "counter":
        return held[f"{name}_min"]
    shares = held[f"{name}_share"]
    states = {text: code for code, text in (signal.states or {}).items()}
    codes = np.array([states[text] for text in shares[f"{name}_state"].values.tolist()], dtype=np.float64)
    most = shares.fillna(-1.0).argmax(f"{name}_state")
    found = most.copy(data=codes[most.values])
    return found.where(shares.notnull().any(f"{name}_state"))


def _spread(values: xr.DataArray, steps: npt.NDArray[np.datetime64], fine: xr.Dataset) -> xr.DataArray:
    """Return the values of steps at each time of the fine axis."""
    return values.sel(time=steps).assign_coords(time=fine["time"])


def in_cells(found: xr.Dataset, position: tuple[str, str], side_m: float) -> xr.Dataset:
    """Return a dataset whose positions are centres of cells; sums, extremes and changes, which would show more, are left out."""
    import xarray as xr  # noqa: PLC0415  (a model is read without it)

    ends: Iterable[str] = ("_min", "_max", "_sum")
    found = found.drop_vars([f"{name}{end}" for name in position for end in ends if f"{name}{end}" in found])
    for end in ("", "_mean"):
        names = [f"{name}{end}" for name in position]
        if all(name in found for name in names):
            latitude, longitude = (found[name] for name in names)
            coarse = xr.apply_ufunc(
                coarse_positions, latitude, longitude, side_m, output_core_dims=[[], []], dask="parallelized",
                output_dtypes=[np.float64, np.float64],
            )  # fmt: skip
            pairs = zip(names, (latitude, longitude), coarse, strict=True)
            found = found.assign({name: made.assign_attrs(old.attrs) for name, old, made in pairs})
    return found
