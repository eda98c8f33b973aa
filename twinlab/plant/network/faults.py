"""Faults of sensors, telematics units and clocks: wrong values in the files, and a record of each fault."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from twinlab.plant.network.clocks import DAY, HOUR, Floats, Ints
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.tracks import Tracks

__all__ = [
    "Fault",
    "Logged",
    "Reported",
    "RoomFaults",
    "TruckFaults",
    "plan_forklift_faults",
    "plan_room_faults",
    "plan_truck_faults",
    "read_rooms",
    "room_faults",
    "send_reports",
]


#: Loggers sample every five minutes.
_SAMPLE = 300


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


@dataclass(frozen=True)
class RoomFaults:
    """What the faults of the loggers will do to their values, [room, sample of five minutes]."""

    begin: int
    # K added to what is measured.
    offset: Floats
    celsius: npt.NDArray[np.bool_]
    fast: Ints
    silent: npt.NDArray[np.bool_]
    # One row per stuck sensor: room, first second, first second after.
    stuck: Ints
    # The details of stuck sensors say at which value they stay, see `room_faults`.
    faults: tuple[Fault, ...]


def plan_room_faults(size: ParcelSize, hub: Ints) -> RoomFaults:
    """Return the faults of the loggers of rooms at these hubs; they don't depend on what the rooms do."""
    random = size.random("faults of rooms")
    spans = _Spans(size, random)
    count, begin, samples = len(hub), size.span[0], -(-(size.span[1] - size.span[0]) // _SAMPLE)
    celsius, silent = np.zeros((2, count, samples), dtype=bool)
    offset, fast = np.zeros((count, samples)), np.zeros((count, samples), dtype=np.int64)
    # Shifted clocks and wrong units come first, so that no other fault overlaps them in these rooms.
    hubs = np.unique(hub)
    faults: list[Fault] = []
    for kind in ("unit_swap", "clock_shift"):
        members = np.flatnonzero(hub == int(random.choice(hubs)))
        span = spans.take(members.tolist(), 7 * DAY if kind == "unit_swap" else 5 * DAY)
        if span is None:
            continue
        details: dict[str, float | str]
        if kind == "unit_swap":
            celsius[members, _samples(begin, span)] = True
            signal, details = "temperature", {"written": "degC", "declared": "degF"}
        else:
            fast[members, _samples(begin, span)] = 47 * 60
            signal, details = "*", {"fast_by_s": 47 * 60}
        faults += [Fault(kind, "cold_room", room, signal, *span, details) for room in members.tolist()]
    many = max(1, round(count * size.weeks / 130))
    for kind, wanted in (("drift", 21 * DAY), ("stuck", 18 * HOUR), ("spikes", 3 * DAY), ("dropout", 9 * HOUR)):
        for _ in range(many):
            room = int(random.integers(count))
            span = spans.take([room], wanted)
            if span is None:
                continue
            at = _samples(begin, span)
            if kind == "dropout":
                silent[room, at] = True
                details = {"samples": at.stop - at.start}
            else:
                details = {} if kind == "stuck" else _add_offset(kind, offset[room, at], random)
            faults.append(Fault(kind, "cold_room", room, "*" if kind == "dropout" else "temperature", *span, details))
    stuck = [(fault.asset, fault.start, fault.stop) for fault in faults if fault.kind == "stuck"]
    return RoomFaults(
        begin, offset, celsius, fast, silent, np.array(stuck, dtype=np.int64).reshape(-1, 3), tuple(faults)
    )


def _samples(begin: int, span: tuple[int, int]) -> slice:
    return slice((span[0] - begin) // _SAMPLE, (span[1] - begin) // _SAMPLE)


def _add_offset(kind: str, offset: Floats, random: np.random.Generator) -> dict[str, float | str]:
    """Add what a fault changes to the samples of its span, in place; return the fault's details."""
    if kind == "drift":
        day = 0.15 * (1 if random.random() < 0.7 else -1)
        offset += day * np.arange(len(offset)) * _SAMPLE / DAY
        return {"degC_a_day": day, "degC_at_end": round(day * len(offset) * _SAMPLE / DAY, 2)}
    hit = np.sort(random.choice(np.arange(1, len(offset) - 1), min(9, len(offset) - 2), replace=False))
    hit = hit[np.append(True, np.diff(hit) > 3)]
    offset[hit] += random.choice([-1.0, 1.0], len(hit)) * random.uniform(18.0, 35.0, len(hit))
    return {"spikes": len(hit)}


def read_rooms(plan: RoomFaults, time: Ints, temperature: Floats, held: Floats) -> tuple[Logged, Floats]:
    """Return what the loggers measure at some times, and at which values their stuck sensors stay.

    ``temperature`` is [room, time]; ``held`` has the value of each row of ``plan.stuck``, degC.
    """
    at = (time - plan.begin) // _SAMPLE
    seen, held = temperature + plan.offset[:, at], held.copy()
    for number, (room, first, last) in enumerate(plan.stuck.tolist()):
        low, high = np.searchsorted(time, [first, last])
        if low < high:
            if time[low] == first:
                held[number] = temperature[room, low]
            seen[room, low:high] = held[number]
    return Logged(seen, plan.celsius[:, at], plan.fast[:, at], plan.silent[:, at]), held


def room_faults(plan: RoomFaults, held: Floats) -> list[Fault]:
    """Return the faults of the loggers, with the values at which stuck sensors stay (NaN if they don't yet)."""
    known = {(room, start): value for (room, start, _), value in zip(plan.stuck.tolist(), held.tolist(), strict=True)}
    return [
        replace(fault, details={"degC": round(known[fault.asset, fault.start], 2)}) if fault.kind == "stuck" else fault
        for fault in plan.faults
    ]


@dataclass(frozen=True)
class TruckFaults:
    """The faults of the trucks' reports, and the wrong speeds of spikes: truck, second, km/h."""

    faults: tuple[Fault, ...]
    spikes: tuple[tuple[int, int, float], ...]


def plan_truck_faults(size: ParcelSize, tracks: Tracks) -> TruckFaults:
    """Return the faults of the trucks' reports."""
    random = size.random("faults of trucks")
    spans = _Spans(size, random)
    faults: list[Fault] = []
    spikes: list[tuple[int, int, float]] = []
    each = max(1, round(size.trucks * size.weeks / 400))
    plan = (("silent", "*", 4 * each, 7 * HOUR), ("stuck", "fuel", each, 2 * DAY), ("spikes", "speed", each, DAY))
    for kind, signal, many, wanted in plan:
        for _ in range(many):
            truck = int(random.integers(size.trucks))
            long = wanted if kind != "silent" else HOUR * int(random.integers(3, 13))
            span = spans.take([truck], long)
            at = _reports(tracks, truck, span) if span is not None else np.zeros(0, dtype=np.int64)
            if span is None or not len(at):
                continue
            details: dict[str, float | str] = {"reports": len(at)}
            if kind == "spikes":
                hit = at[random.random(len(at)) < 0.06]
                hit = at[:1] if not len(hit) else hit
                wrong = random.uniform(140.0, 255.0, len(hit)).tolist()
                spikes += zip([truck] * len(hit), tracks.time[hit].tolist(), wrong, strict=True)
                details = {"spikes": len(hit)}
            faults.append(Fault(kind, "truck", truck, signal, *span, details))
    # Some trucks are still silent when the files end.
    for number in range(max(1, size.trucks // 50)):
        lost, since = size.trucks // 2 + number, size.span[1] - (5 + 2 * number) * HOUR
        at = _reports(tracks, lost, (since, size.span[1]))
        faults.append(Fault("silent", "truck", lost, "*", since, size.span[1], {"reports": len(at)}))
    return TruckFaults(tuple(faults), tuple(spikes))


def _reports(tracks: Tracks, truck: int, span: tuple[int, int]) -> Ints:
    """Return the indices of a truck's reports within a span."""
    low, high = np.searchsorted(tracks.time, span)
    found: Ints = low + np.flatnonzero(tracks.truck[low:high] == truck)
    return found


def send_reports(plan: TruckFaults, tracks: Tracks) -> Reported:
    """Return the reports as the trucks send them, with the faults."""
    speed, fuel = tracks.speed.copy(), tracks.fuel.copy()
    silent = np.zeros(len(tracks), dtype=bool)
    for fault in plan.faults:
        at = _reports(tracks, fault.asset, (fault.start, fault.stop))
        if fault.kind == "silent":
            silent[at] = True
        elif fault.kind == "stuck" and len(at):
            fuel[at] = fuel[at[0]]
    for truck, time, wrong in plan.spikes:
        speed[_reports(tracks, truck, (time, time + 1))] = wrong
    return Reported(replace(tracks, speed=speed, fuel=fuel), silent)


def plan_forklift_faults(size: ParcelSize, time: Ints) -> tuple[npt.NDArray[np.bool_], list[Fault]]:
    """Return which reports of the forklifts will be missing, [forklift, sample], and the faults that cause it."""
    random = size.random("faults of lifts")
    spans = _Spans(size, random)
    silent = np.zeros((size.forklifts, len(time)), dtype=bool)
    faults = []
    for _ in range(max(1, round(size.forklifts * size.weeks / 80))):
        forklift = int(random.integers(size.forklifts))
        span = spans.take([forklift], HOUR * int(random.integers(3, 20)), step=600)
        if span is not None:
            at = (time >= span[0]) & (time < span[1])
            silent[forklift, at] = True
            faults.append(Fault("dropout", "forklift", forklift, "*", *span, {"reports": int(at.sum())}))
    return silent, faults
