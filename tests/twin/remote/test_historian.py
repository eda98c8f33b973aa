"""The historian of a twin in a store continues when its requests are cut: none of them ends it, or its standby."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from s3_server import Proxy
from test_written import frame

import twinlab as tl
from twinlab.errors import SchemaError, SourceError
from twinlab.twin.remote.working import open_working


@pytest.fixture
def far(twin: tl.Twin, network: Proxy, place: str) -> tl.Twin:
    """Return a twin in the store with a day of rows, and five more that aren't published."""
    twin.push(place)
    far = tl.open(place)
    working = open_working(far.bucket)
    with working.ledger.writer("log") as writer:
        writer.append_records("log", pa.RecordBatch.from_pandas(frame("2026-01-03", 5)))
    working.close()
    return far


def cut(network: Proxy, text: str, faults: list[str], afterwards: Callable[[], object] = lambda: None) -> None:
    """Let writes of objects with a text in their names go wrong, as a list says; call a function once when all have."""
    waiting = [afterwards]

    def fault(request: str) -> str:
        if not request.startswith("PUT"):
            return ""
        if text in request and faults:
            return faults.pop(0)
        if not faults and waiting and "twin.json" in request:
            waiting.pop()()
        return ""

    network.fault = fault


def stop() -> None:
    """Stop this process as a service manager does, if it runs a historian."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("text", "faults"),
    [("historian.json", ["cut", "no answer", "cut", "twice"]), ("twin.json", ["cut", "no answer", "twice"])],
)
def test_cuts_do_not_end_a_standby_that_takes_over(far: tl.Twin, network: Proxy, text: str, faults: list[str]) -> None:
    cut(network, text, faults, lambda: threading.Timer(1.0, stop).start())
    far.run(standby=True, lease_seconds=2)
    assert not faults
    assert far.history("room").time.size == 2 * 1440 + 5
    assert "no rows wait" in str(far.store_status())
    assert "historian: none (last process" in str(far.store_status())


def test_who_runs_it_once_is_told_that_the_store_does_not_answer(far: tl.Twin, network: Proxy) -> None:
    cut(network, "twin.json", ["cut"] * 20)
    with pytest.raises(SourceError, match=r"can't write twin\.json"):
        far.run(once=True)
    network.fault = lambda _request: ""
    far.run(once=True)
    assert far.history("room").time.size == 2 * 1440 + 5


LIVE = r"""
source: erp
live: {kind: sql, url: "URL", every: 50ms, rows: 7, tables: {readings: {updated: changed, key: [id]}}}
tables:
  - table: readings
    time: {column: time, zone: UTC}
    asset: {type: room, column: room}
    columns: {t: {signal: temperature, unit: degC}}
"""


def test_a_database_is_polled_into_the_store(twin: tl.Twin, network: Proxy, place: str, tmp_path: Path) -> None:
    database = tmp_path / "erp.db"
    with sqlite3.connect(database) as tables:
        tables.execute("create table readings (id integer primary key, time text, room text, t real, changed text)")
        rows = [(n, f"2026-01-03T00:{n:02}", "C", n / 10, f"2026-01-03T00:{n:02}:00") for n in range(20)]
        tables.executemany("insert into readings values (?, ?, ?, ?, ?)", rows)
    (twin.folder / "mapping" / "erp.yaml").write_text(LIVE.replace("URL", f"sqlite:///{database}"))
    twin.rebuild()
    twin.push(place)
    far = tl.open(place)
    # The claims of both leases, and a group, go wrong.
    faults = {"historian.json": ["cut"], "erp/lease.json": ["no answer"], "erp/groups/": ["no answer", "cut"]}
    network.fault = lambda request: next(
        (found.pop() for text, found in faults.items() if text in request and request.startswith("PUT") and found), ""
    )
    far.run(once=True)
    assert not any(faults.values())
    assert tl.open(place).observations("room/C", "temperature").value.tolist() == [n / 10 for n in range(20)]
    with sqlite3.connect(database) as tables:
        tables.execute("insert into readings values (20, '2026-01-03T01:00', 'C', 9.5, '2026-01-03T01:00:00')")
    # Another machine continues from where this one stopped.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWINLAB_CACHE", str(tmp_path / "other"))
        tl.open(place).run(once=True)
    found = tl.open(place).observations("room/C", "temperature")
    assert found.value.tolist() == [*(n / 10 for n in range(20)), 9.5]


def test_metrics_need_a_live_source(far: tl.Twin) -> None:
    with pytest.raises(SchemaError, match="expected a mapping with `live:` for health and metrics"):
        far.run(once=True, metrics_port=0)
