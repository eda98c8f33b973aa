"""The extent of a signal's values, found in rollups first: exactly that of the cells."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.build.blocks import Block
from twinlab.history.layout import grid
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.read.span_reader import SpanReader
from twinlab.history.read.status import value_extent
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import Signal

ORIGIN = int(np.datetime64("2013-12-30", "ns").astype("int64"))
GROUP = Group("truck", "1min")
SIGNAL = Signal(unit="km/h", resolution=0.1, cadence="1min")
CELLS, ASSETS = 4 * 1440 + 77, 3
NONE = sentinel(SIGNAL.storage_dtype)


def reader_of(root, flags: np.ndarray, tail: int) -> SpanReader:
    """Return a reader of cells with these flags, the last ``tail`` of which aren't published."""
    values = np.where((flags == 9) | (flags == 0), NONE, 50).astype(SIGNAL.storage_dtype)
    marks = np.where(flags == 0, 2, flags).astype("uint8")
    store, stored = HistoryStore.create(root, origin_ns=ORIGIN), CELLS - tail
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, {"speed": SIGNAL}, ASSETS)
        txn.write_cells(GROUP, 0, {"speed": values[:stored]}, {"speed": marks[:stored]})
        txn.commit("fill")
    view = store.view()
    blocks = (Block(GROUP, stored, {"speed": values[stored:]}, {"speed": marks[stored:]}),) if tail else ()
    columns = np.arange(ASSETS)
    return SpanReader(view.path, view.snapshot, GROUP, {"speed": SIGNAL}, columns, (0, CELLS), blocks)


@settings(max_examples=12)
@given(
    ends=st.tuples(st.integers(0, CELLS - 1), st.integers(0, CELLS - 1)).map(sorted),
    around=st.sampled_from([0, 9]),
    between=st.sampled_from([[1], [1, 9], [9], [3, 0]]),
    newest=st.sampled_from([1, 4, 2]),
    tail=st.sampled_from([0, 500]),
    searched=st.sampled_from([1, 15, 60, 4096]),
)
def test_the_extent_is_that_of_the_cells(tmp_path_factory, ends, around, between, newest, tail, searched):
    flags = np.full((CELLS, ASSETS), around)
    first, last = ends
    flags[first:last] = np.resize(between, (last - first, 1))
    # The newest value may not be evaluated yet.
    flags[first, 0], flags[last, 1] = 1, newest
    if first // 1440 != last // 1440 and newest == 2:
        flags[last - last % 1440, 2] = 1
    reader = reader_of(tmp_path_factory.mktemp("status") / "h", flags, tail)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "_SEARCHED", searched)
        found = value_extent(reader, "speed", origin_ns=ORIGIN)
    valued = np.flatnonzero(((flags != 9) & (flags != 0)).any(axis=1))
    start = np.datetime64(ORIGIN, "ns")
    assert found is not None
    assert found.first == start + np.timedelta64(int(valued[0]), "m")
    assert found.last == start + np.timedelta64(int(valued[-1]), "m")
    assert found.missing == int((flags[valued[0] : valued[-1] + 1] == 9).sum())


def test_a_signal_without_values_has_no_extent(tmp_path):
    assert value_extent(reader_of(tmp_path / "h", np.full((CELLS, ASSETS), 9), 0), "speed", origin_ns=ORIGIN) is None


def test_a_year_is_not_read_for_its_ends(tmp_path, monkeypatch):
    read = []
    inner = SpanReader.cells

    def watched(self: SpanReader, name: str, k0: int, k1: int, columns: np.ndarray, **what: str) -> tuple:
        read.append(k1 - k0)
        return inner(self, name, k0, k1, columns, **what)

    monkeypatch.setattr(SpanReader, "cells", watched)
    monkeypatch.setattr(grid, "_SEARCHED", 60)
    flags = np.full((CELLS, ASSETS), 1)
    reader = reader_of(tmp_path / "h", flags, 0)
    read.clear()
    assert value_extent(reader, "speed", origin_ns=ORIGIN) is not None
    assert sum(read) <= 4 * 60
