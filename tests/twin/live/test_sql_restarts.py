"""A database that is polled: restarts read the window again, and store no row that the ledger has already."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import xarray as xr

import twinlab as tl
from twinlab.ledger import Ledger
from twinlab.twin.live.recent import stored_rows

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
event_types:
  leg:
    asset: truck
    properties:
      kg: {dtype: number, unit: kg}
"""
MAPPING = """
source: erp
tables:
  - table: leg
    time: {column: changed, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temp: {signal: temperature, unit: degC}}
    events:
      - type: leg
        key: [id]
        asset: {type: truck, column: truck}
        start: {column: changed, zone: UTC}
        properties: {kg: {column: kg}}
    ignore: [note, day]
live: {kind: sql, url: "URL", every: 10ms, overlap: OVERLAP, rows: 7, tables: {leg: {updated: changed, key: [id]}}}
"""


class Site:
    """A twin that polls a database; both are changed by the test."""

    def __init__(self, folder: Path, url: str, overlap: str) -> None:
        self.folder, self.text = folder, MAPPING.replace("URL", url).replace("OVERLAP", overlap)
        (folder / "twin.yaml").write_text(MODEL)
        self.twin = self.made("site")

    def made(self, name: str) -> tl.Twin:
        (self.folder / "erp.yaml").write_text(self.text)
        return tl.create(self.folder / name, model=self.folder / "twin.yaml", mappings=self.folder / "erp.yaml")

    def position(self) -> int:
        return Ledger(self.twin.folder / "ledger").reader("erp").position()

    def run(self) -> int:
        """Run once, as after a restart; return the number of rows that the ledger has gained."""
        before = self.position()
        self.twin.run(once=True)
        return self.position() - before

    def check(self) -> None:
        """Compare with a twin that has read the database once."""
        other = self.made(f"other-{time.time_ns()}")
        other.run(once=True)
        mine, its = tl.open(self.twin.folder), tl.open(other.folder)
        xr.testing.assert_equal(mine.history("truck").compute(), its.history("truck").compute())
        columns = ["event_id", "asset", "start", "kg"]
        assert mine.events("leg")[columns].equals(its.events("leg")[columns])
        values = [
            twin.observations("truck/a", "temperature")[["time", "value"]].drop_duplicates().to_numpy().tolist()
            for twin in (mine, its)
        ]
        assert values[0] == values[1]


def test_restarts_store_no_row_of_the_window_again(tmp_path: Path) -> None:
    path = tmp_path / "erp.db"
    site = Site(tmp_path, f"sqlite:///{path}", "1h")
    with closing(sqlite3.connect(path)) as erp:
        erp.execute(
            "CREATE TABLE leg (id INTEGER PRIMARY KEY, truck TEXT, changed TEXT, temp REAL, kg, note TEXT, day TEXT)"
        )
        for number in range(60):
            # Notes that look like numbers, empty cells, and mixed columns.
            row = (
                number,
                "ab"[number % 2],
                f"2026-03-01 00:{number:02d}:00",
                number / 3,
                None if number % 3 else number,
                ["x", "7", None][number % 3],
            )
            erp.execute("INSERT INTO leg VALUES (?, ?, ?, ?, ?, ?, NULL)", row)
        erp.commit()
        assert site.run() == 60
        assert [site.run() for _ in range(3)] == [0, 0, 0]
        # Of the window, only what has changed comes, and new rows.
        erp.execute("UPDATE leg SET kg = 99, changed = '2026-03-01 00:59:30' WHERE id = 59")
        erp.execute("INSERT INTO leg VALUES (100, 'a', '2026-03-01 00:59:40', 1, 2, '7', NULL)")
        erp.commit()
        assert [site.run() for _ in range(3)] == [2, 0, 0]
        # A row that takes an earlier value again is a change of the standing one.
        erp.execute("UPDATE leg SET kg = 98 WHERE id = 100")
        erp.commit()
        assert site.run() == 1
        erp.execute("UPDATE leg SET kg = 2 WHERE id = 100")
        erp.commit()
        assert [site.run(), site.run()] == [1, 0]
    site.check()


def test_restarts_on_postgresql_as_well(tmp_path: Path, postgres: str) -> None:
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS leg"))
        connection.execute(
            sa.text(
                "CREATE TABLE leg (id int PRIMARY KEY, truck text, changed timestamptz, temp numeric, kg float8, note text, day date)"
            )
        )
        connection.execute(
            sa.text(
                "INSERT INTO leg SELECT n, 'a', '2026-03-01'::timestamptz + n * interval '1 min', n / 3.0, n, NULLIF(n % 5, 0)::text, "
                "NULLIF('2026-03-01'::date + n % 2, '2026-03-01') FROM generate_series(0, 39) n"
            )
        )
    site = Site(tmp_path, postgres, "10min")
    assert site.run() == 40
    assert [site.run(), site.run()] == [0, 0]
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE leg SET kg = -1 WHERE id = 39"))
    assert [site.run(), site.run()] == [1, 0]
    site.check()
    engine.dispose()


def test_only_rows_since_an_instant_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.twin.live.test_runner import rows

    ledger = Ledger(tmp_path / "ledger")
    from twinlab.twin.live import recent

    monkeypatch.setattr(recent, "_AT_ONCE", 3)
    instants = []
    for number in range(6):
        with ledger.writer("erp") as writer:
            ack = writer.append_records("leg", rows(number, 2))
            writer.append_records("other", rows(number, 1))
            instants.append(ack.ingest_time)
    found = [batch.column("value").to_pylist() for batch in stored_rows(ledger, "erp", "leg", instants[4])]
    assert found[-2:] == [[4.0, 5.0], [5.0, 6.0]]
    assert len(found) < 6
    assert len(list(stored_rows(ledger, "erp", "leg", None))) == 6
    assert list(stored_rows(Ledger(tmp_path / "none"), "erp", "leg", None)) == []
