"""History from the ledger: order, repetition, batches, publications, tails and housekeeping don't change the result."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.write.history_store import HistoryStore
from twinlab.history.write.maintenance import sweep
from twinlab.ledger import writer as ledger_writer

SIGNALS = (["temperature", "humidity", "door"], ["energy"])


def everything(reader) -> list[xr.Dataset]:
    """All arrays, flags and rollups, as a reader shows them."""
    found = []
    for signals in SIGNALS:
        for step in (None, "15min", "1h", "1d"):
            found.append(reader.history("room", signals=signals, step=step).compute().drop_attrs())
    return found


def assert_same(first: list[xr.Dataset], second: list[xr.Dataset]) -> None:
    for one, other in zip(first, second, strict=True):
        xr.testing.assert_identical(one, other)


def build(
    make_site,
    rows: list[tuple],
    *,
    batches: list[int],
    publish: set[int],
    read: set[int] = frozenset(),
    keep: dict[int, str] | None = None,
) -> list[xr.Dataset]:
    """Append rows in batches, publish after some of them, read (and so build tails) or keep house after others; return all."""
    with TemporaryDirectory(dir=MEMORY) as folder, pytest.MonkeyPatch.context() as patch:
        # Each batch is a segment that can be sealed.
        patch.setattr(ledger_writer, "SEGMENT_FRAMES", 1)
        site = make_site(Path(folder))
        historian, reader = site.historian(), site.reader()
        edges = [0, *sorted({cut % (len(rows) + 1) for cut in batches}), len(rows)]
        for number, (start, stop) in enumerate(zip(edges, edges[1:], strict=False)):
            if start < stop:
                site.append(rows[start:stop])
            if number in publish:
                historian.catch_up()
            if keep and number in keep:
                keep_house(site, historian, keep[number])
            if number in read:
                reader.history("room", signals=["temperature"]).compute()
        return everything(reader)


def keep_house(site, historian, step: str) -> None:
    """Do one step of housekeeping, as if everything that is replaced were older than a day."""
    if step == "seal":
        site.ledger.seal("rooms")
    elif step == "compact":
        historian.compact()
    elif historian.folder.exists():
        store = HistoryStore.open(historian.folder)
        with store.lock():
            sweep(store._repository, store.path, cut=datetime.now(UTC))


# Nothing here is about durability: a disk's syncs would take most of the time.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
TAGS = ["a.t", "b.t", "a.h", "b.h", "a.d", "c.t", "a.e"]


@st.composite
def told(draw: st.DrawFn) -> list[tuple]:
    """Rows whose sequence rises with their place: the source numbered them, then the network mixed them up."""
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(TAGS), st.integers(0, 300).map(lambda n: n / 4), st.integers(0, 60)),
            min_size=1,
            max_size=40,
        )
    )
    values = {"t": lambda v: v - 20.0, "h": lambda v: v + 0.25, "d": lambda v: v % 2, "e": lambda v: v / 4}
    return [(tag, minute, float(values[tag[-1]](value)), n) for n, (tag, minute, value) in enumerate(rows)]


@given(
    rows=told(),
    shuffle=st.randoms(use_true_random=False),
    again=st.lists(st.integers(0, 1000), max_size=6),
    batches=st.lists(st.integers(0, 60), max_size=4),
    publish=st.sets(st.integers(0, 5)),
    read=st.sets(st.integers(0, 5)),
    keep=st.dictionaries(st.integers(0, 5), st.sampled_from(["seal", "compact", "collect"]), min_size=1),
)
@settings(max_examples=12, deadline=None)
def test_any_order_of_arrival_gives_the_same_history(make_site, rows, shuffle, again, batches, publish, read, keep):
    expected = build(make_site, rows, batches=[], publish={0})
    arrived = rows + [rows[i % len(rows)] for i in again]
    shuffle.shuffle(arrived)
    found = build(make_site, arrived, batches=batches, publish=publish, read=read, keep=keep)
    assert_same(found, expected)


def test_the_tail_shows_what_publishing_it_would(site):
    rng = np.random.default_rng(3)
    rows = [(TAGS[i % 7], float(rng.uniform(0, 200)), float(rng.integers(0, 2)), i) for i in range(300)]
    site.append(rows[:150])
    site.historian().catch_up()
    site.append(rows[150:])
    tail = everything(site.reader())
    site.historian().catch_up()
    assert_same(everything(site.reader()), tail)


def test_incremental_rebuilt_and_as_of_now_are_the_same(site):
    rng = np.random.default_rng(4)
    rows = [(TAGS[i % 7], float(rng.uniform(0, 400)), float(rng.integers(0, 2)), i) for i in range(400)]
    historian = site.historian()
    for start in range(0, 400, 80):
        site.append(rows[start : start + 80])
        historian.catch_up()
    incremental = everything(site.reader())
    assert_same(everything(site.reader().as_of("2200-01-01")), incremental)
    assert_same(everything(site.reader().as_of("2200-01-01", mapping="current")), incremental)
    report = site.historian().rebuild()
    assert report.rebuilt
    assert_same(everything(site.reader()), incremental)


def test_a_window_as_of_now_is_the_window_of_history(site):
    rng = np.random.default_rng(5)
    site.append([(TAGS[i % 7], i / 2, float(rng.integers(0, 2)), i) for i in range(400)])
    site.historian().catch_up()
    window = {"start": "2024-01-01T01:07", "stop": "2024-01-01T02:33"}
    now = site.reader()
    for signals in SIGNALS:
        for step in (None, "15min"):
            expected = now.history("room", signals=signals, step=step, **window).compute().drop_attrs()
            found = now.as_of("2200-01-01").history("room", signals=signals, step=step, **window).compute().drop_attrs()
            xr.testing.assert_identical(found, expected)


def test_a_late_row_writes_its_cell_and_the_widest_margin_and_no_more(site):
    site.append([("a.t", m, 20.0 + m % 3, m) for m in range(2000)])
    historian = site.historian()
    historian.catch_up()
    site.append([("a.t", 700.5, 25.0, 5000)])
    report = historian.catch_up()
    assert report.late == 1
    # flat_line 10 min + gap 5 min back, spike 5 min ahead; three signals of one room share the cells.
    assert report.cells <= 3 * (1 + 16 + 6)


def test_rows_outside_the_twins_span_are_counted_and_not_built(site):
    site.append([("a.t", 0, 20.0, 0), ("a.t", -10, 19.0, 1), ("a.t", 60 * 24 * 365 * 80, 21.0, 2)])
    report = site.historian().catch_up()
    assert report.out_of_span == 2
    assert site.reader().history("room", signals=["temperature"]).sizes["time"] == 1
    assert len(site.reader().observations("room/a", "temperature")) == 1


def test_two_sources_of_one_signal_the_priority_wins_and_the_disagreement_is_counted(make_site, tmp_path):
    tags = lambda p: {"x": {"signal": "temperature", "asset": "room/a", "unit": "degC", "priority": p}}  # noqa: E731
    site = make_site(
        tmp_path,
        {
            "first": {"source": "first", "stream": {"tags": tags(1)}},
            "second": {"source": "second", "stream": {"tags": tags(2)}},
        },
    )
    site.append([("x", 0, 20.0, 0), ("x", 1, 20.0, 1), ("x", 2, 20.0, 2)], source="first")
    site.historian().catch_up()
    site.append([("x", 0.5, 20.1, 0), ("x", 1.5, 23.0, 1)], source="second")
    report = site.historian().catch_up()
    assert report.disagreements == 1
    values = site.reader().history("room", signals=["temperature"]).temperature.values[:, 0]
    assert values.tolist() == [20.1, 23.0, 20.0]
    chosen = site.reader().chosen_sources("room", "temperature").values[:, 0]
    assert chosen.tolist() == ["second", "second", "first"]
    rebuilt = everything(site.reader())
    site.historian().rebuild()
    assert_same(everything(site.reader()), rebuilt)


@pytest.mark.parametrize("later", [False, True])
def test_a_correction_by_key_moves_a_value_and_a_retraction_takes_it_away(site, rows_of, later):
    historian = site.historian()
    with site.ledger.writer("rooms") as writer:
        writer.append_observations(rows_of([("a.t", 5, 20.0), ("a.t", 9, 21.0)], keys=["one", "two"]))
    if later:
        historian.catch_up()
    with site.ledger.writer("rooms") as writer:
        writer.append_observations(rows_of([("a.t", 7, 25.0)], keys=["one"]))
    if later:
        historian.catch_up()
    with site.ledger.writer("rooms") as writer:
        writer.append_observations(rows_of([("a.t", 9, 0.0)], keys=["two"], op=1))
    historian.catch_up()
    data = site.reader().history("room", signals=["temperature"]).compute()
    held = data.temperature.dropna("time", how="all")
    assert [str(one)[:16] for one in held.time.values] == ["2024-01-01T00:07"]
    assert held.values.tolist() == [[25.0]]
    standing = everything(site.reader())
    site.historian().rebuild()
    assert_same(everything(site.reader()), standing)


def test_an_index_that_is_lost_or_damaged_is_worked_out_again(site):
    site.append([("a.t", m, 20.0 + m % 3, m) for m in range(50)])
    site.historian().catch_up()
    expected = everything(site.reader())
    for path in (site.root / "cache" / "index").iterdir():
        path.write_bytes(path.read_bytes()[:-7])
    site.append([("a.t", 20, 20.0 + 20 % 3, 20)])
    assert_same(everything(site.reader()), expected)
    site.historian().catch_up()
    assert_same(everything(site.reader()), expected)


def test_history_that_is_compacted_as_it_grows_reads_as_one_built_at_once(make_site, tmp_path, monkeypatch):
    monkeypatch.setattr("twinlab.history.write.transaction._MAX_HOT", 2)
    monkeypatch.setattr("twinlab.history.write.transaction._NEWEST_HOT", 1)
    rows = [
        (tag, float(minute), float(minute % 7), n)
        for n, (minute, tag) in enumerate((m, t) for m in range(0, 30_000, 97) for t in TAGS)
    ]
    rows[300], rows[-5] = rows[-5], rows[300]  # one row far too early, one far too late
    site = make_site(tmp_path / "grown")
    historian = site.historian()
    for start in range(0, len(rows), 250):
        site.append(rows[start : start + 250])
        historian.catch_up()
    grown = everything(site.reader())
    historian.rebuild()
    assert_same(grown, everything(site.reader()))
