"""Faults of sensors, telematics units and clocks: wrong values in the files, and a record of each fault."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints
from twinlab.plant.network.cold_rooms import ColdRooms
from twinlab.plant.network.forklifts import Forklifts
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.tracks import Tracks

__all__ = ["Fault", "Logged", "Reported", "add_forklift_faults", "add_room_faults", "add_truck_faults"]


@dataclass(frozen=True)
class Fault:
    """One planted fault: the files differ from the true states from ``start`` until before ``stop`` (UTC seconds)."""

    kind: str
    asset_type: str
    asset: int
    signal: str
    start: int
    stop: int
    details: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Logged:
    """Values of the loggers, [room, sample]: °C as measured, whether written in °C, seconds by which the clock is fast."""

    temperature: Floats
    celsius: npt.NDArray[np.bool_]
    fast: Ints
    silent: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reported:
    """Reports of the trucks: the tracks with faults, and which reports are missing."""

    tracks: Tracks
    silent: npt.NDArray[np.bool_]


class _Spans:
    """Random spans of time that don't overlap for the same asset."""

    def __init__(self, size: ParcelSize, random: np.random.Generator) -> None:
        self.begin, self.stop = size.span
        self.random = random
        self.taken: list[tuple[int, int, int]] = []

    def take(self, assets: list[int], wanted: int, *, step: int = 300) -> tuple[int, int] | None:
        """Return a span of about the wanted length in which none of these assets is faulty already."""
        long = max(step, min(wanted, (self.stop - self.begin) // 4) // step * step)
        for _ in range(60):
            # No random faults in the first 6 and the last 18 hours: active situations are planted at the end.
            free = (self.stop - self.begin - long - 24 * HOUR) // step
            at = self.begin + 6 * HOUR + step * int(self.random.integers(max(1, free)))
            if not any(
                one in assets and first < at + long + DAY and at < last + DAY for one, first, last in self.taken
            ):
                self.taken += [(one, at, at + long) for one in assets]
                return at, at + long
        return None


def add_room_faults(size: ParcelSize, rooms: ColdRooms) -> tuple[Logged, list[Fault]]:
    """Return the values that the loggers write, and the faults in them."""
    random = size.random("faults of rooms")
    spans = _Spans(size, random)
    logged = Logged(
        rooms.temperature.copy(),
        np.zeros(rooms.temperature.shape, dtype=bool),
        np.zeros(rooms.temperature.shape, dtype=np.int64),
        np.zeros(rooms.temperature.shape, dtype=bool),
    )
    # Shifted clocks and wrong units come first, so that no other fault overlaps them in these rooms.
    hubs = np.unique(rooms.hub)
    faults: list[Fault] = []
    for kind, column in (("unit_swap", logged.celsius), ("clock_shift", logged.fast)):
        hub = int(random.choice(hubs))
        members = np.flatnonzero(rooms.hub == hub)
        span = spans.take(members.tolist(), 7 * DAY if kind == "unit_swap" else 5 * DAY)
        if span is None:
            continue
        column[members[:, None], _samples(rooms, span)[None, :]] = 1 if kind == "unit_swap" else 47 * 60
        details: dict[str, float | str] = (
            {"written": "degC", "declared": "degF"} if kind == "unit_swap" else {"fast_by_s": 47 * 60}
        )
        signal = "temperature" if kind == "unit_swap" else "*"
        faults += [Fault(kind, "cold_room", room, signal, *span, details) for room in members.tolist()]
    many = max(1, round(rooms.temperature.shape[0] * size.weeks / 130))
    for kind, wanted in (("drift", 21 * DAY), ("stuck", 18 * HOUR), ("spikes", 3 * DAY), ("dropout", 9 * HOUR)):
        for _ in range(many):
            room = int(random.integers(len(rooms)))
            span = spans.take([room], wanted)
            if span is not None:
                details = _add_room_fault(kind, logged, room, _samples(rooms, span), random)
                faults.append(
                    Fault(kind, "cold_room", room, "*" if kind == "dropout" else "temperature", *span, details)
                )
    return logged, faults


def _samples(rooms: ColdRooms, span: tuple[int, int]) -> Ints:
    return np.flatnonzero((rooms.time >= span[0]) & (rooms.time < span[1]))


def _add_room_fault(
    kind: str, logged: Logged, room: int, at: Ints, random: np.random.Generator
) -> dict[str, float | str]:
    row = logged.temperature[room]
    if kind == "drift":
        day = 0.15 * (1 if random.random() < 0.7 else -1)
        row[at] += day * np.arange(len(at)) * 300 / DAY
        return {"degC_a_day": day, "degC_at_end": round(day * len(at) * 300 / DAY, 2)}
    if kind == "stuck":
        row[at] = row[at[0]]
        return {"degC": round(float(row[at[0]]), 2)}
    if kind == "spikes":
        hit = np.sort(random.choice(at[1:-1], min(9, len(at) - 2), replace=False))
        hit = hit[np.append(True, np.diff(hit) > 3)]
        row[hit] += random.choice([-1.0, 1.0], len(hit)) * random.uniform(18.0, 35.0, len(hit))
        return {"spikes": len(hit)}
    logged.silent[room, at] = True
    return {"samples": len(at)}


def add_truck_faults(size: ParcelSize, tracks: Tracks) -> tuple[Reported, list[Fault]]:
    """Return the reports that the trucks send, and the faults in them."""
    random = size.random("faults of trucks")
    spans = _Spans(size, random)
    speed, fuel = tracks.speed.copy(), tracks.fuel.copy()
    silent = np.zeros(len(tracks), dtype=bool)
    faults: list[Fault] = []
    each = max(1, round(size.trucks * size.weeks / 400))
    plan = (("silent", "*", 4 * each, 7 * HOUR), ("stuck", "fuel", each, 2 * DAY), ("spikes", "speed", each, DAY))
    for kind, signal, many, wanted in plan:
        for _ in range(many):
            truck = int(random.integers(size.trucks))
            long = wanted if kind != "silent" else HOUR * int(random.integers(3, 13))
            span = spans.take([truck], long)
            if span is None:
                continue
            at = np.flatnonzero((tracks.truck == truck) & (tracks.time >= span[0]) & (tracks.time < span[1]))
            if not len(at):
                continue
            details: dict[str, float | str] = {"reports": len(at)}
            if kind == "silent":
                silent[at] = True
            elif kind == "stuck":
                fuel[at] = fuel[at[0]]
            else:
                hit = at[random.random(len(at)) < 0.06]
                hit = at[:1] if not len(hit) else hit
                speed[hit] = random.uniform(140.0, 255.0, len(hit))
                details = {"spikes": len(hit)}
            faults.append(Fault(kind, "truck", truck, signal, *span, details))
    # Some trucks are still silent when the files end.
    for number in range(max(1, size.trucks // 50)):
        lost, since = size.trucks // 2 + number, size.span[1] - (5 + 2 * number) * HOUR
        at = np.flatnonzero((tracks.truck == lost) & (tracks.time >= since))
        silent[at] = True
        faults.append(Fault("silent", "truck", lost, "*", since, size.span[1], {"reports": len(at)}))
    return Reported(replace(tracks, speed=speed, fuel=fuel), silent), faults


def add_forklift_faults(size: ParcelSize, forklifts: Forklifts) -> tuple[npt.NDArray[np.bool_], list[Fault]]:
    """Return which reports of the forklifts are missing, and the faults that cause it."""
    random = size.random("faults of lifts")
    spans = _Spans(size, random)
    silent = np.zeros(forklifts.battery.shape, dtype=bool)
    faults = []
    for _ in range(max(1, round(size.forklifts * size.weeks / 80))):
        forklift = int(random.integers(size.forklifts))
        span = spans.take([forklift], HOUR * int(random.integers(3, 20)), step=600)
        if span is not None:
            at = (forklifts.time >= span[0]) & (forklifts.time < span[1])
            silent[forklift, at] = True
            faults.append(Fault("dropout", "forklift", forklift, "*", *span, {"reports": int(at.sum())}))
    return silent, faults
