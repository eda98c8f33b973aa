"""The bytes of chosen tiles are those of the shard, whether all of it is read or only some tiles."""

import numpy as np
import pytest

from twinlab.errors import CorruptionError
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.store import chosen_tiles as module
from twinlab.history.store.chosen_tiles import chosen_tiles
from twinlab.history.store.codecs import decode_tile
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import Signal

ORIGIN = int(np.datetime64("2013-01-01", "ns").astype("int64"))
GROUP, SIGNAL = Group("truck", "1min"), Signal(unit="km/h", resolution=0.1)
CELLS, ASSETS = 9000, 20


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A view, and its cells: the first eight columns are empty in the second row of tiles."""
    values = np.arange(CELLS * ASSETS, dtype=SIGNAL.storage_dtype).reshape(CELLS, ASSETS)
    values[4096:8192, :8] = sentinel(values.dtype)
    flags = np.where(values == sentinel(values.dtype), 9, 1).astype(np.uint8)
    store = HistoryStore.create(tmp_path_factory.mktemp("tiles") / "h", origin_ns=ORIGIN)
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, {"speed": SIGNAL}, ASSETS)
        txn.write_cells(GROUP, 0, {"speed": values}, {"speed": flags})
        txn.commit("fill")
    return store.view(), values


@pytest.mark.parametrize("whole", [0, 2])
def test_chosen_tiles_decode_to_the_cells(stored, monkeypatch, whole):
    monkeypatch.setattr(module, "WHOLE", whole)
    view, values = stored
    spec = view.catalog.entry(GROUP).cell_spec(2013, "speed", part="cold", flags=False)
    asked = [(0, 0), (1, 0), (1, 2), (2, 1), (70, 0)]
    found = chosen_tiles(spec, asked, store=view.bytes_store())
    # A tile without values isn't stored, nor are tiles of cells that were never written.
    assert list(found) == [(0, 0), (1, 2), (2, 1)]
    for (row, column), data in found.items():
        tile = np.empty(spec.layout.tile[::-1], spec.dtype)
        decode_tile(data, spec, tile, where="here")
        want = values[row * 4096 : (row + 1) * 4096, column * 8 : (column + 1) * 8].T
        np.testing.assert_array_equal(tile[: want.shape[0], : want.shape[1]], want)


class _Damaged:
    """Returns other bytes than were stored."""

    def __init__(self, store, data):
        self._store, self._data = store, data

    def fetch(self, requests):
        return [self._data(one) for one in self._store.fetch(requests)]


@pytest.mark.parametrize("whole", [0, 2])
def test_a_damaged_index_is_an_error(stored, monkeypatch, whole):
    monkeypatch.setattr(module, "WHOLE", whole)
    view, _ = stored
    spec = view.catalog.entry(GROUP).cell_spec(2013, "speed", part="cold", flags=False)
    with pytest.raises(CorruptionError, match="checksum of the shard's index"):
        chosen_tiles(spec, [(0, 0)], store=_Damaged(view.bytes_store(), lambda data: data[:-1] + b"?"))
