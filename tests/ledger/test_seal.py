"""Sealing full segments: the same rows as before, sorted, and nothing lost by a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from twinlab.ledger import Ledger, Writer
from twinlab.ledger.format.sealed import SealedFiles

Make = Callable[..., pa.RecordBatch]
Everything = Callable[..., list[tuple[int, Any]]]
Fill = Callable[[Writer], None]


def test_sealed_and_open_segments_read_alike(
    ledger: Ledger, telemetry: Make, everything: Everything, fill: Fill
) -> None:
    with ledger.writer("s", segment_rows=1000) as w:
        fill(w)
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


@pytest.mark.parametrize("step", ["_write_parquet", "_write_kept", "write_manifest", "path_of", "sync_folder"])
def test_a_crash_while_sealing_loses_nothing(
    ledger: Ledger, everything: Everything, monkeypatch: pytest.MonkeyPatch, step: str, fill: Fill
) -> None:
    with ledger.writer("s", segment_rows=1000) as w:
        fill(w)
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


def test_sealed_groups_of_other_tags_are_not_read(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinlab.ledger.seal.GROUP_ROWS", 64)
    with ledger.writer("s") as w:
        for k in range(3):
            w.append_observations(telemetry(200, seed=k))
        w.rotate()
    ledger.seal("s")
    reader = ledger.reader("s")
    ((number, tags),) = reader.tags()
    assert number == 0
    every = [(tag, frame) for frame in reader.frames() for tag in frame.tags]
    assert set(tags) == {tag for tag, _ in every}
    read = []
    real = SealedFiles.read_group
    monkeypatch.setattr(SealedFiles, "read_group", lambda *given: read.append(given[1]) or real(*given))
    for tag in tags:
        read.clear()
        # A new reader has no decoded groups.
        frames = Ledger(ledger.path).reader("s").frames(start=50, stop=550, tags={tag})
        found = [cut for frame in frames if (cut := frame.of_tags(tag.__eq__))]
        assert len(set(read)) == sum(1 for one, _ in every if one == tag)
        # Ordinals and rows are decoded together, once.
        assert len(read) == len(set(read))
        ordinals = {o for f in found for o in f.ordinals().tolist()}
        assert ordinals == {
            o for one, f in every if one == tag
            for o, text in zip(f.ordinals().tolist(), f.batch(columns=["tag"]).column(0).to_pylist(), strict=True)
            if text == tag and 50 <= o < 550
        }  # fmt: skip
    assert list(ledger.reader("s").frames(start=50, stop=550, tags={"tag/none"})) == []


def test_a_frame_can_be_cut_to_the_rows_of_some_tags_open_or_sealed(
    ledger: Ledger, telemetry: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twinlab.ledger.seal.GROUP_ROWS", 128)
    wanted = {"tag/3", "tag/7"}
    with ledger.writer("s") as w:
        for k in range(3):
            w.append_observations(telemetry(200, seed=k))
        w.rotate()
        for _ in range(2):
            frames = list(ledger.reader("s").frames(start=20, stop=560))
            rows = 0
            for frame in frames:
                whole = frame.batch()
                at = [n for n, tag in enumerate(whole.column("tag").to_pylist()) if tag in wanted]
                cut = frame.of_tags(wanted.__contains__)
                rows += len(at)
                if cut is None:
                    assert not at
                    continue
                found, expected = cut.batch(), whole.take(pa.array(at))
                assert [str(row) for row in found.to_pylist()] == [str(row) for row in expected.to_pylist()]
                assert found.schema.names == expected.schema.names
                assert cut.ordinals().tolist() == frame.ordinals()[at].tolist()
                assert cut.ingest_times().tolist() == frame.ingest_times()[at].tolist()
                assert (cut.rows, cut.first) == (len(at), min(frame.ordinals()[at]))
                assert set(cut.tags) <= wanted
                one = cut.of_tags("tag/3".__eq__)
                assert one is None or set(one.batch().column("tag").to_pylist()) == {"tag/3"}
                assert cut.batch(columns=["value"]).schema.names == ["value"]
            assert rows > 50
            assert all(frame.of_tags(lambda _: False) is None for frame in frames)
            ledger.seal("s")
