"""Situations in which a command is safe or unsafe, planted in the parcel network; what would happen is computed without the twin.

What is true of a situation doesn't come from the code that is tested: queues are counted event by event with the parcels that then really came,
rooms and trips are those of the plant with and without the command, and a braking vehicle is integrated.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import twinlab as tl
import twinlab.sources
from tests.twin.commanding.conftest import MAPPINGS, live_recipe
from twinlab.control.proposals.proposal import Proposal
from twinlab.control.proposals.proposing import Request, propose
from twinlab.demos.recipes import DEMOS, ParcelSize
from twinlab.events.present_state.latest_values import present
from twinlab.model.reader import DelegatingReader
from twinlab.model.twinmodel import TwinModel
from twinlab.plant import Plant
from twinlab.plant.network.cold_rooms import RoomState, step_cold_rooms

SIZE = ParcelSize(
    hubs=4, trucks=16, cold_rooms=8, forklifts=12, parcels_a_week=1500, weeks=4, seed=7, start="2026-03-23"
)
#: First and last instant of situations, hours after the network's begin.
_FIRST, _LAST = 170, 640
_DISTANCE, _HANDLING = 120.0, 40.0
#: Unsafe ones of each kind among a hundred, and as many safe ones.
SHARES = {
    "queue at its limit": 15,
    "blocked cold dock": 35,
    "person in the aisle": 20,
    "room too warm": 15,
    "missed connection": 15,
}


@dataclass
class Situation:
    """One planted situation."""

    kind: str
    unsafe: bool
    now: np.datetime64
    target: str
    parameter: str
    value: float
    #: Signal -> values of assets that are reported a minute before.
    reported: dict[str, dict[str, float]]
    #: Options of the queue's effect that are other than the demo's.
    options: dict[str, Any] = field(default_factory=dict)


class Planted(DelegatingReader):
    """The twin, with the limits of a situation."""

    def __init__(self, twin: Any, model: TwinModel) -> None:
        self._twin, self._own = twin, model

    @property
    def _source(self) -> Any:
        return self._twin

    @property
    def model(self) -> TwinModel:
        return self._own

    def observations(self, *arguments: Any, **options: Any) -> pd.DataFrame:
        return self._twin.observations(*arguments, **options)


class Situations:
    """The parcel network, its twin, and situations in it.

    Parameters
    ----------
    folder : Path
        Gets the twin.
    count : int
        How many unsafe ones, and how many safe ones.
    seed : int
    """

    def __init__(self, folder: Path, *, count: int = 100, seed: int = 1) -> None:
        self.random = np.random.default_rng(seed)
        live = live_recipe(folder / "recipe")
        self.twin = tl.create(folder / "twin", model=live / "twin.yaml", mappings=live / "mapping")
        self.twin.ingest(*DEMOS["parcel"].files(SIZE, folder))
        self.plant = Plant(SIZE)
        self.begin = np.datetime64(SIZE.start, "ns")
        self._taken: set[tuple[str, int]] = set()
        self.all = [
            one for kind, share in SHARES.items() for unsafe in (True, False) for one in self._several(kind, unsafe, max(1, round(share * count / 100)))
        ]  # fmt: skip
        self._report(folder)

    def evaluate(self, one: Situation) -> Proposal:
        """Return what is proposed in a situation."""
        model = self.twin.model
        spec = model.commands["forklift"]["max_speed"]
        queue = spec.simulate_with[0].model_copy(update={"only": None, "recent": "2h", **one.options})
        spec = spec.model_copy(update={"simulate_with": [queue, *spec.simulate_with[1:]]})
        changed = {**model.commands, "forklift": {"max_speed": spec}}
        reader = Planted(self.twin.reader, model.model_copy(update={"commands": changed}))
        return propose(reader, Request(one.target, one.parameter, one.value, one.kind), now=one.now)

    def _several(self, kind: str, unsafe: bool, count: int) -> Iterator[Situation]:
        make: Callable[[bool], Situation | None] = {
            "queue at its limit": lambda unsafe: self._queue(kind, unsafe), "blocked cold dock": lambda unsafe: self._queue(kind, unsafe),
            "person in the aisle": self._person, "room too warm": self._room, "missed connection": self._trip,
        }[kind]  # fmt: skip
        for _ in range(count):
            found = next((one for one in (make(unsafe) for _ in range(3000)) if one is not None), None)
            assert found is not None, (kind, unsafe)
            asset_and_hour = (found.target, int((found.now - self.begin) / np.timedelta64(20, "m")))
            self._taken.add(asset_and_hour)
            yield found

    def _instant(self, target: str) -> np.datetime64 | None:
        """Return an instant at which no other situation of an asset is near."""
        minutes = int(self.random.integers(_FIRST * 60, _LAST * 60))
        near = minutes // 20
        if any((target, near + shift) in self._taken for shift in (-1, 0, 1)):
            return None
        return self.begin + np.timedelta64(minutes, "m") + np.timedelta64(30, "s")

    # -- queues ------------------------------------------------------------------------------------------------------------
    def _queue(self, kind: str, unsafe: bool) -> Situation | None:
        forklifts = [str(one) for one in self.twin.assets("forklift").index]
        name = forklifts[int(self.random.integers(len(forklifts)))]
        now = self._instant(f"forklift/{name}")
        if now is not None and kind == "queue at its limit":
            now = self._before_trucks(name, now)
        if now is None:
            return None
        hub, crew = self._crew(name, now)
        if any(
            (f"forklift/{one}", int((now - self.begin) / np.timedelta64(20, "m")) + shift) in self._taken
            for one in crew
            for shift in (-1, 0, 1)
        ):
            return None
        blocked = kind == "blocked cold dock"
        before, after = float(self.random.integers(8, 13)), float(self.random.integers(2, 5))
        if before - after > 6:
            after = before - 6
        # At most one other works; the rest is out of use.
        others = {
            one: float(self.random.integers(6, 11)) if not blocked and number == 0 else 0.0
            for number, one in enumerate(other for other in crew if other != name)
        }
        modes = present(self.twin, "forklift", at=now, signals=["mode"], assets=crew)["mode"]
        if modes[name] == 2 or modes.isna().any():
            return None
        working = [speed for one, speed in others.items() if modes[one] != 2 and speed > 0]
        waiting, arrivals = self._waiting(hub, now), self._really_came(hub, now)
        (queue, wait), (queue_then, wait_then) = (
            _count(waiting, arrivals, [speed, *working]) for speed in (before, after)
        )
        limits = _wait_limits(wait, wait_then, unsafe) if blocked else _queue_limits(queue, queue_then, unsafe)
        if limits is None:
            return None
        reported = {"max_speed": {name: before, **others}, "person_distance": dict.fromkeys([name, *others], 30.0)}
        return Situation(kind, unsafe, now, f"forklift/{name}", "max_speed", after, reported, limits)

    def _before_trucks(self, name: str, now: np.datetime64) -> np.datetime64 | None:
        """Return an instant on the same day at which one truck has come and another is about to."""
        hub, _ = self._crew(name, now)
        came = self._arrived(hub)
        near = np.flatnonzero(np.abs(came - now) < np.timedelta64(12, "h"))
        if not len(near):
            return None
        when = came[near[int(self.random.integers(len(near)))]] - np.timedelta64(int(self.random.integers(12, 50)), "m")
        number = int((when - self.begin) / np.timedelta64(20, "m"))
        taken = any((f"forklift/{name}", number + shift) in self._taken for shift in (-1, 0, 1))
        return None if taken or self._waiting(hub, when) < 10 else when

    @cache  # noqa: B019  (of one object)
    def _arrived(self, hub: str) -> np.ndarray[Any, Any]:
        """Return when at least fifteen parcels came at once."""
        legs = self._table("leg")
        counts = legs[legs["destination"] == hub]["end"].dropna().value_counts()
        return np.sort(counts[counts >= 15].index.to_numpy(dtype="M8[ns]"))

    @cache  # noqa: B019
    def _table(self, name: str) -> pd.DataFrame:
        return self.twin.events(name) if name in self.twin.model.event_types else self.twin.relationships(name)

    def _crew(self, name: str, now: np.datetime64) -> tuple[str, list[str]]:
        table = self._table("works_at")
        valid = table[(table["valid_from"] <= now) & (table["valid_until"].isna() | (table["valid_until"] > now))]
        hub = str(valid[valid["source"] == name]["target"].iloc[-1])
        return hub, sorted(set(valid[valid["target"] == hub]["source"].astype(str)))

    def _waiting(self, hub: str, now: np.datetime64) -> int:
        table = self._table("held_at")
        here = table[
            (table["target"] == hub)
            & (table["valid_from"] <= now)
            & (table["valid_until"].isna() | (table["valid_until"] > now))
        ]
        return int((here["valid_from"] >= now - np.timedelta64(2, "h")).sum())

    def _really_came(self, hub: str, now: np.datetime64) -> list[float]:
        """Return when parcels came in the hour after, seconds."""
        legs = self._table("leg")
        ends = legs[(legs["destination"] == hub)]["end"].dropna()
        ends = ends[(ends > pd.Timestamp(now)) & (ends <= pd.Timestamp(now + np.timedelta64(1, "h")))]
        return sorted((ends - pd.Timestamp(now)).dt.total_seconds().tolist())

    # -- persons -----------------------------------------------------------------------------------------------------------
    def _person(self, unsafe: bool) -> Situation | None:
        forklifts = [str(one) for one in self.twin.assets("forklift").index]
        name = forklifts[int(self.random.integers(len(forklifts)))]
        now = self._instant(f"forklift/{name}")
        if now is None:
            return None
        before = float(self.random.integers(4, 8))
        after = before + float(self.random.integers(2, 6))
        need = _braked(after / 3.6)
        # Somebody in the aisle is near; in the safe ones far away, or the vehicle becomes slower.
        if not unsafe and self.random.random() < 0.3:
            after, distance = before - 2.0, float(self.random.uniform(1.0, 4.0))
        else:
            distance = need * float(self.random.uniform(0.3, 0.95) if unsafe else self.random.uniform(1.35, 3.0))
        _, crew = self._crew(name, now)
        reported = {
            "max_speed": dict.fromkeys(crew, 8.0) | {name: before},
            "person_distance": {name: round(min(distance, 30.0), 1)},
        }
        if not unsafe and after < before and self._waiting(self._crew(name, now)[0], now) > 5:
            return None
        return Situation(
            "person in the aisle",
            unsafe,
            now,
            f"forklift/{name}",
            "max_speed",
            after,
            reported,
            {"most": 500, "longest_wait": None},
        )

    # -- rooms -------------------------------------------------------------------------------------------------------------
    def _room(self, unsafe: bool) -> Situation | None:
        room = int(self.random.integers(SIZE.cold_rooms))
        frozen = bool(self.plant.plan.rooms.frozen[room])
        name = f"R{room + 1:02d}"
        now = self._instant(f"cold_room/{name}")
        if now is None or (unsafe and frozen) or self._faulty(name, now):
            return None
        before = -20.0 if frozen else 4.0
        change = self.random.uniform(3.6, 4.0) if unsafe else self.random.uniform(-2.0, 1.5)
        after = round(before + float(change), 1)
        warm = self._warmest(room, now, {None: None, after: after})
        limit = -15.0 if frozen else 8.0
        if after == before or unsafe != (warm[1] > limit + 0.15 and warm[0] < limit):
            return None
        if not unsafe and warm[1] > limit - 0.5:
            return None
        reported = {"set_point": {name: before}}
        return Situation("room too warm", unsafe, now, f"cold_room/{name}", "set_point", after, reported)

    def _faulty(self, name: str, now: np.datetime64) -> bool:
        """Return whether the room's logger has a fault about then: of these the plant knows more than any sensor shows."""
        faults = [one for one in self.plant.faults if one.asset == name]
        at = int(now.astype("M8[s]").astype(np.int64))
        # A logger in another unit: the plant's own temperature is degC.
        shown = float(
            present(self.twin, "cold_room", at=now, signals=["temperature"], assets=[name])["temperature"].iloc[0]
        )
        minute = int((now - self.begin) / np.timedelta64(1, "m")) // 360 * 360
        true = float(self._rooms_at(minute).temperature[int(name[1:]) - 1])
        return abs(shown - true) > 5 or any(one.begin - 7 * 86_400 <= at <= one.end + 43_200 for one in faults)

    def _warmest(self, room: int, now: np.datetime64, set_to: dict[float | None, float | None]) -> list[float]:
        """Return the warmest temperature in the half day after, with each set point."""
        minute = int((now - self.begin) / np.timedelta64(1, "m"))
        state, _ = step_cold_rooms(self.plant.plan.rooms, self._rooms_at(minute // 360 * 360), minute)
        found = []
        for value in set_to.values():
            points = state.set_to.copy()
            if value is not None:
                points[room] = value
            _, later = step_cold_rooms(self.plant.plan.rooms, replace(state, set_to=points), minute + 720)
            found.append(float(later.temperature[:, room].max()))
        return found

    @cache  # noqa: B019
    def _rooms_at(self, minute: int) -> RoomState:
        before = self.plant.plan.rooms_at_first if minute == 0 else self._rooms_at(minute - 360)
        return step_cold_rooms(self.plant.plan.rooms, before, minute)[0]

    # -- trips -------------------------------------------------------------------------------------------------------------
    def _trip(self, unsafe: bool) -> Situation | None:
        truck = int(self.random.integers(SIZE.trucks))
        name = f"T{truck + 1:03d}"
        now = self._instant(f"truck/{name}")
        if now is None:
            return None
        at = int(now.astype("M8[s]").astype(np.int64))
        trips = self.plant.timetable.trips
        under_way = np.flatnonzero(
            (trips.truck == truck) & (trips.start < at - 600) & (trips.end > at + 1800) & ~trips.cancelled
        )
        if not len(under_way):
            return None
        trip = int(under_way[0])
        share = round(float(self.random.uniform(0.5, 0.75) if unsafe else self.random.uniform(0.88, 0.97)), 2)
        slowed = Plant.__new__(Plant)
        slowed.plan, slowed.timetable, slowed.state = (
            self.plant.plan,
            self.plant.timetable,
            replace(self.plant.state, time=at),
        )
        slowed.command("slow_truck", name, share, seconds=86_400)
        late = (int(slowed.timetable.trips.end[trip]) - int(trips.end[trip])) / 60
        missed = int((slowed.timetable.parcels.delivered > self.plant.timetable.parcels.delivered + 7200).sum())
        if (unsafe and not late > 75) or (not unsafe and (late > 35 or missed)):
            return None
        return Situation(
            "missed connection", unsafe, now, f"truck/{name}", "speed_factor", share, {"speed_factor": {name: 1.0}}
        )

    def _report(self, folder: Path) -> None:
        """Give the twin what devices report in the situations."""
        for source, kind, columns in MAPPINGS:
            rows = []
            for one in self.all:
                assets = {asset for name in columns for asset in one.reported.get(name, {})}
                time = pd.Timestamp(one.now - np.timedelta64(1, "m"))
                for asset in sorted(assets):
                    rows.append(
                        [
                            f"{time:%Y-%m-%dT%H:%M:%SZ}",
                            asset,
                            *(one.reported.get(name, {}).get(asset, np.nan) for name in columns),
                        ]
                    )
            path = folder / f"{source}.csv"
            pd.DataFrame(rows, columns=["time", kind, *columns]).sort_values("time").to_csv(path, index=False)
            self.twin.ingest(tl.sources.csv(path, name=source))


def _count(waiting: int, arrivals: list[float], speeds: list[float]) -> tuple[int, float]:
    """Return the longest queue and the longest wait (minutes) of an hour, event by event."""
    moves = [_DISTANCE / (speed / 3.6) + _HANDLING for speed in speeds]
    free = [(0.0, number) for number in range(len(moves))]
    heapq.heapify(free)
    queue = [0.0] * waiting
    coming = list(arrivals)
    longest, most, taken = 0.0, waiting, []
    while queue or coming:
        at, number = heapq.heappop(free)
        came = queue.pop(0) if queue else coming.pop(0)
        begin = max(at, came)
        if begin >= 3600:
            queue.insert(0, came)
            break
        longest = max(longest, begin - came)
        taken.append(begin)
        heapq.heappush(free, (begin + moves[number], number))
        while coming and coming[0] <= begin:
            queue.append(coming.pop(0))
        present_now = sum(1 for one in arrivals if one <= begin) + waiting - len(taken)
        most = max(most, present_now)
    longest = max([longest, *(3600 - one for one in queue), *(3600 - one for one in coming)])
    for one in arrivals:
        most = max(
            most, waiting + sum(1 for other in arrivals if other <= one) - sum(1 for begin in taken if begin < one)
        )
    return most, longest / 60


def _queue_limits(queue: int, then: int, unsafe: bool) -> dict[str, Any] | None:
    """Return a limit that the queue exceeds only with the command, or never comes near."""
    if unsafe:
        limit = int(np.ceil((queue + then) / 2))
        return {"most": limit, "longest_wait": None} if then - queue >= 5 else None
    return {"most": int(1.5 * then) + 8, "longest_wait": None} if then >= 4 else None


def _wait_limits(wait: float, then: float, unsafe: bool) -> dict[str, Any] | None:
    if unsafe:
        limit = (wait + then) / 2
        fine = wait <= 0.8 * limit and then >= 1.2 * limit and limit >= 8
        return {"most": 500, "longest_wait": f"{limit:.0f}min"} if fine else None
    return {"most": 500, "longest_wait": f"{then * 1.5 + 12:.0f}min"} if then >= 2 else None


def _braked(speed: float) -> float:
    """Return the way until a vehicle has stopped and the margin, integrated in steps of a millisecond."""
    way, step, braking = 0.0, 0.001, 0.0
    now = speed
    while now > 0:
        way += now * step
        braking += step
        if braking > 1.0:
            now -= 1.5 * step
    return way + 1.0
