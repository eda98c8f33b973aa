"""Generated cold rooms: a season, a daily course and weather that all rooms share, each with its own share, noise and faults."""

import numpy as np
import xarray as xr

#: Span of the sensors, degC; drifts are stated in percent of it, as data sheets do.
SPAN = 125.0


def wander(rng: np.random.Generator, n: int, count: int, scale: float) -> np.ndarray:
    """Stationary Ornstein-Uhlenbeck noise of variance 1 [n, count] with a time constant of ``scale`` samples."""
    keep = np.exp(-1 / scale)
    out = rng.normal(size=(n, count))
    for i in range(1, n):
        out[i] = keep * out[i - 1] + np.sqrt(1 - keep**2) * out[i]
    return out


def rooms(seed: int, *, days: int = 240, count: int = 60, gaps: float = 0.03) -> xr.DataArray:
    """Return hourly temperatures [time, asset] of rooms whose sensors are right."""
    rng = np.random.default_rng(seed)
    n = 24 * days
    hour = np.arange(n)[:, None]
    share = rng.uniform(0.6, 1.4, count)
    weather = 6 * np.sin(2 * np.pi * hour / 24 / 365.25 + rng.uniform(0, 6)) + 2 * wander(rng, n, 1, 96)
    daily = 0.8 * np.sin(2 * np.pi * (hour - rng.normal(9, 1, count)) / 24)
    # A room differs from the others by how it is used: over a day or a week, and from hour to hour.
    own = 0.12 * wander(rng, n, count, 24 * 5) + 0.5 * rng.normal(size=(n, count))
    doors = np.where(rng.random((n, count)) < 0.004, rng.exponential(4, (n, count)), 0.0)
    values = 4 + rng.normal(0, 0.5, count) + share * 0.3 * (weather + daily) + own + doors
    values[rng.random((n, count)) < gaps] = np.nan
    for asset in rng.choice(count, count // 5, replace=False):
        start = rng.integers(0, n - 120)
        values[start : start + 120, asset] = np.nan
    times = np.datetime64("2026-01-01", "ns") + np.arange(n) * np.timedelta64(1, "h")
    names = [f"r{i:03d}" for i in range(count)]
    return xr.DataArray(values, {"time": times, "asset": names}, ("time", "asset"), attrs={"units": "degC"})


def with_drifts(values: xr.DataArray, seed: int, *, share: float = 0.25, months: int = 3) -> tuple[xr.DataArray, dict]:
    """Add drifts of 0.5 to 5 % of the span a month to some sensors, over the last ``months`` and a few days.

    Returns the values, and of each asset that drifts the number of the day on which it begins and its slope a month.
    """
    rng = np.random.default_rng(seed + 1000)
    days = values.sizes["time"] // 24
    out = values.copy(deep=True)
    truth = {}
    for asset in rng.choice(values.sizes["asset"], round(share * values.sizes["asset"]), replace=False):
        onset = days - 30 * months - int(rng.integers(0, 10))
        slope = SPAN * np.exp(rng.uniform(np.log(0.005), np.log(0.05))) * rng.choice([-1, 1])
        since = (np.arange(values.sizes["time"]) / 24 - onset).clip(0)
        out[:, asset] += slope / 30 * since
        truth[str(values.asset[asset].item())] = (onset, slope)
    return out, truth
