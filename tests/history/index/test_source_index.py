"""The index of a source: what it says about any position, beside a plain reckoning over all rows; late claims; its file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.harmonise.claims import Claims, Series
from twinlab.harmonise.shared_instants import Clashes
from twinlab.history.index import columns, index_file, source_index
from twinlab.history.index.columns import Column, Order
from twinlab.history.index.index_file import IndexFile
from twinlab.history.index.reach import NEVER
from twinlab.history.index.source_index import SourceIndex

HOUR = 3600 * 10**9
SERIES = tuple(Series("pump", asset, signal) for asset in "abc" for signal in ("flow", "level"))
TAGS = tuple(f"{one.asset}.{one.signal}" for one in SERIES)
GROUPS = {("pump", "flow"): 0, ("pump", "level"): 1}


def claims(rows: list[tuple[int, int]], *, first: int, keys: bool = False) -> Claims:
    """Rows of (series, hour), each with its ordinal as value."""
    code = np.array([series for series, _ in rows], dtype=np.int32)
    ordinal = np.arange(first, first + len(rows))
    return Claims(
        series=SERIES,
        code=code,
        event_time=np.array([hour * HOUR for _, hour in rows], dtype=np.int64),
        value=ordinal.astype(float),
        epoch=np.broadcast_to(np.int64(0), len(rows)),
        sequence=np.broadcast_to(np.int64(-1), len(rows)),
        ordinal=ordinal,
        op=np.zeros(len(rows), dtype=np.int8),
        tag=code,
        tags=TAGS,
        key=np.array([f"k{hour % 5}" for _, hour in rows], dtype=object) if keys else None,
        priority=np.broadcast_to(np.int16(0), len(rows)),
        row_number=None,
    )


ROWS = st.lists(st.tuples(st.integers(0, len(SERIES) - 1), st.integers(0, 4000)), min_size=1, max_size=12)
#: Rows of a frame that lies at one place in time, with a few rows anywhere.
PLACED = st.builds(
    lambda at, near, far: [(s, at + hour % 3) for s, hour in near] + far,
    st.integers(0, 4000),
    st.lists(st.tuples(st.integers(0, len(SERIES) - 1), st.integers(0, 2)), min_size=8, max_size=20),
    st.lists(st.tuples(st.integers(0, len(SERIES) - 1), st.integers(0, 4000)), max_size=2),
)
FRAMES = st.lists(
    st.tuples(st.one_of(ROWS, PLACED), st.sampled_from([None, "one.csv", "two.csv"]), st.booleans(), st.booleans()),
    min_size=1,
    max_size=25,
)


class Plain:
    """All rows in a list."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, str | None, int, int, str | None]] = []
        self.retracted: list[tuple[int, str]] = []

    def valid(self, position: int) -> list[tuple[int, str | None, int, int, str | None]]:
        last = {file: ordinal for ordinal, file in self.retracted if ordinal < position}
        return [row for row in self.rows if row[0] < position and row[0] >= last.get(row[1] or "", -1)]


def filled(frames, file: IndexFile | None = None) -> tuple[SourceIndex, Plain, list[int]]:
    """The index and the plain rows of some frames; the index is saved to ``file`` after each of them."""
    index, plain, at, edges = SourceIndex(GROUPS), Plain(), 0, [0]
    for rows, name, keyed, retract in frames:
        if retract and name is not None:
            index.end_reading(name, at)
            plain.retracted.append((at, name))
            at += 1
        else:
            part = claims(rows, first=at, keys=keyed)
            index.remember()
            index.add([part], first=at, stop=at + len(rows), file_id=name, tables=("event:stop",) if keyed else ())
            for n, (series, hour) in enumerate(rows):
                plain.rows.append((at + n, name, series, hour * HOUR, f"k{hour % 5}" if keyed else None))
            at += len(rows)
        edges.append(at)
        if file is not None:
            file.save(index)
    return index, plain, edges


def agrees(index: SourceIndex, plain: Plain, position: int) -> None:
    valid = plain.valid(position)
    marks = index.marks(position)
    assert marks.watermark == max((time for *_, time, _ in valid), default=-NEVER)
    first = {SERIES[s]: min(t for _, _, other, t, _ in valid if other == s) for s in {row[2] for row in valid}}
    assert {one: int(t) for one, t in zip(marks.series, marks.first, strict=True) if t < NEVER} == first
    assert set(marks.observed()) == set(first)


def reads(index: SourceIndex, group: int, low: int, high: int, position: int) -> set[int]:
    """Ordinals of the group's rows in a span of time, as found in row ranges and among late claims."""
    near = index.covering(group, low, high, position)
    late = index.late_within(low, high, position)
    assert (np.diff(index.late["event_time"][late]) >= 0).all()
    spans = list(zip(index["first"][near].tolist(), index["stop"][near].tolist(), strict=True))
    found = [o for o in index.late["ordinal"][late].tolist() if not any(a <= o < b for a, b in spans)]
    assert len(found) == len(set(found))
    return {o for a, b in spans for o in range(a, b)} | set(found)


@given(frames=FRAMES, window=st.tuples(st.integers(0, 4000), st.integers(1, 300)), small=st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_index_says_what_all_rows_say(frames, window, small, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_UNSORTED", 2 if small else 4096)
        patch.setattr(index_file, "_LEAST_BYTES", 2_000 if small else 1 << 14)
        path = tmp_path_factory.mktemp("index") / "source.idx"
        index, plain, edges = filled(frames, IndexFile(path))
        stored = IndexFile(path).load(GROUPS)
        assert stored is not None
        assert stored.position == index.position
        low, high = window[0] * HOUR, sum(window) * HOUR
        for one in (index, stored):
            for position in edges:
                agrees(one, plain, position)
                mine = [row for row in plain.valid(position) if low <= row[3] < high]
                for group in (0, 1):
                    wanted = {o for o, _, series, _, _ in mine if series % 2 == group}
                    assert wanted <= reads(one, group, low, high, position)
                hashes = source_index.hashes_of(claims([(0, 1)], first=0, keys=True))
                sharing = one.sharing(hashes, position)
                assert {o for o, *_, key in plain.valid(position) if key == "k1"} <= {
                    o for n in sharing for o in range(one["first"][n], one["stop"][n])
                }
                assert all(one["keyed"][n] for n in one.naming("event:stop", position))
            assert one.fed == {series % 2 for _, _, series, _, _ in plain.rows}


@given(frames=FRAMES, later=FRAMES, cut=st.integers(0, 30))
@settings(max_examples=40, deadline=None)
def test_a_copy_up_to_a_position_goes_on_like_the_index_itself(frames, later, cut):
    index, plain, edges = filled(frames)
    position = edges[cut % len(edges)]
    copy = index.until(position)
    agrees(copy, plain, copy.position)
    for position in (e for e in edges if e <= copy.position):
        agrees(copy, plain, position)
    at = index.position
    for rows, file, *_ in later:
        index.add([claims(rows, first=at)], first=at, stop=at + len(rows), file_id=file)
        plain.rows += [(at + n, file, series, hour * HOUR, None) for n, (series, hour) in enumerate(rows)]
        at += len(rows)
        agrees(index, plain, at)


def test_a_late_row_doesnt_make_its_frame_matter_to_other_windows():
    index = SourceIndex(GROUPS)
    for n in range(100):
        rows = [(series, 10 * n + hour) for series in range(6) for hour in range(10)]
        rows[7] = (2, (37 * n) % 1000)
        index.add([claims(rows, first=60 * n)], first=60 * n, stop=60 * n + 60, file_id=None)
    assert len(index.covering(0, 500 * HOUR, 510 * HOUR, 6000)) <= 5
    assert 90 <= len(index.late) <= 100
    # The watermark and first times count late rows, too.
    assert index.marks(6000).watermark == 999 * HOUR
    assert index.marks(6000).first.min() == 0


def test_more_late_claims_than_fit_stay_in_their_frames(monkeypatch):
    monkeypatch.setattr(source_index, "LATE_CLAIMS", 3)
    index = SourceIndex(GROUPS)
    for n in range(20):
        rows = [(series, 100 * n) for series in range(6)] * 2
        rows[3] = (0, 5)
        index.add([claims(rows, first=12 * n)], first=12 * n, stop=12 * n + 12, file_id=None)
    assert len(index.late) == 3
    assert reads(index, 0, 5 * HOUR, 6 * HOUR, 240) >= {12 * n + 3 for n in range(20)}


def row(index: SourceIndex, hour: int) -> None:
    at = index.position
    index.add([claims([(hour % 6, hour)], first=at)], first=at, stop=at + 1, file_id=None)


def test_a_damaged_file_or_one_of_other_groups_is_no_index(tmp_path):
    index, *_ = filled([([(0, 1), (1, 2)], None, False, False)])
    path = tmp_path / "source.idx"
    assert IndexFile(path).load(GROUPS) is None
    IndexFile(path).save(index)
    assert IndexFile(path).load({("pump", "flow"): 0}) is None
    path.write_bytes(path.read_bytes()[:-3])
    assert IndexFile(path).load(GROUPS) is None


@pytest.mark.parametrize("count", [0, 1, 300])
def test_clashes_are_read_as_they_were_saved(tmp_path, count):
    index = SourceIndex({("room", "temperature"): 0})
    index.clashes = Clashes(
        np.arange(count) * 3, np.arange(count) * 3 + 1, np.arange(count) % 2, np.arange(count) % 2,
        (Series("room", "a", "temperature"), Series("room", "b", "temperature")), ("x", "y"),
    )  # fmt: skip
    IndexFile(tmp_path / "index").save(index)
    found = IndexFile(tmp_path / "index").load(index.group_of)
    for name in ("ordinal", "since", "code", "tag"):
        np.testing.assert_array_equal(getattr(found.clashes, name), getattr(index.clashes, name))
    assert (found.clashes.series, found.clashes.tags) == (index.clashes.series, index.clashes.tags)


def test_a_save_writes_what_is_new_and_now_and_then_all(tmp_path):
    index, path = SourceIndex(GROUPS), tmp_path / "source.idx"
    file, written, anew = IndexFile(path), [], 0
    for hour in range(400):
        row(index, hour)
        before = (path.stat().st_ino, path.stat().st_size) if hour else (0, 0)
        file.save(index)
        now = (path.stat().st_ino, path.stat().st_size)
        anew += now[0] != before[0]
        written.append(now[1] - before[1] if now[0] == before[0] else now[1])
    assert 3 <= anew <= 400 // 10
    assert np.median(written[300:]) <= 1.2 * np.median(written[10:100])
    found = IndexFile(path).load(GROUPS)
    assert found is not None
    assert found["latest"].tolist() == [hour * HOUR for hour in range(400)]
    assert not list(tmp_path.glob("*.idx.*"))


def test_a_torn_block_ends_the_index_and_is_written_again(tmp_path):
    index, path = SourceIndex(GROUPS), tmp_path / "source.idx"
    file = IndexFile(path)
    for hour in range(3):
        row(index, hour)
        file.save(index)
    path.write_bytes(path.read_bytes()[:-5])
    other = IndexFile(path)
    found = other.load(GROUPS)
    assert found is not None
    assert found.position == 2
    # Both go on: the one that appends after a torn block would lose what it appends.
    for one, mine in ((other, found), (file, index)):
        row(mine, 7)
        one.save(mine)
        stored = IndexFile(path).load(GROUPS)
        assert stored is not None
        assert stored["latest"].tolist() == mine["latest"].tolist()


def test_blocks_of_two_processes_never_count_twice(tmp_path):
    first, path = SourceIndex(GROUPS), tmp_path / "source.idx"
    row(first, 1)
    IndexFile(path).save(first)
    files = [IndexFile(path) for _ in range(2)]
    indexes = [file.load(GROUPS) for file in files]
    tails = []
    for file, index in zip(files, indexes, strict=True):
        whole = path.read_bytes()
        row(index, 2)
        file.save(index)
        tails.append(path.read_bytes()[len(whole) :])
        path.write_bytes(whole)
    # As if both had looked at the file before either wrote.
    path.write_bytes(whole + tails[0] + tails[1])
    found = IndexFile(path).load(GROUPS)
    assert found is not None
    assert found["latest"].tolist() == [HOUR, 2 * HOUR]
    for file, index in zip(files, indexes, strict=True):
        row(index, 3)
        file.save(index)
        stored = IndexFile(path).load(GROUPS)
        assert stored is not None
        assert stored["latest"].tolist() == [HOUR, 2 * HOUR, 3 * HOUR]


@given(
    parts=st.lists(st.lists(st.integers(-5, 5), max_size=6), max_size=12),
    low=st.integers(-6, 6),
    size=st.integers(0, 8),
)
@settings(max_examples=100, deadline=None)
def test_a_column_and_its_order_are_those_of_a_plain_array(parts, low, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_UNSORTED", 3)
        column, plain = Column("i8"), []
        order = Order(column)
        for part in parts:
            column.extend(part)
            plain += part
            assert column.values.tolist() == plain
            wanted = [n for n in np.argsort(plain, kind="stable").tolist() if low <= plain[n] < low + size]
            assert order.between(low, low + size).tolist() == wanted
            asked = np.unique(np.array([low, low + size]))
            assert sorted(order.equal_to(asked).tolist()) == [n for n, v in enumerate(plain) if v in asked]
        assert column.cut(2).values.tolist() == plain[:2]
