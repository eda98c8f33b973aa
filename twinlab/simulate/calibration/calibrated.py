"""A model fitted to a window of a twin's history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.reader import TwinReader
from twinlab.simulate.calibration.as_network import network_of
from twinlab.simulate.calibration.demand import fit_demand
from twinlab.simulate.calibration.distributions import Fit, fit_distribution
from twinlab.simulate.calibration.lazy_fits import AnyFit, Fits, Later
from twinlab.simulate.calibration.operation import read_operation
from twinlab.simulate.calibration.positions import fit_positions
from twinlab.simulate.calibration.rooms.fitting import fit_rooms
from twinlab.simulate.calibration.twin_names import checked_zone
from twinlab.simulate.network.network import Network
from twinlab.simulate.timetable.delays import fit_delays
from twinlab.simulate.timetable.model import TimetableModel
from twinlab.simulate.timetable.trips import TripFits
from twinlab.simulate.timetable.weeks import local_seconds

__all__ = ["Calibrated", "calibrate", "log_ratio"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_DAY = 86_400
#: Days after the window in which trips are planned that were booked in it.
_BOOKED = 7
#: A place is a group of its own from this many departures on, the largest places first.
_OWN_GROUP = 500
_MOST_GROUPS = 24
#: A link of this many trips has half of its own effect.
_SHRINK = 3.0
_SERVERS = "servers of the hubs: how long sorting takes isn't recorded; it is in the least time of a change"


@dataclass(frozen=True)
class Calibrated:
    """A model with the fits that it consists of."""

    model: TimetableModel
    window: tuple[np.datetime64, np.datetime64]
    """Window of the history that everything comes from, half-open, UTC."""
    groups: tuple[str, ...]
    """Places whose departures have distributions of their own; all others share one."""
    links: pd.Series
    """Usual logarithm of the actual over the planned duration, by (origin, destination)."""
    network: Network
    """The same as a network: what the names in scenarios refer to."""
    confirmed: bool
    """Whether trips with bookings are never cancelled, as far as the window shows."""
    fits: Mapping[str, AnyFit]
    """Fits by what they are about, each with its goodness in words; it is computed when a fit is looked up."""
    notes: tuple[str, ...]
    """What was assumed or left out."""
    unknown: tuple[str, ...]
    """What the history says nothing about."""

    def table(self) -> pd.DataFrame:
        """Return one row for each fit: what, family, number of values, whether it fits, words."""
        rows = [
            {
                "what": name,
                "family": fit.family if isinstance(fit, Fit) else "rates by hour of the week",
                "values": fit.values if isinstance(fit, Fit) else int(fit.count.sum()),
                "p_value": fit.p_value,
                "words": fit.words,
            }
            for name, fit in self.fits.items()
        ]
        return pd.DataFrame(rows)

    def group_of(self, hubs: npt.NDArray[np.object_]) -> Ints:
        """Return the group of each place; places without one of their own have the last."""
        place = {name: number for number, name in enumerate(self.groups)}
        return np.array([place.get(hub, len(self.groups)) for hub in hubs.tolist()], dtype=np.int64)

    def link_of(self, trips: pd.DataFrame) -> Floats:
        """Return the usual logarithm of the actual over the planned duration of trips; 0 for links without any."""
        return _link_of(self.links, trips)

    def __repr__(self) -> str:
        lines = [f"Model {self.model.name!r} from {_day(self.window[0])} to {_day(self.window[1])}"]
        lines += [f"  {name}: {fit.words}" for name, fit in self.fits.items()]
        lines += [f"  note: {note}" for note in self.notes]
        lines += [f"  unknown: {what}" for what in self.unknown]
        return "\n".join(lines)


def calibrate(
    twin: TwinReader,
    window: tuple[object, object] | Sequence[object],
    *,
    zone: str | None = None,
    name: str | None = None,
    seed: int = 0,
) -> Calibrated:
    """Fit a model of a twin's trips, and of what they carry, to a window of its history.

    Nothing that happened outside the window is used. Delays of departures and times of travel are fitted by place and hour of the
    day, with effects of the day; arrivals by place and hour of the week.

    Parameters
    ----------
    twin : TwinReader
        A twin, or a view of it `as_of` some time.
    window : (start, stop)
        Half-open; naive is UTC.
    zone : str, optional
        Time zone of the hours and days of operation, such as "Europe/Berlin": what is planned by local clocks moves in UTC when they are
        put forward. UTC by default.
    name : str, optional
        Name of the model; the twin's by default.
    seed : int
        Seed of the goodness of fit.

    Raises
    ------
    SchemaError
        If the twin has no event type of trips, the window too few of them, or there is no such zone.
    """
    start, stop = (pd.Timestamp(each).to_datetime64().astype("M8[ns]") for each in window)  # type: ignore[arg-type]
    if not start < stop:
        msg = f"calibrate: expected a window whose start is before its end, got {start} and {stop}"
        raise SchemaError(msg)
    begin, end = (int(each.astype("M8[s]").astype(np.int64)) for each in (start, stop))
    # Bookings made in the window are of trips planned after it, too.
    operation = read_operation(twin, start=start, stop=stop + np.timedelta64(_BOOKED, "D")).as_known(float(end))
    trips = _settled(operation.trips, begin, end)
    if not len(trips):
        msg = f"calibrate: there are no trips with a plan from {_day(start)} to {_day(stop)} in the twin {twin.model.twin!r}; take another window or start"
        raise SchemaError(msg)
    zone = None if zone is None else checked_zone(zone)
    groups = _groups(trips)
    day_start = _quiet_hour(local_seconds(trips["planned_start"].to_numpy(), zone))
    links = _links(trips)
    usual = (trips["planned_end"] - trips["planned_start"]).to_numpy() * np.exp(_link_of(links, trips))
    positions = fit_positions(twin, operation.names, trips, usual=usual, stop=stop)
    fits, delays = _trip_fits(trips, groups, links, day_start=day_start, seed=seed, zone=zone)
    delays = replace(delays, positions=positions)
    notes = _trip_notes(delays, day_start, zone, operation.unplanned)
    unknown = ["capacity of the carriers: it doesn't limit what they carry"]
    hubs = sorted({*trips["origin"], *trips["destination"]})
    demand, confirmed = None, False
    if operation.names.entity is not None:
        found = fit_demand(operation, hubs, start=begin, stop=end, zone=zone, seed=seed)
        demand, confirmed = found.demand, found.confirmed
        fits |= found.fits
        notes += found.notes
        unknown.append(_SERVERS)
    rooms = fit_rooms(twin, start=start, stop=stop, zone=zone, seed=seed)
    if rooms is not None:
        fits |= rooms.fits
        notes += rooms.notes
    of_rooms = None if rooms is None else rooms.rooms
    model = TimetableModel(name or twin.model.twin, operation.names, tuple(hubs), delays, demand, zone, of_rooms)
    network = network_of(
        model.name, operation.names, trips, demand, hubs=model.hubs, positions=_positions(twin, operation.names.hub),
        largest_load=int(operation.legs.groupby("trip").size().max()) if len(operation.legs) else 1,
    )  # fmt: skip
    return Calibrated(model, (start, stop), groups, links, network, confirmed, Fits(fits), tuple(notes), tuple(unknown))


def _settled(trips: pd.DataFrame, begin: int, end: int) -> pd.DataFrame:
    """Return the trips planned in a window; what was planned in its last hours may leave after it, so that its delay isn't known."""
    inside = trips[(trips["planned_start"] >= begin) & (trips["planned_start"] < end)]
    return inside[inside["start"].notna() | (inside["planned_start"] < end - _DAY)]


def _trip_notes(fits: TripFits, day_start: int, zone: str | None, unplanned: int) -> list[str]:
    notes = [
        f"a day of operation begins at {day_start:02}:00 {zone or 'UTC'}",
        "times of travel are relative to the planned ones, and trips without an actual end are left out of them",
        *_effect_notes(fits),
    ]
    if fits.positions is not None:
        notes.append(
            f"arrivals of trips under way follow from the share of the way that is covered ({fits.positions.count} trips)"
        )
    if unplanned:
        notes.append(f"{unplanned} trips without a plan, or with an end before the start, are left out")
    return notes


def _positions(twin: TwinReader, hub: str) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude of the places that state both as properties."""
    assets, names = twin.assets(hub), twin.model.asset_types[hub].position
    if names is None or not set(names) <= set(assets.columns):
        return {}
    known = assets[list(names)].dropna()
    return {
        str(one): (float(a), float(b)) for one, a, b in zip(known.index, *known.to_numpy(dtype=float).T, strict=True)
    }


def _groups(trips: pd.DataFrame) -> tuple[str, ...]:
    counts = trips["origin"].value_counts()
    return tuple(sorted(map(str, counts.index[counts >= _OWN_GROUP][:_MOST_GROUPS])))


def _quiet_hour(epoch: Floats) -> int:
    """Return the hour before which the least trips are planned, in the middle of the quietest six hours."""
    counts = np.bincount((epoch // 3600 % 24).astype(np.int64), minlength=24)
    around = sum(np.roll(counts, shift) for shift in range(-3, 3))
    return int(np.argmin(np.asarray(around)))


def log_ratio(trips: pd.DataFrame) -> Floats:
    """Return the logarithm of the actual over the planned duration; NaN where one is missing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (trips["end"] - trips["start"]) / (trips["planned_end"] - trips["planned_start"])
        return np.log(np.where(ratio > 0, ratio, np.nan))


def _links(trips: pd.DataFrame) -> pd.Series:
    """Return the median logarithm of the ratio of each link, shrunk to that of all."""
    ratio = pd.Series(log_ratio(trips), index=pd.MultiIndex.from_frame(trips[["origin", "destination"]])).dropna()
    by = ratio.groupby(level=[0, 1])
    many, usual = by.size(), float(ratio.median()) if len(ratio) else 0.0
    return usual + (by.median() - usual) * many / (many + _SHRINK)


def _link_of(links: pd.Series, trips: pd.DataFrame) -> Floats:
    wanted = pd.MultiIndex.from_frame(trips[["origin", "destination"]])
    usual = float(links.median()) if len(links) else 0.0
    return links.reindex(wanted).fillna(usual).to_numpy(dtype=np.float64)


def _trip_fits(
    trips: pd.DataFrame, groups: tuple[str, ...], links: pd.Series, *, day_start: int, seed: int, zone: str | None
) -> tuple[dict[str, Later], TripFits]:
    place = {name: number for number, name in enumerate(groups)}
    group = np.array([place.get(each, len(groups)) for each in trips["origin"]], dtype=np.int64)
    epoch = local_seconds(trips["planned_start"].to_numpy(), zone).astype(np.int64)
    never = np.iinfo(np.int64).max
    start = trips["start"].to_numpy()
    delay = np.where(np.isnan(start), np.inf, start - trips["planned_start"].to_numpy())
    seen = np.where(np.isnan(start), never, np.nan_to_num(local_seconds(start, zone)).astype(np.int64))
    of_start = fit_delays(delay, group, epoch, seen, growing=True, groups=len(groups) + 1, day_start=day_start)
    ratio = log_ratio(trips) - _link_of(links, trips)
    ended = np.isfinite(ratio)
    of_duration = fit_delays(
        ratio[ended], group[ended], epoch[ended], local_seconds(trips["end"].to_numpy()[ended], zone).astype(np.int64),
        growing=False, groups=len(groups) + 1, day_start=day_start,
    )  # fmt: skip
    fits: dict[str, Later] = {
        "delay of departures": partial(
            fit_distribution, delay[np.isfinite(delay)], seed=seed, resolution=_resolution(delay)
        ),
        "actual over planned time of travel": partial(fit_distribution, np.exp(ratio[ended]), seed=seed),
    }
    return fits, TripFits(of_start, of_duration, _turnaround(trips))


def _resolution(values: Floats) -> float:
    """Return 60 if all values are whole minutes, else 0."""
    known = values[np.isfinite(values)]
    return 60.0 if len(known) and np.all(known % 60 == 0) else 0.0


def _turnaround(trips: pd.DataFrame) -> float:
    """Return the time from an arrival to the carrier's next departure from there that one in a thousand falls below, seconds."""
    known = trips[trips["carrier"].notna() & trips["start"].notna()].sort_values(["carrier", "start"])
    follows = (known["carrier"].shift() == known["carrier"]) & (known["destination"].shift() == known["origin"])
    gap = (known["start"] - known["end"].shift())[follows].dropna()
    gap = gap[gap >= 0]
    return float(np.quantile(gap, 0.001)) if len(gap) >= 100 else 0.0


def _effect_notes(fits: TripFits) -> list[str]:
    notes = []
    for what, one in (("delays of departures", fits.start), ("times of travel", fits.duration)):
        effects = one.effects
        share = effects.spread**2 / (effects.spread**2 + effects.noise**2)
        notes.append(
            f"{what}: {share:.0%} of the variance of their normal scores is between days"
            if effects.spread
            else f"{what}: days don't differ by more than chance"
        )
    return notes


def _day(instant: np.datetime64) -> str:
    return str(instant.astype("M8[m]"))
