"""Rooms fitted to a window of a twin's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.model.reader import TwinReader
from twinlab.simulate.calibration.arrivals import arrival_rates
from twinlab.simulate.calibration.breakdowns import breakdowns
from twinlab.simulate.calibration.lazy_fits import Later
from twinlab.simulate.calibration.rooms.doors import failures, spells
from twinlab.simulate.calibration.rooms.names import room_names
from twinlab.simulate.calibration.rooms.records import read_rooms
from twinlab.simulate.calibration.rooms.thermal import Thermal, fit_thermal
from twinlab.simulate.timetable.rooms.fits import RoomFits
from twinlab.simulate.timetable.weeks import HOURS, local_seconds

__all__ = ["FittedRooms", "fit_rooms"]

#: Values that all rooms together need.
_FEWEST = 200
_QUANTILES = 201


@dataclass(frozen=True)
class FittedRooms:
    """Fits of rooms, and what to say about them."""

    rooms: RoomFits
    fits: dict[str, Later]
    notes: tuple[str, ...]


def fit_rooms(twin: TwinReader, *, start: object, stop: object, zone: str | None, seed: int) -> FittedRooms | None:
    """Fit the rooms of a twin to a window; None if it has none, or too few values."""
    names = room_names(twin.model)
    if names is None:
        return None
    records = read_rooms(twin, names, start=start, stop=stop)
    if np.count_nonzero(~np.isnan(records.temperature)) < _FEWEST or np.isnan(records.door).all():
        return None
    thermal = fit_thermal(records)
    opened = spells(records, records.door)
    opening = np.zeros((len(records.rooms), HOURS))
    lasting = np.array([records.step])
    notes = list(_notes(thermal, records.rooms, names.room))
    fits: dict[str, Later] = {}
    if len(opened):
        begun, first, last = (_on_clocks(one, zone) for one in (opened["start"].to_numpy(), start, stop))
        rates = arrival_rates(begun, opened["asset"], start=first, stop=last)
        opening[[records.rooms.index(one) for one in rates.groups]] = rates.rate
        ended = (opened["end"] - opened["start"]).dt.total_seconds().dropna()
        lasting = np.quantile(ended, np.linspace(0, 1, _QUANTILES)) if len(ended) else lasting
        fits[f"openings of doors of a {names.room}"] = lambda: rates
    failing, repair = 0.0, np.zeros(0)
    if names.compressor is not None:
        broken = spells(records, failures(records, thermal.on_above))
        try:
            found = breakdowns(broken, assets=records.rooms, start=start, stop=stop, seed=seed)
            lasting_of_repair = found.repair_quantiles(np.linspace(0, 1, _QUANTILES))
        except SchemaError:
            notes.append("no compressor failed and was repaired in the window: in the simulation none fails")
        else:
            observed = (pd.Timestamp(stop) - pd.Timestamp(start)).total_seconds() * len(records.rooms)  # type: ignore[arg-type]
            failing = found.count / (found.availability * observed)
            repair = lasting_of_repair
            notes.append(
                f"compressors fail once in {1 / failing / 86_400:.3g} days of running, for {np.median(repair) / 3600:.2g} h (median) ({found.count} failures)"
            )
            fits["repair of a compressor"] = lambda: found.repair
            fits["running of a compressor until it fails"] = lambda: found.running
    rooms = RoomFits(
        names, records.rooms, records.step, thermal.closed, thermal.open, thermal.towards, thermal.ambient, thermal.swing, thermal.cooling,
        thermal.on_above, thermal.off_below, thermal.noise, opening, lasting, failing, repair,
    )  # fmt: skip
    return FittedRooms(rooms, fits, tuple(notes))


def _on_clocks(times: Any, zone: str | None) -> Any:  # noqa: ANN401  (an instant, or an array of them)
    seconds = local_seconds(np.asarray(times, dtype="M8[s]").astype(np.int64), zone)
    # An instant alone is an array without dims.
    return seconds.astype("M8[s]")[()]


def _notes(thermal: Thermal, rooms: tuple[str, ...], kind: str) -> list[str]:
    closed, opened = 1 / np.median(thermal.closed) / 3600, 1 / max(float(np.median(thermal.open)), 1e-9) / 3600
    words = (
        f"{len(rooms)} of asset type {kind}: time constants of {closed:.2g} h with a closed and {opened:.2g} h with an open door (medians), "
        f"{thermal.ambient[0]:.1f} around them, from {thermal.pairs:,} pairs of values"
    )
    notes = [words]
    if not thermal.own.all():
        notes.append(
            f"{int((~thermal.own).sum())} of asset type {kind} had no door open for long enough: with an open door they are like the others"
        )
    return notes
