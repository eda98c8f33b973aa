"""First-order models of rooms: rates with the door open and closed, the air around, cooling, thermostats."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twinlab.simulate.calibration.rooms.records import RoomRecords, long_spells

__all__ = ["Pairs", "Thermal", "fit_thermal", "pairs_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DAY = 86_400.0
#: Pairs of values with an open door that a room needs for a rate of its own.
_FEWEST = 12
#: Records in a row of a door that is open for long.
_LEAST = 4
#: Rooms whose usual temperatures differ by less than this are alike, K.
_ALIKE = 5.0
#: Fastest and slowest time constant, seconds.
_FASTEST, _SLOWEST = 300.0, 30 * _DAY
#: Rounds in which the air around the rooms and its swing are found.
_ROUNDS = 4
#: Air around rooms of which no door was open for long enough, degC or K above the closed rooms.
_WARMER = 15.0
#: Values that are off by more than this many medians are left out, in so many rounds.
_FAR_OFF, _TRIMS = 6.0, 3
#: A rate has to be so many times its standard error.
_SURE = 3.0
#: By how much a room with an open door has to have warmed for that, K.
_RISE = 2.0
#: Rate with an open door where no room had one open for long enough, 1/s.
_DEFAULT_OPEN = 10 / 3600


@dataclass(frozen=True)
class Thermal:
    """Fits by room; see `RoomFits`."""

    closed: Floats
    open: Floats
    towards: Floats
    ambient: Floats
    swing: Floats
    cooling: Floats
    on_above: Floats
    off_below: Floats
    noise: Floats
    own: Bools
    """Whether a room's own openings gave its rate with an open door; others have that of rooms alike."""
    pairs: int
    """Number of pairs of values that everything comes from."""


@dataclass(frozen=True)
class Pairs:
    """Successive values: temperature at the first, slope (K/s), share of open doors, and whether the compressor ran; ``(pair, room)``."""

    first: Floats
    slope: Floats
    door: Floats
    running: Floats
    """1 if it ran at both ends, 0 if at neither, NaN if it switched; 0 without one."""
    wide: Bools
    """Whether the door was open all the while: two records of an open door in a row may be two short openings."""
    cos: Floats
    sin: Floats
    seconds: Floats

    def closed(self, room: int) -> Bools:
        """Return the pairs of a room with a closed door, of which it is known whether the compressor ran."""
        return np.asarray((self.door[:, room] == 0) & self._known(room))

    def opened(self, room: int) -> Bools:
        """Return the pairs of a room whose door was open for long."""
        return np.asarray(self.wide[:, room] & self._known(room))

    def _known(self, room: int) -> Bools:
        return np.asarray(~np.isnan(self.slope[:, room]) & ~np.isnan(self.running[:, room]))


def fit_thermal(records: RoomRecords) -> Thermal:
    """Fit all rooms by least squares of the slope between successive values.

    The air around the rooms is common to all of them: what a room with an open door goes to.
    """
    pairs, motor = pairs_of(records), np.asarray(~np.isnan(records.running).all(axis=0))
    usual = _median_where(records.temperature, records.door == 0)
    cooling = np.where(motor, _from_those_alike(_cooling(pairs), usual, default=0.0), 0.0)
    rooms, swing = len(records.rooms), np.zeros(2)
    for _ in range(_ROUNDS):
        # The swing follows from how fast closed rooms warm up, for which the air around has to be known.
        ambient = _ambient(pairs, cooling, usual, swing)
        rates = [_rate(pairs, room, ambient) if motor[room] else (np.nan, np.full(2, np.nan)) for room in range(rooms)]
        swings = np.array([one for _, one in rates])
        swing = np.nanmedian(swings, axis=0) if np.isfinite(swings).any() else swing
    towards = np.where(motor, ambient, usual)
    closed = np.array([rate for rate, _ in rates])
    for room in np.flatnonzero(~motor).tolist():
        closed[room], towards[room] = _to_set_point(pairs, room, pairs.closed(room), usual[room])
    closed = _from_those_alike(closed, usual, default=1 / _DAY)
    opened, noise = np.full(rooms, np.nan), np.full(rooms, np.nan)
    around = swing[0] * pairs.cos + swing[1] * pairs.sin
    for room in range(rooms):
        still, wide = pairs.closed(room), pairs.opened(room)
        warmer = around if motor[room] else np.zeros(len(around))
        left = pairs.slope[:, room] - closed[room] * (towards[room] + warmer - pairs.first[:, room])
        left = left + cooling[room] * pairs.running[:, room]
        noise[room] = _spread(left[still] * pairs.seconds[still])
        if wide.sum() >= _FEWEST:
            away = ambient + around[wide] - pairs.first[wide, room]
            opened[room] = float((away * left[wide]).sum() / max(float((away**2).sum()), 1e-9))
    own = np.asarray(opened > 1 / _SLOWEST)
    opened = _from_those_alike(np.where(own, opened, np.nan), usual, default=_DEFAULT_OPEN)
    above, below = _limits(records)
    return Thermal(
        np.clip(closed, 1 / _SLOWEST, 1 / _FASTEST), np.clip(opened, 0.0, 1 / _FASTEST),
        np.where(np.isnan(towards), np.nanmedian(towards), towards), np.full(rooms, ambient),
        np.nan_to_num(swing), cooling,
        np.where(motor, _from_those_alike(above, usual, default=np.nan), np.nan),
        np.where(motor, _from_those_alike(below, usual, default=np.nan), np.nan),
        _from_those_alike(noise, usual, default=0.0), own, int((~np.isnan(pairs.slope)).sum()),
    )  # fmt: skip


def _cooling(pairs: Pairs) -> Floats:
    """Return what compressors remove, K/s, from closed rooms; NaN where there are too few slopes with and without it."""
    found = np.full(pairs.slope.shape[1], np.nan)
    for room in range(len(found)):
        still = pairs.closed(room)
        on = pairs.running[still, room]
        if min(on.sum(), (1 - on).sum()) >= _FEWEST:
            columns = [np.ones(len(on)), -pairs.first[still, room], pairs.cos[still], pairs.sin[still], -on]
            fitted = _least_squares(np.stack(columns, axis=1), pairs.slope[still, room])
            found[room] = max(float(fitted[-1]), 0.0)
    return found


def _ambient(pairs: Pairs, cooling: Floats, usual: Floats, swing: Floats) -> float:
    """Return what rooms with an open door go to, the median over rooms."""
    found = []
    for room in range(len(cooling)):
        wide = pairs.opened(room)
        if wide.sum() >= _FEWEST and np.ptp(pairs.first[wide, room]) > _RISE:
            slope = pairs.slope[wide, room] + cooling[room] * pairs.running[wide, room]
            around = swing[0] * pairs.cos[wide] + swing[1] * pairs.sin[wide]
            columns = np.stack([np.ones(int(wide.sum())), around - pairs.first[wide, room]], axis=1)
            (intercept, rate), error = _line(columns, slope)
            if rate > max(_SURE * error, 1 / _SLOWEST):
                found.append(intercept / rate)
    return float(np.median(found)) if found else float(np.nanmax(usual)) + _WARMER


def _least_squares(columns: Floats, values: Floats) -> Floats:
    """Return the coefficients without the values that are far off, such as those of a sensor that hangs."""
    kept = np.ones(len(values), dtype=bool)
    found: Floats = np.zeros(columns.shape[1])
    for _ in range(_TRIMS):
        found = np.asarray(np.linalg.lstsq(columns[kept], values[kept], rcond=None)[0])
        left = np.abs(values - columns @ found)
        limit = _FAR_OFF * max(float(np.median(left[kept])), 1e-12)
        kept = left <= limit
    return np.asarray(found)


def _line(columns: Floats, values: Floats) -> tuple[Floats, float]:
    """Return the coefficients of a least-squares line, and the standard error of its slope."""
    found = _least_squares(columns, values)
    left = float(((values - columns @ found) ** 2).sum()) / max(len(values) - 2, 1)
    spread = float(((columns[:, 1] - columns[:, 1].mean()) ** 2).sum())
    return np.asarray(found), float(np.sqrt(left / max(spread, 1e-12)))


def _spread(values: Floats) -> float:
    """Return the standard deviation of all values but the outermost hundredths, such as those of openings that no record shows."""
    values = values[~np.isnan(values)]
    if len(values) < _FEWEST:
        return float("nan")
    low, high = np.quantile(values, [0.01, 0.99])
    return float(values[(values >= low) & (values <= high)].std())


def pairs_of(records: RoomRecords) -> Pairs:
    """Return the successive values of records."""
    seconds = np.diff(records.seconds)
    usual = (seconds > 0.5 * records.step) & (seconds < 1.5 * records.step)
    first, second = records.temperature[:-1], records.temperature[1:]
    slope = np.where(usual[:, None], (second - first) / np.maximum(seconds, 1e-9)[:, None], np.nan)
    running = np.where(np.isnan(records.running).all(axis=0), 0.0, records.running)
    wide = long_spells(records.door == 1, _LEAST)
    phase = 2 * np.pi * records.seconds[:-1] / _DAY
    return Pairs(
        first, slope, (records.door[:-1] + records.door[1:]) / 2, np.where(running[:-1] == running[1:], running[:-1], np.nan),
        wide[:-1] & wide[1:], np.cos(phase), np.sin(phase), seconds,
    )  # fmt: skip


def _rate(pairs: Pairs, room: int, ambient: float) -> tuple[float, Floats]:
    """Return the rate at which a closed room goes to the air around it, and how that swings through the day."""
    off = pairs.closed(room) & (pairs.running[:, room] == 0)
    if off.sum() < _FEWEST:
        return float("nan"), np.full(2, np.nan)
    columns = np.stack([ambient - pairs.first[off, room], pairs.cos[off], pairs.sin[off]], axis=1)
    found = _least_squares(columns, pairs.slope[off, room])
    if found[0] <= 1 / _SLOWEST:
        return float("nan"), np.full(2, np.nan)
    return float(found[0]), found[1:] / found[0]


def _to_set_point(pairs: Pairs, room: int, still: Bools, usual: float) -> tuple[float, float]:
    """Return the rate at which a closed room without a compressor goes to its set-point, and that set-point."""
    if still.sum() < _FEWEST or np.ptp(pairs.first[still, room]) == 0:
        return float("nan"), usual
    columns = np.stack([np.ones(int(still.sum())), -pairs.first[still, room]], axis=1)
    found = _least_squares(columns, pairs.slope[still, room])
    if found[1] <= 1 / _SLOWEST:
        return float("nan"), usual
    return float(found[1]), float(found[0] / found[1])


def _limits(records: RoomRecords) -> tuple[Floats, Floats]:
    """Return the temperatures at which compressors start and stop: medians over their switches."""
    before, after = records.running[:-1], records.running[1:]
    warmest = np.fmax(records.temperature[:-1], records.temperature[1:])
    coldest = np.fmin(records.temperature[:-1], records.temperature[1:])
    starts, stops = (before == 0) & (after == 1), (before == 1) & (after == 0)
    return _median_where(warmest, starts), _median_where(coldest, stops)


def _median_where(values: Floats, which: Bools) -> Floats:
    found = np.full(values.shape[1], np.nan)
    for room in range(values.shape[1]):
        part = values[which[:, room], room]
        part = part[~np.isnan(part)]
        found[room] = np.median(part) if len(part) else np.nan
    return found


def _from_those_alike(values: Floats, usual: Floats, *, default: float) -> Floats:
    """Return values with those that are missing replaced by the median of rooms of about the same temperature, else of all."""
    found = values.copy()
    for room in np.flatnonzero(np.isnan(values)).tolist():
        alike = values[np.abs(usual - usual[room]) < _ALIKE]
        alike = alike[~np.isnan(alike)]
        rest = values[~np.isnan(values)]
        found[room] = np.median(alike) if len(alike) else np.median(rest) if len(rest) else default
    return found
