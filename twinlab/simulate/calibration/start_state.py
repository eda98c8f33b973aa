"""The state of a model at an instant, from what a twin's history says had happened by then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.model.basics import parse_duration
from twinlab.model.reader import TwinReader
from twinlab.simulate.calibration.calibrated import Calibrated, log_ratio
from twinlab.simulate.calibration.operation import Operation, legs_of, read_operation
from twinlab.simulate.calibration.positions import covered_at
from twinlab.simulate.calibration.rooms.present import rooms_at
from twinlab.simulate.timetable.day_effects import MEMORY, Known
from twinlab.simulate.timetable.entities import Entities
from twinlab.simulate.timetable.states import state_dataset
from twinlab.simulate.timetable.trips import Trips
from twinlab.simulate.timetable.weeks import local_seconds

__all__ = ["BOOKED_AHEAD", "LOOK_BACK", "StartState", "latest_time", "positions", "start_state", "state_of"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DAY = 86_400.0
#: What is carried, and was handed in earlier than this, isn't looked for.
LOOK_BACK = 14 * 86_400
#: Plans beyond the horizon that bookings need, seconds.
BOOKED_AHEAD = 7 * _DAY
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class StartState:
    """A state, and what of it isn't in the history."""

    state: xr.Dataset
    assumed: tuple[str, ...]
    """What is drawn at random, or taken as given, each with its number."""


def latest_time(twin: TwinReader) -> np.datetime64:
    """Return the latest actual time of the twin's trips and of what they carry: the start "now"."""
    operation = read_operation(twin)
    times = [operation.trips[["start", "end"]].max().max(), operation.entities[["registered", "delivered"]].max().max()]
    known = [each for each in times if pd.notna(each)]
    if not known:
        msg = f"the twin {twin.model.twin!r} has no trip that has left, so there is no present state; ingest some, or state a start"
        raise SchemaError(msg)
    return pd.Timestamp(round(max(known)) + 1, unit="s").to_datetime64()


def start_state(
    twin: TwinReader, calibrated: Calibrated, start: object, *, seed: int = 0, horizon: str = "7d"
) -> StartState:
    """Return the state at an instant: what had left, is under way, waits, and is planned.

    Only what happened before ``start`` is used, and plans. Rows that came later are left out by passing a view of the twin:
    ``start_state(twin.as_of(start), …)``.

    Parameters
    ----------
    twin : TwinReader
    calibrated : Calibrated
    start : instant
        Naive is UTC.
    seed : int
        Seed of the runs from this state.
    horizon : duration
        How far ahead the plan is needed.

    Raises
    ------
    SchemaError
        If no trip is planned from ``start`` on.
    """
    instant = pd.Timestamp(start).to_datetime64().astype("M8[ns]")  # type: ignore[arg-type]
    # What is carried is booked on trips beyond the horizon, too.
    ahead = parse_duration(horizon) / 1e9 + (0.0 if calibrated.model.demand is None else BOOKED_AHEAD)
    stop = instant + np.timedelta64(round(ahead), "s")
    operation = read_operation(twin, start=instant - np.timedelta64(LOOK_BACK, "s"), stop=stop)
    return state_of(twin, operation, calibrated, instant, ahead=ahead, seed=seed)


def state_of(
    twin: TwinReader,
    operation: Operation,
    calibrated: Calibrated,
    instant: np.datetime64,
    *,
    ahead: float,
    seed: int = 0,
) -> StartState:
    """Return the state at an instant, with the plan for ``ahead`` seconds; the operation reaches `LOOK_BACK` seconds back.

    Positions and rooms are read from the twin, the last records before the instant.
    """
    now = float(instant.astype("M8[ns]").astype(np.int64) / 1e9)
    operation = _active(operation.as_known(now), now, now + ahead)
    trips = operation.trips
    if not (trips["planned_start"] >= now).any():
        msg = f"{calibrated.model.name!r} has no trip that is planned from {instant} on, so there is nothing to simulate; choose an earlier start"
        raise SchemaError(msg)
    known = _known(operation, calibrated, now)
    longest = float(calibrated.model.fits.start.quantiles.max())
    gone = _given_up(trips, now, longest)
    lost = _lost(trips, now, calibrated)
    usual = (trips["planned_end"] - trips["planned_start"]) * np.exp(calibrated.link_of(trips))
    trips = trips.assign(end=trips["end"].where(~lost, np.minimum(trips["start"] + usual, now - 1)))
    kept = _kept(trips, operation.legs, now)
    place = np.cumsum(kept) - 1
    legs = operation.legs.assign(trip=place[operation.legs["trip"].to_numpy(dtype=np.int64)])
    table = trips[kept].reset_index(drop=True)
    hubs = _with_new(np.array(calibrated.model.hubs, dtype=object), table)
    code = {name: number for number, name in enumerate(hubs.tolist())}
    carriers, carrier = np.unique(table["carrier"].fillna("").astype(str), return_inverse=True)
    carrier = np.where(table["carrier"].isna(), -1, carrier)
    booked = np.zeros(len(table), dtype=bool)
    if calibrated.confirmed and len(legs):
        booked[legs["trip"].to_numpy()] = True
    made = Trips(
        table["origin"].map(code).to_numpy(dtype=np.int64), table["destination"].map(code).to_numpy(dtype=np.int64), carrier,
        calibrated.group_of(table["origin"].to_numpy(dtype=object)), table["planned_start"].to_numpy() - now,
        table["planned_end"].to_numpy() - now, table["start"].to_numpy() - now, table["end"].to_numpy() - now, gone[kept], booked,
        _doubt(table["planned_start"].to_numpy() - now, booked), np.full(len(table), -np.inf), calibrated.link_of(table),
        *_positions(twin, calibrated, table, instant),
    )  # fmt: skip
    entities = _entities(operation, legs, table, code, now) if calibrated.model.demand is not None else None
    rooms = None if calibrated.model.rooms is None else rooms_at(twin, calibrated.model.rooms, instant)
    state = state_dataset(
        made, known, entities, model=calibrated.model.name, model_hash=calibrated.model.content_hash(), start=instant, seed=seed,
        hubs=hubs, carriers=carriers.astype(object), trip_ids=table["event_id"].to_numpy(dtype=object),
        entity_ids=operation.entities["id"].to_numpy(dtype=object),
        rooms=None if rooms is None else rooms.now.variables(rooms.names),
    )  # fmt: skip
    assumed = _assumed(made, entities, calibrated, int(lost.sum()))
    return StartState(state, assumed if rooms is None else (*assumed, *rooms.assumed))


def positions(state: xr.Dataset) -> pd.DataFrame:
    """Return how many entities wait at each hub at the start of a state, and how many are on the way to it.

    Returns
    -------
    DataFrame
        Index hub; columns ``waiting``, ``incoming``.
    """
    hubs = state["hub"].to_numpy()
    first, leg_trip = state["entity_first_leg"].to_numpy(), state["leg_trip"].to_numpy()
    entity = np.repeat(np.arange(len(first) - 1), np.diff(first))
    left = state["trip_known_start"].to_numpy()[leg_trip] < 0
    last = np.full(len(first) - 1, -1)
    last[entity[left]] = leg_trip[left]
    under_way = (last >= 0) & np.isnan(state["trip_known_end"].to_numpy()[last])
    goal = state["trip_destination"].to_numpy()[last]
    here = np.where(last < 0, state["entity_origin"].to_numpy(), goal)
    count = [np.bincount(here[which], minlength=len(hubs)) for which in (~under_way, under_way)]
    return pd.DataFrame({"waiting": count[0], "incoming": count[1]}, index=pd.Index(hubs, name="hub"))


def _positions(
    twin: TwinReader, calibrated: Calibrated, trips: pd.DataFrame, instant: np.datetime64
) -> tuple[Floats, Floats] | tuple[()]:
    """Return share of the way and time of the last record of each trip under way; nothing if the model doesn't use them."""
    if calibrated.model.fits.positions is None:
        return ()
    found = covered_at(twin, calibrated.model.names, trips, instant)
    return found.share, found.seen - float(instant.astype("M8[ns]").astype(np.int64) / 1e9)


def _active(operation: Operation, now: float, stop: float) -> Operation:
    """Return the operation without entities that had been delivered, and trips that matter no more."""
    entities = operation.entities
    planned = operation.trips["planned_start"].to_numpy()
    recent = (planned >= now - LOOK_BACK) & (planned < stop)
    recent[legs_of(operation.legs, entities[entities["delivered"].isna()])["trip"].to_numpy(dtype=np.int64)] = True
    recent &= planned >= now - LOOK_BACK
    if not recent.all():
        place = np.where(recent, np.cumsum(recent) - 1, -1)
        legs = operation.legs.assign(trip=place[operation.legs["trip"].to_numpy(dtype=np.int64)])
        entities = entities[~entities.index.isin(legs.loc[legs["trip"] < 0, "entity"].unique())]
        legs = legs_of(legs, entities)
        operation = Operation(
            operation.names, operation.trips[recent].reset_index(drop=True), entities, legs, operation.unplanned
        )
    if not len(entities):
        return operation
    entities = entities[entities["delivered"].isna()]
    legs = legs_of(operation.legs, entities)
    entities = entities.loc[legs["entity"].drop_duplicates()]
    return Operation(operation.names, operation.trips, entities, legs, operation.unplanned)


def _given_up(trips: pd.DataFrame, now: float, longest: float) -> Bools:
    """Return which trips never left: planned longer ago than any trip has been late."""
    return (trips["start"].isna() & (trips["planned_start"] < now - longest)).to_numpy()


def _lost(trips: pd.DataFrame, now: float, calibrated: Calibrated) -> pd.Series:
    """Return which trips have left so long ago that they must have arrived, though no arrival is recorded."""
    usual = (trips["planned_end"] - trips["planned_start"]) * np.exp(calibrated.link_of(trips))
    longest = float(np.exp(calibrated.model.fits.duration.quantiles.max()))
    return trips["start"].notna() & trips["end"].isna() & (now - trips["start"] > longest * usual)


def _kept(trips: pd.DataFrame, legs: pd.DataFrame, now: float) -> Bools:
    """Return the trips that matter: planned, under way, late, just arrived, or used by something that is still on its way."""
    kept = (
        (trips["planned_start"] >= now) | (trips["end"].isna() & trips["start"].notna()) | (trips["end"] > now - _DAY)
    )
    kept |= trips["start"].isna() & (trips["planned_start"] >= now - _DAY)
    used = np.zeros(len(trips), dtype=bool)
    used[legs["trip"].to_numpy(dtype=np.int64)] = True
    return kept.to_numpy() | used


def _doubt(ahead: Floats, booked: Bools) -> Floats:
    """Return the factor on the chance of each trip to be cancelled.

    Where booked trips are never cancelled, the others are cancelled the more often: of all trips of the same half day the usual share.
    """
    half_day = np.floor(ahead / (_DAY / 2)).astype(np.int64)
    _, group = np.unique(half_day, return_inverse=True)
    many, free = np.bincount(group), np.bincount(group, weights=~booked)
    return np.where(booked, 1.0, (many / np.maximum(free, 1.0))[group])


def _with_new(hubs: npt.NDArray[np.object_], trips: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the places of the model, then those that only the plan has."""
    new = sorted({*trips["origin"], *trips["destination"]} - set(hubs.tolist()))
    return np.array([*hubs.tolist(), *new], dtype=object)


def _known(operation: Operation, calibrated: Calibrated, now: float) -> tuple[Known, Known]:
    trips = operation.trips
    trips = trips[(trips["planned_start"] >= now - MEMORY) & (trips["planned_start"] < now)]
    group = calibrated.group_of(trips["origin"].to_numpy(dtype=object))
    zone = calibrated.model.zone
    epoch = local_seconds(trips["planned_start"].to_numpy(), zone).astype(np.int64)
    start, end = trips["start"].to_numpy(), trips["end"].to_numpy()
    delay = np.where(np.isnan(start), np.inf, start - trips["planned_start"].to_numpy())
    ratio = log_ratio(trips) - calibrated.link_of(trips)

    def seen(times: Floats) -> npt.NDArray[np.int64]:
        return np.where(np.isnan(times), _NEVER, np.nan_to_num(local_seconds(times, zone)).astype(np.int64))

    features = np.zeros(0)
    return Known(delay, group, epoch, seen(start), features), Known(ratio, group, epoch, seen(end), features)


def _entities(
    operation: Operation, legs: pd.DataFrame, table: pd.DataFrame, code: dict[str, int], now: float
) -> Entities:
    entities = operation.entities
    trip = legs["trip"].to_numpy(dtype=np.int64)
    many = legs.groupby("entity", sort=False).size().loc[entities.index].to_numpy()
    first = np.concatenate([[0], np.cumsum(many)]).astype(np.int64)
    ends = table["origin"].map(code).to_numpy(), table["destination"].map(code).to_numpy()
    return Entities(
        ends[0][trip[first[:-1]]].astype(np.int64), ends[1][trip[first[1:] - 1]].astype(np.int64),
        entities["registered"].to_numpy() - now, entities["promised"].to_numpy() - now, entities["delivered"].to_numpy() - now,
        first, trip,
    )  # fmt: skip


def _assumed(trips: Trips, entities: Entities | None, calibrated: Calibrated, lost: int) -> tuple[str, ...]:
    left = trips.start < 0
    under_way = int((left & np.isnan(trips.end)).sum())
    late = int((np.isnan(trips.start) & (trips.planned_start < 0) & ~trips.cancelled).sum())
    ahead = trips.planned_start >= 0
    placed = 0 if trips.share is None else int((~np.isnan(trips.share)).sum())
    notes = [
        f"{int(ahead.sum())} trips planned from the start on are known then; their delays, cancellations and times of travel are drawn",
        f"{under_way} trips are under way: their arrivals are drawn, later than the start"
        + (f", {placed} of them from the share of the way that they have behind them" if placed else ""),
        f"{late} trips are late and haven't left: their departures are drawn, later than the start",
    ]
    if lost:
        notes.append(
            f"{lost} trips without a recorded arrival left so long ago that they count as arrived at the usual time"
        )
    if entities is not None:
        names = calibrated.model.names
        notes += [
            f"{len(entities.origin)} of asset type {names.entity} are on their way, with the bookings that the history has",
            f"new ones of asset type {names.entity} are drawn from the rates by hour of the week, and their times to delivery",
        ]
    return tuple(notes)
