"""The part of the example twin that moves: vans between stations, parcels in them, cold rooms at the stations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from twinlab.model.flags import Flag, flag_attributes
from twinlab.testing.example_stations import EXAMPLE_IDS, PLACES

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

__all__ = ["MovingExample"]

_ORIGIN = np.datetime64("2026-01-01", "ns")
_MINUTE = np.timedelta64(60, "s")
_VANS = tuple(f"V{k}" for k in range(1, 9))
_ROOMS = ("R1", "R2", "R3", "R4")
_PARCELS = 200
#: Minutes: how long a van waits at a station before it drives to the next, and how long a leg takes.
_STAND, _LEG = 30, 120
#: Minutes before the end of the last day when observations end, as the stations' do.
_QUIET = 120
#: Vans whose GPS fails, and that stops reporting; a room whose door is left open.
_BAD_FIX, _SILENT, _OPEN = 2, 7, 1


@dataclass(frozen=True)
class MovingExample:
    """Vans, cold rooms and parcels of a number of days, drawn from a generator in a fixed order.

    A van waits for half an hour, then drives for an hour and a half; each starts one station further than the last.
    """

    rng: np.random.Generator
    days: int

    @cached_property
    def end(self) -> int:
        """Minute at which observations end."""
        return self.days * 1440 - _QUIET

    def station(self, van: NDArray[np.int64], leg: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return from which station a van starts on a leg."""
        return (van + leg) % len(EXAMPLE_IDS)

    def assets(self) -> dict[str, pd.DataFrame]:
        """Return vans, rooms and parcels with their properties."""
        import pandas as pd  # noqa: PLC0415

        plates = [f"ZK {100 + 37 * k}" for k in range(len(_VANS))]
        kinds = np.array(["books", "flowers", "medicine", "spare parts"], dtype=object)
        return {
            "van": pd.DataFrame({"plate": plates, "capacity": 40}, index=pd.Index(_VANS, name="asset")),
            # 8 degC for all but one.
            "cold_room": pd.DataFrame({"upper_limit": [46.4, 46.4, 50.0, 46.4]}, index=pd.Index(_ROOMS, name="asset")),
            "parcel": pd.DataFrame(
                {
                    "weight": self.rng.gamma(2, 1.5, _PARCELS).round(2),
                    "content": kinds[self.rng.integers(0, len(kinds), _PARCELS)],
                },
                index=pd.Index(self._names, name="asset"),
            ),
        }

    def vans(self) -> list[xr.Dataset]:
        """Return positions, speed and fuel; a GPS that fails for the last half hour, a van silent for five hours."""
        minutes = np.arange(0, self.days * 1440, 5)[:, None]
        van = np.arange(len(_VANS))[None, :]
        leg, phase = minutes // _LEG, minutes % _LEG
        along = np.clip((phase - _STAND) / (_LEG - _STAND), 0, 1)[..., None]
        places = np.array(PLACES)
        place = places[self.station(van, leg)] * (1 - along) + places[self.station(van, leg + 1)] * along
        place = np.asarray(place + self.rng.normal(0, 0.0002, place.shape), dtype=np.float64).round(5)
        moving = phase >= _STAND
        values: dict[str, NDArray[np.float64]] = {
            "latitude": place[..., 0],
            "longitude": place[..., 1],
            "speed": np.where(moving, np.abs(self.rng.normal(62, 9, (*moving.shape[:1], len(_VANS)))), 0.0).round(1),
        }
        fuel: dict[str, NDArray[np.float64]] = {
            "fuel": np.asarray(95 - (minutes[::3] + 97 * van) % 1440 * 0.055, dtype=np.float64).round(1)
        }
        flags = {name: np.full(grid.shape, Flag.PASS, "uint8") for name, grid in (values | fuel).items()}
        bad = slice((self.end - 30) // 5, None)
        for name in ("latitude", "longitude"):
            values[name][bad, _BAD_FIX], flags[name][bad, _BAD_FIX] = 0.0, Flag.FAIL
        grids = {**values, **fuel}
        for name, grid in grids.items():
            step = 15 if name == "fuel" else 5
            since = -(-(self.end - 300) // step)
            grid[since:, _SILENT], flags[name][since:, _SILENT] = np.nan, Flag.MISSING
        units = {"latitude": "deg", "longitude": "deg", "speed": "km/h", "fuel": "percent"}
        return [self._dataset(part, flags, units, _VANS, step) for part, step in ((values, 5), (fuel, 15))]

    def rooms(self) -> xr.Dataset:
        """Return temperatures and doors: one door is left open for the last fifty minutes, and the room warms up."""
        n = self.days * 288
        minutes = np.arange(n)[:, None] * 5
        noise = self.rng.normal(0, 0.15, (n, len(_ROOMS)))
        temperature = 4 + np.arange(len(_ROOMS)) * 0.4 + 0.8 * np.sin(2 * np.pi * minutes / 1440) + noise
        door = (self.rng.random((n, len(_ROOMS))) < 0.04).astype(float)
        # Doors were left open on earlier days, too; the last one is open when observations end.
        for begin, lasting in ((self.end - 50, 50), (self.end - 1440 - 300, 40), (self.end - 2880 - 100, 90)):
            if begin >= 0:
                rows = slice(begin // 5, (begin + lasting) // 5)
                since = (minutes[rows, 0] - begin) / 60
                door[rows, _OPEN] = 1.0
                temperature[rows, _OPEN] += 9 * (1 - np.exp(-1.6 * since))
        grids = {"temperature": temperature.round(1), "door": door}
        flags = {name: np.full(grid.shape, Flag.PASS, "uint8") for name, grid in grids.items()}
        return self._dataset(grids, flags, {"temperature": "degC"}, _ROOMS, 5)

    def deliveries(self) -> pd.DataFrame:
        """Return a delivery a parcel; planned ones too, those under way without an end."""
        import pandas as pd  # noqa: PLC0415

        one = self._journeys
        planned_start = one.leg * _LEG + _STAND
        return pd.DataFrame(
            {
                "event_id": [f"delivery-{name}" for name in self._names],
                "type": "delivery",
                "asset": list(self._names),
                "start": _instants(one.departs, until=self.end),
                "end": _instants(one.handed, until=self.end),
                "planned_start": _instants(planned_start),
                "planned_end": _instants(planned_start + _LEG - _STAND + 5),
                "origin": np.array(EXAMPLE_IDS, dtype=object)[one.origin],
                "destination": np.array(EXAMPLE_IDS, dtype=object)[one.destination],
                "van": np.array(_VANS, dtype=object)[one.van],
            }
        )

    def relationships(self) -> dict[str, pd.DataFrame]:
        """Return where parcels and rooms are; each parcel at a station, then in a van, then at a station."""
        import pandas as pd  # noqa: PLC0415

        one, names = self._journeys, np.array(self._names, dtype=object)
        stations = np.array(EXAMPLE_IDS, dtype=object)
        aboard = _links(names, np.array(_VANS, dtype=object)[one.van], one.departs, one.arrives, until=self.end)
        before = _links(names, stations[one.origin], one.taken, one.departs, until=self.end)
        after = _links(names, stations[one.destination], one.arrives, None, until=self.end)
        rooms = {"source": list(_ROOMS), "target": [EXAMPLE_IDS[k % 3] for k in range(len(_ROOMS))]}
        ever = {name: np.full(len(_ROOMS), np.datetime64("NaT", "ns")) for name in ("valid_from", "valid_until")}
        stored = pd.concat([before, after]).sort_values(["source", "valid_from"], ignore_index=True)
        return {"aboard": aboard, "stored_at": stored, "room_of": pd.DataFrame({**rooms, **ever})}

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"P{48_000 + 7 * k:07d}" for k in range(_PARCELS))

    @cached_property
    def _journeys(self) -> _Journeys:
        """Draw each parcel's van and leg: over the last three days, some still to come."""
        rng, last = self.rng, self.days * 1440 // _LEG
        van = rng.integers(0, len(_VANS), _PARCELS)
        leg = rng.integers(max(0, last - 36), last, _PARCELS)
        departs = leg * _LEG + _STAND + rng.integers(0, 4, _PARCELS)
        arrives = (leg + 1) * _LEG + rng.integers(0, 4, _PARCELS)
        handed = arrives + rng.gamma(1.2, 9, _PARCELS).astype("int64")
        taken = departs - rng.integers(30, 600, _PARCELS)
        # Some wait to be handed over when observations end.
        handed[np.flatnonzero(leg == last - 3)[:3]] += 300
        origin, destination = self.station(van, leg), self.station(van, leg + 1)
        return _Journeys(van, leg, origin, destination, taken, departs, arrives, handed)

    def _dataset(
        self,
        grids: dict[str, NDArray[np.float64]],
        flags: dict[str, NDArray[np.uint8]],
        units: dict[str, str],
        assets: tuple[str, ...],
        step: int,
    ) -> xr.Dataset:
        import xarray as xr  # noqa: PLC0415

        data: dict[str, tuple[tuple[str, str], NDArray[np.generic], dict[str, object]]] = {}
        quiet = -(-self.end // step)
        for name, grid in grids.items():
            grid[quiet:], flags[name][quiet:] = np.nan, Flag.NOT_EVALUATED
            attrs: dict[str, object] = {"long_name": name, **({"units": units[name]} if name in units else {})}
            data[name] = (("time", "asset"), grid, attrs)
            data[f"{name}_qc"] = (("time", "asset"), flags[name], flag_attributes(name))
        time = _ORIGIN + np.arange(len(next(iter(grids.values())))) * (step * _MINUTE)
        return xr.Dataset(data, coords={"time": time, "asset": np.array(assets, dtype=object)})


@dataclass(frozen=True)
class _Journeys:
    """One entry a parcel: van, leg and stations by number, times in minutes."""

    van: NDArray[np.int64]
    leg: NDArray[np.int64]
    origin: NDArray[np.int64]
    destination: NDArray[np.int64]
    taken: NDArray[np.int64]
    departs: NDArray[np.int64]
    arrives: NDArray[np.int64]
    handed: NDArray[np.int64]


def _instants(minutes: NDArray[np.int64], *, until: int | None = None) -> NDArray[np.datetime64]:
    """Minutes as instants; NaT after ``until``: that hasn't happened yet."""
    found = _ORIGIN + minutes * _MINUTE
    return found if until is None else np.where(minutes <= until, found, np.datetime64("NaT", "ns"))


def _links(
    source: NDArray[np.object_],
    target: NDArray[np.object_],
    since: NDArray[np.int64],
    gone: NDArray[np.int64] | None,
    *,
    until: int,
) -> pd.DataFrame:
    """Links as a twin returns them: those begun by ``until``, without an end if they hadn't ended by then."""
    import pandas as pd  # noqa: PLC0415

    begun = since <= until
    nothing = np.full(len(since), np.datetime64("NaT", "ns"))
    ended = nothing if gone is None else _instants(gone, until=until)
    columns = {"source": source, "target": target, "valid_from": _instants(since), "valid_until": ended}
    return pd.DataFrame(columns)[begun].sort_values(["source", "target", "valid_from"], ignore_index=True)
