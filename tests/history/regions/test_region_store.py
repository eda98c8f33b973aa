"""A plain Zarr store that is written by regions: any order, any cuts, growing, damaged."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import CorruptionError, SchemaError, SourceError
from twinlab.history.regions.region_store import RegionStore


def numbers(size=11) -> xr.Dataset:
    times = np.datetime64("2026-01-01", "ns") + np.arange(3) * np.timedelta64(1, "h")
    random = np.random.default_rng(3)
    return xr.Dataset(
        {
            "queue": (
                ("run", "time", "hub"),
                random.random((size, 3, 2)),
                {"units": "1", "flag_values": np.array([1, 2])},
            ),
            "count": ("run", np.arange(size) * 7),
            "late": (("run", "hub"), random.random((size, 2)) > 0.5),
        },
        coords={"run": np.arange(size), "time": times, "hub": ["Oslo", "São Paulo"]},
        attrs={"model": "queue"},
    )


def create(path, data, *, chunk=4, size=None):
    return RegionStore.create(path, data.isel(run=[0]), dim="run", size=size or data.sizes["run"], chunk=chunk)


@settings(max_examples=25)
@given(cuts=st.sets(st.integers(1, 10)), chunk=st.integers(1, 12), order=st.randoms(use_true_random=False))
def test_any_cuts_in_any_order_give_the_same_store(cuts, chunk, order):
    data = numbers()
    with tempfile.TemporaryDirectory() as folder:
        store = create(Path(folder) / "a", data, chunk=chunk)
        edges = [0, *sorted(cuts), 11]
        regions = list(zip(edges[:-1], edges[1:], strict=True))
        order.shuffle(regions)
        for first, stop in regions:
            store.write(first, data.isel(run=slice(first, stop)))
        for found in (store.dataset(), RegionStore(store.path).dataset(complete=False)):
            xr.testing.assert_equal(found.load(), data)
        assert RegionStore(store.path).dataset().attrs == {"model": "queue"}


def test_bare_xarray_opens_it_and_it_grows(tmp_path):
    data = numbers()
    store = create(tmp_path / "a", data, size=6)
    store.write(0, data.isel(run=slice(0, 6)))
    store.resize(11)
    RegionStore(store.path).write(6, data.isel(run=slice(6, 11)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = xr.open_zarr(store.path).load()
    xr.testing.assert_equal(found, data)
    assert found["queue"].attrs == {"units": "1", "flag_values": [1, 2]}


def test_entries_that_arent_written_are_an_error_and_others_can_be_selected(tmp_path):
    data = numbers()
    store = create(tmp_path / "a", data)
    store.write(4, data.isel(run=slice(4, 8)))
    xr.testing.assert_equal(store.dataset(complete=False).isel(run=[4, 7]).load(), data.isel(run=[4, 7]))
    with pytest.raises(CorruptionError, match=r"\(run 0 to 3 of \w+\) is missing"):
        store.dataset().load()


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1], lambda data: data[:10], lambda data: b"", lambda data: data[:-9] + b"x" + data[-8:]],
)
def test_a_damaged_chunk_is_named(tmp_path, damage):
    data = numbers()
    store = create(tmp_path / "a", data)
    store.write(0, data)
    file = store.path / "late/c/1/0"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CorruptionError, match=r"late/c/1/0 \(run 4 to 7 of late\) fails its checksum"):
        store.dataset().load()
    with pytest.raises(CorruptionError, match="late"):
        store.write(5, data.isel(run=slice(5, 6)))


def test_what_differs_from_the_template_is_refused(tmp_path):
    data = numbers()
    store = create(tmp_path / "a", data)
    with pytest.raises(SchemaError, match=r"\['late'\] are on one side only"):
        store.write(0, data.drop_vars("late"))
    with pytest.raises(SchemaError, match="expected queue as float64"):
        store.write(0, data.isel(time=[0]))
    with pytest.raises(SchemaError, match="expected count as int64"):
        store.write(0, data.assign(count=data["count"] * 0.5))
    with pytest.raises(SchemaError, match="expected name as numbers"):
        create(tmp_path / "b", data.assign(name=("run", ["x"] * 11)))
    with pytest.raises(SchemaError, match="expected nothing at"):
        create(tmp_path / "a", data)
    with pytest.raises(SchemaError, match="expected a Zarr store"):
        RegionStore(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_chunk_that_cant_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    data = numbers()
    store = create(tmp_path / "a", data)
    store.write(0, data)

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SourceError, match="No space left"):
        store.write(0, data.assign(count=data["count"] + 1))
    monkeypatch.undo()
    xr.testing.assert_equal(store.dataset().load(), data)
    assert not [path.name for path in store.path.rglob(".*")]
