"""Demand of entities: how many arrive where, which trips they are booked on, how long delivery takes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.simulate.calibration.arrivals import arrival_rates
from twinlab.simulate.calibration.distributions import CANDIDATES, fit_distribution
from twinlab.simulate.calibration.lazy_fits import Later
from twinlab.simulate.calibration.operation import Operation
from twinlab.simulate.timetable.entities import Demand, next_wave
from twinlab.simulate.timetable.routing import LEGS, first_departures, quickest_paths
from twinlab.simulate.timetable.weeks import HOURS, local_seconds

__all__ = ["FittedDemand", "fit_demand"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_HOUR = 3600.0
#: Candidates for the least time from registration to the first trip that may be booked, and for the width of waves of bookings.
_LEADS = tuple(_HOUR * each for each in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0))
_WAVES = tuple(_HOUR * each for each in (0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0))
_SAMPLE = 4000
#: A destination without entities from an origin has the share of this many of the common pattern.
_SHRINK = 20.0
_QUANTILES = 201
#: Samples of the bootstrap of goodness of fit: censored ones are fitted one by one.
_SAMPLES = 39
#: From so many times to delivery on, no family is fitted to them.
_MANY = 500


@dataclass(frozen=True)
class FittedDemand:
    """Demand with its fits."""

    demand: Demand
    confirmed: bool
    fits: dict[str, Later]
    notes: list[str]


def fit_demand(
    operation: Operation, hubs: Sequence[str], *, start: int, stop: int, zone: str | None, seed: int
) -> FittedDemand:
    """Fit the demand to a window, seconds since 1970; ``operation`` has nothing that happened after it.

    Raises
    ------
    SchemaError
        If no entity was registered in the window and booked on a trip.
    """
    place = {hub: number for number, hub in enumerate(hubs)}
    routes = _routes(operation, place)
    routes = routes[(routes["registered"] >= start) & (routes["registered"] < stop)]
    if not len(routes):
        msg = f"no {operation.names.entity} was registered in the window and booked on a trip, so demand isn't known; take a longer window"
        raise SchemaError(msg)
    arrivals = arrival_rates(
        local_seconds(routes["registered"].to_numpy(), zone).astype("M8[s]"),
        routes["origin"].map(dict(enumerate(hubs))),
        start=np.datetime64(int(local_seconds(start, zone)), "s"), stop=np.datetime64(int(local_seconds(stop, zone)), "s"),
    )  # fmt: skip
    rate = np.zeros((len(hubs), HOURS))
    rate[[place[name] for name in arrivals.groups]] = arrivals.rate
    pairs = np.zeros((len(hubs), len(hubs)))
    np.add.at(pairs, (routes["origin"].to_numpy(), routes["destination"].to_numpy()), 1.0)
    change, most = _changes(operation)
    lead, wave, clock, agreement = _lead(operation, routes, place, change=change, most=most, zone=zone, seed=seed)
    waited, waiting = _delivery(routes, float(stop))
    # Many values need no family: their own distribution, of which those that haven't ended are a part (Kaplan–Meier).
    candidates = ("empirical",) if len(waited) >= _MANY else CANDIDATES
    delivery = fit_distribution(waited, censored=waiting, candidates=candidates, seed=seed, bootstrap=_SAMPLES)
    tested = partial(fit_distribution, waited, censored=waiting, seed=seed, bootstrap=_SAMPLES)
    promise = (routes["promised"] - routes["planned_arrival"]).dropna()
    on_cancelled = float(operation.trips["start"].isna().to_numpy()[_past_legs(operation, float(stop))].mean())
    demand = Demand(
        rate, _shares(pairs), lead, wave, change, most,
        delivery.quantile(np.linspace(0.0, 0.9995, _QUANTILES)), float(promise.median()) if len(promise) else np.nan,
        wave_zone=clock,
    )  # fmt: skip
    in_waves = (
        f"in waves every {wave / _HOUR:g} h{f' by clocks of {clock}' if clock else ''}" if wave else "at any time"
    )
    varies = "" if len(promise) == 0 or np.ptp(promise) < 1 else " (median; it varies)"
    notes = [
        f"bookings are the earliest planned arrival from {lead / _HOUR:g} h after registration on, {in_waves}",
        f"a change takes at least {change / _HOUR:.2g} h, and a booking has at most {most} trips",
        f"these rules give the first trip of {agreement:.0%} of the bookings",
        f"what is promised is {demand.promise / _HOUR:.3g} h after the planned arrival{varies}",
    ]
    confirmed = on_cancelled < 0.001
    if confirmed:
        notes.append("no trip with bookings was cancelled in the window, so in the simulation none is")
    return FittedDemand(
        demand, confirmed, {"arrivals": lambda: arrivals, "time from the last arrival to delivery": tested}, notes
    )


def _routes(operation: Operation, place: dict[str, int]) -> pd.DataFrame:
    """Return one row for each entity with bookings: origin, destination, times, first trip, planned and actual last arrival."""
    legs, trips = operation.legs, operation.trips
    by = legs.groupby("entity", sort=False)["trip"]
    ends = by.first(), by.last()
    found = operation.entities.loc[operation.entities.index.intersection(ends[0].index)].copy()
    first, last = (each.loc[found.index].to_numpy(dtype=np.int64) for each in ends)
    found["first"] = first
    found["origin"] = trips["origin"].map(place).to_numpy()[first]
    found["destination"] = trips["destination"].map(place).to_numpy()[last]
    found["planned_arrival"] = trips["planned_end"].to_numpy()[last]
    found["arrival"] = trips["end"].to_numpy()[last]
    known = found[["origin", "destination", "registered"]].notna().all(axis=1)
    return found[known].astype({"origin": np.int64, "destination": np.int64})


def _shares(pairs: Floats) -> Floats:
    """Return the share of each destination by origin, shrunk to the common pattern."""
    common = pairs.sum(axis=0) / pairs.sum()
    found = pairs + _SHRINK * common
    np.fill_diagonal(found, 0.0)
    return np.asarray(found / np.maximum(found.sum(axis=1, keepdims=True), 1e-12))


def _changes(operation: Operation) -> tuple[float, int]:
    """Return the least planned time of a change (that one in a thousand falls below), and the largest number of trips."""
    legs, trips = operation.legs, operation.trips
    same = (legs["entity"].shift() == legs["entity"]).to_numpy()
    at = legs["trip"].to_numpy()
    gap = trips["planned_start"].to_numpy()[at[1:]] - trips["planned_end"].to_numpy()[at[:-1]]
    gap = gap[same[1:]]
    most = int(legs.groupby("entity").size().max())
    return float(np.quantile(gap, 0.001)) if len(gap) else 0.0, min(most, LEGS)


def _lead(
    operation: Operation,
    routes: pd.DataFrame,
    place: dict[str, int],
    *,
    change: float,
    most: int,
    zone: str | None,
    seed: int,
) -> tuple[float, float, str | None, float]:
    """Return lead and wave of bookings with its zone (see `Demand`), and how often they give the first trip that was booked."""
    trips = operation.trips
    chosen = routes.iloc[np.sort(np.random.default_rng(seed).permutation(len(routes))[:_SAMPLE])]
    planned = trips["planned_start"].to_numpy(), trips["planned_end"].to_numpy()
    ends = trips["origin"].map(place).fillna(-1), trips["destination"].map(place).fillna(-1)
    origin, destination = (each.to_numpy(dtype=np.int64) for each in ends)
    booked = np.isin(np.arange(len(trips)), operation.legs["trip"].to_numpy())
    usable = (origin >= 0) & (destination >= 0) & (trips["start"].notna().to_numpy() | booked)
    order = np.argsort(planned[0], kind="stable")
    paths = quickest_paths(origin, destination, *planned, usable, order[usable[order]], len(place), change, most)
    by_hub = np.lexsort((planned[0], origin))
    bounds = np.searchsorted(origin[by_hub], np.arange(len(place) + 1))
    found: dict[tuple[float, float, str | None], float] = {}
    registered, goal, where = (chosen[name].to_numpy() for name in ("registered", "destination", "origin"))
    # Programs that book often count their waves in UTC, whatever the clocks show.
    for lead, wave, clock in itertools.product(_LEADS, _WAVES, dict.fromkeys([None, zone])):
        ready = next_wave(registered + lead, wave, clock)
        first = first_departures(where, ready, by_hub, bounds, planned[0], usable)
        found[lead, wave, clock] = float(np.mean((first >= 0) & (paths[first, goal, 0] == chosen["first"].to_numpy())))
    best = max(found, key=found.__getitem__)
    return *best, found[best]


def _delivery(routes: pd.DataFrame, stop: float) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the times from the last arrival to delivery, and which of them hadn't ended."""
    here = routes["arrival"].notna()
    until = routes["delivered"].fillna(stop)
    lasting = (until - routes["arrival"])[here].to_numpy()
    waiting = routes["delivered"].isna()[here].to_numpy()
    return lasting[lasting > 0], waiting[lasting > 0]


def _past_legs(operation: Operation, stop: float) -> Ints:
    at = operation.legs["trip"].to_numpy(dtype=np.int64)
    return np.asarray(at[operation.trips["planned_start"].to_numpy()[at] < stop - 86_400])
