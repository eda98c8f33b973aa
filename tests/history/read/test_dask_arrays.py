"""Selections of a lazy Dataset reach the reader, and are what Dask gives after reading whole chunks.

Few cells are lazy arrays of xarray, many are Dask arrays: `as_if_many` makes Dask arrays of few.
"""

import pickle

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.history.layout.grid import Group
from twinlab.history.read import dask_arrays, direct
from twinlab.history.read.dask_arrays import as_dask, source_of
from twinlab.history.read.datasets import dataset
from twinlab.history.read.direct import computed
from twinlab.history.read.span_reader import SpanReader
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import TwinModel

MODEL = TwinModel.model_validate(
    {
        "twin": "test",
        "origin": "2013-12-31",
        "asset_types": {
            "truck": {
                "signals": {
                    "speed": {"unit": "km/h", "resolution": 0.1},
                    "door": {"kind": "state", "states": {0: "closed", 1: "open"}},
                    "odometer": {"kind": "counter", "unit": "km", "resolution": 1.0},
                }
            }
        },
    }
)
GROUP = Group("truck", "1min")
CELLS, ASSETS = 4000, 5


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """Two days around the turn of a year, with gaps and all flags."""
    rng = np.random.default_rng(7)
    store = HistoryStore.create(tmp_path_factory.mktemp("selected") / "h", origin_ns=MODEL.origin_ns)
    signals = MODEL.asset_types["truck"].signals
    values, flags = {}, {}
    for name, signal in signals.items():
        dtype = signal.storage_dtype
        found = rng.integers(0, 2, (CELLS, ASSETS)) if signal.kind == "state" else rng.integers(0, 900, (CELLS, ASSETS))
        if signal.kind == "counter":
            found = np.cumsum(found % 3, axis=0)
        flags[name] = rng.choice(np.array([1, 1, 1, 2, 3, 4, 9], "uint8"), (CELLS, ASSETS))
        values[name] = np.where(flags[name] == 9, np.iinfo(dtype).min, found).astype(dtype)
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, dict(signals), ASSETS)
        txn.write_cells(GROUP, 0, values, flags)
        txn.meta["assets"] = {"truck": [f"t{n}" for n in range(ASSETS)]}
        txn.commit("fill")
    return store.view()


def small_tasks() -> dict[str, int]:
    """Chunks of 512 cells of two assets, so that selections cross them."""
    return {"TASK_CELLS": 1024, "_SPAN": 512, "_BAND": 1}


def keys(size: int):
    whole = st.just(slice(None))
    ends = st.none() | st.integers(-size, size)
    return whole | st.builds(slice, ends, ends, st.sampled_from([None, 1, 1, 2, -1])) | st.integers(-size, size - 1)


def columns():
    places = st.lists(st.integers(-ASSETS, ASSETS - 1), max_size=6)
    marks = st.lists(st.booleans(), min_size=ASSETS, max_size=ASSETS)
    return keys(ASSETS) | places.map(lambda one: np.array(one, int)) | marks.map(np.array)


@settings(max_examples=25)
@given(data=st.data(), step=st.sampled_from([None, "1h"]))
def test_a_selection_of_a_selection_is_that_of_the_numbers(view, data, step):
    with pytest.MonkeyPatch.context() as patch:
        for which, value in small_tasks().items():
            patch.setattr(dask_arrays, which, value)
        ds = dataset(view, MODEL, "truck", step=step, start="2013-12-31T01:00", stop="2014-01-01T06:00")
    got = ds[data.draw(st.sampled_from(list(ds.data_vars)))]
    assert got.chunks is not None
    want = got.compute()
    for _ in range(2):
        drawn = {"time": keys(max(1, got.sizes.get("time", 1))), "asset": columns(), "door_state": keys(2)}
        index = {dim: data.draw(drawn[dim]) for dim in got.dims}
        try:
            want = want.isel(index)
        except IndexError:
            return
        got = got.isel(index)
        xr.testing.assert_identical(got.compute(scheduler="synchronous"), want)


def test_a_selection_reads_no_other_cell(view, monkeypatch):
    read = []
    inner = SpanReader.cells

    def watched(self: SpanReader, name: str, k0: int, k1: int, columns: np.ndarray, **what: str) -> tuple:
        read.append((k1 - k0, columns.tolist()))
        return inner(self, name, k0, k1, columns, **what)

    monkeypatch.setattr(SpanReader, "cells", watched)
    speed = dataset(view, MODEL, "truck", signals=["speed"]).speed
    assert speed.sel(asset="t3", time="2013-12-31T10:00").compute().shape == ()
    assert speed.isel(time=7).compute().shape == (ASSETS,)
    assert speed.isel(time=slice(10, 20), asset=2).compute().shape == (10,)
    assert speed.isel(asset=slice(1, 3), time=slice(10, 20)).compute().shape == (10, 2)
    assert read == [(1, [3]), (1, [0, 1, 2, 3, 4]), (10, [2]), (10, [1, 2])]


def test_an_array_that_was_assigned_to_no_longer_reads_the_history(view):
    ds = dataset(view, MODEL, "truck", signals=["speed"])
    assert source_of(ds.speed.data) is not None
    ds = ds.copy()
    ds.speed[0, 0] = -1.0
    assert source_of(ds.speed.data) is None
    assert float(ds.speed[0, 0]) == -1.0
    assert float(computed(ds).speed[0, 0]) == -1.0


def test_arrays_are_pickled_and_named_by_what_they_read(view):
    names = [
        [one.data.name for one in dataset(view, MODEL, "truck", **what).data_vars.values()]
        for what in ({"signals": ["speed"]}, {"signals": ["speed"], "assets": ["t1"]}, {"step": "1h"}, {"step": "1d"})
    ]
    assert len({name for some in names for name in some}) == sum(map(len, names))
    ds = dataset(view, MODEL, "truck", signals=["speed"])
    assert ds.speed.data.name == names[0][0]
    again = pickle.loads(pickle.dumps(ds.speed.data[5:9]))
    np.testing.assert_array_equal(again.compute(), ds.speed.values[5:9])


@pytest.mark.parametrize("step", [None, "15min", "1h", "1d"])
@pytest.mark.parametrize("limit", [direct.DIRECT_CELLS, 3000, 1])
def test_what_is_read_directly_is_what_xarray_computes(view, step, limit, monkeypatch):
    ds = dataset(view, MODEL, "truck", step=step, start="2013-12-31T05:00")
    chosen = ds.isel(asset=2).assign(twice=ds.isel(asset=2)[next(iter(ds.data_vars))] * 2)
    monkeypatch.setattr(direct, "DIRECT_CELLS", limit)
    for one in (ds, chosen, ds.isel(time=[1, 0]), xr.Dataset({"a": ("x", [1])})):
        got, want = computed(one), one.compute()
        xr.testing.assert_identical(got, want)
        assert not got.chunks
        assert {str(name): found.dtype for name, found in got.items()} == {
            str(name): found.dtype for name, found in want.items()
        }


@pytest.mark.parametrize(("offset", "times"), [(0, (512, 388)), (100, (412, 488)), (512, (512, 388))])
def test_chunks_end_at_the_edges_of_shards_and_fill_a_task(view, monkeypatch, offset, times):
    source = source_of(dataset(view, MODEL, "truck", signals=["speed"], stop="2013-12-31T15:00").speed.data)
    assert as_dask(source, offset=offset).chunks == ((900,), (ASSETS,))
    for which, value in small_tasks().items():
        monkeypatch.setattr(dask_arrays, which, value)
    assert as_dask(source, offset=offset).chunks == (times, (2, 2, 1))
