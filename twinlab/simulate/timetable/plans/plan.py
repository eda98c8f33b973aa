"""A plan: a model with a state, whose trips are taken out, shifted, diverted or added."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.simulate.network.network import Network
from twinlab.simulate.timetable.model import TimetableModel

__all__ = ["Plan", "Window"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Window = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """A model with a state, and the network that a scenario's names are of."""

    model: TimetableModel
    state: xr.Dataset
    network: Network

    def column(self, name: str) -> npt.NDArray[np.generic]:
        """Return a column of the trips."""
        return np.asarray(self.state[f"trip_{name}"].to_numpy())

    def at(self, names: Sequence[str], end: str) -> Bools:
        """Return the trips whose origin or destination is one of these places."""
        hubs = self.state["hub"].to_numpy()
        return np.isin(hubs[self.state[f"trip_{end}"].to_numpy()], list(names))

    def on(self, pairs: Collection[tuple[str, str]]) -> Bools:
        """Return the trips from the first to the second place of a pair."""
        hubs = self.state["hub"].to_numpy()
        ends = (hubs[self.state[f"trip_{end}"].to_numpy()].tolist() for end in ("origin", "destination"))
        return np.array([pair in pairs for pair in zip(*ends, strict=True)], dtype=bool)

    def during(self, windows: Sequence[Window], end: str = "start") -> Bools:
        """Return the trips that haven't left, and are planned to start or end in one of the windows."""
        planned = self.state[f"trip_planned_{end}"].to_numpy()
        inside = np.any([(planned >= a) & (planned < b) for a, b in windows], axis=0)
        return np.asarray(inside & np.isnan(self.state["trip_known_start"].to_numpy()))

    def with_trips(self, **columns: npt.NDArray[np.generic]) -> Plan:
        """Return the plan with other columns of the trips."""
        return replace(self, state=self.state.assign({f"trip_{name}": ("trip", one) for name, one in columns.items()}))

    def cancelled(self, which: Bools) -> Plan:
        """Return the plan without some trips; what is booked on them is booked again."""
        known = np.asarray(self.column("known_cancelled"), dtype=bool) | which
        booked = np.asarray(self.column("confirmed"), dtype=bool) & ~which
        return self.with_trips(known_cancelled=known, cancelled=known, confirmed=booked)

    def longer(self, which: Bools, factor: float) -> Plan:
        """Return the plan with other times of travel of some trips."""
        return self.with_trips(link=np.where(which, self.column("link") + np.log(factor), self.column("link")))

    def booked(self) -> Ints:
        """Return how many entities that are known at the start are booked on each trip."""
        many = len(self.column("origin"))
        if "leg_trip" not in self.state:
            return np.zeros(many, dtype=np.int64)
        return np.bincount(self.state["leg_trip"].to_numpy(), minlength=many)

    def code(self, hub: str) -> int:
        """Return the number of a place in the state."""
        return int(self.state["hub"].to_numpy().tolist().index(hub))

    def with_departures(self, pair: tuple[str, str], starts: Floats, *, name: str) -> Plan:
        """Return the plan with further trips from one place to another, seconds since the start.

        They take as long, and are as late, as other trips of the pair; no carrier is stated for them, and none is cancelled.
        """
        like = np.flatnonzero(self.on({pair}))
        planned = (self.column(name)[like].astype(np.float64) for name in ("planned_end", "planned_start"))
        usual = float(np.median(np.subtract(*planned)))
        first = int(like[0])
        added = {
            str(key)[5:]: np.repeat(one.to_numpy()[[first]], len(starts))
            for key, one in self.state.data_vars.items()
            if one.dims == ("trip",)
        }
        added |= {"planned_start": starts, "planned_end": starts + usual, "carrier": np.full(len(starts), -1)}
        added |= {each: np.full(len(starts), np.nan) for each in ("start", "end", "known_start", "known_end")}
        added |= {each: np.full(len(starts), np.nan) for each in ("share", "seen") if each in added}
        added |= {each: np.zeros(len(starts), dtype=bool) for each in ("cancelled", "known_cancelled")}
        added |= {"confirmed": np.ones(len(starts), dtype=bool), "not_before": np.full(len(starts), -np.inf)}
        ids = [f"{name}/{pair[0]}-{pair[1]}/{number + 1}" for number in range(len(starts))]
        new = xr.Dataset(
            {f"trip_{key}": ("trip", np.asarray(one)) for key, one in added.items()},
            coords={"trip": np.array(ids, dtype=object)},
        )
        of_trips = self.state[list(new.data_vars)]
        whole = xr.concat([of_trips, new], "trip", coords="minimal", compat="override", join="exact")
        kinds = {key: whole[key].astype(of_trips[key].dtype) for key in new.data_vars}
        rest = self.state.drop_dims("trip")
        return replace(self, state=rest.assign(kinds).assign_coords(trip=whole["trip"]).assign_attrs(self.state.attrs))
