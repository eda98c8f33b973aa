"""Tables are read as they were written."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.write.history_store import HistoryStore

COLUMNS = {
    "text": (pa.string(), st.text(max_size=8)),
    "words": (pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["a", "ü", ""])),
    "time": (pa.timestamp("ns"), st.integers(-(2**62), 2**62)),
    "day": (pa.date32(), st.integers(0, 20_000)),
    "number": (pa.float64(), st.floats(allow_nan=False)),
    "whole": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "flag": (pa.bool_(), st.booleans()),
    "nothing": (pa.null(), st.none()),
}


@st.composite
def any_table(draw):
    rows = draw(st.integers(0, 6))
    arrays = {}
    for name, (kind, values) in COLUMNS.items():
        cells = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        plain = pa.int64() if pa.types.is_timestamp(kind) else pa.int32() if pa.types.is_date(kind) else kind
        base = (
            pa.array(cells, pa.string()).dictionary_encode() if pa.types.is_dictionary(kind) else pa.array(cells, plain)
        )
        arrays[name] = base.cast(kind)
    return pa.table(arrays)


@settings(max_examples=5)
@given(table=any_table())
def test_a_table_reads_back_equal(tmp_path_factory, table):
    store = HistoryStore.create(tmp_path_factory.mktemp("t") / "h")
    with store.lock(), store.transaction() as txn:
        txn.write_table("events/flight/2013-01", table)
        assert txn.table("events/flight/2013-01").to_pylist() == table.to_pylist()
        txn.commit("table")
    back = store.view().table("events/flight/2013-01")
    assert back.schema == table.schema
    assert back.to_pylist() == table.to_pylist()


def test_tables_are_listed_replaced_and_dropped(tmp_path):
    store = HistoryStore.create(tmp_path / "h")
    with store.lock():
        with store.transaction() as txn:
            for path in ("events/flight/2013-01", "events/flight/2013-02", "assets/aircraft"):
                txn.write_table(path, pa.table({"a": [1, 2]}))
            txn.commit("three")
        with store.transaction() as txn:
            txn.write_table("assets/aircraft", pa.table({"b": ["x"]}))
            txn.drop_table("events/flight/2013-01")
            assert txn.tables("events/") == ("events/flight/2013-02",)
            txn.commit("less")
    view = store.view()
    assert view.tables() == ("assets/aircraft", "events/flight/2013-02")
    assert view.table("assets/aircraft").to_pydict() == {"b": ["x"]}
    with pytest.raises(UnknownTermError, match="tables"):
        view.table("events/flight/2013-01")


def test_a_column_of_lists_is_refused(tmp_path):
    store = HistoryStore.create(tmp_path / "h")
    with store.lock(), store.transaction() as txn, pytest.raises(SchemaError, match="list"):
        txn.write_table("x", pa.table({"a": pa.array([[1]], pa.list_(pa.int64()))}))


def test_a_large_table_of_unique_texts_is_quick_enough_to_keep(tmp_path):
    store = HistoryStore.create(tmp_path / "h")
    table = pa.table({"id": [f"flight-{i}" for i in range(20_000)], "t": np.arange(20_000)})
    with store.lock(), store.transaction() as txn:
        txn.write_table("events/flight/2013-01", table)
        txn.commit("many")
    assert store.view().table("events/flight/2013-01").equals(table)
