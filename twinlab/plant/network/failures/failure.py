"""The failures of a network: drawn from the seed, with their onset, precursor, failure, repair and cause."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from twinlab.plant.network.clocks import DAY, HOUR, Ints
from twinlab.plant.network.failures.kinds import KINDS
from twinlab.plant.network.size import ParcelSize
from twinlab.plant.network.trips import Trips

__all__ = ["PRECURSOR", "Failure", "draw_failures", "sudden_failures"]

#: Wear from which on the signals show a failure that is to come.
PRECURSOR = 0.15
#: Wear grows with this power of the share of time from onset to failure.
_POWER = 1.5
#: An asset has no other failure for this long after a repair.
_APART = 7 * DAY
_ATTEMPTS = 60


@dataclass(frozen=True)
class Failure:
    """One failure; times are UTC seconds."""

    kind: str
    """One of `KINDS`, or ``power``: a compressor stops without a precursor."""
    asset_type: str
    asset: int
    component: str
    cause: str
    onset: int
    """When the damage begins; before it the asset is as new. Can be before the network's begin."""
    failed: int
    """When the asset stops working, or its sensor. Can be after the network's end, while its precursor is before it."""
    repaired: int
    """When it works again, as new."""

    @property
    def precursor(self) -> int:
        """From when on signals show that it is going to fail; the failure itself if nothing shows it."""
        return self.onset + round((self.failed - self.onset) * float(PRECURSOR ** (1 / _POWER)))

    def wear(self, time: Ints) -> np.ndarray:
        """Return the wear at some times: 0 as new, 1 from the failure to the repair."""
        share = (time - self.onset) / max(self.failed - self.onset, 1)
        return np.where(time < self.repaired, np.clip(share, 0.0, 1.0) ** _POWER, 0.0)


def draw_failures(size: ParcelSize, trips: Trips) -> tuple[Failure, ...]:
    """Return the failures with a precursor, by the time of failure; none if the size has no rates.

    Trucks fail under way: a failure is moved into the truck's trip that follows the drawn time.
    """
    if size.failures is None:
        return ()
    counts = {"cold_room": size.cold_rooms, "forklift": size.forklifts, "truck": size.trucks}
    found: list[Failure] = []
    for name, kind in KINDS.items():
        # Each kind has a stream of its own: another rate of one changes the others only where assets are taken.
        random = size.random(f"failures of {name}")
        assets, rate = counts[kind.asset_type], float(getattr(size.failures, name))
        if not rate:
            continue
        for _ in range(max(1, int(random.poisson(rate * assets * size.weeks / 100)))):
            failure = _draw(name, size, random, assets, trips, taken=found)
            if failure is not None:
                found.append(failure)
    return tuple(sorted(found, key=lambda one: (one.failed, one.asset_type, one.asset)))


def _draw(
    name: str, size: ParcelSize, random: np.random.Generator, assets: int, trips: Trips, *, taken: list[Failure]
) -> Failure | None:
    """Return a failure of an asset that has no other one near, if one is found."""
    kind, (begin, stop) = KINDS[name], size.span
    for _ in range(_ATTEMPTS):
        asset = int(random.integers(assets))
        # Some fail after the end, so that their precursors are active when the files end.
        failed = begin + 2 * DAY + int(random.random() * (stop - begin)) // 60 * 60
        length = round(random.uniform(*kind.days) * DAY)
        repair = round(random.uniform(*kind.repair) * HOUR) // 300 * 300
        cause = kind.causes[int(random.integers(len(kind.causes)))].name
        share = random.uniform(0.2, 0.8)
        if kind.asset_type == "truck":
            moved = _under_way(trips, asset, failed, share)
            if moved is None:
                continue
            failed = moved
        one = Failure(
            name, kind.asset_type, asset, kind.component, cause, failed - length, failed, failed + repair
        )  # fmt: skip
        if not any(_near(one, other) for other in taken):
            return one
    return None


def _near(one: Failure, other: Failure) -> bool:
    """Return whether two failures are of the same asset with less than `_APART` between them."""
    return (
        (other.asset_type, other.asset) == (one.asset_type, one.asset)
        and one.onset < other.repaired + _APART
        and other.onset < one.repaired + _APART
    )


def _under_way(trips: Trips, truck: int, after: int, share: float) -> int | None:
    """Return an instant at which a truck is under way, on its first trip that leaves after a time."""
    own = np.flatnonzero((trips.truck == truck) & ~trips.cancelled & (trips.start >= after))
    if not len(own):
        return None
    trip = int(own[0])
    return int(trips.start[trip] + share * (trips.end[trip] - trips.start[trip])) // 60 * 60


def sudden_failures(failed: Ints) -> tuple[Failure, ...]:
    """Return the compressors that stop without a precursor, from rows of room, first second and first second after."""
    return tuple(
        Failure("power", "cold_room", room, "compressor", "blown fuse", first, first, last)
        for room, first, last in failed.tolist()
    )
