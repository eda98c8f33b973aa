"""A twin that is written in an object store: leased writers, one historian, any machine; against a server of S3's protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from s3_server import Proxy

import twinlab as tl
from twinlab.cli import main
from twinlab.errors import HistoryConflictError
from twinlab.objects.bucket import Bucket
from twinlab.twin.remote.working import open_working

Grow = Callable[[tl.Twin, int], None]


def frame(start: str, count: int, room: str = "A") -> pd.DataFrame:
    times = pd.date_range(start, periods=count, freq="1min").strftime("%Y-%m-%dT%H:%M")
    return pd.DataFrame({"time": times, "room": room, "t": 4.0, "door": 0})


@pytest.fixture
def far(twin: tl.Twin, network: Proxy, place: str) -> tl.Twin:
    """Return a twin in the store with a day of rows."""
    twin.push(place)
    return tl.open(place)


def test_files_and_batches_are_taken_in_as_in_a_folder(
    twin: tl.Twin, far: tl.Twin, day_of_rows: Callable[[int], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = day_of_rows(1)
    report, expected = far.ingest(path), twin.ingest(path)
    assert str(report).split("(")[0] == str(expected).split("(")[0]
    with far.writer() as writer, twin.writer() as other:
        rows = frame("2026-01-03", 5)
        assert writer.append(rows).position == other.append(rows).position
    assert far.history("room").compute().equals(twin.history("room").compute())
    one, other = (each.observations("room/A", "temperature").drop(columns="ingest_time") for each in (far, twin))
    assert one.equals(other)
    assert far.ingest(path).parts[0].note == "the same file as before: nothing changed"
    assert main(["verify", str(far.bucket.address.url)]) == 0
    assert main(["status", str(far.bucket.address.url)]) == 0
    assert "log: 5,765 rows in the history, no rows wait; writer: none (last process" in capsys.readouterr().out


def test_a_source_can_bring_its_mapping(far: tl.Twin, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("time,room,t\n2026-01-05T00:00,C,7.5\n")
    (tmp_path / "other.yaml").write_text(
        "source: other\ntables:\n  - table: other\n    time: {column: time, zone: UTC}\n"
        "    asset: {type: room, column: room}\n    columns: {t: {signal: temperature, unit: degC}}\n"
    )
    far.ingest(tl.sources.csv(tmp_path / "other.csv", mapping=tmp_path / "other.yaml"))
    assert sorted(far.mappings) == sorted(tl.open(far.bucket.address.url).mappings) == ["log", "other"]
    assert far.observations("room/C", "temperature").value.tolist() == [7.5]


def test_rows_wait_for_the_historian_that_runs(far: tl.Twin) -> None:
    working = open_working(far.bucket)
    with working.historian_lease() as lease, far.writer() as writer:
        writer.append(frame("2026-01-03", 5), offsets={"line": 5})
        status = str(far.store_status())
        assert "log: 2,880 rows in the history, 5 rows wait" in status
        assert "writer: process" in status
        working.publish(lease)
        assert far.newest().history("room").time.size == 2 * 1440 + 5
    with far.writer() as writer:
        assert writer.offsets == {"line": 5}
    working.close()


def test_a_folder_is_not_pushed_over_what_writers_wrote(twin: tl.Twin, far: tl.Twin, grow: Grow) -> None:
    with far.writer() as writer:
        writer.append(frame("2026-01-03", 5))
    grow(twin, 1)
    with pytest.raises(HistoryConflictError, match="written where it is, by leased writers; a folder can't be pushed"):
        twin.push(far.bucket.address.url)
    assert not [one for one in Bucket(far.bucket.address).list("ledger") if "/groups/" in one.name]
