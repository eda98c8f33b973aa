"""Temperatures, doors and compressors of rooms in many replications."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special

from twinlab.simulate.timetable.draws import Purpose, generator
from twinlab.simulate.timetable.rooms.fits import RoomFits
from twinlab.simulate.timetable.weeks import hour_of_week, local_seconds

__all__ = ["RoomFutures", "RoomsNow", "later", "room_futures", "swing_at"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_DAY = 86_400.0
_TINY = 1e-12


@dataclass(frozen=True)
class RoomsNow:
    """Rooms at the start, one entry for each room; times in seconds since then."""

    temperature: Floats
    """NaN where it isn't known: drawn between the limits of the thermostat."""
    open_since: Floats
    """When the door was opened; NaN where it is closed, or not known."""
    running: Bools
    """Whether the compressor runs."""
    failed_since: Floats
    """When the compressor failed; NaN where it works."""
    warmer: Floats
    """By how much the air around is warmer than usual in the window of the fits, K."""

    def variables(self, rooms: tuple[str, ...]) -> xr.Dataset:
        """Return them as variables of a state."""
        data = {name: ("room", getattr(self, key)) for name, key in _VARIABLES.items()}
        return xr.Dataset(data, coords={"room": np.array(rooms, dtype=object)})

    @classmethod
    def of(cls, state: xr.Dataset) -> RoomsNow:
        """Return the rooms of a state."""
        return cls(**{key: state[name].to_numpy() for name, key in _VARIABLES.items()})


_VARIABLES = {f"room_{key}": key for key in ("temperature", "open_since", "running", "failed_since", "warmer")}


@dataclass(frozen=True)
class RoomFutures:
    """Values every ``step`` seconds from the start on, shape ``(replication, step, room)``."""

    temperature: Floats
    door: Bools
    running: Bools


def room_futures(
    fits: RoomFits,
    now: RoomsNow,
    *,
    until: float,
    epoch: int,
    seed: int,
    replications: Ints,
    zone: str | None = None,
) -> RoomFutures:
    """Run rooms forward from the start.

    Parameters
    ----------
    fits : RoomFits
    now : RoomsNow
    until : float
        End, seconds since the start, exclusive.
    epoch : int
        Start, seconds since 1970.
    seed : int
    replications : ndarray of int
    zone : str, optional
        Time zone of the hours in which doors are opened; UTC by default.
    """
    steps, rooms = int(np.ceil(until / fits.step)), len(fits.rooms)
    shape = (len(replications), steps, rooms)
    # One stream for each replication and purpose: the first steps are the same however many follow. What begins by chance needs
    # two numbers: whether it begins, and how long it lasts.
    door = _opened(fits, now, epoch, zone, _uniform(seed, replications, Purpose.DOOR, (steps, rooms, 2)))
    works = ~_failed(fits, now, _uniform(seed, replications, Purpose.FAILURE, (steps, rooms, 2)))
    noise = special.ndtri(_uniform(seed, replications, Purpose.ROOM, (steps + 1, rooms)))
    temperature, running = np.empty(shape), np.zeros(shape, dtype=bool)
    here = np.where(np.isnan(now.temperature), _somewhere(fits, noise[:, 0]), now.temperature)
    on = np.broadcast_to(now.running, here.shape)
    around = swing_at(fits, epoch + fits.step * np.arange(steps, dtype=np.float64))
    thermostat = ~np.isnan(fits.on_above)
    for step in range(steps):
        on = np.where(on, here >= fits.off_below, here > fits.on_above) & thermostat & works[:, step]
        temperature[:, step], running[:, step] = here, on
        ends = door[:, step].astype(np.float64)
        share = (ends + door[:, min(step + 1, steps - 1)]) / 2
        here = later(fits, here, door=share, running=on, warmer=around[step] + now.warmer, seconds=fits.step)
        here = here + fits.noise * noise[:, step + 1]
    return RoomFutures(temperature, door, running)


def later(
    fits: RoomFits, here: Floats, *, door: Floats, running: Bools, warmer: Floats, seconds: float | Floats
) -> Floats:
    """Return the temperatures after some seconds in which nothing changes: the exact solution, without noise.

    ``door`` is the share of the time in which it is open, ``warmer`` by how much the air around is warmer than its mean.
    """
    thermostat = ~np.isnan(fits.on_above)
    opened = door * fits.open
    rate = fits.closed + opened
    target = fits.towards + np.where(thermostat, warmer, 0.0)
    goal = (fits.closed * target + opened * (fits.ambient + warmer) - fits.cooling * running) / np.maximum(rate, _TINY)
    return np.asarray(goal + (here - goal) * np.exp(-rate * seconds))


def swing_at(fits: RoomFits, epoch: float | Floats) -> Floats:
    """Return how much warmer than its mean the air around is at instants, seconds since 1970."""
    phase = 2 * np.pi * np.asarray(epoch) / _DAY
    return np.asarray(np.cos(phase) * fits.swing[0] + np.sin(phase) * fits.swing[1])


def _uniform(seed: int, replications: Ints, purpose: Purpose, shape: tuple[int, ...]) -> Floats:
    """Return numbers in (0, 1) of this shape for each replication."""
    found = np.stack([generator(seed, int(each), purpose).random(shape) for each in replications])
    return np.clip(found, _TINY, 1 - _TINY)


def _somewhere(fits: RoomFits, noise: Floats) -> Floats:
    """Return temperatures between the limits of the thermostat, or round the set-point."""
    share = special.ndtr(noise)
    between = fits.off_below + share * (fits.on_above - fits.off_below)
    # The stationary spread of a first-order model.
    spread = fits.noise / np.sqrt(np.maximum(1 - np.exp(-2 * fits.closed * fits.step), _TINY))
    return np.asarray(np.where(np.isnan(fits.on_above), fits.towards + spread * noise, between))


def _opened(fits: RoomFits, now: RoomsNow, epoch: int, zone: str | None, u: Floats) -> Bools:
    """Return whether doors are open at each step."""
    steps = u.shape[1]
    instants = local_seconds(epoch + fits.step * np.arange(steps), zone).astype("M8[s]")
    an_hour = fits.opening[:, hour_of_week(instants)].T
    # Only a closed door can be opened.
    closed = np.maximum(1 - an_hour * float(fits.open_lasting.mean()) / 3600, 0.1)
    rate = an_hour / closed * fits.step / 3600
    return _spells(-np.expm1(-rate), fits.open_lasting, now.open_since, u, fits.step)


def _failed(fits: RoomFits, now: RoomsNow, u: Floats) -> Bools:
    """Return whether compressors are broken at each step."""
    if not fits.failing:
        return np.zeros(u.shape[:3], dtype=bool)
    chance = np.full(u.shape[1:3], -np.expm1(-fits.failing * fits.step))
    return _spells(chance, fits.repair, now.failed_since, u, fits.step)


def _spells(chance: Floats, lasting: Floats, since: Floats, u: Floats, step: float) -> Bools:
    """Return in which steps something lasts that begins by chance ``(step, room)`` and lasts a drawn time.

    What lasts at the start lasts longer than it has so far.
    """
    levels = np.linspace(0, 1, len(lasting))
    found = np.zeros(u.shape[:3], dtype=bool)
    begun = ~np.isnan(since)
    passed = np.interp(np.where(begun, -since, 0.0), lasting, levels, left=0.0)
    whole = np.interp(passed + u[:, 0, :, 1] * (1 - passed), levels, lasting)
    left = np.where(begun, np.maximum(np.ceil((whole + since) / step), 1.0), 0.0)
    for at in range(u.shape[1]):
        begins = (left <= 0) & (u[:, at, :, 0] < chance[at]) & (at > 0)
        if begins.any():
            drawn = np.interp(u[:, at, :, 1], levels, lasting)
            left = np.where(begins, np.maximum(np.round(drawn / step), 1.0), left)
        found[:, at] = left > 0
        left = left - 1
    return found
