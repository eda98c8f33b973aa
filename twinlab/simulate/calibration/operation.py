"""Trips, legs and entities of a twin as tables, with times in seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.reader import TwinReader
from twinlab.simulate.calibration.twin_names import PROPERTIES, find_names
from twinlab.simulate.timetable.names import Names

__all__ = ["Operation", "legs_of", "read_operation", "seconds_of"]

Floats = npt.NDArray[np.float64]

_TIMES = ("start", "end", "planned_start", "planned_end")


@dataclass(frozen=True)
class Operation:
    """What a twin's history says about its trips, and what they carry."""

    names: Names
    trips: pd.DataFrame
    """Columns ``event_id, carrier, origin, destination, start, end, planned_start, planned_end`` (float seconds), sorted by plan."""
    entities: pd.DataFrame
    """Indexed by number: ``id, registered, promised, delivered`` (float seconds); empty without legs."""
    legs: pd.DataFrame
    """Columns ``entity`` (its number) and ``trip`` (row of the trip), sorted by entity and planned start."""
    unplanned: int
    """Trips without a planned start or end, or without origin or destination, which are left out."""

    def as_known(self, instant: float) -> Operation:
        """Return the operation with nothing that happened from an instant on; plans are kept."""

        def before(column: pd.Series) -> pd.Series:
            return column.where(column < instant)

        trips = self.trips.assign(start=before(self.trips["start"]), end=before(self.trips["end"]))
        # What has no start hasn't ended either, whatever a row states.
        trips["end"] = trips["end"].where(trips["start"].notna())
        entities = self.entities
        legs = self.legs
        if len(entities):
            entities = entities[entities["registered"] < instant].copy()
            entities["delivered"] = before(entities["delivered"])
            legs = legs_of(legs, entities)
        return Operation(self.names, trips, entities, legs, self.unplanned)


def legs_of(legs: pd.DataFrame, entities: pd.DataFrame) -> pd.DataFrame:
    """Return the legs of some entities."""
    numbers, wanted = (each.to_numpy(dtype=np.int64) for each in (legs["entity"], entities.index))
    here = np.zeros(max(int(numbers.max(initial=-1)), int(wanted.max(initial=-1))) + 1, dtype=bool)
    here[wanted] = True
    return legs[here[numbers]].reset_index(drop=True)


def seconds_of(times: pd.Series) -> Floats:
    """Return times as seconds since 1970, NaN where there is none."""
    values = times.to_numpy(dtype="M8[ns]")
    return np.where(np.isnat(values), np.nan, values.astype(np.int64) / 1e9)


def read_operation(twin: TwinReader, *, start: object = None, stop: object = None) -> Operation:
    """Read the trips that overlap ``[start, stop)``, with the legs and entities that they carry.

    Raises
    ------
    SchemaError
        If the twin has no trips, or what is carried has no property that states when it was registered.
    """
    names = find_names(twin.model)
    found = _table(twin.events(names.trip, start=start, stop=stop), names.carrier)
    legs = pd.DataFrame({"entity": [], "trip": []}, dtype=np.int64)
    entities = pd.DataFrame({name: [] for name in ("id", *PROPERTIES)})
    if names.leg is not None and names.entity is not None and names.leg_carrier is not None:
        raw = twin.events(names.leg, start=start, stop=stop)
        rides = _table(raw.rename(columns={"asset": "entity"}), names.leg_carrier).assign(
            entity=raw["asset"].to_numpy()
        )
        found, trip = _joined(found, rides)
        code, ids = pd.factorize(rides["entity"].astype(str), sort=True)
        legs = pd.DataFrame({"entity": code, "trip": trip, "planned": rides["planned_start"].to_numpy()})
        legs = legs[legs["trip"] >= 0].sort_values(["entity", "planned"], kind="stable")[["entity", "trip"]]
        entities = _entities(twin, names.entity, pd.Index(ids))
        legs = legs_of(legs, entities)
    # Who wrote down an arrival alone left as planned.
    left = found["end"].notna() & (found["planned_start"] < found["end"])
    found["start"] = found["start"].fillna(found["planned_start"].where(left))
    usable = found[["planned_start", "planned_end", "origin", "destination"]].notna().all(axis=1)
    usable &= found["planned_end"] > found["planned_start"]
    order = np.argsort(found["planned_start"].to_numpy(), kind="stable")
    order = order[usable.to_numpy()[order]]
    place = np.full(len(found), -1)
    place[order] = np.arange(len(order))
    if len(legs):
        legs = legs.assign(trip=place[legs["trip"].to_numpy()])
        legs = legs[legs["trip"] >= 0].reset_index(drop=True)
    return Operation(names, found.iloc[order].reset_index(drop=True), entities, legs, int((~usable).sum()))


def _table(events: pd.DataFrame, carrier: str) -> pd.DataFrame:
    column = "asset" if carrier not in events else carrier
    made = {name: seconds_of(events[name]) for name in _TIMES}
    return pd.DataFrame(
        {
            "event_id": events["event_id"].to_numpy(), "carrier": events[column].to_numpy(dtype=object),
            "origin": events["origin"].to_numpy(dtype=object), "destination": events["destination"].to_numpy(dtype=object), **made,
        }
    )  # fmt: skip


def _joined(trips: pd.DataFrame, rides: pd.DataFrame) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Return the trips, with times that only their legs state and trips that only legs know, and the trip of each leg."""
    key = ["carrier", "origin", "destination", "planned_start"]
    known = trips.drop_duplicates(key).reset_index().set_index(key)["index"]
    row = known.reindex(pd.MultiIndex.from_frame(rides[key])).fillna(-1).to_numpy(dtype=np.int64)
    lost = rides[row < 0].drop_duplicates(key)
    if len(lost):
        extra = lost.drop(columns="entity")
        trips = pd.concat([trips, extra], ignore_index=True)
        known = trips.drop_duplicates(key).reset_index().set_index(key)["index"]
        row = known.reindex(pd.MultiIndex.from_frame(rides[key])).fillna(-1).to_numpy(dtype=np.int64)
    for name in ("start", "end"):
        stated = pd.Series(rides[name].to_numpy(), index=row).groupby(level=0).first()
        trips[name] = trips[name].fillna(stated)
    return trips, row


def _entities(twin: TwinReader, asset_type: str, ids: pd.Index) -> pd.DataFrame:
    """Return the times of the assets with these ids, numbered by their place among them."""
    assets = twin.assets(asset_type)
    if "registered" not in assets:
        msg = (
            f"asset type {asset_type!r} has no property 'registered' (time at which it was handed in), so new ones can't be simulated; "
            f"its properties are {', '.join(map(str, assets.columns))}; add it to twin.yaml and to the mapping"
        )
        raise SchemaError(msg)
    place = ids.get_indexer(assets.index.astype(str))
    assets, place = assets[place >= 0], place[place >= 0]
    columns = {
        name: seconds_of(assets[name]) if name in assets else np.full(len(assets), np.nan) for name in PROPERTIES
    }
    return pd.DataFrame({"id": assets.index.astype(str), **columns}, index=place).sort_index()
