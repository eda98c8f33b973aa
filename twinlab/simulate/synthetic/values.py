"""Values of synthetic days."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twinlab.simulate.synthetic.days import DaySources

__all__ = ["mixed_gauges", "taken"]

Floats = npt.NDArray[np.float64]
_BLEND = 12


def taken(values: Floats, days: DaySources) -> Floats:
    """Return states of synthetic days: those of their first day.

    Parameters
    ----------
    values : array, shape (history day, cell, asset)
    days : DaySources

    Returns
    -------
    array, shape (day, cell, asset)
    """
    return values[days.first]


def mixed_gauges(
    values: Floats, weekdays: npt.ArrayLike, days: DaySources, *, mix: float, resolution: float | None
) -> Floats:
    """Return a gauge on synthetic days: the usual value of the time of the week, and deviations of several days.

    Deviations from the mean of the weekday and time of day of several days are combined with weights whose squares have the sum 1, so that variance,
    autocorrelation within a day and correlation between assets and signals stay as they are, while no day is copied. A step at
    midnight is spread over the cells on either side. Values stay within what the asset has had.

    Parameters
    ----------
    values : array, shape (history day, cell, asset)
        NaN is missing, and stays missing where the first day lacks a value.
    weekdays : array of int, shape (history day,)
    days : DaySources
    mix : float
        Share of the variance that comes from the other days, 0 to 1.
    resolution : float or None
        Values are rounded to it.

    Returns
    -------
    array, shape (day, cell, asset)
    """
    have = np.asarray(weekdays)
    usual = np.empty_like(values)
    with np.errstate(all="ignore"):
        for day in np.unique(have):
            group = values[have == day]
            count = np.isfinite(group).sum(axis=0)
            usual[have == day] = np.where(count > 0, np.nansum(group, axis=0) / np.maximum(count, 1), np.nan)
    apart = values - usual
    found = usual[days.first] + np.sqrt(1 - mix) * apart[days.first]
    # A day that was chosen twice counts once, with a weight that leaves the variance as it is.
    shares = _shares(days) * mix
    for other, share in zip(days.others, shares, strict=True):
        found += np.sqrt(share)[:, None, None] * np.nan_to_num(apart[other])
    found = _joined(found)
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=(0, 1))
    high = np.where(finite, values, -np.inf).max(axis=(0, 1))
    found = np.clip(found, low, high)
    if resolution:
        found = np.round(found / resolution) * resolution
    return np.where(np.isfinite(values[days.first]), found, np.nan)


def _shares(days: DaySources) -> Floats:
    """Return the share of each of the other days, shape ``(other, day)``; equal days are one, so that all are 1 together."""
    found = np.zeros(days.others.shape)
    for day in range(days.others.shape[1]):
        _, places = np.unique(days.others[:, day], return_index=True)
        found[places, day] = 1 / len(places)
    return found


def _joined(found: Floats) -> Floats:
    """Spread the steps at midnight, where other days are mixed in, over some cells on either side."""
    cells = found.shape[1]
    width = max(min(_BLEND, cells // 4), 1)
    ramp = np.linspace(1.0, 0.0, width, endpoint=False)[:, None]
    for day in range(1, len(found)):
        step = found[day, 0] - found[day - 1, -1]
        usual = (
            np.nanmedian(np.abs(np.diff(found[day], axis=0)), axis=0)
            if np.isfinite(found[day]).any()
            else np.zeros_like(step)
        )
        far = np.isfinite(step) & (np.abs(step) > 3 * usual)
        half = np.where(far, step / 2, 0.0)
        found[day, :width] -= ramp * half
        found[day - 1, cells - width :] += ramp[::-1] * half
    return found
