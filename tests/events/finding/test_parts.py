"""A search in parts of assets and months: each cell in one part, and the same events."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from twinlab.compute import pool_of
from twinlab.events import find
from twinlab.events.finding import parts
from twinlab.events.finding.cells import TwinCells
from twinlab.model.expressions import AssetContext, bind_condition
from twinlab.model.twinmodel import TwinModel
from twinlab.testing import FakeTwin

HOUR = 3600 * 10**9
MODEL = TwinModel.model_validate(
    {
        "twin": "parcels",
        "origin": "2026-01-01",
        "asset_types": {
            "truck": {"signals": {"temperature": {"unit": "degC", "resolution": 0.1, "cadence": "1h"}}},
            "parcel": {"properties": {"chilled": {"dtype": "boolean"}}},
        },
        "relationships": {"aboard": {"from": "parcel", "to": "truck"}},
    }
)


def trucks(count: int, hours: int) -> FakeTwin:
    time = np.datetime64("2026-01-20", "ns") + np.arange(hours) * np.timedelta64(1, "h")
    warmth = 6 + 3 * np.sin(np.arange(hours)[:, None] / 7 + np.arange(count))
    ids = [f"T{number}" for number in range(count)]
    data = {
        "temperature": (("time", "asset"), warmth),
        "temperature_qc": (("time", "asset"), np.ones(warmth.shape, "uint8")),
    }
    links = pd.DataFrame(
        {"source": ["P1", "P2"], "target": ["T0", "T1"], "valid_from": time[5], "valid_until": time[-5]}
    )
    return FakeTwin(
        MODEL,
        histories={"truck": xr.Dataset(data, coords={"time": time, "asset": np.array(ids, dtype=object)})},
        assets={"parcel": pd.DataFrame({"chilled": [True, False]}, index=["P1", "P2"])},
        relationships={"aboard": links},
    )


TWIN = trucks(70, 24 * 80)
CELLS = TwinCells(TWIN, "truck", bind_condition("temperature > 8 degC", AssetContext(MODEL, "truck")))


@given(
    st.integers(0, 24 * 80 - 1),
    st.integers(1, 24 * 80),
    st.sets(st.integers(0, 69), min_size=1),
    st.integers(1, 200_000),
    st.integers(1, 8),
)
def test_each_cell_is_in_one_part(first, length, assets, cells, workers):
    low = CELLS.extent_ns[0] + first * HOUR
    stop = low + length * HOUR
    some = np.array(sorted(assets))
    with pytest.MonkeyPatch.context() as patch, pool_of(workers=workers) as pool:
        patch.setattr(parts, "_LEAST_CELLS", cells)
        found = list(parts._parts(CELLS, low, stop, some, pool))
    covered = np.zeros((length, 70), int)
    for (begin, end), mine in found:
        assert begin < end
        assert (np.diff(mine) > 0).all()
        covered[(begin - low) // HOUR : (end - low) // HOUR, mine] += 1
    assert (covered[:, some] == 1).all()
    assert covered.sum() == length * len(some)
    assert list(parts._parts(CELLS, stop, stop, some, pool)) == []


@pytest.mark.parametrize(
    ("condition", "on"),
    [("temperature > 8 degC", "truck"), ("parcel in truck where truck.temperature > 8 degC", "parcel")],
)
def test_a_twin_in_memory_is_searched_by_a_cluster_too(cluster_client, monkeypatch, condition, on):
    monkeypatch.setattr(parts, "_LEAST_CELLS", 20_000)
    here = find(TWIN, condition, on=on)
    assert len(here) > 5
    pd.testing.assert_frame_equal(find(TWIN, condition, on=on, client=cluster_client), here)
