"""Housekeeping: full segments are sealed and old states removed, in steps, without a change of what is read."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from twinlab._locks import Lock
from twinlab.errors import HistoryConflictError
from twinlab.history.write import housekeeping
from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.housekeeping import CompactReport, Usage, housekeep
from twinlab.history.write.maintenance import sweep
from twinlab.ledger import writer as writer_module


@pytest.fixture
def filled(make_site, tmp_path, monkeypatch):
    """A site whose ledger has several full segments, of which all but the last are published row by row."""
    monkeypatch.setattr(writer_module, "SEGMENT_FRAMES", 4)
    monkeypatch.setattr(housekeeping, "_SEAL_BYTES", 0)
    monkeypatch.setattr(housekeeping, "_SEAL_EVERY", 0.0)
    site = make_site(tmp_path)
    for n in range(14):
        site.append([("a.t", float(n), n / 10, n), ("b.t", float(n), n / 5, n)])
    return site


def segments(site) -> tuple[int, int]:
    folder = site.ledger.path / "rooms"
    return len(list(folder.glob("*.seg"))), len(list(folder.glob("*.parquet")))


def values(site) -> list[np.ndarray]:
    return [
        site.reader().history("room", signals=["temperature"], step=step).compute().to_array().values
        for step in (None, "1h")
    ]


def test_each_publication_seals_one_full_segment(filled):
    historian = filled.historian()
    assert segments(filled) == (4, 0)
    want = None
    for count in (1, 2, 3, 4):
        assert historian.catch_up().notes == []
        filled.append([("a.t", 20.0, 1.0, count)])
        assert segments(filled)[1] == count
        want = want or values(filled)
        for got, before in zip(values(filled), want, strict=True):
            np.testing.assert_array_equal(got[:1], before[:1])
    assert filled.ledger.verify().ok


def test_small_segments_stay_and_steps_are_a_minute_apart(filled, monkeypatch):
    monkeypatch.setattr(housekeeping, "_SEAL_BYTES", 1 << 20)
    filled.historian().catch_up()
    assert segments(filled) == (4, 0)
    monkeypatch.setattr(housekeeping, "_SEAL_BYTES", 0)
    monkeypatch.setattr(housekeeping, "_SEAL_EVERY", 60.0)
    store = HistoryStore.open(filled.root / "history")
    with store.lock():
        for _ in range(3):
            assert housekeep(filled.root, filled.ledger, store) == []
    assert segments(filled) == (3, 1)
    # A stamp from a clock that was ahead is ignored.
    (filled.root / "cache" / "housekeeping.json").write_text(json.dumps({"seal": time.time() + 10**6}))
    with store.lock():
        housekeep(filled.root, filled.ledger, store)
    assert segments(filled) == (2, 2)


def test_a_damaged_segment_is_a_note_and_the_publication_stands(filled):
    historian = filled.historian()
    historian.catch_up()
    first = min((filled.ledger.path / "rooms").glob("*.seg"))
    data = bytearray(first.read_bytes())
    data[-3] ^= 1
    first.write_bytes(data)
    filled.append([("a.t", 20.0, 9.9, 1)])
    report = historian.catch_up()
    assert report.commits == 1
    assert any("housekeeping (seal) failed" in note and first.name in note for note in report.notes)
    filled.append([("a.t", 21.0, 9.9, 1)])
    assert historian.catch_up().notes == [], "it isn't tried again at once"


def test_old_states_are_removed_an_hour_apart_and_younger_ones_stay(filled, monkeypatch):
    historian = filled.historian()
    calls = []
    monkeypatch.setattr(HistoryStore, "garbage_collect", lambda _self, *, older_than: calls.append(older_than))
    historian.catch_up()
    assert calls == [], "nothing is a day old"
    old = time.time() - 90_000
    for seal in (filled.root / "history" / "seals").iterdir():
        os.utime(seal, (old, old))
    (filled.root / "cache" / "housekeeping.json").write_text("{broken")
    for n in range(3):
        filled.append([("a.t", 30.0 + n, 1.0, n)])
        historian.catch_up()
    assert calls == [housekeeping.MIN_AGE]


def test_a_sweep_seals_again_what_expiry_rewrote(filled):
    historian = filled.historian()
    for n in range(4):
        filled.append([("a.t", 30.0 + n, 1.0, n)])
        historian.catch_up()
    want = values(filled)
    store = HistoryStore.open(filled.root / "history")
    with store.lock():
        report = sweep(store._repository, store.path, cut=datetime.now(UTC))
    assert report.snapshots >= 3
    for got, before in zip(values(filled), want, strict=True):
        np.testing.assert_array_equal(got, before)
    with store.lock():
        sweep(store._repository, store.path, cut=datetime.now(UTC))


def test_compact_does_all_of_it_and_says_what(filled):
    report = filled.historian().compact()
    # The publication itself has sealed one.
    assert (report.rows_published, report.segments_sealed) == (28, 2)
    assert report.chunks_moved >= 1
    assert segments(filled) == (1, 3)
    assert report.before["history"] == Usage(0, 0)
    assert report.after["history"].files > 0
    view = HistoryStore.open(filled.root / "history").view()
    assert all(not part.hot_chunks for entry in view.catalog.groups.values() for part in entry.years.values())
    cells = filled.reader().history("room", signals=["temperature"]).temperature
    np.testing.assert_allclose(cells.sel(asset="b"), np.arange(14) / 5)
    text = str(report)
    assert text.startswith("28 rows published, ")
    assert "  ledger " in text
    assert "earlier states stay for 24 h" in text
    again = filled.historian().compact()
    assert (again.rows_published, again.chunks_moved, again.segments_sealed) == (0, 0, 0)
    assert filled.ledger.verify().ok


def test_compact_waits_for_nobody(filled):
    with Lock(filled.root / "history.lock", what="the history"), pytest.raises(HistoryConflictError):
        filled.historian().compact()


def test_a_report_without_work_is_short():
    assert str(CompactReport()) == "0 rows published, 0 hot chunks compacted, 0 segments sealed, 0 old states removed"
