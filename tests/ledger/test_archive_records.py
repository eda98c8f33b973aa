"""Old rows of tables in an archive: the same rows as before, found by the same frames, and nothing lost by a kill."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinlab.errors import CorruptionError, SchemaError
from twinlab.ledger import Ledger
from twinlab.ledger.archive_records import LEAST_BYTES
from twinlab.ledger.format import records
from twinlab.ledger.format.archived import ArchivedAt, pack_place, unpack_place
from twinlab.ledger.sorted_rows import bits_of

ROOT = Path(__file__).parents[2]
Everything = Callable[..., list[tuple[int, Any]]]
ROWS = 6000


def readings(seed: int, rows: int = ROWS) -> pa.RecordBatch:
    rng = np.random.default_rng(seed)
    value = rng.normal(20, 5, rows)
    value[rng.random(rows) < 0.05] = np.nan
    value[rng.random(rows) < 0.05] = -0.0
    return pa.RecordBatch.from_pydict(
        {
            "time": pa.array([f"2026-01-{1 + k // 300:02d}T{k % 24:02d}:00" for k in range(rows)]),
            "room": pa.array([None if k % 97 == 0 else f"R{k % 7}" for k in range(rows)]),
            "text": pa.array([f"{seed}-{k * 7919 % 100_003}" for k in range(rows)]),
            "t": pa.array(value, mask=rng.random(rows) < 0.1),
            "small": pa.array(rng.normal(0, 1, rows).astype(np.float32)),
            "n": pa.array(rng.integers(-(2**40), 2**40, rows)),
            "code": pa.array([f"c{k % 3}" for k in range(rows)]).dictionary_encode(),
            "at": pa.array(rng.integers(0, 2**60, rows), pa.timestamp("ns", "Europe/Berlin")),
            "raw": pa.array([bytes([k % 251]) for k in range(rows)]),
            "nothing": pa.nulls(rows),
            "several": pa.array([[k, k + 1] for k in range(rows)]),
        }
    )


def events(seed: int, rows: int = ROWS) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"no": np.arange(rows) + seed * rows, "v": np.random.default_rng(seed).random(rows)}
    )


def fill(ledger: Ledger, frames: int = 5) -> None:
    """Write frames of two tables and of observations, a withdrawn file, and some small frames."""
    rng = np.random.default_rng(1)
    with ledger.writer("s") as w:
        for k in range(frames):
            w.append_records(
                "rooms",
                readings(k),
                row_numbers=np.arange(2, ROWS + 2),
                file_id=f"f{k}",
                units={"t": "degC"},
                path=f"north/{k}.csv",
            )
            w.append_records(
                "visits", events(k), row_numbers=rng.permutation(ROWS), keys=[f"k{n}" for n in range(ROWS)]
            )
            w.append_records("few", pa.RecordBatch.from_pydict({"a": [k]}))
        w.append_observations(
            pa.RecordBatch.from_pydict({"tag": ["x", "y"], "source_time": [500, 600], "value": [1.0, 2.0]})
        )
        w.retract_file("f1")
        w.append_records("rooms", readings(9), file_id="f9")


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    fill(ledger)
    return ledger


def times_of(ledger: Ledger) -> dict[str, dict[int, int]]:
    """Return the n-th frame of records as of time n."""
    firsts = [frame.first for frame in ledger.reader("s").frames() if frame.kind == "records"]
    return {"s": {first: n for n, first in enumerate(firsts)}}


def test_archived_rows_of_tables_are_as_they_were_and_their_heads_are_in_the_ledger(
    filled: Ledger, tmp_path: Path
) -> None:
    before, times = content(filled), times_of(filled)
    opened = Ledger(filled.path)
    frames = list(opened.reader("s").frames())
    rows, report = opened.reader("s").rows_of_file("f2"), filled.verify()
    twice = Ledger(filled.path)
    assert content(twice) == before
    sizes = filled.archive_sizes(times).before(9)
    moved = filled.archive(tmp_path / "archive", before_ns=9, times=times)
    assert [path.name for path in moved] == ["00000000.0.parquet", "00000000.1.parquet"]
    assert sizes.rows == sum(pq.read_metadata(path).num_rows for path in moved) + 3
    assert sizes.archived == pytest.approx(sum(path.stat().st_size for path in moved), rel=0.05)
    # Readers that were opened before, and a frame that was found before.
    for one in (filled, Ledger(filled.path), opened, twice):
        assert content(one) == before
        assert one.reader("s").rows_of_file("f2") == rows
    again = next(Ledger(filled.path).reader("s").frames())
    assert str(frames[0].batch().to_pydict()) == str(again.batch().to_pydict())
    names = ["time", "room", "text", "t"]
    was, now = (one.encoded_batch().select(names).schema for one in (frames[0], again))
    assert now == was
    assert pa.types.is_dictionary(now.field("room").type)
    checked = Ledger(filled.path).verify()
    assert checked.ok
    assert (checked.rows, checked.frames) == (report.rows, report.frames)
    assert filled.archive(tmp_path / "archive", before_ns=9, times=times) == []
    # Younger frames follow into files of their own, once they are old.
    later = filled.archive(tmp_path / "archive", before_ns=100, times=times)
    assert [path.name for path in later] == ["00000000.2.parquet", "00000000.3.parquet"]
    for one in (filled, opened, twice, Ledger(filled.path)):
        assert content(one) == before
    assert Ledger(filled.path).verify().ok
    # Small frames stay, and so do files of the present.
    assert [p.name for p in (filled.path / "s").glob("*.frames*")] == ["00000000.4.frames"]
    assert sum(p.stat().st_size for p in (filled.path / "s").iterdir()) < 30_000
    with filled.writer("s") as w:
        assert w.position == len(before[0])
        w.append_records("rooms", readings(10, 3))
    assert len(content(Ledger(filled.path))[0]) == len(before[0]) + 3


def test_without_the_archive_heads_are_known_and_rows_say_where_they_are(filled: Ledger, tmp_path: Path) -> None:
    times = times_of(filled)
    filled.archive(tmp_path / "archive", before_ns=9, times=times)
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    one = Ledger(filled.path)
    first, *_ = one.reader("s").frames()
    assert (first.record_type, first.file_id, first.path, first.row_range) == (
        "rooms",
        "f0",
        "north/0.csv",
        (2, ROWS + 1),
    )
    assert one.reader("s").rows_of_file("f2") == {"north/2.csv": ROWS}
    assert one.reader("s").retracted_files() == {"f1": filled.reader("s").retracted_files()["f1"]}
    with pytest.raises(CorruptionError, match=r"make the archive .*archive/s available"):
        first.batch()
    assert "make the archive" in one.verify().problems[0].what
    # Younger rows don't need it.
    assert [f.batch().num_rows for f in one.reader("s").frames(start=max(times["s"]))] == [ROWS]
    (tmp_path / "elsewhere").rename(tmp_path / "archive")
    path = tmp_path / "archive" / "s" / "00000000.0.parquet"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(bytes(data))
    assert "SHA-256" in Ledger(filled.path).verify().problems[0].what
    with pytest.raises(CorruptionError, match="checksum"):
        next(Ledger(filled.path).reader("s").frames()).batch()


def test_what_an_open_writer_may_still_change_stays(filled: Ledger, tmp_path: Path) -> None:
    times, before = times_of(filled), content(filled)
    with Ledger(filled.path).writer("s"):
        assert filled.archive(tmp_path / "archive", before_ns=9, times=times) == []
    assert filled.archive(tmp_path / "archive", before_ns=9, times=times)
    assert content(filled) == before


def test_an_archive_in_the_ledger_is_refused(filled: Ledger) -> None:
    with pytest.raises(SchemaError, match="expected an archive outside of the ledger"):
        filled.archive(filled.path / "s", before_ns=9)


def test_frames_that_parquet_does_not_give_back_stay(ledger: Ledger, tmp_path: Path) -> None:
    months = pa.array([pa.MonthDayNano([k, 1, k * 977]) for k in range(20_000)])
    twice = [np.random.default_rng(k).random(20_000) for k in (1, 2)]
    odd = [
        pa.RecordBatch.from_pydict({"months": months}),
        pa.RecordBatch.from_arrays([pa.array(one) for one in twice], names=["a", "a"]),
        pa.RecordBatch.from_pydict({"nested": pa.array([[k, float("nan")] for k in twice[0].tolist()])}),
    ]
    with ledger.writer("s") as w:
        for one in odd:
            assert w.append_records("odd", one).bytes > LEAST_BYTES
    before = [file.payload(place) for file, place in ledger.reader("s").stored_records()]
    times = {"s": {place.head.first: 1 for _, place in ledger.reader("s").stored_records()}}
    assert ledger.archive(tmp_path / "archive", before_ns=9, times=times) == []
    assert [file.payload(place) for file, place in Ledger(ledger.path).reader("s").stored_records()] == before
    assert ledger.verify().ok
    assert not list((tmp_path / "archive").rglob("*.parquet"))


_COLUMNS = st.sampled_from(
    [
        st.one_of(st.none(), st.text(max_size=4)),
        st.sampled_from(["on", "off", None]),
        st.one_of(st.none(), st.floats(width=64)),
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.binary(max_size=3)),
        st.one_of(st.none(), st.datetimes()),
        st.one_of(st.none(), st.dates()),
        st.none(),
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_any_columns_come_back(
    tmp_path_factory: pytest.TempPathFactory, everything: Everything, data: st.DataObject
) -> None:
    columns = data.draw(
        st.dictionaries(
            st.text(min_size=1, max_size=3).filter(lambda n: "\u241f" not in n), _COLUMNS, min_size=1, max_size=4
        )
    )
    ledger = Ledger(tmp_path_factory.mktemp("any") / "ledger")
    with ledger.writer("s") as w:
        for _ in range(data.draw(st.integers(1, 3))):
            rows = data.draw(st.integers(1, 300))
            some = {name: [data.draw(one) for _ in range(5)] for name, one in columns.items()}
            # Few different values, repeated; and one column that makes the frame large enough to be archived.
            batch = {name: pa.array([values[k * 7 % 5] for k in range(rows * 50)]) for name, values in some.items()}
            batch["\u00fcber"] = pa.array(np.random.default_rng(rows).random(rows * 50))
            w.append_records("t", pa.RecordBatch.from_pydict(batch))
    before, times = everything(ledger.reader("s")), times_of(ledger)
    target = ledger.path.parent / "archive"
    ledger.archive(target, before_ns=9, times=times)
    one = Ledger(ledger.path)
    assert everything(one.reader("s")) == before
    assert one.verify().ok
    # What is archived isn't in the ledger any more.
    stored = sum(place.head.payload_length for _, place in one.reader("s").stored_records())
    assert stored < LEAST_BYTES * len(times["s"])


def test_the_payload_of_an_archived_frame_is_no_stream_of_arrow() -> None:
    stream = records.encode(records.Records("t", pa.RecordBatch.from_pydict({"": pa.array([], pa.null())})))[0]
    assert unpack_place(stream) is None
    place = pack_place(ArchivedAt(1, 2, 3, 4))
    assert unpack_place(place) == ArchivedAt(1, 2, 3, 4)
    assert len(stream) > len(place)


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_a_kill_before_each_step_loses_nothing(ledger: Ledger, tmp_path: Path) -> None:
    fill(ledger, frames=2)
    before, times, left = content(ledger), times_of(ledger), tmp_path / "left"
    left.mkdir()
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("kill_archive.py")), str(ledger.path), str(left)],
        check=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    *killed, done = sorted(left.iterdir(), key=lambda path: int(path.name))
    files = {path.name for path in (done / "archive" / "s").iterdir()}
    assert len(files) == 2
    assert len(killed) >= 15
    moved = []
    for folder in killed:
        one = Ledger(folder / "ledger")
        assert content(one) == before
        assert one.verify().ok
        moved.append(len(list(one.reader("s").stored_records())) < len(times["s"]))
        with one.writer("s") as w:
            assert w.position == len(before[0])
        one.archive(folder / "archive", before_ns=9, times=times)
        again = Ledger(folder / "ledger")
        assert content(again) == before
        assert again.verify().ok
        assert {path.name for path in (folder / "archive" / "s").iterdir()} == files
        assert [path.name for path in (folder / "ledger" / "s").glob("*.frames*")] == ["00000000.2.frames"]
        shutil.rmtree(folder)
    assert moved == sorted(moved)
    assert moved[-1]
    assert not moved[0]


def content(ledger: Ledger) -> tuple[list[int], list[pa.Table], list[tuple[object, ...]]]:
    """Return the ordinals of all rows, the rows, bit for bit, and what is known of each frame."""
    frames = list(ledger.reader("s").frames())
    about = [
        (f.kind, f.record_type, f.file_id, f.path, f.row_range, f.ingest_time, str(f.units), str(f.keys()))
        for f in frames
    ]
    return (
        [int(one) for frame in frames for one in frame.ordinals()],
        [bits_of(pa.Table.from_batches([frame.batch()])) for frame in frames],
        about,
    )
