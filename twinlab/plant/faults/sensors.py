"""Faults of sensors and clocks by a schedule: what a step's readings become before the peers show them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twinlab.plant.faults.schedule import ScheduledFault
from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints
from twinlab.plant.network.faults import Logged, Reported
from twinlab.plant.network.forklifts import ForkliftSamples
from twinlab.plant.network.names import asset_number, first_maker_trucks
from twinlab.plant.network.size import ParcelSize

__all__ = ["SensorFaults"]

_MILE, _GALLON = 1.609344, 3.785411784
#: Share of the minutes with a spike.
_SPIKES = 0.03
#: What a truck's box of the first maker writes if it takes another unit than it states: miles, miles an hour, gallons.
_SWAPS = {"speed": _MILE, "odometer": _MILE, "fuel": _GALLON}


class SensorFaults:
    """Scheduled faults of signals and clocks of a network of this size."""

    def __init__(self, size: ParcelSize) -> None:
        self._size = size
        self._counts = {"truck": size.trucks, "cold_room": size.cold_rooms, "forklift": size.forklifts}
        self._faults: list[tuple[ScheduledFault, int, tuple[int, int]]] = []
        # Values at which sensors are stuck, by place in the schedule.
        self._stuck: dict[int, float] = {}
        # Times and values of signals that are shown again later, by place in the schedule.
        self._before: dict[int, tuple[list[int], list[float]]] = {}

    def add(self, fault: ScheduledFault, begin: int) -> None:
        """Add a fault of an asset, of a schedule that begins at ``begin`` (UTC seconds).

        Raises
        ------
        UnknownTermError
            If there is no such asset.
        """
        asset = asset_number(fault.asset_type, fault.target, count=self._counts[fault.asset_type])
        self._faults.append((fault, asset, fault.span(begin)))

    def of_rooms(self, time: Ints, measured: Logged) -> Logged:
        """Return what the sensors of the rooms measure, [room, minute]."""
        temperature, celsius, fast = measured.temperature.copy(), measured.celsius.copy(), measured.fast.copy()
        for place, (fault, room, span) in enumerate(self._faults):
            at = np.flatnonzero((time >= span[0]) & (time < span[1]))
            if fault.asset_type == "cold_room":
                self._remember(place, time, measured.temperature[room])
            if fault.asset_type != "cold_room" or not len(at):
                continue
            if fault.kind == "unit_swap":
                celsius[room, at] = ~celsius[room, at]
            elif fault.kind in ("clock_skew", "clock_step"):
                fast[room, at] += _ahead(fault, time[at], span[0])
            else:
                temperature[room, at] = self._wrong(place, time[at], temperature[room, at])
        return replace(measured, temperature=temperature, celsius=celsius, fast=fast)

    def of_trucks(self, reported: Reported) -> Reported:
        """Return the reports as the trucks' boxes write them."""
        tracks = reported.tracks
        columns = {name: getattr(tracks, name).copy() for name in ("time", "speed", "odometer", "fuel")}
        for place, (fault, truck, span) in enumerate(self._faults):
            here = (tracks.truck == truck) & (tracks.time >= span[0]) & (tracks.time < span[1])
            at = np.flatnonzero(here)
            if fault.asset_type == "truck" and fault.signal is not None:
                own = tracks.truck == truck
                self._remember(place, tracks.time[own], getattr(tracks, fault.signal)[own])
            if fault.asset_type != "truck" or not len(at):
                continue
            if fault.kind in ("clock_skew", "clock_step"):
                columns["time"][at] += _ahead(fault, tracks.time[at], span[0])
            elif fault.kind == "unit_swap":
                first_maker = truck < first_maker_trucks(self._size.trucks)
                factor = _SWAPS[str(fault.signal)]
                columns[str(fault.signal)][at] *= 1 / factor if first_maker else factor
            else:
                column = columns[str(fault.signal)]
                column[at] = self._wrong(place, tracks.time[at], column[at])
        return replace(reported, tracks=replace(tracks, **columns))

    def of_forklifts(self, samples: ForkliftSamples) -> ForkliftSamples:
        """Return the samples as the forklifts' boxes write them, [sample, forklift]."""
        columns = {"battery": samples.battery.copy(), "load": samples.load.copy()}
        for place, (fault, forklift, span) in enumerate(self._faults):
            at = np.flatnonzero((samples.time >= span[0]) & (samples.time < span[1]))
            if fault.asset_type == "forklift" and fault.signal is not None:
                self._remember(place, samples.time, getattr(samples, fault.signal)[:, forklift])
            if fault.asset_type != "forklift" or fault.signal is None or not len(at):
                continue
            column = columns[fault.signal]
            if fault.kind == "unit_swap":
                column[at, forklift] *= 0.01 if fault.signal == "battery" else 1 / 0.45359237
            else:
                column[at, forklift] = self._wrong(place, samples.time[at], column[at, forklift])
        return replace(samples, battery=columns["battery"], load=columns["load"])

    def _remember(self, place: int, time: Ints, values: Floats) -> None:
        """Remember the true values of a signal that a fault will show again."""
        if self._faults[place][0].kind == "replayed":
            times, earlier = self._before.setdefault(place, ([], []))
            times += time.tolist()
            earlier += values.tolist()

    def _wrong(self, place: int, time: Ints, values: Floats) -> Floats:
        """Return the values of a signal during a fault."""
        fault, _, (start, _) = self._faults[place]
        amount = fault.amount or 0.0
        if fault.kind == "stuck":
            return np.full(len(values), self._stuck.setdefault(place, float(values[0])))
        if fault.kind == "replayed":
            times, earlier = self._before[place]
            then = np.searchsorted(times, time - round(amount * HOUR), side="right") - 1
            # Of a time before the run, the first values.
            shown: Floats = np.asarray(earlier)[then.clip(0)]
            return shown
        if fault.kind == "drift":
            return values + amount * (time - start) / DAY
        if fault.kind == "wrong_scaling":
            return values * amount
        # Which minutes have spikes depends on the minute only, so that steps don't matter.
        mixed = ((time // 60).astype(np.uint64) * np.uint64(2654435761) + np.uint64(place + self._size.seed)) % (
            1 << 32
        )
        mixed = (mixed ^ (mixed >> np.uint64(16))) * np.uint64(2246822519) % (1 << 32)
        return np.where(mixed < _SPIKES * (1 << 32), values + amount, values)


def _ahead(fault: ScheduledFault, time: Ints, start: int) -> Ints:
    """Return how many seconds a clock is ahead."""
    amount = fault.amount or 0.0
    ahead = amount * (time - start) / DAY if fault.kind == "clock_skew" else np.full(len(time), amount)
    return np.rint(ahead).astype(np.int64)
