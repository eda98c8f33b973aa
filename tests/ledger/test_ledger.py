from __future__ import annotations

import errno
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from twinlab.errors import HistoryConflictError, SchemaError, SourceError, UnknownTermError
from twinlab.ledger import Ledger, Records, Writer
from twinlab.model.schema import OBSERVATIONS

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


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


def test_only_the_columns_asked_for_are_decoded(ledger: Ledger, telemetry: Make) -> None:
    with ledger.writer("s") as w:
        w.append_observations(telemetry(50))
    (frame,) = ledger.reader("s").frames()
    assert frame.batch(columns=("value", "tag")).schema.names == ["tag", "value"]


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


def test_a_window_of_positions_cuts_frames_exactly(
    ledger: Ledger, telemetry: Make, flights: Make, everything: Everything
) -> None:
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
        w.append_records("t", flights(10), row_numbers=np.arange(10) * 2)
        w.append_observations(telemetry(100, seed=1))
    reader = ledger.reader("s")
    whole = everything(reader)
    for start, stop in ((0, 1), (37, 105), (99, 101), (100, 110), (103, 210), (210, 400), (5, 5)):
        assert everything(reader, start=start, stop=stop) == whole[start:stop]


def test_a_reader_opened_before_the_rows_sees_them_once_they_are_acknowledged(ledger: Ledger, telemetry: Make) -> None:
    reader = ledger.reader("s")
    assert reader.position() == 0
    assert list(reader.frames()) == []
    with ledger.writer("s") as w:
        for k in range(3):
            w.append_observations(telemetry(10, seed=k))
            assert reader.position() == sum(f.rows for f in reader.frames()) == 10 * (k + 1)


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
    monkeypatch.setattr("twinlab.ledger.writer.MOST_ROWS", 100)
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


# --- sealing -------------------------------------------------------------------------------------------------------


def _fill(w: Writer, telemetry: Make, flights: Make) -> None:
    for k in range(12):
        w.append_observations(telemetry(300, seed=k, start=k * 10**12))
        w.append_records(f"t{k % 2}", flights(7, seed=k), file_id=f"f{k}", row_numbers=np.arange(7) + k)
    w.retract_file("f3")
    w.rotate()


def test_sealed_and_open_segments_read_alike(
    ledger: Ledger, telemetry: Make, flights: Make, everything: Everything
) -> None:
    with ledger.writer("s", segment_rows=1000) as w:
        _fill(w, telemetry, flights)
        w.append_observations(telemetry(50, seed=99))
        reader = ledger.reader("s")
        before = everything(reader)
        windows = [everything(reader, start=a, stop=b) for a, b in ((10, 20), (290, 1500), (2000, 5000))]
        times = [reader.position_at(t) for t in sorted({r[1][-1] for r in before})]
        retracted = reader.retracted_files()
        assert ledger.seal("s")
        for r in (reader, Ledger(ledger.path).reader("s")):
            assert everything(r) == before
            assert [everything(r, start=a, stop=b) for a, b in ((10, 20), (290, 1500), (2000, 5000))] == windows
            assert [r.position_at(t) for t in sorted({x[1][-1] for x in before})] == times
            assert r.retracted_files() == retracted
        w.append_observations(telemetry(50, seed=100))
        assert everything(reader)[: len(before)] == before
    assert ledger.seal("s") == []
    assert ledger.verify().ok
    with ledger.writer("s") as w:
        assert w.torn is None
        assert w.position == len(before) + 50


def test_frames_taken_before_sealing_stay_readable_after_it(ledger: Ledger, telemetry: Make) -> None:
    with ledger.writer("s") as w:
        w.append_observations(telemetry(300))
        w.rotate()
        frames = list(ledger.reader("s").frames())
        ledger.seal("s")
    assert frames[0].batch().num_rows == 300


def test_sealed_row_groups_are_sorted_by_tag_and_time(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinlab.ledger.seal.GROUP_ROWS", 128)
    with ledger.writer("s") as w:
        for k in range(4):
            w.append_observations(telemetry(200, seed=k))
        w.rotate()
    ledger.seal("s")
    rows = [
        (r["tag"], r["source_time"]) for f in ledger.reader("s").frames(tags={"tag/3"}) for r in f.batch(columns=("tag", "source_time")).to_pylist()
    ]  # fmt: skip
    assert len(rows) < 800
    assert {t for t, _ in rows} >= {"tag/3"}
    whole = sorted(ledger.path.rglob("*.parquet"))
    table = pa.parquet.read_table(whole[0]) if hasattr(pa, "parquet") else None
    if table is not None:
        pairs = list(zip(table["tag"].to_pylist(), table["source_time"].to_pylist(), strict=True))
        assert pairs == sorted(pairs)


@pytest.mark.parametrize("sealed", [False, True])
def test_filters_skip_frames_but_never_a_row_that_fits(
    ledger: Ledger,
    telemetry: Make,
    flights: Make,
    everything: Everything,
    monkeypatch: pytest.MonkeyPatch,
    sealed: bool,
) -> None:
    monkeypatch.setattr("twinlab.ledger.seal.GROUP_ROWS", 200)
    with ledger.writer("s", segment_rows=1000) as w:
        _fill(w, telemetry, flights)
        w.append_observations(
            pa.RecordBatch.from_pydict({"tag": ["rare"] * 3, "source_time": [5, 6, 7], "value": [1.0, 2.0, 3.0]})
        )
        w.rotate()
    if sealed:
        ledger.seal("s")
    reader = ledger.reader("s")
    whole = everything(reader)
    observed = [(o, dict(r[0])) for o, r in whole if isinstance(r[0], tuple) and len(r) == 2]
    others = {o for o, _ in whole} - {o for o, _ in observed}
    assert len(observed) == 3603
    for tags, span in (
        ({"rare"}, None), ({"tag/1", "rare"}, None), (None, (10**12, 2 * 10**12)), ({"tag/5"}, (5, 10**10)), ({"none"}, None), (None, (6, 7)),
    ):  # fmt: skip
        got = {o for o, _ in everything(reader, tags=tags, time=span)}
        wanted = {
            o for o, r in observed
            if (tags is None or r["tag"] in tags) and (span is None or span[0] <= r["source_time"] < span[1])
        }  # fmt: skip
        assert wanted <= got
        assert others <= got, "records and retractions always come"
    assert sum(f.rows for f in reader.frames(tags={"rare"}) if f.kind == "observations") <= 203


def test_readers_see_a_true_beginning_while_a_writer_appends_and_seals(
    ledger: Ledger, telemetry: Make, everything: Everything
) -> None:
    reader = ledger.reader("s")
    seen: list[Any] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                position = reader.position()
                rows = everything(reader, start=max(0, position - 900))
                assert len(rows) >= min(position, 900)
                seen.append(rows)
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    with ledger.writer("s", segment_rows=500) as w:
        for thread in threads:
            thread.start()
        for k in range(40):
            w.append_observations(telemetry(50, seed=k))
            if k % 8 == 7:
                ledger.seal("s")
        done.set()
        for thread in threads:
            thread.join()
    assert not errors, errors
    whole = everything(reader)
    assert len(whole) == 2000
    for rows in seen:
        first = rows[0][0] if rows else 0
        assert rows == whole[first : first + len(rows)]


def test_a_long_journal_stays_quick_to_open(ledger: Ledger) -> None:
    ledger.journal.append_many([("note", {"n": n}) for n in range(1500)])
    for n in range(1500, 1503):
        ledger.journal.append("note", {"n": n})
    assert [e.payload["n"] for e in ledger.journal.entries(start=1000)] == list(range(1000, 1503))
    assert [e.payload["n"] for e in ledger.journal.entries("note")][-1] == 1502
    assert len(list((ledger.path / "_twin").glob("*.seg"))) == 2


@pytest.mark.parametrize("step", ["_write_parquet", "_write_kept", "write_manifest", "path_of", "sync_folder"])
def test_a_crash_while_sealing_loses_nothing(
    ledger: Ledger, telemetry: Make, flights: Make, everything: Everything, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with ledger.writer("s", segment_rows=1000) as w:
        _fill(w, telemetry, flights)
    before = everything(ledger.reader("s"))
    calls = []

    def crash(real: Callable[..., Any]) -> Callable[..., Any]:
        def once(*given: Any) -> Any:
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return real(*given)

        return once

    import twinlab.ledger.seal as module

    monkeypatch.setattr(module, step, crash(getattr(module, step)))
    with pytest.raises(KeyboardInterrupt):
        ledger.seal("s")
    monkeypatch.undo()
    assert everything(Ledger(ledger.path).reader("s")) == before
    assert ledger.verify().ok
    ledger.seal("s")
    assert everything(Ledger(ledger.path).reader("s")) == before
    assert ledger.verify().ok
    assert len(list(ledger.path.rglob("*.seg"))) == 1


# --- a full disk ---------------------------------------------------------------------------------------------------


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


# --- files, names, journal -----------------------------------------------------------------------------------------


def test_the_same_file_twice_is_kept_once(ledger: Ledger, tmp_path: Path) -> None:
    one, two = tmp_path / "a.csv", tmp_path / "b.csv"
    one.write_bytes(b"x,y\n" * 400_000)
    two.write_bytes(one.read_bytes())
    file_id = ledger.blobs.put(one)
    assert ledger.blobs.put(two) == file_id == ledger.blobs.put(str(one))
    assert list(ledger.blobs.ids()) == [file_id]
    assert ledger.blobs.known(file_id)
    with ledger.blobs.open(file_id) as file:
        assert file.read() == one.read_bytes()
    assert not list(ledger.path.rglob("*.tmp"))


def test_readings_of_a_name_are_remembered_in_order(ledger: Ledger, tmp_path: Path) -> None:
    ids = []
    for text in ("1", "2"):
        (tmp_path / "a.csv").write_text(text)
        ids.append(ledger.blobs.put(tmp_path / "a.csv"))
        ledger.blobs.read_as("fridges", "a.csv", ids[-1])
    ledger.blobs.read_as("other", "a.csv", ids[0])
    ledger.blobs.read_as("fridges", "b.csv", ids[0])
    assert ledger.blobs.readings("fridges", "a.csv") == ids
    assert ledger.blobs.names("fridges") == {"a.csv": ids[1], "b.csv": ids[0]}
    assert ledger.blobs.readings("fridges", "c.csv") == []


def test_an_unknown_file_is_named(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(UnknownTermError, match="no such file is kept"):
        ledger.blobs.open("0" * 64)
    with pytest.raises(UnknownTermError, match="SHA-256"):
        ledger.blobs.known("../../etc/passwd")
    with pytest.raises(SourceError, match=r"none\.csv"):
        ledger.blobs.put(tmp_path / "none.csv")


def test_the_journal_keeps_what_was_written_when(ledger: Ledger) -> None:
    assert list(ledger.journal.entries()) == []
    first = ledger.journal.append("mapping", {"name": "früh", "list": [1, 2.5, None]})
    second, third = ledger.journal.append_many([("note", {"text": "x"}), ("mapping", {"name": "b"})])
    entries = list(ledger.journal.entries())
    assert [(e.kind, e.position) for e in entries] == [("mapping", 0), ("note", 1), ("mapping", 2)]
    assert entries[0].payload == {"name": "früh", "list": [1, 2.5, None]}
    assert [e.payload["name"] for e in ledger.journal.entries("mapping")] == ["früh", "b"]
    assert [e.position for e in ledger.journal.entries(known=first.ingest_time)] == [0]
    assert [e.position for e in ledger.journal.entries(stop=2)] == [0, 1]
    assert (second.position, third.position, ledger.journal.position()) == (2, 3, 3)


def test_source_names_may_hold_anything_but_never_leave_the_ledger(ledger: Ledger, telemetry: Make) -> None:
    names = ["a/b", "blobs", "Kühlraum 3", "x..", "50%", "c:\\d", "_twin"]
    for name in names:
        with ledger.writer(name) as w:
            w.append_observations(telemetry(1))
    assert ledger.sources() == sorted(names)
    assert {p.parent for p in ledger.path.iterdir()} == {ledger.path}
    assert all(ledger.reader(n).position() == 1 for n in names)
    for bad in ("", ".", "..", ".hidden"):
        with pytest.raises(SchemaError, match="Rename"):
            ledger.reader(bad)


def test_the_report_of_verify_reads_well_in_text_and_html(ledger: Ledger, telemetry: Make, tmp_path: Path) -> None:
    assert "0 rows" in str(ledger.verify())
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
    (tmp_path / "f").write_text("f")
    ledger.blobs.put(tmp_path / "f")
    seen: list[tuple[int, int]] = []
    report = ledger.verify(progress=lambda done, total: seen.append((done, total)))
    assert report.ok
    assert (report.rows, report.frames, report.segments, report.blobs) == (100, 1, 1, 1)
    assert "everything is what was written" in report._repr_html_()
    assert seen
    assert seen[-1][0] <= seen[-1][1]
