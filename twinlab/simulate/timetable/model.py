"""A timetable with random delays as a model: state in, state out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.simulate.protocol import Advanced
from twinlab.simulate.timetable.entities import Carried, Demand, Entities, carry_entities
from twinlab.simulate.timetable.names import Names
from twinlab.simulate.timetable.rooms.fits import RoomFits
from twinlab.simulate.timetable.rooms.futures import RoomFutures, RoomsNow, room_futures
from twinlab.simulate.timetable.rooms.signals import room_history, room_signals
from twinlab.simulate.timetable.signals import Span, results_of
from twinlab.simulate.timetable.states import known_of, trips_of
from twinlab.simulate.timetable.tables import event_tables
from twinlab.simulate.timetable.trips import TripFits, Trips, simulate_trips

__all__ = ["TimetableModel"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_SECOND = np.timedelta64(1, "s")
#: A field that models of earlier versions don't have: it isn't hashed while it is None or empty.
_NEWER = {"newer": True}


@dataclass(frozen=True)
class TimetableModel:
    """Planned trips with fitted delays and times of travel, and what they carry.

    `twinlab.simulate.calibrate` makes one from a twin's history; a state comes from the twin, too, because the plan is part of it.
    """

    name: str
    names: Names
    hubs: tuple[str, ...]
    """Places of the window that the fits come from."""
    fits: TripFits
    demand: Demand | None = None
    """New entities; None if the twin has only trips."""
    zone: str | None = field(default=None, metadata=_NEWER)
    """Time zone of the hours and days in the fits; None is UTC."""
    rooms: RoomFits | None = field(default=None, metadata=_NEWER)
    """Rooms with a temperature and doors; None if the twin has none."""

    def content_hash(self) -> str:
        """Hash of everything that decides what the model does, hexadecimal."""
        digest = hashlib.sha256()
        _add(digest, self)
        return digest.hexdigest()

    def initial_state(self, *, start: np.datetime64, seed: int = 0, replication: int = 0) -> xr.Dataset:  # noqa: ARG002
        """Raise: a timetable is part of the state, and comes from a twin."""
        msg = (
            f"the model {self.name!r} runs a twin's timetable from {start} on, which isn't part of the model: make the state with "
            "simulate.start_state(twin, calibrated, start) or call twin.simulate"
        )
        raise SchemaError(msg)

    def advance(
        self, state: xr.Dataset, *, until: np.datetime64, step: np.timedelta64, trace: bool = False
    ) -> Advanced:
        """Advance to a later instant; see `twinlab.simulate.Model`."""
        replication = int(state["replication"])
        outcome = self._run(state, np.array([replication]), until, step)
        carried = outcome.carried[0] if outcome.carried else None
        events = event_tables(self.names, state, outcome.span, outcome.times(0), carried) if trace else {}
        results = self._results(state, outcome).isel(replication=0, drop=True)
        return Advanced(self._later(state, outcome), results, events)

    def advance_many(
        self, state: xr.Dataset, *, replications: Sequence[int], until: np.datetime64, step: np.timedelta64
    ) -> xr.Dataset:
        """Results of several forks of one state, with a first dim ``replication``."""
        outcome = self._run(state, np.asarray(replications, dtype=np.int64), until, step)
        return self._results(state, outcome)

    def room_history(self, state: xr.Dataset, *, replications: Sequence[int], until: np.datetime64) -> xr.Dataset:
        """Signals of the rooms at every step of their history, dims ``replication, time, asset``, which results have by cells.

        Raises
        ------
        SchemaError
            If the model has no rooms.
        """
        if self.rooms is None:
            msg = f"the model {self.name!r} has no rooms with a temperature and doors"
            raise SchemaError(msg)
        numbers = np.asarray(replications, dtype=np.int64)
        self._check(state, until, _SECOND)
        begin, span = _span(state, until, _SECOND)
        found = room_history(self.rooms, self._rooms(state, numbers, span), begin)
        return found.assign_coords(replication=numbers)

    def _rooms(self, state: xr.Dataset, replications: Ints, span: Span) -> RoomFutures:
        assert self.rooms is not None
        epoch = int(span.origin.astype("M8[s]").astype(np.int64))
        now, seed = RoomsNow.of(state), int(state["seed"])
        return room_futures(
            self.rooms, now, until=span.stop, epoch=epoch, seed=seed, replications=replications, zone=self.zone
        )

    def _results(self, state: xr.Dataset, outcome: _Outcome) -> xr.Dataset:
        found = results_of(self.names, state, outcome.span, outcome.parts())
        if self.rooms is None:
            return found
        rooms = self._rooms(state, outcome.replications, outcome.span)
        return found.merge(room_signals(self.rooms, rooms, outcome.span), combine_attrs="override")

    def _run(self, state: xr.Dataset, replications: Ints, until: np.datetime64, step: np.timedelta64) -> _Outcome:
        self._check(state, until, step)
        begin, span = _span(state, until, step)
        epoch = int(begin.astype("M8[s]").astype(np.int64))
        trips, known = trips_of(state), known_of(state)
        start, end, cancelled = simulate_trips(
            trips, self.fits, known, epoch=epoch, seed=int(state["seed"]), replications=replications, zone=self.zone
        )
        diverted = np.zeros(len(trips.origin), dtype=bool)
        if "trip_diverted" in state:
            diverted = state["trip_diverted"].to_numpy()
        carried: list[Carried] = []
        if self.demand is not None:
            carried = [
                carry_entities(
                    _entities_of(state), self.demand, origin=trips.origin, destination=trips.destination,
                    planned=(trips.planned_start, trips.planned_end), actual=(start[row], end[row]), cancelled=cancelled[row], diverted=diverted,
                    until=span.stop, epoch=epoch, seed=int(state["seed"]), replication=int(each), zone=self.zone,
                )
                for row, each in enumerate(replications)
            ]  # fmt: skip
        return _Outcome(trips, span, replications, start, end, cancelled, carried)

    def _check(self, state: xr.Dataset, until: np.datetime64, step: np.timedelta64) -> None:
        if state.attrs.get("model") != self.name:
            msg = f"expected a state of the model {self.name!r}, got one of {state.attrs.get('model')!r}"
            raise SchemaError(msg)
        if not np.datetime64(until) > state["time"].to_numpy():
            msg = f"expected an end after the state's time {state['time'].to_numpy()}, got {until}"
            raise SchemaError(msg)
        if not np.timedelta64(step) > np.timedelta64(0):
            msg = f"expected a step above 0, got {step}"
            raise SchemaError(msg)

    def _later(self, state: xr.Dataset, outcome: _Outcome) -> xr.Dataset:
        """Return the state at the end: what has left and arrived by then is filled in.

        All random numbers are functions of the start, so that a run goes on from ``trip_known_start`` and has the same numbers
        in one piece and in several.
        """
        start, end, cancelled = outcome.times(0)
        stop = outcome.span.stop
        later = state.copy()
        later["trip_start"] = ("trip", np.where(start < stop, start, np.nan))
        later["trip_end"] = ("trip", np.where(end < stop, end, np.nan))
        later["trip_cancelled"] = ("trip", cancelled & (outcome.trips.planned_start < stop))
        later["time"] = ((), outcome.span.instant(stop))
        return later


@dataclass(frozen=True)
class _Outcome:
    """What happened in some replications."""

    trips: Trips
    span: Span
    replications: Ints
    start: Floats
    end: Floats
    cancelled: Bools
    carried: list[Carried]

    def times(self, row: int) -> tuple[Floats, Floats, Bools]:
        return self.start[row], self.end[row], self.cancelled[row]

    def parts(self) -> list[tuple[int, tuple[Floats, Floats, Bools], Carried | None]]:
        return [
            (int(each), self.times(row), self.carried[row] if self.carried else None)
            for row, each in enumerate(self.replications)
        ]


def _span(state: xr.Dataset, until: np.datetime64, step: np.timedelta64) -> tuple[np.datetime64, Span]:
    """Return the start of the simulation, and the span of results from the state's time on."""
    begin = pd.Timestamp(state["start"].item()).to_datetime64().astype("M8[ns]")
    first = float((state["time"].to_numpy().astype("M8[ns]") - begin) / _SECOND)
    last = float((np.datetime64(until).astype("M8[ns]") - begin) / _SECOND)
    return begin, Span(first, last, float(np.timedelta64(step) / _SECOND), begin)


def _entities_of(state: xr.Dataset) -> Entities:
    return Entities(
        state["entity_origin"].to_numpy(),
        state["entity_destination"].to_numpy(),
        state["entity_registered"].to_numpy(),
        state["entity_promised"].to_numpy(),
        state["entity_known_delivered"].to_numpy(),
        state["entity_first_leg"].to_numpy(),
        state["leg_trip"].to_numpy(),
    )


def _add(digest: Any, part: object) -> None:  # noqa: ANN401  (hashlib names no type of its objects)
    """Add a frozen object to a hash, field by field."""
    if is_dataclass(part):
        for one in fields(part):
            value = getattr(part, one.name)
            if one.metadata.get("newer") and (value is None or value == ()):
                continue
            digest.update(one.name.encode())
            _add(digest, value)
    elif isinstance(part, np.ndarray):
        digest.update(f"{part.dtype}{part.shape}".encode())
        digest.update(np.ascontiguousarray(part).tobytes())
    else:
        digest.update(repr(part).encode())
