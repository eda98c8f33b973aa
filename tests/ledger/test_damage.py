"""Damage of any file of the ledger is found and named, and a torn tail is cut."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from twinlab.errors import CorruptionError
from twinlab.ledger import Ledger

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]


@pytest.fixture
def full(tmp_path: Path, telemetry: Make, flights: Make, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Return a ledger with sealed and open segments, records, retractions, a kept file and a journal."""
    monkeypatch.setattr("twinlab.ledger.seal.GROUP_ROWS", 50)
    ledger = Ledger(tmp_path / "ledger")
    with ledger.writer("s", segment_rows=130) as w:
        for k in range(6):
            w.append_observations(telemetry(40, seed=k, start=k * 10**12))
            w.append_records("t", flights(9, seed=k), file_id=f"f{k}", row_numbers=np.arange(9) * 2, keys=["k"] * 9)
        ledger.seal("s")
        w.retract_file("f1")
        w.append_many([telemetry(10, seed=8), telemetry(10, seed=9)])
    (tmp_path / "a.csv").write_bytes(b"a,b\n" * 200)
    ledger.blobs.put(tmp_path / "a.csv")
    ledger.journal.append("note", {"text": "kept"})
    assert ledger.verify().ok
    return ledger


def _read(ledger: Ledger, everything: Everything) -> Any:
    fresh = Ledger(ledger.path)
    reader = fresh.reader("s")
    blobs = []
    for file_id in fresh.blobs.ids():
        with fresh.blobs.open(file_id) as file:
            blobs.append(file.read())
    position = reader.position()
    narrow = everything(reader, tags={"tag/2"}, time=(2 * 10**12, 3 * 10**12), start=30, stop=240)
    ids = dict(narrow)
    # Frames may bring more rows than asked for: keep those that a filter by row would keep.
    kept = sorted(o for o, r in ids.items() if len(r) != 2 or dict(r[0])["tag"] == "tag/2") if ids else []
    return (
        everything(reader),
        position,
        reader.retracted_files(),
        [e.payload for e in fresh.journal.entries()],
        blobs,
        kept,
    )


def _files(ledger: Ledger) -> list[Path]:
    return sorted(p for p in ledger.path.rglob("*") if p.is_file() and not p.name.endswith("lock"))


def _flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.chmod(0o644)
    path.write_bytes(data)


def _flips(ledger: Ledger, everything: Everything, *, count: int, seed: int, tmp_path: Path) -> dict[str, int]:
    want = _read(ledger, everything)
    rng = random.Random(seed)
    outcome = {"equal": 0, "named": 0, "repaired by a writer": 0}
    good = tmp_path / "good"
    shutil.copytree(ledger.path, good)
    files = _files(ledger)
    for number in range(count):
        path = files[number % len(files)]
        at = rng.randrange(path.stat().st_size)
        _flip(path, at, rng.randrange(8))
        name = f"{path.name}, byte {at}"
        raised = None
        try:
            got = _read(ledger, everything)
        except CorruptionError as error:
            raised = error
            outcome["named"] += 1
            assert str(ledger.path) in str(error), name
            assert ", byte " in str(error), name
        else:
            assert got == want, name
            outcome["equal"] += 1
        if raised is not None:
            assert not Ledger(ledger.path).verify().ok, name
        # No flip is mistaken for a torn tail: a writer either refuses or finds everything.
        try:
            with Ledger(ledger.path).writer("s") as w:
                assert w.torn is None, name
                assert w.position == want[1], name
        except CorruptionError:
            pass
        else:
            if path.name == "position":
                assert _read(ledger, everything) == want
                outcome["repaired by a writer"] += 1
        for spoilt in {path, ledger.path / "s" / "position"}:
            spoilt.write_bytes((good / spoilt.relative_to(ledger.path)).read_bytes())
    return outcome


def test_none_of_two_hundred_flipped_bits_gives_a_wrong_row(
    full: Ledger, everything: Everything, tmp_path: Path
) -> None:
    outcome = _flips(full, everything, count=200, seed=1, tmp_path=tmp_path)
    assert outcome["named"] > 100


@pytest.mark.soak
def test_none_of_a_thousand_flipped_bits_gives_a_wrong_row(
    full: Ledger, everything: Everything, tmp_path: Path
) -> None:
    outcome = _flips(full, everything, count=1000, seed=2, tmp_path=tmp_path)
    assert outcome["named"] > 700


def test_a_source_whose_position_was_never_written_has_no_rows(tmp_path: Path, telemetry: Make) -> None:
    ledger = Ledger(tmp_path / "ledger")
    (ledger.path / "s").mkdir(parents=True)
    (ledger.path / "s" / "position").touch()
    assert ledger.reader("s").position() == 0
    with ledger.writer("s") as w:
        assert w.append_observations(telemetry(3)).position == 3
    (ledger.path / "s" / "position").write_bytes(b"")
    with pytest.raises(CorruptionError, match="both copies"):
        Ledger(ledger.path).reader("s").position()


@pytest.mark.parametrize("copies", [(0,), (512,), (0, 512)])
def test_a_damaged_position_is_outvoted_by_its_copy_or_named(
    full: Ledger, everything: Everything, copies: tuple[int, ...]
) -> None:
    want = _read(full, everything)
    path = full.path / "s" / "position"
    for at in copies:
        _flip(path, at + 30, 2)
    if len(copies) == 1:
        assert _read(full, everything) == want
    else:
        with pytest.raises(CorruptionError, match="position, byte 0"):
            _read(full, everything)
    assert "position" in str(full.verify())
    with full.writer("s") as w:
        assert w.torn is None
    assert _read(full, everything) == want
    assert full.verify().ok


def test_a_lost_position_is_found_again_by_a_writer(full: Ledger, everything: Everything) -> None:
    want = _read(full, everything)
    (full.path / "s" / "position").unlink()
    with pytest.raises(CorruptionError, match="missing"):
        Ledger(full.path).reader("s").position()
    full.writer("s").close()
    assert _read(full, everything) == want


def test_with_the_position_lost_and_the_last_frame_damaged_nothing_is_cut(full: Ledger) -> None:
    (full.path / "s" / "position").unlink()
    segment = max((full.path / "s").glob("*.seg"))
    size = segment.stat().st_size
    _flip(segment, size - 5, 1)
    with pytest.raises(CorruptionError, match="without which it can.t be told whether it was acknowledged"):
        full.writer("s")
    assert segment.stat().st_size == size


@pytest.mark.parametrize("missing", [".seg", ".parquet", ".frames", "manifest.json"])
def test_a_missing_file_is_named(full: Ledger, everything: Everything, missing: str) -> None:
    path = next(p for p in _files(full) if p.name.endswith(missing) and p.parent.name == "s")
    path.unlink()
    with pytest.raises(CorruptionError, match=f"{path.stem}|00000000"):
        _read(full, everything)
    assert not full.verify().ok


def test_a_shortened_segment_is_damage_and_no_torn_tail(full: Ledger) -> None:
    segment = max((full.path / "s").glob("*.seg"))
    os.truncate(segment, segment.stat().st_size - 1)
    with pytest.raises(CorruptionError, match="up to which it was acknowledged"):
        full.writer("s")
    with pytest.raises(CorruptionError, match="up to which it was acknowledged"):
        list(full.reader("s").frames())


# --- torn tails and power cuts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 11, 16, 40, 150, -1])
def test_a_torn_tail_is_cut_and_reported_by_the_next_writer_only(
    tmp_path: Path, telemetry: Make, everything: Everything, cut: int
) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
    want = everything(ledger.reader("s"))
    segment, position = ledger.path / "s" / "00000000.seg", ledger.path / "s" / "position"
    before, published = segment.read_bytes(), position.read_bytes()
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100, seed=1))
    frame = segment.read_bytes()[len(before) :]
    segment.write_bytes(before + frame[:cut])
    position.write_bytes(published)
    reader = Ledger(ledger.path).reader("s")
    assert everything(reader) == want
    assert segment.stat().st_size == len(before) + len(frame[:cut]), "readers change nothing"
    with ledger.writer("s") as w:
        assert w.torn is not None
        assert (w.torn.bytes, w.torn.offset) == (len(frame[:cut]), len(before))
        assert f"{len(frame[:cut])} bytes" in str(w.torn)
        assert (ledger.path / "s" / w.torn.kept).read_bytes() == frame[:cut]
        assert w.append_observations(telemetry(5, seed=2)).position == 105
    with ledger.writer("s") as w:
        assert w.torn is None
    assert everything(reader)[:100] == want
    assert ledger.verify().ok


def test_whole_frames_beyond_a_lagging_position_are_kept(
    tmp_path: Path, telemetry: Make, everything: Everything
) -> None:
    """After a power cut the position may be older than the frames, which were synced."""
    ledger = Ledger(tmp_path / "ledger")
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
        published = (ledger.path / "s" / "position").read_bytes()
        for k in range(3):
            w.append_observations(telemetry(100, seed=k))
    want = everything(ledger.reader("s"))
    (ledger.path / "s" / "position").write_bytes(published)
    assert everything(Ledger(ledger.path).reader("s")) == want[:100]
    with ledger.writer("s") as w:
        assert (w.torn, w.position) == (None, 400)
    assert everything(ledger.reader("s")) == want


def test_damage_behind_a_lagging_position_isnt_mistaken_for_a_torn_tail(tmp_path: Path, telemetry: Make) -> None:
    ledger = Ledger(tmp_path / "ledger")
    segment = ledger.path / "s" / "00000000.seg"
    with ledger.writer("s") as w:
        w.append_observations(telemetry(100))
        published, start = (ledger.path / "s" / "position").read_bytes(), segment.stat().st_size
        for k in range(3):
            w.append_observations(telemetry(100, seed=k))
    (ledger.path / "s" / "position").write_bytes(published)
    size = segment.stat().st_size
    for at in (start, start + 6, start + 200):
        _flip(segment, at, 3)
        with pytest.raises(CorruptionError, match="a later frame refers to it"):
            ledger.writer("s")
        assert segment.stat().st_size == size
        _flip(segment, at, 3)
    with ledger.writer("s") as w:
        assert w.position == 400


def test_a_segment_that_was_never_published_is_dropped(tmp_path: Path, telemetry: Make) -> None:
    ledger = Ledger(tmp_path / "ledger")
    with ledger.writer("s") as w:
        w.append_observations(telemetry(10))
    published = (ledger.path / "s" / "position").read_bytes()
    with ledger.writer("s") as w:
        w.rotate()
    (ledger.path / "s" / "position").write_bytes(published)
    with ledger.writer("s") as w:
        assert not (ledger.path / "s" / "00000001.seg").exists()
        assert w.append_observations(telemetry(10)).position == 20
    assert ledger.verify().ok


def test_a_damaged_kept_file_is_named(full: Ledger) -> None:
    (file_id,) = full.blobs.ids()
    _flip(full.blobs.path(file_id), full.blobs.path(file_id).stat().st_size // 2, 0)
    with pytest.raises(CorruptionError, match=file_id):
        full.blobs.open(file_id)
    assert "ingest the original file again" in str(full.verify())


def test_the_report_of_damage_names_file_and_byte_and_what_to_do(full: Ledger) -> None:
    segment = max((full.path / "s").glob("*.seg"))
    _flip(segment, segment.stat().st_size - 3, 0)
    report = full.verify()
    (problem,) = report.problems
    assert problem.file == str(segment)
    assert "byte" in problem.what
    assert "backup" in problem.todo
    assert "DAMAGED" in str(report)
    assert "<li>" in report._repr_html_()
