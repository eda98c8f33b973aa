"""Flat tables of a Dataset, piece by piece, and the files that are written from them."""

import json
import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

from twinlab.errors import SourceError
from twinlab.history.read import export, flat_tables
from twinlab.history.read.flat_tables import flat_schema
from twinlab.twin.export import export_dataset


def cube(cells=400, assets=("a", "=b", "c,d"), *, start="2013-12-31T22:00", seed=0):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((cells, len(assets))) < 0.2, np.nan, rng.normal(20, 5, (cells, len(assets))).round(1))
    shares = rng.random((cells, len(assets), 2))
    about = {"units": "degC", "flag_values": np.array([1, 2], "uint8")}
    return xr.Dataset(
        {
            "door_share": (("time", "asset", "door_state"), shares, {"units": "1"}),
            "temperature": (("time", "asset"), values, about),
            "temperature_qc": (("time", "asset"), rng.integers(1, 5, values.shape).astype("uint8")),
            "count": (("time", "asset"), rng.integers(0, 2**60, values.shape)),
        },
        coords={
            "time": pd.date_range(start, periods=cells, freq="1min").as_unit("ns"),
            "asset": np.array(assets, dtype=object),
            "door_state": np.array(["open", "closed"], dtype=object),
        },
        attrs={"asset_type": "room"},
    )


def expected(ds):
    """Xarray's own table, with a column for each state."""
    flat = ds.drop_vars(["door_share", "door_state"])
    for label in ds["door_state"].values:
        flat[f"door_share_{label}"] = ds["door_share"].sel(door_state=label, drop=True)
    return flat.to_dataframe(dim_order=["time", "asset"]).reset_index().astype({"asset": "str"})


@pytest.fixture
def in_pieces(monkeypatch):
    """Read 40 instants at once and put 60 rows into a table."""
    monkeypatch.setattr(flat_tables, "_READ_BYTES", 40 * 3 * 33)
    monkeypatch.setattr(flat_tables, "_TABLE_ROWS", 60)
    monkeypatch.setattr(flat_tables, "_TILE_CELLS", 8)


@pytest.mark.parametrize("lazy", [False, True])
def test_all_formats_hold_what_one_table_holds_in_several_row_groups_too(in_pieces, tmp_path, lazy):
    ds = cube().chunk(time=150) if lazy else cube()
    want = expected(cube())
    pd.testing.assert_frame_equal(export.to_frame(ds), want)
    export.to_parquet(ds, tmp_path / "t.parquet")
    assert pq.ParquetFile(tmp_path / "t.parquet").num_row_groups == 20
    found = pd.read_parquet(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(found, want)
    assert pq.read_schema(tmp_path / "t.parquet").field("asset").type == pa.string()
    export.to_csv(ds, tmp_path / "t.csv")
    table = pd.read_csv(tmp_path / "t.csv", parse_dates=["time"])
    named = want.assign(asset=want["asset"].replace("=b", "'=b"), time=want["time"].dt.tz_localize("UTC"))
    pd.testing.assert_frame_equal(table, named, check_dtype=False, check_index_type=False, rtol=0, atol=0)
    export.to_zarr(ds, tmp_path / "t.zarr")
    with xr.open_zarr(tmp_path / "t.zarr") as back:
        xr.testing.assert_equal(back.compute(), cube())
        assert back["temperature"].attrs == {"units": "degC", "flag_values": [1, 2]}


def test_nothing_to_write_gives_a_file_with_columns(tmp_path):
    for ds in (cube().isel(time=slice(0, 0)), cube().isel(asset=slice(0, 0))):
        export.to_parquet(ds, tmp_path / "t.parquet")
        assert pq.read_table(tmp_path / "t.parquet").column_names == expected(cube()).columns.tolist()
        export.to_csv(ds, tmp_path / "t.csv")
        assert (tmp_path / "t.csv").read_text().splitlines() == [",".join(expected(cube()))]
        assert export.to_frame(ds).empty


def test_times_within_a_second_differ_in_csv(tmp_path):
    ds = cube(4)
    ds = ds.assign_coords(time=ds["time"].values[0] + np.arange(4) * np.timedelta64(250, "ms"))
    export.to_csv(ds, tmp_path / "t.csv")
    assert pd.read_csv(tmp_path / "t.csv")["time"].unique().tolist()[:2] == [
        "2013-12-31T22:00:00.000Z",
        "2013-12-31T22:00:00.250Z",
    ]


def test_units_and_flags_are_described_in_the_metadata_of_a_parquet_file(tmp_path):
    export.to_parquet(cube(), tmp_path / "t.parquet")
    about = json.loads(pq.read_schema(tmp_path / "t.parquet").metadata[b"twinlab"])
    assert about["units"] == {"door_share": "1", "temperature": "degC"}
    assert about["variables"]["temperature"] == {"units": "degC", "flag_values": [1, 2]}
    assert about["attributes"] == {"asset_type": "room"}


def test_pieces_end_with_the_tiles_of_a_year(in_pieces):
    times = [table["time"].to_numpy()[[0, -1]] for table in flat_tables.flat_tables(cube())]
    # 40 instants at once, counted from January; the year before ends in a piece of its own.
    starts = [first for first, _ in times]
    assert np.datetime64("2014-01-01T00:00") in starts
    assert {(one - np.datetime64("2014-01-01")) // np.timedelta64(1, "m") % 20 for one in starts[6:]} == {0}
    assert all(last < first for (_, last), (first, _) in zip(times, times[1:], strict=False))


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".zarr"])
def test_memory_does_not_grow_with_the_time_that_is_exported(monkeypatch, tmp_path, suffix):
    monkeypatch.setattr(flat_tables, "_READ_BYTES", 2**18)
    monkeypatch.setattr(flat_tables, "_TABLE_ROWS", 2**14)
    monkeypatch.setattr(export, "_CHUNK_TIMES", 512)
    peaks = {}
    for times in (1, 8):
        shape = (2500 * times, 40)
        # Values that take no memory: only the export's own is counted.
        ds = xr.Dataset(
            {name: (("time", "asset"), np.broadcast_to(np.float64(20.5), shape)) for name in ("speed", "heading")},
            coords={"time": pd.date_range("2013-01-01", periods=shape[0], freq="1min").as_unit("ns")},
        ).assign_coords(asset=np.arange(40).astype("str").astype(object))
        pool, before = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
        pa.set_memory_pool(pool)
        tracemalloc.start()
        try:
            export_dataset(ds, tmp_path / f"{times}{suffix}")
            peaks[times] = tracemalloc.get_traced_memory()[1] + pool.max_memory()
        finally:
            tracemalloc.stop()
            pa.set_memory_pool(before)
    # The longer one has 11 MB of values more; a peak of either varies by 200 kB with the times of the threads.
    assert peaks[8] < peaks[1] + 2**20


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".zarr", ".xlsx"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_export_leaves_nothing(in_pieces, monkeypatch, tmp_path, suffix, error):
    calls = []

    def reading(ds: xr.DataArray):
        calls.append(ds.name)
        if len(calls) > 9:
            raise error
        return real(ds)

    real = xr.DataArray.to_numpy
    monkeypatch.setattr(xr.DataArray, "to_numpy", reading)
    with pytest.raises(SourceError if error is OSError else error):
        export_dataset(cube(), tmp_path / f"out{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_the_schema_is_that_of_every_table(in_pieces):
    tables = list(flat_tables.flat_tables(cube()))
    assert len(tables) == 20
    assert {table.schema == flat_schema(cube()) for table in tables} == {True}
