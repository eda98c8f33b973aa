"""Rows of tables that a source deletes: their cells, events, assets and links are withdrawn, whenever the history is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xarray as xr

import twinlab as tl
from twinlab.history.lineage.event_rows import event_rows
from twinlab.ledger import Records

MODEL = """
twin: site
origin: 2026-01-01
asset_types:
  truck:
    properties:
      plate: {dtype: text}
    signals:
      temperature: {unit: degC, resolution: 0.1, cadence: 1min}
event_types:
  trip:
    asset: truck
    properties:
      load: {dtype: number, unit: kg}
"""
MAPPING = """
source: erp
tables:
  - table: reading
    time: {column: at, zone: UTC}
    asset: {type: truck, column: truck}
    columns: {temp: {signal: temperature, unit: degC}}
    ignore: [id]
  - table: trip
    events:
      - type: trip
        key: [id]
        asset: {type: truck, column: truck}
        start: {column: left, zone: UTC}
        properties: {load: {column: load}}
  - table: truck
    assets:
      - {type: truck, id: id, properties: {plate: {column: plate}}}
"""

Rows = list[tuple[object, ...]]
Part = tuple[str, Rows, list[bool]]
COLUMNS = {"reading": ("id", "at", "truck", "temp"), "trip": ("id", "truck", "left", "load"), "truck": ("id", "plate")}


def records(table: str, rows: Rows, retracts: list[bool]) -> Records:
    columns = dict(zip(COLUMNS[table], map(list, zip(*rows, strict=True)), strict=True))
    return Records(table, pa.RecordBatch.from_pydict(columns), np.arange(1, len(rows) + 1), retracts=np.array(retracts))


def reading(number: int, minute: int, value: float) -> tuple[object, ...]:
    return number, f"2026-03-01T00:{minute:02d}:00Z", "a", value


#: What an ERP does: rows come, change (the old row is withdrawn, the new one stated) and go, some within one delivery.
HISTORY: list[list[Part]] = [
    [
        ("reading", [reading(n, n, float(n)) for n in range(10)], [False] * 10),
        ("trip", [(n, "a", f"2026-03-01T0{n}:00:00Z", 5.0) for n in range(5)], [False] * 5),
        ("truck", [("a", "K-AB 1"), ("b", "K-AB 2")], [False] * 2),
    ],
    [
        # The second changes its value, the third its time, the fourth is deleted.
        ("reading", [reading(2, 2, 2.0), reading(2, 2, 7.5)], [True, False]),
        ("reading", [reading(3, 3, 3.0), reading(3, 33, 3.0), reading(4, 4, 4.0)], [True, False, True]),
        ("trip", [(1, "a", "2026-03-01T01:00:00Z", 5.0), (1, "a", "2026-03-01T01:30:00Z", 9.0)], [True, False]),
    ],
    [
        ("trip", [(2, "a", "2026-03-01T02:00:00Z", 5.0)], [True]),
        # Comes and changes within one delivery: not the same instant stated twice.
        ("reading", [reading(50, 50, 1.0), reading(50, 50, 1.0), reading(50, 50, 6.0)], [False, True, False]),
        ("truck", [("b", "K-AB 2")], [True]),
    ],
    # An identity that was deleted is used again.
    [("trip", [(2, "a", "2026-03-01T02:15:00Z", 1.0)], [False]), ("reading", [reading(4, 4, 44.0)], [False])],
]
CELLS = {0: 0.0, 1: 1.0, 2: 7.5, 4: 44.0, 5: 5.0, 6: 6.0, 7: 7.0, 8: 8.0, 9: 9.0, 33: 3.0, 50: 6.0}


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], tl.Twin]:
    (tmp_path / "twin.yaml").write_text(MODEL)
    (tmp_path / "erp.yaml").write_text(MAPPING)
    return lambda name: tl.create(tmp_path / name, model=tmp_path / "twin.yaml", mappings=tmp_path / "erp.yaml")


def append(twin: tl.Twin, parts: list[Part]) -> None:
    with twin.ledger.writer("erp") as writer:
        writer.append_many([records(*part) for part in parts])


def shown(twin: tl.Twin) -> dict[int, float]:
    column = twin.history("truck").temperature.sel(asset="a").dropna("time").compute()
    minutes = (column.time.values - np.datetime64("2026-03-01")) // np.timedelta64(1, "m")
    return dict(zip(minutes.tolist(), column.values.tolist(), strict=True))


def trips(twin: tl.Twin) -> list[tuple[str, str, float]]:
    table = twin.events("trip")
    return [(row.event_id, f"{row.start:%H:%M}", row.load) for row in table.itertuples()]


def test_deleted_rows_are_gone_in_the_tail_and_after_each_publication(make: Callable[[str], tl.Twin]) -> None:
    step, tail = make("step"), make("tail")
    for parts in HISTORY:
        append(step, parts)
        append(tail, parts)
        step._catch_up()
        assert shown(step) == shown(tail)
        assert trips(step) == trips(tail)
    assert shown(step) == CELLS
    assert trips(step) == [
        ("0", "00:00", 5.0), ("1", "01:30", 9.0), ("2", "02:15", 1.0), ("3", "03:00", 5.0), ("4", "04:00", 5.0),
    ]  # fmt: skip
    flags = step.history("truck").temperature_qc.sel(asset="a")
    assert 3 not in flags.sel(time="2026-03-01T00:50").values
    tail._catch_up()
    xr.testing.assert_equal(step.history("truck").compute(), tail.history("truck").compute())
    assert step.assets("truck").index.tolist() == tail.assets("truck").index.tolist()


def test_the_rows_of_a_deleted_event_say_so(make: Callable[[str], tl.Twin]) -> None:
    twin = make("one")
    for parts in HISTORY[:3]:
        append(twin, parts)
    assert [one[0] for one in trips(twin)] == ["0", "1", "3", "4"]
    rows = twin.recent_rows("erp", rows=5)
    assert rows.loc[rows.table == "trip", "op"].tolist() == ["retract"]
    assert rows.loc[rows.table == "reading", "op"].tolist() == ["observe", "retract", "observe"]
    stated = event_rows(twin.reader, "trip", ["1", "2"])
    assert list(zip(stated.event_id, stated.standing, strict=True)) == [
        ("1", "superseded"),
        ("2", "superseded"),
        ("1", "retraction"),
        ("1", "valid"),
        ("2", "retraction"),
    ]
