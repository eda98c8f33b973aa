"""Many small appends, in this process and in others: what was read once isn't read again."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import CorruptionError
from twinlab.ledger import Ledger
from twinlab.ledger import reader as reader_module
from twinlab.ledger import seal as seal_module
from twinlab.ledger import writer as writer_module
from twinlab.ledger.format.segment import SegmentFile


def _record(ledger: Ledger, file_id: str, rows: int = 2) -> None:
    with ledger.writer("s") as w:
        w.append_records("t", pa.RecordBatch.from_pydict({"x": list(range(rows))}), file_id=file_id)


def _rows(ledger: Ledger, n: int) -> int:
    return sum(ledger.reader("s").rows_of_file(f"f{n}").values())


@pytest.fixture
def heads_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the offset of each head that is read from a segment."""
    seen: list[int] = []
    plain = SegmentFile.head

    def head(self: SegmentFile, offset: int, stop: int) -> object:
        seen.append(offset)
        return plain(self, offset, stop)

    monkeypatch.setattr(SegmentFile, "head", head)
    return seen


def test_a_writer_that_opens_again_reads_no_head(ledger: Ledger, heads_read: list[int]) -> None:
    for n in range(20):
        _record(ledger, f"f{n}")
    assert heads_read == []
    with Ledger(ledger.path).writer("s") as other:
        assert other.position == 40
    assert len(heads_read) >= 20, "another process reads the last segment"


def test_a_writer_notices_what_another_ledger_appended(ledger: Ledger, everything: Callable[..., list]) -> None:
    other = Ledger(ledger.path)
    for n in range(6):
        _record((ledger, other)[n % 2], f"f{n}")
    assert ledger.reader("s").position() == 12
    assert [ledger.reader("s").rows_of_file(f"f{n}") for n in range(6)] == [{None: 2}] * 6
    assert len(everything(Ledger(ledger.path).reader("s"))) == 12
    assert ledger.verify().ok


@pytest.mark.parametrize("harm", ["cut", "longer", "gone", "position"])
def test_a_writer_that_opens_again_notices_damage(ledger: Ledger, harm: str) -> None:
    _record(ledger, "f")
    (segment,) = (ledger.path / "s").glob("*.seg")
    whole = segment.read_bytes()
    if harm == "gone":
        segment.unlink()
    elif harm == "position":
        (ledger.path / "s" / "position").write_bytes(b"\0" * 1024)
    else:
        segment.write_bytes(whole[:-5] if harm == "cut" else whole + b"torn")
    if harm in {"cut", "gone"}:
        with pytest.raises(CorruptionError):
            ledger.writer("s")
        return
    with ledger.writer("s") as w:
        assert w.position == 2
        assert (w.torn is not None) == (harm == "longer")
    _record(ledger, "g")
    assert ledger.verify().ok


def test_a_group_that_failed_leaves_nothing_for_the_next_writer(
    ledger: Ledger, everything: Callable[..., list]
) -> None:
    _record(ledger, "f")
    w = ledger.writer("s")
    with pytest.raises(RuntimeError), w.group():
        w.append_records("u", pa.RecordBatch.from_pydict({"y": ["new"]}), file_id="g")
        raise RuntimeError
    w.close()
    _record(ledger, "h")
    rows = everything(Ledger(ledger.path).reader("s"))
    assert [row[1][0][1] for row in rows] == ["f", "f", "h", "h"]


def test_many_small_frames_fill_a_segment(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "SEGMENT_FRAMES", 5)
    for n in range(12):
        _record(Ledger(ledger.path) if n % 3 else ledger, f"f{n}")
    assert len(list((ledger.path / "s").glob("*.seg"))) == 3


def test_reading_on_skips_the_segments_before(ledger: Ledger, heads_read: list[int]) -> None:
    with ledger.writer("s") as w:
        for n in range(30):
            w.append_records("t", pa.RecordBatch.from_pydict({"x": [n]}))
            if n % 10 == 9:
                w.rotate()
    reader = Ledger(ledger.path).reader("s")
    heads_read.clear()
    assert [f.first for f in reader.frames(start=25)] == [25, 26, 27, 28, 29]
    # Ten rows and the record type's dictionary frame.
    assert len(heads_read) == 11
    ledger.seal("s")
    assert [f.first for f in reader.frames(start=12)] == list(range(12, 30))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("awsr"), st.integers(0, 3)), max_size=30))
def test_rows_of_a_file_are_those_since_its_retraction(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("l"))
    want = dict.fromkeys(range(4), 0)
    for what, n in steps:
        if what == "a":
            _record(ledger, f"f{n}", n + 1)
            want[n] += n + 1
        elif what == "w":
            with ledger.writer("s") as w:
                w.retract_file(f"f{n}")
            want[n] = 0
        elif what == "s":
            with ledger.writer("s") as w:
                w.rotate()
            ledger.seal("s")
        else:
            assert _rows(ledger, n) == want[n]
    for one in (ledger, Ledger(ledger.path)):
        assert {n: _rows(one, n) for n in want} == want


def test_the_journal_is_decoded_once(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []
    plain = ledger.journal.entries

    def entries(*args: object, **kwargs: object) -> object:
        for entry in plain(*args, **kwargs):
            decoded.append(entry.kind)
            yield entry

    monkeypatch.setattr(ledger.journal, "entries", entries)
    other = Ledger(ledger.path)
    for n in range(10):
        (ledger if n % 2 else other).blobs.read_as("s", "a.csv", f"{n}")
        ledger.journal.append("mapping", {"source": "s", "hash": str(n)})
        assert ledger.blobs.readings("s", "a.csv") == [str(k) for k in range(n + 1)]
        assert ledger.blobs.names("s") == {"a.csv": str(n)}
        assert ledger.journal.active_hashes() == {("mapping", "s"): str(n)}
    assert len(decoded) == 20
    assert Ledger(ledger.path).journal.active_hashes() == {("mapping", "s"): "9"}


def test_a_reader_keeps_the_heads_of_the_segments_that_it_used_last(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, everything: Callable[..., list]
) -> None:
    monkeypatch.setattr(reader_module, "_KEPT_HEADS", 30)
    with ledger.writer("s") as w:
        for n in range(100):
            w.append_records("t", pa.RecordBatch.from_pydict({"x": [n]}))
            if n % 10 == 9:
                w.rotate()
    reader = ledger.reader("s")
    rows = everything(reader)
    assert len(rows) == 100
    assert sum(len(index.places) for index in reader._indices.values()) <= 30
    assert 9 in reader._indices, "the one with the last rows"
    ledger.seal("s")
    assert everything(reader) == rows
    assert sum(files.heads for files in reader._sealed.values()) <= 30
    assert [row[0] for row in everything(reader, start=15, stop=25)] == list(range(15, 25))


def test_segments_that_many_frames_made_full_are_sealed_though_they_are_small(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "SEGMENT_FRAMES", 5)
    monkeypatch.setattr(seal_module, "SEGMENT_FRAMES", 5)
    with ledger.writer("s") as w:
        for n in range(12):
            w.append_records("t", pa.RecordBatch.from_pydict({"x": [n]}))
            if n == 6:
                w.rotate()
    # Five frames, two before the rotation, and five that are open.
    assert ledger.seal("s", least_bytes=1 << 20) == ["00000000.frames"]
    assert ledger.seal("s", least_bytes=1 << 20) == []
    assert len(ledger.seal("s")) == 1
