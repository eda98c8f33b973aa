"""Actual times of planned trips in many replications."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from twinlab.simulate.timetable.day_effects import BLOCKS, DayEffects, Known, block_of, day_of
from twinlab.simulate.timetable.delays import Delays
from twinlab.simulate.timetable.draws import Purpose, generator, uniforms
from twinlab.simulate.timetable.positions import PositionFits, arrivals_under_way
from twinlab.simulate.timetable.weeks import local_seconds

__all__ = ["TripFits", "Trips", "simulate_trips"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


#: No trip leaves earlier than planned by more than this, seconds.
_EARLY = 7200.0


@dataclass(frozen=True)
class Trips:
    """Planned trips and what is known of them; times in seconds since the start of the simulation."""

    origin: Ints
    destination: Ints
    carrier: Ints
    """-1 where it isn't stated."""
    group: Ints
    """Group of the origin in the fits."""
    planned_start: Floats
    planned_end: Floats
    start: Floats
    """NaN where it hasn't left."""
    end: Floats
    """NaN where it hasn't arrived."""
    cancelled: Bools
    confirmed: Bools
    """Trips that aren't cancelled, because something is booked on them."""
    doubt: Floats
    """Factor on the chance to be cancelled."""
    not_before: Floats
    """Earliest start; negative infinity where there is no limit."""
    link: Floats
    """Usual logarithm of the actual over the planned duration."""
    share: Floats | None = None
    """Share of the way that was covered at the last record of the position; NaN where it isn't known."""
    seen: Floats | None = None
    """When that was; NaN where it isn't known."""


@dataclass(frozen=True)
class TripFits:
    """What is fitted about trips."""

    start: Delays
    """Delay of the start, seconds; infinite for cancelled trips."""
    duration: Delays
    """Logarithm of the actual over the planned duration, less that of the link."""
    turnaround: float
    """Least time from an arrival to the next departure of the carrier at the same place, seconds."""
    positions: PositionFits | None = field(default=None, metadata={"newer": True})
    """How long the rest of a trip takes; None if positions aren't known."""


def simulate_trips(
    trips: Trips,
    fits: TripFits,
    known: tuple[Known, Known],
    *,
    epoch: int,
    seed: int,
    replications: Ints,
    zone: str | None = None,
) -> tuple[Floats, Floats, Bools]:
    """Return start, end and whether cancelled, each of shape ``(replication, trip)``; NaN where there is none.

    Parameters
    ----------
    trips : Trips
    fits : TripFits
    known : pair of Known
        What had happened by the start: delays of starts, and durations.
    epoch : int
        Start of the simulation, seconds since 1970.
    seed : int
    replications : ndarray of int
    zone : str, optional
        Time zone of the hours and days of the fits, and of ``known``; UTC by default.
    """
    planned = local_seconds(trips.planned_start.astype(np.int64) + epoch, zone).astype(np.int64)
    epoch = int(local_seconds(epoch, zone))
    delay = _drawn(
        fits.start, trips.group, planned, known[0],
        at_least=np.where(np.isnan(trips.start) & (trips.planned_start < _EARLY), 1 - trips.planned_start, -np.inf),
        epoch=epoch, seed=seed, replications=replications, purposes=(Purpose.START, Purpose.EFFECT_OF_START),
        never=np.minimum(fits.start.never[fits.start.cells(trips.group, planned)] * trips.doubt, 0.9),
    )  # fmt: skip
    usual = np.maximum(trips.planned_end - trips.planned_start, 60.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        elapsed = np.log(np.maximum(1 - trips.start, 0.0) / usual) - trips.link
    ratio = _drawn(
        fits.duration, trips.group, planned, known[1],
        at_least=np.where(np.isnan(trips.end) & (trips.start < 0), elapsed, -np.inf),
        epoch=epoch, seed=seed, replications=replications, purposes=(Purpose.DURATION, Purpose.EFFECT_OF_DURATION),
        never=np.zeros(len(planned)),
    )  # fmt: skip
    lasting = np.exp(ratio + trips.link) * usual
    if fits.positions is not None and trips.share is not None and trips.seen is not None:
        # Where a carrier is says more than when it left.
        at = np.flatnonzero(np.isnan(trips.end) & (trips.start < 0) & ~np.isnan(trips.share))
        u = uniforms(seed, replications, Purpose.POSITION, len(planned))[:, at]
        expected = np.exp(trips.link[at]) * usual[at]
        arrivals = arrivals_under_way(fits.positions, trips.share[at], trips.seen[at], expected, u)
        lasting[:, at] = arrivals - trips.start[at]
    never = ~np.isfinite(delay) & ~trips.confirmed
    cancelled = trips.cancelled | (never & np.isnan(trips.start))
    delay = np.where(np.isfinite(delay), delay, np.nan)
    # A trip that something is booked on leaves, as late as any does.
    delay = np.where(np.isnan(delay), fits.start.quantiles[fits.start.cells(trips.group, planned), -1], delay)
    start = np.where(np.isnan(trips.start), np.maximum(trips.planned_start + delay, trips.not_before), trips.start)
    start, end = _in_sequence(trips, start, lasting, cancelled, fits.turnaround)
    return np.where(cancelled, np.nan, start), np.where(cancelled, np.nan, end), cancelled


def _in_sequence(
    trips: Trips, start: Floats, lasting: Floats, cancelled: Bools, turnaround: float
) -> tuple[Floats, Floats]:
    """Return starts and ends: no carrier leaves before it has arrived and turned round."""
    end = np.where(np.isnan(trips.end), start + lasting, trips.end)
    order = np.lexsort((trips.planned_start, trips.carrier))
    order = order[trips.carrier[order] >= 0]
    carrier = trips.carrier[order]
    first = np.concatenate([[True], carrier[1:] != carrier[:-1]])
    place = np.arange(len(order)) - np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    free = np.isnan(trips.start)
    for rank in range(1, int(place.max(initial=0)) + 1):
        at = np.flatnonzero(place == rank)
        now, before = order[at], order[at - 1]
        joined = (trips.destination[before] == trips.origin[now]) & free[now]
        now, before = now[joined], before[joined]
        ready = np.where(cancelled[:, before], -np.inf, end[:, before] + turnaround)
        late = np.maximum(ready - start[:, now], 0.0)
        start[:, now] += late
        end[:, now] += late
    return start, end


def _drawn(
    fit: Delays,
    group: Ints,
    planned: Ints,
    known: Known,
    *,
    at_least: Floats,
    epoch: int,
    seed: int,
    replications: Ints,
    purposes: tuple[Purpose, Purpose],
    never: Floats,
) -> Floats:
    cell = fit.cells(group, planned)
    effects = fit.effects
    path = _effects(
        effects, group, planned, known, epoch=epoch, seed=seed, replications=replications, purpose=purposes[1]
    )
    u = uniforms(seed, replications, purposes[0], len(group))
    bound = np.isfinite(at_least)
    if bound.any():
        # What is late already is drawn from the part of the distribution that is still possible.
        lowest = effects.probability(path[:, bound], fit.score_of(at_least[bound], cell[bound], never[bound]))
        u[:, bound] = np.clip(lowest + u[:, bound] * (1 - lowest), 1e-12, 1 - 1e-12)
    found = fit.values_at(effects.scores(path, u), cell, never)
    return np.where(bound, np.maximum(found, at_least), found)


def _effects(
    effects: DayEffects,
    group: Ints,
    planned: Ints,
    known: Known,
    *,
    epoch: int,
    seed: int,
    replications: Ints,
    purpose: Purpose,
) -> Floats:
    """Return the effect of the day on each trip, shape ``(replication, trip)``."""
    shape = (len(replications), len(group))
    if not effects.spread:
        return np.zeros(shape)
    day = day_of(planned, effects.day_start)
    today = int(day_of(np.array([epoch]), effects.day_start)[0])
    block = block_of(planned, effects.day_start)
    expected, errors = effects.forecast(known, epoch)
    count, groups = len(effects.mean), effects.mean.shape[1]
    found = np.empty(shape)
    for row, replication in enumerate(replications.tolist()):
        for one in np.unique(day).tolist():
            # Delays and times of travel follow the same day of the window: they go together.
            donor = int(generator(seed, replication, Purpose.DAY, one).random() * count)
            noise = generator(seed, replication, purpose, one).standard_normal((groups, BLOCKS)) * effects.doubt[donor]
            path = (expected + errors[donor] if one <= today else effects.mean[donor]) + noise
            here = day == one
            found[row, here] = path[group[here], block[here]]
    return found
