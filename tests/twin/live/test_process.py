"""`twinlab run`: rows become durable, are acknowledged, published, and read by other processes; kills lose nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

import twinlab as tl
from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError, SchemaError, SourceError
from twinlab.history import BuildReport
from twinlab.twin.live.status import LiveStatus

Make = Callable[[str], tl.Twin]
PATIENCE = 60.0


def start(twin: tl.Twin, *options: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "twinlab.cli", "run", str(twin.folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def wait_until(true: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def rows_of(twin: tl.Twin) -> list[float]:
    """Return the temperatures in the ledger, in order of arrival."""
    return [
        value
        for frame in twin.ledger.reader("feed").frames()
        for value in frame.batch().column("temperature").to_pylist()
    ]


EXPECTED = [n / 10 for n in range(150) for _ in "ab"]


def test_a_replayed_file_gives_the_history_of_the_ingested_file(live_twin: Make, log: Path, tmp_path: Path) -> None:
    twin = live_twin("{kind: replay, file: log.csv, rows: 7}")
    status = twin.run(once=True)
    other = tl.create(tmp_path / "other", model=tmp_path / "twin.yaml", mappings=tmp_path / "feed.yaml")
    other.ingest(tl.sources.csv(log, name="feed"))
    xr.testing.assert_equal(twin.history("truck").compute(), other.history("truck").compute())
    assert rows_of(twin) == EXPECTED
    assert not status.running
    (source,) = twin.sources.to_dict("records")
    assert source["stream_clocks"] is None
    assert (source["kind"], source["state"], source["rows"], source["queued"], source["waiting"]) == (
        "replay", "ended", 300, 0, 0,
    )  # fmt: skip
    assert "300 rows" in str(status)


def test_a_second_run_continues_where_the_first_ended(live_twin: Make, log: Path) -> None:
    twin = live_twin("{kind: replay, file: log.csv, rows: 7}")
    assert twin.run(once=True).sources["feed"]["rows"] == 300
    assert twin.run(once=True).sources["feed"]["rows"] == 0
    with log.open("a") as file:
        file.write("2026-03-02T00:00Z,a,9.5\n")
    assert twin.run(once=True).sources["feed"]["rows"] == 1
    assert rows_of(twin) == [*EXPECTED, 9.5]


def test_a_stop_stores_what_was_received_and_says_so_to_systemd_and_in_json(live_twin: Make, log: Path) -> None:
    twin = live_twin("{kind: replay, file: log.csv, rows: 1, rate: 40}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0twinlab-test-" + str(os.getpid()))
        manager.settimeout(PATIENCE)
        process = start(twin, "--metrics", "0", NOTIFY_SOCKET="@twinlab-test-" + str(os.getpid()))
        assert manager.recv(100).startswith(b"READY=1")
        assert process.stderr is not None
        assert process.stdout is not None
        url = json.loads(process.stderr.readline())["url"]
        wait_until(lambda: len(rows_of(twin)) > 10, "no rows")
        # Readers in this process have the rows while the other one runs.
        seen = twin.history("truck").temperature.sel(asset="a").values
        assert list(seen[:5]) == [0.0, 0.1, 0.2, 0.3, 0.4]
        assert twin.live_status().running
        with urllib.request.urlopen(url, timeout=PATIENCE) as page:
            text = page.read().decode()
        assert 'twinlab_live_connected{source="feed"} 1.0' in text
        with urllib.request.urlopen(url.replace("metrics", "health/ready"), timeout=PATIENCE) as page:
            assert page.read() == b"ready\n"
        with urllib.request.urlopen(url.replace("metrics", "status"), timeout=PATIENCE) as page:
            assert json.load(page)["sources"]["feed"]["state"] == "connected"
        process.send_signal(signal.SIGTERM)
        # Not communicate(): it loses the lines that readline() has buffered.
        with process.stderr as errors, process.stdout as output:
            logged, said = errors.read(), output.read()
        assert process.wait(PATIENCE) == 0
        assert b"STOPPING=1" in manager.recv(100)
    assert "historian stopped" in said
    # The first reader of a new twin may build its history, for which the historian waits.
    messages = [json.loads(line)["message"] for line in logged.splitlines()]
    assert [one for one in messages if one != "not published yet"] == ["running", "stopped"]
    stored = len(rows_of(twin))
    assert 10 < stored < 300
    assert not twin.live_status().running
    assert twin.live_status().sources["feed"]["stored"] == stored
    assert twin.reader.status().behind == 0


def test_kills_lose_no_row_and_store_none_twice(live_twin: Make, log: Path) -> None:
    twin, chance = live_twin("{kind: replay, file: log.csv, rows: 1, rate: 150}"), random.Random(7)
    for _ in range(3):
        before = len(rows_of(twin))
        process = start(twin)
        wait_until(lambda least=before: len(rows_of(twin)) > least, "no rows")
        time.sleep(chance.uniform(0, 0.3))
        process.kill()
        process.communicate()
        assert rows_of(twin) == EXPECTED[: len(rows_of(twin))]
    twin.run(once=True)
    assert rows_of(twin) == EXPECTED
    assert twin.history("truck").temperature.sel(asset="b").values.tolist() == [n / 10 for n in range(150)]


def test_one_historian_runs_at_a_time_and_a_standby_takes_over(live_twin: Make, log: Path) -> None:
    twin = live_twin("{kind: replay, file: log.csv, rows: 1, rate: 100}")
    first = start(twin)
    wait_until(lambda: len(rows_of(twin)) > 5, "no rows")
    with pytest.raises(HistoryConflictError, match=f"process {first.pid}"):
        twin.run(once=True)
    standby = threading.Thread(target=lambda: twin.run(once=True, standby=True))
    standby.start()
    first.kill()
    first.communicate()
    standby.join(PATIENCE)
    assert not standby.is_alive()
    assert rows_of(twin) == EXPECTED


def test_what_is_missing_is_said_before_anything_starts(live_twin: Make, tmp_path: Path) -> None:
    twin = live_twin("{kind: replay, file: no.csv}")
    with pytest.raises(SourceError, match=r"no\.csv"):
        twin.run(once=True)
    (twin.folder / "mapping" / "feed.yaml").write_text((tmp_path / "feed.yaml").read_text().split("live:")[0])
    with pytest.raises(SchemaError, match="expected a mapping with `live:`"):
        tl.open(twin.folder).run(once=True)
    assert str(twin.live_status()).startswith("no historian has run")


def test_readers_of_a_new_twin_have_the_rows_while_another_process_builds_its_first_history(
    live_twin: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = live_twin("{kind: replay, file: log.csv}")
    with monkeypatch.context() as patch:
        patch.setattr(tl.Twin, "_publish_live", lambda self: BuildReport())  # ends before it has published
        twin.run(once=True)
    assert not (twin.folder / "history").exists()
    with Lock(twin.folder / "history.lock", what="the history"):
        reader = tl.open(twin.folder)
        assert reader.history("truck").temperature.sel(asset="a").values.tolist() == [n / 10 for n in range(150)]
        monkeypatch.setattr("twinlab.history.read.pin_cache.TAIL_ROWS", 100)
        with pytest.raises(HistoryConflictError):
            tl.open(twin.folder).history("truck")
    assert twin.history("truck").temperature.sel(asset="b").values.tolist() == [n / 10 for n in range(150)]


def test_the_table_has_the_clock_of_each_gateway_and_is_written_to_files(tmp_path: Path) -> None:
    sources = {
        "trucks": {"kind": "mqtt", "stream_clocks": {"truck-1": 3600.0, "truck-2": -0.1}},
        "erp": {"kind": "sql", "stream_clocks": {}},
    }
    table = LiveStatus(running=True, sources=sources).table()
    assert table.stream_clocks.to_dict() == {"trucks": {"truck-1": 3600.0, "truck-2": -0.1}, "erp": None}
    table.to_parquet(tmp_path / "sources.parquet")
