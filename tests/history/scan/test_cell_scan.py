"""Extremes of tiles: exact or wider, also of cells that retention has rounded."""

import numpy as np
import pytest

from twinlab.history.layout.grid import Group
from twinlab.history.read.datasets import dataset
from twinlab.history.scan.cell_scan import CellScan
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import TwinModel

GROUP = Group("truck", "1min")
CELLS, ASSETS = 6 * 1440, 9
MODEL = TwinModel.model_validate(
    {
        "twin": "test",
        "origin": "2013-01-01",
        "asset_types": {"truck": {"signals": {"speed": {"unit": "km/h", "resolution": 0.1}}}},
    }
)


@pytest.mark.parametrize(("retention", "moved"), [([], 0), ([("rounded", 5), ("rollups", 9), ("rounded", 10)], 15)])
def test_extremes_include_what_a_span_and_the_cells_before_it_have(tmp_path, retention, moved):
    values = np.arange(CELLS, dtype=np.int32)[:, None] + np.arange(ASSETS, dtype=np.int32)
    flags = np.ones(values.shape, np.uint8)
    flags[:, 3] = 4
    flags[-100:, 4] = 2
    store = HistoryStore.create(tmp_path / "h", origin_ns=MODEL.origin_ns)
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, MODEL.asset_types["truck"].signals, ASSETS)
        txn.write_cells(GROUP, 0, {"speed": values}, {"speed": flags})
        txn.meta["assets"] = {"truck": [f"t{n}" for n in range(ASSETS)]}
        txn.meta["retention"] = [
            {"id": str(n), "cut": MODEL.origin_ns, "position": {}, "older": older, "resolution": resolution}
            for n, (older, resolution) in enumerate(retention)
        ]
        txn.commit("fill")
    scan = CellScan.of(dataset(store.view(), MODEL, "truck"), ["speed"])
    assert [(span.first, span.stop) for span in scan.spans] == [(0, 4096), (4096, 8192), (8192, CELLS)]
    found = scan.extremes("speed", 60)
    for number, span in enumerate(scan.spans):
        # Whole days of a minute's cells.
        first, stop = max(span.first - 60, 0) // 1440 * 1440, -(-span.stop // 1440) * 1440
        for asset in (0, 8):
            want = (values[first, asset] - moved) / 10, (values[stop - 1, asset] + moved) / 10
            assert (found.low[number, asset], found.high[number, asset]) == want
    # All failed: no value; some that are not evaluated yet, in the last day, which two spans overlap: any.
    assert (found.low[:, 3] > found.high[:, 3]).all()
    assert np.isinf(found.high[:, 4]).tolist() == [False, True, True]
