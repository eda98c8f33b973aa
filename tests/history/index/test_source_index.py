"""The index of a source: what it says about any position, beside a plain reckoning over all rows; late claims; its file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.harmonise.claims import Claims, Series
from twinlab.history.index import columns, source_index
from twinlab.history.index.columns import Column, Order
from twinlab.history.index.index_file import load_index, save_index
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


def filled(frames) -> tuple[SourceIndex, Plain, list[int]]:
    index, plain, at, edges = SourceIndex(GROUPS), Plain(), 0, [0]
    for rows, file, keyed, retract in frames:
        if retract and file is not None:
            index.end_reading(file, at)
            plain.retracted.append((at, file))
            at += 1
        else:
            part = claims(rows, first=at, keys=keyed)
            index.remember()
            index.add([part], first=at, stop=at + len(rows), file_id=file, tables=("event:stop",) if keyed else ())
            for n, (series, hour) in enumerate(rows):
                plain.rows.append((at + n, file, series, hour * HOUR, f"k{hour % 5}" if keyed else None))
            at += len(rows)
        edges.append(at)
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
        index, plain, edges = filled(frames)
        path = tmp_path_factory.mktemp("index") / "source.npz"
        save_index(path, index)
        stored = load_index(path, GROUPS)
        assert stored is not None
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


def test_a_damaged_file_of_another_format_or_of_other_groups_is_no_index(tmp_path):
    index, *_ = filled([([(0, 1), (1, 2)], None, False, False)])
    path = tmp_path / "source.npz"
    assert load_index(path, GROUPS) is None
    save_index(path, index)
    assert load_index(path, {("pump", "flow"): 0}) is None
    path.write_bytes(path.read_bytes()[:-3])
    assert load_index(path, GROUPS) is None


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
