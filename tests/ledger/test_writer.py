"""Appending to a source: rows are read as they were appended; one writer at a time; failures of the disk."""

from __future__ import annotations

import errno
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from twinlab.errors import HistoryConflictError, SchemaError, SourceError
from twinlab.ledger import Ledger, Records
from twinlab.model.schema import OBSERVATIONS

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]


def test_observations_come_back_in_full_schema_as_they_were(ledger: Ledger, telemetry: Make) -> None:
    batch = telemetry(500)
    with ledger.writer("s") as w:
        ack = w.append_observations(batch)
    (frame,) = ledger.reader("s").frames()
    back = frame.batch()
    assert back.schema == OBSERVATIONS
    for name in OBSERVATIONS.names:
        got, want = back.column(name).to_pylist(), batch.column(name).to_pylist()
        assert repr(got) == repr(want), name
    assert (ack.position, ack.rows, frame.first, frame.rows) == (500, 500, 0, 500)
    assert frame.ingest_time == ack.ingest_time
    assert set(frame.tags) == set(batch.column("tag").to_pylist())
    times = batch.column("source_time").to_numpy()
    assert frame.time_range == (times.min(), times.max())


def test_missing_columns_come_back_as_nulls_and_cost_nothing(ledger: Ledger) -> None:
    thin = pa.RecordBatch.from_pydict({"tag": ["a", "b"], "source_time": [1, 2]})
    with ledger.writer("s") as w:
        w.append_observations(thin)
        thin_bytes = w.append_observations(thin).bytes
        nulls = thin.append_column("text", pa.nulls(2, pa.string())).append_column("epoch", pa.nulls(2, pa.int64()))
        assert w.append_observations(nulls).bytes == thin_bytes
    back = next(ledger.reader("s").frames()).batch()
    assert back.column("value").null_count == back.column("op").null_count == 2


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        ({"tag": ["a"], "source_time": [1], "valeu": [1.0]}, "valeu"),
        ({"tag": ["a"], "source_time": ["monday"]}, "source_time"),
        ({"tag": ["a"], "source_time": [1], "time_basis": ["lokal"]}, "lokal"),
        ({"tag": ["a"]}, "source_time"),
        ({"tag": pa.array(["a", None]), "source_time": [1, 2]}, "tag"),
        (
            {
                "tag": pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array([None], pa.string())),
                "source_time": [1],
            },
            "tag",
        ),
    ],
)
def test_rows_that_break_the_schema_are_refused_by_column(ledger: Ledger, columns: dict[str, Any], named: str) -> None:
    with ledger.writer("s") as w:
        with pytest.raises(SchemaError, match=named):
            w.append_observations(pa.RecordBatch.from_pydict(columns))
        assert w.append_observations(pa.RecordBatch.from_pydict({"tag": ["a"], "source_time": [1]})).position == 1
    assert ledger.reader("s").position() == 1


def test_records_come_back_with_file_units_keys_and_row_numbers(ledger: Ledger, flights: Make) -> None:
    rows = flights(6)
    with ledger.writer("s") as w:
        w.append_records(
            "flights",
            rows,
            row_numbers=np.array([2, 3, 4, 6, 7, 8]),
            file_id="f1",
            units={"delay": "min"},
            keys=list("abcde") + [None],
        )
        w.append_records("flights", rows, row_numbers=np.arange(9, 15))
    one, two = ledger.reader("s").frames()
    assert one.batch().equals(rows)
    assert (one.kind, one.record_type, one.file_id, dict(one.units)) == ("records", "flights", "f1", {"delay": "min"})
    assert one.row_range == (2, 8)
    assert one.row_numbers().tolist() == [2, 3, 4, 6, 7, 8]
    assert one.keys().to_pylist() == ["a", "b", "c", "d", "e", None]
    assert two.row_numbers().tolist() == list(range(9, 15))
    assert two.keys() is None
    assert one.time_range is None
    assert one.batch(columns=("hour",)).schema.names == ["hour"]


def test_nothing_of_a_group_is_seen_before_it_ends_nor_if_it_fails(
    ledger: Ledger, telemetry: Make, flights: Make
) -> None:
    reader = ledger.reader("s")
    with ledger.writer("s") as w:
        with w.group():
            w.append_observations(telemetry(10))
            w.append_records("t", flights(5))
            assert reader.position() == 0
        assert reader.position() == 15
        with pytest.raises(ZeroDivisionError), w.group():
            w.append_observations(telemetry(10, seed=3))
            raise ZeroDivisionError
        assert reader.position() == 15
        acks = w.append_many([telemetry(3), Records("t", flights(4)), telemetry(2)])
        assert [a.position for a in acks] == [18, 22, 24]
    assert [f.rows for f in reader.frames()] == [10, 5, 3, 4, 2]
    assert ledger.verify().ok


def test_several_appends_of_a_group_take_one_sync(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    real = os.fdatasync
    with ledger.writer("s") as w:
        w.append_observations(telemetry(5))
        monkeypatch.setattr(os, "fdatasync", lambda fd: (calls.append(fd), real(fd))[1])
        w.append_many([telemetry(5, seed=k) for k in range(8)])
        assert len(calls) == 1
        monkeypatch.undo()


def test_the_sync_comes_before_the_published_position(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = ledger.reader("s")
    seen: list[int] = []
    real = os.fdatasync
    with ledger.writer("s") as w:
        w.append_observations(telemetry(5))
        monkeypatch.setattr(os, "fdatasync", lambda fd: (seen.append(reader.position()), real(fd))[1])
        w.append_observations(telemetry(5))
        monkeypatch.undo()
    assert seen == [5]
    assert reader.position() == 10


def test_ingest_time_never_decreases_though_the_clock_steps_back_and_the_writer_restarts(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([5_000, 9_000, 2_000, 1_000, 3_000, 20_000])
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    times = []
    for _ in range(3):
        with ledger.writer("s") as w:
            times += [w.append_observations(telemetry(1)).ingest_time for _ in range(2)]
    assert times == [5_000, 9_000, 9_000, 9_000, 9_000, 20_000]
    reader = ledger.reader("s")
    assert [reader.position_at(t) for t in (0, 4_999, 5_000, 8_999, 9_000, 19_999, 20_000, 10**18)] == [
        0,
        0,
        1,
        1,
        5,
        5,
        6,
        6,
    ]


def test_a_second_writer_is_refused_and_told_who_holds_the_source(ledger: Ledger) -> None:
    with ledger.writer("s"):
        with pytest.raises(HistoryConflictError, match=rf"process {os.getpid()} on \S+ since 20\d\d-"):
            ledger.writer("s")
        ledger.writer("other").close()
    ledger.writer("s").close()


def test_a_writer_in_another_process_is_refused_too(ledger: Ledger) -> None:
    code = "import sys; from twinlab.ledger import Ledger; Ledger(sys.argv[1]).writer('s')"
    with ledger.writer("s"):
        done = subprocess.run(
            [sys.executable, "-c", code, str(ledger.path)], capture_output=True, text=True, check=False
        )
    assert f"process {os.getpid()} on {socket.gethostname()} since" in done.stderr


def test_a_closed_writer_says_so(ledger: Ledger, telemetry: Make) -> None:
    with ledger.writer("s") as w:
        pass
    with pytest.raises(SourceError, match="closed"):
        w.append_observations(telemetry(1))


def test_a_retraction_takes_a_position_and_counts_from_there(ledger: Ledger, flights: Make) -> None:
    with ledger.writer("s") as w:
        w.append_records("t", flights(4), file_id="a")
        assert w.retract_file("a").position == 5
        w.append_records("t", flights(4), file_id="b")
        w.retract_file("b")
        w.retract_file("a")
    reader = ledger.reader("s")
    assert reader.retracted_files() == {"a": 10, "b": 9}
    assert reader.retracted_files(stop=10) == {"a": 4, "b": 9}
    assert reader.retracted_files(stop=4) == {}
    retraction = [f for f in reader.frames() if f.kind == "retract_file"][0]
    assert (retraction.file_id, retraction.rows, retraction.batch().num_rows) == ("a", 1, 0)


def test_frames_larger_than_a_million_rows_are_split(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, telemetry: Make, flights: Make
) -> None:
    monkeypatch.setattr("twinlab.ledger.writer.MAX_FRAME_ROWS", 100)
    with ledger.writer("s") as w:
        assert w.append_observations(telemetry(250)).rows == 250
        assert w.append_records("t", flights(150), row_numbers=np.arange(150), keys=["k"] * 150).position == 400
    assert [f.rows for f in ledger.reader("s").frames()] == [100, 100, 50, 100, 50]


def test_empty_batches_change_nothing(ledger: Ledger, telemetry: Make, flights: Make) -> None:
    with ledger.writer("s") as w:
        assert w.append_observations(telemetry(0)).rows == 0
        assert w.append_records("t", flights(0)).position == 0
    assert ledger.reader("s").position() == 0
    assert ledger.verify().ok


@pytest.fixture
def small_files() -> Iterator[Callable[[int], None]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_clearly_and_damages_nothing(
    ledger: Ledger, telemetry: Make, everything: Everything, small_files: Callable[[int], None]
) -> None:
    with ledger.writer("s") as w:
        w.append_observations(telemetry(300))
        reader = ledger.reader("s")
        before = everything(reader)
        segment = next(ledger.path.rglob("*.seg"))
        small_files(segment.stat().st_size + 1000)
        with pytest.raises(SourceError, match="full"):
            w.append_observations(telemetry(5000, seed=1))
        assert everything(reader) == before
        small_files(resource.RLIM_INFINITY)
        w.append_observations(telemetry(300, seed=2))
        assert everything(reader)[:300] == before
        assert reader.position() == 600
    assert ledger.verify().ok


@pytest.mark.parametrize("written", [0, 1, 5, 300, None])
def test_any_part_of_a_write_may_fail_and_later_appends_work(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch, written: int | None
) -> None:
    real_write, real_sync = os.pwritev, os.fdatasync
    calls: list[int] = []

    def full(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        calls.append(1)
        if written and len(calls) == 1:
            return real_write(descriptor, [b"".join(buffers)[:written]], offset)
        raise OSError(errno.ENOSPC, "No space left on device")

    def no_sync(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
        size = next(ledger.path.rglob("*.seg")).stat().st_size
        if written is None:
            monkeypatch.setattr(os, "fdatasync", no_sync)
        else:
            monkeypatch.setattr(os, "pwritev", full)
        new = pa.RecordBatch.from_pydict(
            {"tag": ["new tag"] * 200, "source_time": list(range(200)), "unit": ["new unit"] * 200}
        )
        with pytest.raises(SourceError, match="Free some space"):
            w.append_observations(new)
        monkeypatch.setattr(os, "pwritev", real_write)
        monkeypatch.setattr(os, "fdatasync", real_sync)
        assert next(ledger.path.rglob("*.seg")).stat().st_size == size
        assert w.append_observations(new).position == 300
    assert ledger.verify().ok
    assert [f.rows for f in ledger.reader("s").frames()] == [100, 200]
    assert list(ledger.reader("s").frames())[1].tags == ("new tag",)
    assert set(list(ledger.reader("s").frames())[1].batch().column("unit").to_pylist()) == {"new unit"}


def test_after_a_failed_sync_the_writer_must_be_opened_again(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with ledger.writer("s") as w:
        w.append_observations(telemetry(10))
        monkeypatch.setattr(os, "fdatasync", broken)
        with pytest.raises(SourceError, match="Check the disk"):
            w.append_observations(telemetry(10))
        monkeypatch.undo()
        with pytest.raises(SourceError, match="open another"):
            w.append_observations(telemetry(10))
    with ledger.writer("s") as w:
        assert w.append_observations(telemetry(10)).position == 20


def test_a_note_is_read_with_the_rows_it_came_with(ledger: Ledger, telemetry: Make) -> None:
    batch = telemetry(10)
    rows = Records("visits", pa.RecordBatch.from_pydict({"place": ["a", "b"]}), units={"place": "1"})
    with ledger.writer("s") as w:
        w.append_many([batch, batch], note={"offsets": {"t1": 20}})
        w.append_many([batch])
        w.append_many([rows], note={"offsets": {"t2": [1, 2]}})
        w.append_many([], note={"offsets": {"t3": 1}})
    reader = ledger.reader("s")
    assert list(reader.notes()) == [(20, {"offsets": {"t1": 20}}), (32, {"offsets": {"t2": [1, 2]}})]
    assert [at for at, _ in reader.notes(start=20)] == [32]
    assert list(Ledger(ledger.path).reader("s").notes(start=32)) == []
    frames = list(reader.frames())
    assert [frame.rows for frame in frames] == [10, 10, 10, 2]
    assert frames[-1].units == {"place": "1"}
    assert frames[-1].batch().column("place").to_pylist() == ["a", "b"]


def test_a_note_comes_with_the_last_frame_of_a_large_batch(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinlab.ledger.writer.MAX_FRAME_ROWS", 4)
    times = pa.array(range(10), pa.int64())
    batch = pa.RecordBatch.from_arrays([pa.array(["a"] * 10), times], ["tag", "source_time"])
    with ledger.writer("s") as w:
        w.append_many([batch], note={"n": 1})
        w.append_many([Records("r", pa.RecordBatch.from_pydict({"x": range(9)}))], note={"n": 2})
    assert list(ledger.reader("s").notes()) == [(10, {"n": 1}), (19, {"n": 2})]


def test_the_notes_of_a_sealed_segment_are_one(ledger: Ledger, telemetry: Make) -> None:
    with ledger.writer("s") as w:
        w.append_many(
            [Records("r", pa.RecordBatch.from_pydict({"x": range(9)}))], note={"n": 1, "at": {"a": 1, "b": 1}}
        )
        w.append_many([telemetry(5)], note={"n": 2, "at": {"b": 2, "c": 2}})
        w.append_many([telemetry(2)])
        w.rotate()
        w.append_many([telemetry(3)], note={"at": {"a": 3}})
        w.rotate()
        w.append_many([telemetry(4)], note={"at": {"a": 4}})
    first, second = (16, {"n": 2, "at": {"a": 1, "b": 2, "c": 2}}), (19, {"at": {"a": 3}})
    ledger.seal("s")
    reader = Ledger(ledger.path).reader("s")
    assert list(reader.notes()) == [first, second, (23, {"at": {"a": 4}})]
    assert [at for at, _ in reader.notes(start=12)] == [16, 19, 23]
    assert [at for at, _ in reader.notes(start=16)] == [19, 23]
    assert ledger.verify().ok
