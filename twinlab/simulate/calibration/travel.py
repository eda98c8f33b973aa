"""Times of travel by link and hour of the day, relative to the plan where there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.distributions import Fit, fit_distribution

__all__ = ["TravelTimes", "travel_times"]

Floats = npt.NDArray[np.float64]

_HOURS = 24
_ROUNDS = 20


@dataclass(frozen=True)
class TravelTimes:
    """Times of travel: the median of each link times a factor by hour of the day times a random factor."""

    links: pd.DataFrame
    """By link, index ``origin, destination``: ``seconds`` (median at a factor of 1) and ``count``."""
    by_hour: Floats
    """Factor by hour of the day of departure (UTC), shape ``(24,)``; its mean over trips is 1."""
    by_weather: dict[str, float]
    """Factor by kind of weather; empty if none was given. The most common kind has 1."""
    scatter: Fit
    """Distribution of the factor that is left."""

    def expected(self, origin: str, destination: str, hour: int, weather: str | None = None) -> float:
        """Return the median time of a link at an hour of the day, seconds."""
        if (origin, destination) not in self.links.index:
            msg = f"there are no trips from {origin!r} to {destination!r} in the window, so how long they take isn't known"
            raise SchemaError(msg)
        factor = self.by_weather.get(weather, 1.0) if weather is not None else 1.0
        seconds = self.links["seconds"].to_numpy()[self.links.index.get_loc((origin, destination))]
        return float(seconds * self.by_hour[hour] * factor)


def travel_times(
    trips: pd.DataFrame, *, weather: pd.Series | None = None, seed: int = 0, shrink: float = 3.0
) -> TravelTimes:
    """Return how long trips take by link, hour of the day and weather.

    Logarithms of the durations are the sum of an effect of the link, one of the hour and one of the weather, found by turns
    (backfitting); effects of the hour and of the weather with few trips are shrunk to none.

    Parameters
    ----------
    trips : DataFrame
        Columns ``origin``, ``destination``, ``start`` and ``end``; trips without an end are left out.
    weather : Series of str, optional
        Kind of weather of each trip, such as "storm", with the index of ``trips``.
    seed : int
        Seed of the goodness of fit.
    shrink : float
        An effect of this many trips is halved.

    Raises
    ------
    SchemaError
        If a column is missing or no trip has ended.

    Examples
    --------
    >>> start = pd.to_datetime(["2026-03-02T06:00", "2026-03-02T07:00"])
    >>> trips = pd.DataFrame({"origin": "A", "destination": "B", "start": start, "end": start + pd.Timedelta("2h")})
    >>> round(travel_times(trips).expected("A", "B", 6))
    7200
    """
    lacking = [name for name in ("origin", "destination", "start", "end") if name not in trips]
    if lacking:
        msg = f"travel_times: expected columns origin, destination, start and end, {', '.join(lacking)} not found"
        raise SchemaError(msg)
    seconds = (trips["end"] - trips["start"]).dt.total_seconds()
    ok = (seconds > 0) & trips["origin"].notna() & trips["destination"].notna()
    if not ok.any():
        msg = f"travel_times: none of {len(trips)} trips has a start and a later end; take a window with finished trips"
        raise SchemaError(msg)
    used, logs = trips[ok], np.log(seconds[ok].to_numpy())
    index = pd.MultiIndex.from_frame(used[["origin", "destination"]].astype(str))
    link, links = pd.factorize(index, sort=True)
    hour = used["start"].dt.hour.to_numpy()
    kinds = pd.Series("", index=used.index) if weather is None else weather.reindex(used.index).fillna("").astype(str)
    kind, names = pd.factorize(kinds, sort=True)
    of_link: Floats = np.zeros(len(links))
    of_hour: Floats = np.zeros(_HOURS)
    of_kind: Floats = np.zeros(len(names))
    for _ in range(_ROUNDS):
        of_link = _medians(logs - of_hour[hour] - of_kind[kind], link, len(links))
        of_hour = _effects(logs - of_link[link] - of_kind[kind], hour, _HOURS, shrink)
        of_hour -= of_hour[hour].mean()
        if len(names) > 1:
            of_kind = _effects(logs - of_link[link] - of_hour[hour], kind, len(names), shrink)
            of_kind -= of_kind[np.bincount(kind).argmax()]
    left = logs - of_link[link] - of_hour[hour] - of_kind[kind]
    table = pd.DataFrame(
        {"seconds": np.exp(of_link), "count": np.bincount(link, minlength=len(links))},
        index=pd.MultiIndex.from_tuples(list(links), names=["origin", "destination"]),
    )
    return TravelTimes(
        table,
        np.exp(of_hour),
        {} if weather is None else dict(zip(names, np.exp(of_kind).tolist(), strict=True)),
        fit_distribution(np.exp(left), seed=seed),
    )


def _medians(values: Floats, group: npt.NDArray[np.intp], size: int) -> Floats:
    found = pd.Series(values).groupby(group).median()
    return np.asarray(found.reindex(range(size), fill_value=0.0), dtype=np.float64)


def _effects(values: Floats, group: npt.NDArray[np.intp], size: int, shrink: float) -> Floats:
    """Return the median of each group, shrunk to zero where there are few values."""
    many = np.bincount(group, minlength=size)
    return np.asarray(_medians(values, group, size) * many / (many + shrink), dtype=np.float64)
