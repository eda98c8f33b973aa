"""The ERP database: master data, parcels with legs and stays, home hubs of trucks and forklifts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from twinlab.plant.network.clocks import Ints
from twinlab.plant.network.network import Network
from twinlab.plant.network.parcels import FIRST_NUMBER
from twinlab.plant.network.towns import TOWNS

__all__ = ["TABLES", "table_rows", "write_erp"]

#: Table -> its columns, as in SQLite.
TABLES = {
    "hubs": "code TEXT PRIMARY KEY, town TEXT, lat REAL, lon REAL",
    "trucks": "truck TEXT PRIMARY KEY, maker TEXT, payload_kg INTEGER, tank_l REAL, box TEXT",
    "cold_rooms": "room TEXT PRIMARY KEY, hub TEXT, name TEXT, kind TEXT, limit_f REAL",
    "forklifts": "lift TEXT PRIMARY KEY, maker TEXT, max_load_kg INTEGER",
    "parcels": (
        "parcel_no INTEGER PRIMARY KEY, sender_hub TEXT, receiver_hub TEXT, weight_g INTEGER, service TEXT, "
        "chilled INTEGER, registered TEXT, promised TEXT, delivered TEXT"
    ),
    "legs": (
        "parcel_no INTEGER, leg_no INTEGER, tour TEXT, truck TEXT, from_hub TEXT, to_hub TEXT, planned_dep TEXT, "
        "planned_arr TEXT, departed TEXT, arrived TEXT, PRIMARY KEY (parcel_no, leg_no)"
    ),
    "loads": "parcel_no INTEGER, truck TEXT, loaded TEXT, unloaded TEXT, PRIMARY KEY (parcel_no, loaded)",
    "stays": "parcel_no INTEGER, hub TEXT, since TEXT, until TEXT, PRIMARY KEY (parcel_no, since)",
    "truck_home": "truck TEXT, hub TEXT, since TEXT, until TEXT, PRIMARY KEY (truck, since)",
    "forklift_place": "lift TEXT, hub TEXT, since TEXT, until TEXT, PRIMARY KEY (lift, since)",
}
_MAKERS = ("MAN", "Mercedes-Benz", "Scania", "Volvo", "DAF")
_LIFTERS = ("Linde", "Jungheinrich", "Still")


def write_erp(network: Network, folder: Path) -> Path:
    """Write the database; the same network gives the same bytes."""
    path = folder / "erp.sqlite"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA page_size = 4096")
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("BEGIN")
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({columns}) WITHOUT ROWID")
            marks = ", ".join("?" * (columns.split(", PRIMARY KEY (")[0].count(",") + 1))
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", table_rows(network, table))  # noqa: S608  (constants of this module)
        database.execute("COMMIT")
    return path


def table_rows(network: Network, table: str) -> Iterable[tuple[object, ...]]:
    """Return the rows of a table as they are at the end of a network."""
    return _ROWS[table](network)


def _texts(seconds: Ints, *, stop: int | None = None) -> list[str | None]:
    """Return instants in the format of the ERP, in UTC; None where there is none yet."""
    texts = [text.replace("T", " ") for text in seconds.astype("M8[s]").astype(str).tolist()]
    known = (seconds > 0) & (seconds < (stop if stop is not None else np.iinfo(np.int64).max))
    return [text if yes else None for text, yes in zip(texts, known.tolist(), strict=True)]


def _words(words: Sequence[str], codes: Ints) -> list[str]:
    found: list[str] = np.array(words)[codes].tolist()
    return found


def _hubs(network: Network) -> Iterable[tuple[object, ...]]:
    return [town[:4] for town in TOWNS[: network.size.hubs]]


def _trucks(network: Network) -> Iterable[tuple[object, ...]]:
    random = network.size.random("trucks' papers")
    for number, tank in enumerate(network.tracks.tank.tolist()):
        box = "fleetbox" if number < -(-network.size.trucks * 3 // 5) else "roadtrace"
        yield network.truck(number), _MAKERS[random.integers(5)], int(random.integers(44, 50)) * 250, tank, box


def _cold_rooms(network: Network) -> Iterable[tuple[object, ...]]:
    rooms = network.rooms
    seen: dict[int, int] = {}
    for number, hub in enumerate(rooms.hub.tolist()):
        seen[hub] = seen.get(hub, 0) + 1
        kind = "frozen" if rooms.frozen[number] else "chilled"
        name = f"{'Tiefkühlraum' if rooms.frozen[number] else 'Kühlraum'} {TOWNS[hub].name} {seen[hub]}"
        yield network.room(number), network.hub(hub), name, kind, round(float(rooms.upper_limit[number]) * 1.8 + 32, 1)


def _forklifts(network: Network) -> Iterable[tuple[object, ...]]:
    random = network.size.random("forklifts' papers")
    for number in range(len(network.forklifts)):
        yield network.forklift(number), _LIFTERS[random.integers(3)], 1600


def _parcels(network: Network) -> Iterable[tuple[object, ...]]:
    parcels, codes = network.parcels, [town.code for town in TOWNS]
    return zip(
        range(FIRST_NUMBER, FIRST_NUMBER + len(parcels)), _words(codes, parcels.origin),
        _words(codes, parcels.destination), parcels.weight.tolist(),
        _words(("standard", "express"), parcels.express.astype(np.int64)), parcels.chilled.astype(int).tolist(),
        _texts(parcels.registered), _texts(parcels.promised), _texts(parcels.delivered), strict=True,
    )  # fmt: skip


def _legs(network: Network) -> Iterable[tuple[object, ...]]:
    parcels, trips, codes = network.parcels, network.trips, [town.code for town in TOWNS]
    trip, stop = parcels.leg_trip, network.size.span[1]
    trucks = [network.truck(number) for number in range(network.size.trucks)]
    return zip(
        (parcels.leg_parcel + FIRST_NUMBER).tolist(), parcels.leg_number.tolist(), _words(trips.ids(), trip),
        _words(trucks, trips.truck[trip]), _words(codes, trips.origin[trip]), _words(codes, trips.destination[trip]),
        _texts(trips.planned_start[trip]), _texts(trips.planned_end[trip]), _texts(trips.start[trip], stop=stop),
        _texts(trips.end[trip], stop=stop), strict=True,
    )  # fmt: skip


def _loads(network: Network) -> Iterable[tuple[object, ...]]:
    """Return the parcels on each truck; legs that haven't begun are left out."""
    parcels, trips, stop = network.parcels, network.trips, network.size.span[1]
    begun = trips.start[parcels.leg_trip] < stop
    parcel, trip = parcels.leg_parcel[begun], parcels.leg_trip[begun]
    trucks = [network.truck(number) for number in range(network.size.trucks)]
    return zip(
        (parcel + FIRST_NUMBER).tolist(), _words(trucks, trips.truck[trip]), _texts(trips.start[trip]),
        _texts(trips.end[trip], stop=stop), strict=True,
    )  # fmt: skip


def _stays(network: Network) -> Iterable[tuple[object, ...]]:
    parcels, codes = network.parcels, [town.code for town in TOWNS]
    return zip(
        (parcels.stay_parcel + FIRST_NUMBER).tolist(), _words(codes, parcels.stay_hub), _texts(parcels.stay_since),
        _texts(parcels.stay_until), strict=True,
    )  # fmt: skip


def _truck_home(network: Network) -> Iterable[tuple[object, ...]]:
    home = network.trips.home[:, : network.size.weeks]
    return [(network.truck(truck), *rest) for truck, *rest in _by_week(network, home)]


def _forklift_place(network: Network) -> Iterable[tuple[object, ...]]:
    place = network.forklifts.hub[:, : network.size.weeks]
    return [(network.forklift(forklift), *rest) for forklift, *rest in _by_week(network, place)]


def _by_week(network: Network, place: Ints) -> Iterable[tuple[int, str, str | None, str | None]]:
    """Yield where each asset belongs, from which Monday until which; the first has been so since before."""
    begin = network.size.span[0]
    for asset, hubs in enumerate(place.tolist()):
        changes = [0, *(week for week in range(1, len(hubs)) if hubs[week] != hubs[week - 1]), len(hubs)]
        times = _texts(np.array([begin + 7 * 86_400 * week for week in changes]))
        for position, week in enumerate(changes[:-1]):
            last = position == len(changes) - 2
            yield asset, network.hub(hubs[week]), times[position], None if last else times[position + 1]


_ROWS = {
    "hubs": _hubs,
    "trucks": _trucks,
    "cold_rooms": _cold_rooms,
    "forklifts": _forklifts,
    "parcels": _parcels,
    "legs": _legs,
    "loads": _loads,
    "stays": _stays,
    "truck_home": _truck_home,
    "forklift_place": _forklift_place,
}
