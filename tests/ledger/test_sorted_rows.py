"""Rows of a segment in the order of a sealed one: part by part as at once; a change of any bit changes the checksums."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import CorruptionError
from twinlab.ledger import Ledger
from twinlab.ledger import seal as seal_module
from twinlab.ledger.format.index import Index, read_heads
from twinlab.ledger.format.parquet import ORDINAL
from twinlab.ledger.format.segment import SegmentFile
from twinlab.ledger.sorted_rows import SortedRows, digest_of

ROW = st.tuples(
    st.sampled_from("cab"),
    st.integers(-3, 3),
    st.sampled_from([None, 0.0, -0.0, float("nan"), 1.5]),
    st.sampled_from([None, "", "x", "äö"]),
    st.sampled_from([None, "degC", "degF"]),
)
COLUMNS = ("tag", "source_time", "value", "text", "unit")
TYPES = {"value": pa.float64(), "text": pa.string(), "unit": pa.string()}


def batch(rows: list[tuple[object, ...]]) -> pa.RecordBatch:
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    return pa.RecordBatch.from_pydict({n: pa.array(list(v), TYPES.get(n)) for n, v in columns.items()})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(ROW, min_size=1, max_size=9), min_size=1, max_size=12), st.integers(1, 5))
def test_groups_are_the_rows_sorted_by_tag_time_and_arrival(
    tmp_path_factory: pytest.TempPathFactory, frames: list[list[tuple[object, ...]]], rows: int
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("l"))
    with ledger.writer("s") as writer:
        for frame in frames:
            writer.append_observations(batch(frame))
    file, index = SegmentFile(ledger.path / "s" / "00000000.seg"), Index()
    read_heads(file, index, file.size())
    found = SortedRows(file, index)
    groups = list(found.groups(rows))
    arrived = [row for frame in frames for row in frame]
    want = sorted(range(len(arrived)), key=lambda n: (*arrived[n][:2], n))
    assert [n for group in groups for n in group[ORDINAL].to_pylist()] == want
    assert [group.num_rows for group in groups[:-1]] == [rows] * (len(groups) - 1)
    for name in found.names:
        got = [value for group in groups for value in group[name].to_pylist()]
        assert repr(got) == repr([arrived[n][COLUMNS.index(name)] for n in want])
    for name in set(COLUMNS) - set(found.names):
        assert all(row[COLUMNS.index(name)] is None for row in arrived)


def test_checksums_depend_on_every_bit_and_not_on_the_encoding() -> None:
    rows = batch([("a", 1, 0.0, "x", None), ("b", 2, float("nan"), None, "degC"), ("c", 3, None, "", "degC")])
    plain = pa.Table.from_batches([rows])
    encoded = plain.set_column(0, "tag", plain["tag"].dictionary_encode())
    assert digest_of(encoded) == digest_of(plain)
    assert digest_of(pa.concat_tables([plain, plain]).slice(3)) == digest_of(plain)
    changes = {"value": (0, -0.0), "text": (1, ""), "unit": (0, "degC"), "source_time": (2, 4), "tag": (0, "b")}
    for name, (at, value) in changes.items():
        values = plain[name].to_pylist()
        values[at] = value
        changed = plain.set_column(COLUMNS.index(name), name, pa.array(values, plain.schema.field(name).type))
        assert digest_of(changed) != digest_of(plain), name
    moved = plain.set_column(3, "text", pa.array(["", None, "x"]))
    assert digest_of(moved) != digest_of(plain)


def test_a_segment_stays_if_what_is_read_back_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(tmp_path)
    with ledger.writer("s") as writer:
        writer.append_observations(batch([("a", n, float(n), None, None) for n in range(100)]))
        writer.rotate()
    real = seal_module._sync_and_rename

    def damaged(draft: Path, path: Path) -> None:
        if path.suffix == ".parquet":
            data = np.frombuffer(draft.read_bytes(), dtype=np.uint8).copy()
            data[60] ^= 1
            draft.write_bytes(data.tobytes())
        real(draft, path)

    monkeypatch.setattr(seal_module, "_sync_and_rename", damaged)
    with pytest.raises((CorruptionError, OSError, pa.ArrowException)):
        ledger.seal("s")
    assert (tmp_path / "s" / "00000000.seg").exists()
    assert [frame.rows for frame in Ledger(tmp_path).reader("s").frames()] == [100]
