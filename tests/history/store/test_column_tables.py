"""Tables that an earlier version stored, an array a column, are read as they were written."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

sys.path.insert(0, str(Path(__file__).parent))
from column_tables import write_columns
from test_tables import any_table

from twinlab.errors import CorruptionError
from twinlab.history.store.tables import delete_table, read_table


class Bytes(dict):
    """Bytes by key."""

    put = dict.__setitem__

    def fetch(self, requests):
        return [self.get(key) for key, _ in requests]

    def delete(self, key):
        self.pop(key, None)


@settings(max_examples=20)
@given(table=any_table())
def test_a_table_of_an_earlier_version_reads_equal(table):
    store = Bytes()
    write_columns("events/flight/2013-01", table, store)
    found = read_table("events/flight/2013-01", store=store)
    assert found.schema == table.schema
    assert found.to_pylist() == table.to_pylist()
    delete_table("events/flight/2013-01", store=store)
    assert not store


def test_a_damaged_column_is_an_error_that_says_what_to_do():
    import pyarrow as pa

    store = Bytes()
    write_columns("x", pa.table({"a": [1, 2, 3]}), store)
    store["x/0_value/c/0"] = store["x/0_value/c/0"][:-1] + b"\x00"
    with pytest.raises(CorruptionError, match="rebuild"):
        read_table("x", store=store)
