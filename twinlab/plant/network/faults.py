"""Faults of sensors, boxes and clocks: what the files say wrongly, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints
from twinlab.plant.network.cold_rooms import Rooms
from twinlab.plant.network.forklifts import Lifts
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.tracks import Tracks

__all__ = ["Fault", "Logged", "Reported", "fault_rooms", "fault_trucks", "lift_dropouts"]


@dataclass(frozen=True)
class Fault:
    """One planted fault: what the files say is not what was, from ``start`` until before ``stop`` (UTC seconds)."""

    kind: str
    asset_type: str
    asset: int
    signal: str
    start: int
    stop: int
    details: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Logged:
    """What the fridge loggers wrote, [room, sample]: degC as sensed, whether written in °C, seconds the clock is fast."""

    temperature: Floats
    celsius: npt.NDArray[np.bool_]
    fast: Ints
    silent: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Reported:
    """What the trucks' boxes sent: the tracks with faults, and which reports never came."""

    tracks: Tracks
    silent: npt.NDArray[np.bool_]


class _Spans:
    """Hands out spans of time that don't overlap for the same asset."""

    def __init__(self, size: ParcelSize, random: np.random.Generator) -> None:
        self.begin, self.stop = size.span
        self.random = random
        self.taken: list[tuple[int, int, int]] = []

    def take(self, assets: list[int], wanted: int, *, step: int = 300) -> tuple[int, int] | None:
        """Return a span of about the wanted length in which none of these assets is faulty already."""
        long = max(step, min(wanted, (self.stop - self.begin) // 4) // step * step)
        for _ in range(60):
            # The first six hours and the last eighteen stay as they are: what stands at the end is planted there.
            free = (self.stop - self.begin - long - 24 * HOUR) // step
            at = self.begin + 6 * HOUR + step * int(self.random.integers(max(1, free)))
            if not any(
                one in assets and first < at + long + DAY and at < last + DAY for one, first, last in self.taken
            ):
                self.taken += [(one, at, at + long) for one in assets]
                return at, at + long
        return None


def fault_rooms(size: ParcelSize, rooms: Rooms) -> tuple[Logged, list[Fault]]:
    """Return what the loggers wrote, and the faults in it."""
    random = size.random("faults of rooms")
    spans = _Spans(size, random)
    logged = Logged(
        rooms.temperature.copy(),
        np.zeros(rooms.temperature.shape, dtype=bool),
        np.zeros(rooms.temperature.shape, dtype=np.int64),
        np.zeros(rooms.temperature.shape, dtype=bool),
    )
    # Events that a shifted clock or a wrong unit would blur stay readable: those rooms are taken already.
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
                details = _spoil(kind, logged, room, _samples(rooms, span), random)
                faults.append(
                    Fault(kind, "cold_room", room, "*" if kind == "dropout" else "temperature", *span, details)
                )
    return logged, faults


def _samples(rooms: Rooms, span: tuple[int, int]) -> Ints:
    return np.flatnonzero((rooms.time >= span[0]) & (rooms.time < span[1]))


def _spoil(kind: str, logged: Logged, room: int, at: Ints, random: np.random.Generator) -> dict[str, float | str]:
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


def fault_trucks(size: ParcelSize, tracks: Tracks) -> tuple[Reported, list[Fault]]:
    """Return what the trucks' boxes sent, and the faults in it."""
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
    # Some are still silent when the files end.
    for number in range(max(1, size.trucks // 50)):
        lost, since = size.trucks // 2 + number, size.span[1] - (5 + 2 * number) * HOUR
        at = np.flatnonzero((tracks.truck == lost) & (tracks.time >= since))
        silent[at] = True
        faults.append(Fault("silent", "truck", lost, "*", since, size.span[1], {"reports": len(at)}))
    return Reported(replace(tracks, speed=speed, fuel=fuel), silent), faults


def lift_dropouts(size: ParcelSize, lifts: Lifts) -> tuple[npt.NDArray[np.bool_], list[Fault]]:
    """Return which reports of the forklifts never came, and the faults behind it."""
    random = size.random("faults of lifts")
    spans = _Spans(size, random)
    silent = np.zeros(lifts.battery.shape, dtype=bool)
    faults = []
    for _ in range(max(1, round(size.forklifts * size.weeks / 80))):
        lift = int(random.integers(size.forklifts))
        span = spans.take([lift], HOUR * int(random.integers(3, 20)), step=600)
        if span is not None:
            at = (lifts.time >= span[0]) & (lifts.time < span[1])
            silent[lift, at] = True
            faults.append(Fault("dropout", "forklift", lift, "*", *span, {"reports": int(at.sum())}))
    return silent, faults
