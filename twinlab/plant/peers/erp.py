"""The ERP: orders and parcels in PostgreSQL, updated by several writers, late and out of order.

Tables and columns are those of the ERP's file, with ``updated_at``: when the writer's transaction began, by the server's
clock. Rows become visible when it commits, so a row can appear after one that was updated later. A row is always updated by
the same writer, in order. The role ``twin_reader`` may only read.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import zlib
from pathlib import Path

import numpy as np
import psycopg
from psycopg import sql

from twinlab.plant.files.erp import TABLES, table_rows
from twinlab.plant.network.parcels import FIRST_NUMBER
from twinlab.plant.peers.erp_rows import Row, changed_rows, legs_of
from twinlab.plant.peers.peer import Moment
from twinlab.plant.peers.postgres import Cluster
from twinlab.plant.steps.simulate import network_of
from twinlab.plant.steps.timetable import Timetable

__all__ = ["READER", "Erp"]

READER = "twin_reader"
#: Rows that a writer puts in one transaction, and changes that may wait for it.
_BATCH, _WAITING = 200, 50_000
_TYPES = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision"}
_TIMES = frozenset({
    "registered", "promised", "delivered", "planned_dep", "planned_arr", "departed", "arrived", "loaded", "unloaded",
    "since", "until",
})  # fmt: skip
_MASTER = ("hubs", "trucks", "cold_rooms", "forklifts", "truck_home", "forklift_place")
#: Name of changes that remove legs of a parcel from a number on, instead of a table's.
_REMOVED = "-legs"


class Erp:
    """The ERP's database.

    Parameters
    ----------
    secret_folder : path
        Gets ``erp-reader.password``.
    writers : int
        Connections that write.
    late : float
        Seconds for which a transaction is open at most; most are much shorter.
    """

    name = "erp"

    def __init__(self, secret_folder: str | Path, *, writers: int = 4, late: float = 3.0) -> None:
        self._secrets = Path(secret_folder)
        self._cluster = Cluster()
        self._late = late
        self._queues: list[asyncio.Queue[Row | None]] = [asyncio.Queue(_WAITING) for _ in range(writers)]
        self._tasks: list[asyncio.Task[None]] = []
        self._timetable: Timetable | None = None
        self._keys = {table: _key(columns) for table, columns in TABLES.items()}

    async def start(self, moment: Moment) -> None:
        """Start the server; create tables, roles and master data, and all rows so far."""
        await self._cluster.start()
        plant = moment.plant
        password = secrets.token_urlsafe(18)
        self._secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._secrets / "erp-reader.password"
        path.touch(mode=0o600)
        path.write_text(password, encoding="ascii")
        network = network_of(plant, moment.step)
        async with await psycopg.AsyncConnection.connect(self._cluster.dsn()) as connection:
            for table, columns in TABLES.items():
                await connection.execute(_create(table, columns))
            role = sql.Identifier(READER)
            await connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
            await connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))
            rows: list[Row] = [(table, tuple(row)) for table in _MASTER for row in table_rows(network, table)]
            rows += changed_rows(plant.timetable, 1, plant.time)
            await self._write(connection, rows)
        self._timetable = plant.timetable
        for number, queue in enumerate(self._queues):
            seeded = random.Random(f"{plant.size.seed} {number}")  # noqa: S311  (delays, no secrets)
            self._tasks.append(asyncio.create_task(self._run_writer(queue, seeded)))

    async def publish(self, moment: Moment) -> None:
        """Give the writers the rows that a step changes."""
        for task in self._tasks:
            if task.done():
                # A writer only ends by an error, which ends the run.
                task.result()
        step, timetable = moment.step, moment.plant.timetable
        changes: list[Row] = list(changed_rows(timetable, step.begin, step.end))
        if self._timetable is not timetable and self._timetable is not None:
            changes = [*_rebooked(self._timetable, timetable, step.end), *changes]
        self._timetable = timetable
        for table, values in changes:
            # All changes of the legs of a parcel by the same writer.
            key = f"{table.removeprefix('-')} {values[0]}"
            await self._queues[zlib.crc32(key.encode()) % len(self._queues)].put((table, values))

    async def settle(self) -> None:
        """Wait until all changes so far are visible."""
        await asyncio.gather(*(queue.join() for queue in self._queues))

    async def stop(self) -> None:
        """Let the writers end, then the server; its data are removed."""
        for task, queue in zip(self._tasks, self._queues, strict=True):
            if not task.done():
                await queue.put(None)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._cluster.stop()

    @property
    def address(self) -> dict[str, object]:
        """Host, port, database, role, and the path of its password."""
        return {
            "host": "127.0.0.1", "port": self._cluster.port, "database": "postgres", "user": READER,
            "password_file": str(self._secrets / "erp-reader.password"), "tables": list(TABLES),
        }  # fmt: skip

    async def _run_writer(self, queue: asyncio.Queue[Row | None], seeded: random.Random) -> None:
        async with await psycopg.AsyncConnection.connect(self._cluster.dsn()) as connection:
            ending = False
            while not ending:
                changes = [await queue.get()]
                while len(changes) < _BATCH and not queue.empty():
                    changes.append(queue.get_nowait())
                ending = None in changes
                try:
                    await self._write(connection, [change for change in changes if change is not None], commit=False)
                    if not ending:
                        # Most transactions are short, some are open for long.
                        await asyncio.sleep(self._late * seeded.random() ** 6)
                    await connection.commit()
                finally:
                    for _ in changes:
                        queue.task_done()

    async def _write(self, connection: psycopg.AsyncConnection, rows: list[Row], *, commit: bool = True) -> None:
        by_table: dict[str, list[tuple[object, ...]]] = {}
        for table, values in rows:
            if table == _REMOVED:
                # After the rows of legs that were queued before.
                await self._insert(connection, by_table)
                by_table = {}
                await connection.execute("DELETE FROM legs WHERE parcel_no = %s AND leg_no >= %s", values)
            else:
                by_table.setdefault(table, []).append(values)
        await self._insert(connection, by_table)
        if commit:
            await connection.commit()

    async def _insert(self, connection: psycopg.AsyncConnection, by_table: dict[str, list[tuple[object, ...]]]) -> None:
        async with connection.cursor() as cursor:
            for table, values in by_table.items():
                await cursor.executemany(_upsert(table, self._keys[table]), values)


def _rebooked(before: Timetable, after: Timetable, end: int) -> list[Row]:
    """Return the legs of registered parcels that a command has changed."""
    changes: list[Row] = []
    bounds = [np.searchsorted(each.parcels.leg_parcel, np.arange(len(each.parcels) + 1)) for each in (before, after)]
    for parcel in np.flatnonzero(after.parcels.registered < end).tolist():
        first, last = bounds[1][parcel], bounds[1][parcel + 1]
        new = after.parcels.leg_trip[first:last]
        old = before.parcels.leg_trip[bounds[0][parcel] : bounds[0][parcel + 1]]
        if not np.array_equal(old, new):
            changes += legs_of(after, np.arange(first, last), end)
            changes.append((_REMOVED, (parcel + FIRST_NUMBER, len(new) + 1)))
    return changes


def _key(columns: str) -> tuple[str, ...]:
    """Return the names of the primary key's columns.

    >>> _key("code TEXT PRIMARY KEY, town TEXT"), _key("a TEXT, b TEXT, PRIMARY KEY (a, b)")
    (('code',), ('a', 'b'))
    """
    inline, _, key = columns.partition(", PRIMARY KEY (")
    return tuple(key.rstrip(")").split(", ")) if key else (inline.split(" ", 1)[0],)


def _names(columns: str) -> list[tuple[str, str]]:
    """Return the columns' names and types in PostgreSQL.

    >>> _names("code TEXT PRIMARY KEY, lat REAL, since TEXT")
    [('code', 'text'), ('lat', 'double precision'), ('since', 'timestamp')]
    """
    found = [part.split(" ")[:2] for part in columns.partition(", PRIMARY KEY (")[0].split(", ")]
    return [(name, "timestamp" if name in _TIMES else _TYPES[kind]) for name, kind in found]


def _create(table: str, columns: str) -> sql.Composed:
    parts = [sql.SQL("{} " + kind).format(sql.Identifier(name)) for name, kind in _names(columns)]
    key = sql.SQL(", ").join(map(sql.Identifier, _key(columns)))
    return sql.SQL("CREATE TABLE {} ({}, updated_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY ({}))").format(
        sql.Identifier(table), sql.SQL(", ").join(parts), key
    )


def _upsert(table: str, key: tuple[str, ...]) -> sql.Composed:
    names = [name for name, _ in _names(TABLES[table])]
    changed = [*(name for name in names if name not in key), "updated_at"]
    update = sql.SQL(", ").join(sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in changed)
    return sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {}").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder() * len(names)), sql.SQL(", ").join(map(sql.Identifier, key)), update,
    )  # fmt: skip
