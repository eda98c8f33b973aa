"""Parameters of a network: numbers of assets, weeks, seed and start."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Self

import numpy as np

from twinlab.errors import SchemaError
from twinlab.plant.network.rates import FailureRates
from twinlab.plant.network.towns import TOWNS

__all__ = ["ParcelSize"]

_MINIMUM = {
    "hubs": 2, "trucks": 1, "cold_rooms": 1, "forklifts": 1, "parcels_a_week": 1, "weeks": 1, "seed": 0
}  # fmt: skip


@dataclass(frozen=True)
class ParcelSize:
    """Parameters of the parcel network; the same parameters give the same files, byte for byte.

    Examples
    --------
    >>> ParcelSize(weeks=2).stop
    datetime.datetime(2026, 1, 19, 0, 0, tzinfo=datetime.timezone.utc)
    """

    hubs: int = 12
    trucks: int = 150
    cold_rooms: int = 40
    forklifts: int = 60
    parcels_a_week: int = 20_000
    weeks: int = 13
    seed: int = 1
    start: str = "2026-01-05"
    """First day, a Monday. Thirteen weeks from the default include the change to summer time on 2026-03-29."""
    failures: FailureRates | None = None
    """Failures with precursors and delays with causes; None: none, and files without the signals that show them."""

    def __post_init__(self) -> None:
        """Raise `SchemaError` for parameters that aren't valid."""
        given: object = self.failures
        if isinstance(given, Mapping):
            # As `to_dict` returns them.
            object.__setattr__(self, "failures", FailureRates(**given))
        elif not isinstance(given, FailureRates | None):
            msg = f"ParcelSize: expected FailureRates or None for failures, got {given!r}"
            raise SchemaError(msg)
        for name, least in _MINIMUM.items():
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                msg = f"ParcelSize: expected a whole number of at least {least} for {name}, got {value!r}"
                raise SchemaError(msg)
        if self.hubs > len(TOWNS):
            msg = f"ParcelSize: expected at most {len(TOWNS)} hubs (the number of known towns), got {self.hubs}"
            raise SchemaError(msg)
        try:
            day = date.fromisoformat(self.start)
        except ValueError as error:
            msg = f"ParcelSize: expected a day such as 2026-01-05 for start, got {self.start!r}"
            raise SchemaError(msg) from error
        if day.weekday() != 0 or not 2021 <= day.year <= 2035:
            msg = f"ParcelSize: expected a Monday from 2021 to 2035 for start, got {self.start}, a {day:%A}"
            raise SchemaError(msg)

    @classmethod
    def small(cls, *, seed: int = 1) -> Self:
        """Return a network that is built in seconds: two weeks around the change to summer time.

        >>> ParcelSize.small().trucks
        12
        """
        return cls(
            hubs=12, trucks=12, cold_rooms=6, forklifts=6, parcels_a_week=300, weeks=2, seed=seed, start="2026-03-23"
        )

    @property
    def begin(self) -> datetime:
        """First instant, UTC."""
        return datetime.fromisoformat(self.start).replace(tzinfo=UTC)

    @property
    def stop(self) -> datetime:
        """End, UTC and exclusive: nothing that happens later is in the files."""
        return self.begin + timedelta(weeks=self.weeks)

    @property
    def span(self) -> tuple[int, int]:
        """Begin and end (exclusive) as seconds since 1970."""
        return int(self.begin.timestamp()), int(self.stop.timestamp())

    def random(self, what: str) -> np.random.Generator:
        """Return the random generator of one part of the network: a separate one, so that parts don't affect each other.

        >>> int(ParcelSize().random("rooms").integers(100)) == int(ParcelSize().random("rooms").integers(100))
        True
        """
        return np.random.default_rng([self.seed, zlib.crc32(what.encode())])

    def label(self) -> str:
        """Return the size as one line.

        >>> ParcelSize.small().label().split(", ")[1]
        '12 trucks'
        """
        return (
            f"{self.hubs} hubs, {self.trucks} trucks, {self.cold_rooms} cold rooms, {self.forklifts} forklifts, "
            f"{self.parcels_a_week:,} parcels a week, {self.weeks} weeks from {self.start}, seed {self.seed}"
            f"{', with failures' if self.failures else ''}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters by name, rates of failures only if there are any.

        >>> list(ParcelSize().to_dict())[-1]
        'start'
        >>> ParcelSize(**ParcelSize(failures=FailureRates()).to_dict()).failures == FailureRates()
        True
        """
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the parameters.

        >>> "weeks" in ParcelSize.names()
        True
        """
        return tuple(field.name for field in fields(cls))
