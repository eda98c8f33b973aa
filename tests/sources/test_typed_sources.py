"""Sources whose cells have types already: Parquet, frames, datasets."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr

from twinlab import sources
from twinlab.errors import SchemaError
from twinlab.model.schema import TEXT_SUFFIX as T

DAY = datetime(2013, 2, 12)


def test_parquet_columns_come_in_few_types_without_losing_a_digit(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table(
        {
            "i8": pa.array([1, None], pa.int8()),
            "big": pa.array([2**64 - 1, 1], pa.uint64()),
            "f32": pa.array([0.5, None], pa.float32()),
            "dec": pa.array([Decimal("12.34"), None]),
            "day": pa.array([date(2013, 2, 12), None]),
            "ms": pa.array([DAY, None], pa.timestamp("ms")),
            "ns": pa.array([1, None], pa.timestamp("ns")),
            "utc": pa.array([DAY.replace(tzinfo=UTC), None], pa.timestamp("ms", "America/New_York")),
            "clock": pa.array([time(6, 30), None]),
            "took": pa.array([timedelta(seconds=90), None], pa.duration("s")),
            "kind": pa.array(["x", None]).dictionary_encode(),
            "raw": pa.array([b"\x00\xff", None]),
            "list": pa.array([[1, 2], None]),
            "at": pa.array([{"lat": 1.5, "lon": {"deg": 2}}, None]),
            "none": pa.nulls(2),
            "ok": pa.array([True, None]),
        }
    )
    pq.write_table(table, path)
    [batch] = sources.parquet(path).batches()
    assert {name: values[0] for name, values in batch.rows.to_pydict().items()} == {
        "i8": 1,
        "big": str(2**64 - 1),
        "f32": 0.5,
        "dec": 12.34,
        "day": DAY,
        "ms": DAY,
        "ns": "1970-01-01T00:00:00.000000001",
        "utc": "2013-02-12T00:00:00.000Z",
        "clock": "06:30:00.000000",
        "took": 90,
        "kind": "x",
        "raw": "00ff",
        "list": "[1, 2]",
        "at.lat": 1.5,
        "at.lon.deg": 2,
        "none": None,
        "ok": True,
    }
    assert all(values[1] is None for name, values in batch.rows.to_pydict().items() if name != "big")
    assert batch.units == {"took": "s"}
    assert {str(field.type) for field in batch.rows.schema} == {"int64", "double", "string", "bool", "timestamp[us]"}


def test_long_parquet_comes_in_batches_and_an_empty_one_shows_its_columns(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": range(150_000)}), tmp_path / "x.parquet")
    batches = list(sources.open_source(tmp_path / "x.parquet").batches())
    assert [batch.rows.num_rows for batch in batches] == [65_536, 65_536, 18_928]
    assert batches[-1].row_numbers[-1] == 150_000
    pq.write_table(pa.table({"a": pa.array([], pa.int32())}), tmp_path / "y.parquet")
    [batch] = sources.parquet(tmp_path / "y.parquet").batches()
    assert batch.rows.to_pydict() == {"a": []}
    (tmp_path / "z.parquet").write_bytes(b"a,b\n")
    with pytest.raises(SchemaError, match="not a Parquet file"):
        list(sources.parquet(tmp_path / "z.parquet").batches())


def test_a_frame_of_any_types_is_read_value_by_value() -> None:
    data = pd.DataFrame(
        {
            "n": [1, 2, 3],
            "f": [1.5, np.nan, 2.5],
            "s": ["x", None, "z"],
            "o": [1, "two", None],
            "t": pd.to_datetime(["2013-02-12", None, "2013-02-13"]),
            "z": pd.to_datetime(["2013-02-12", None, "2013-02-13"]).tz_localize("America/New_York"),
            "p": pd.period_range("2013-01", periods=3, freq="M"),
            "c": pd.Categorical(["u", "v", "u"]),
            "d": [Decimal("1.5"), None, Decimal("2.5")],
            "b": [b"\x01", b"", None],
            "i": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    data.columns = [*data.columns[:-1], "n"]
    [batch] = sources.frame(data, name="plant").batches()
    assert batch.rows.to_pydict() == {
        "n": [1, 2, 3],
        "f": [1.5, None, 2.5],
        "s": ["x", None, "z"],
        "o": ["1", "two", None],
        "t": [DAY, None, datetime(2013, 2, 13)],
        "z": ["2013-02-12T05:00:00.000000Z", None, "2013-02-13T05:00:00.000000Z"],
        "p": ["2013-01", "2013-02", "2013-03"],
        "c": ["u", "v", "u"],
        "d": [1.5, None, 2.5],
        "b": ["01", "", None],
        "n__2": [1, None, 3],
    }
    assert batch.table == "plant"
    assert batch.file is None
    assert sources.frame(data).files() == ()


def test_a_frames_index_becomes_a_column_if_it_says_something() -> None:
    data = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.date_range("2013-01-01", periods=2, name="time"))
    [batch] = sources.frame(data).batches()
    assert batch.rows.schema.names == ["time", "x"]
    [batch] = sources.frame(data.reset_index(drop=True)).batches()
    assert batch.rows.schema.names == ["x"]


def test_a_dataset_gives_a_table_for_each_set_of_dimensions() -> None:
    data = xr.Dataset(
        {
            "temp": (("time", "room"), np.arange(6.0).reshape(3, 2), {"units": "degC"}),
            "wind": ("time", [1.0, 2.0, 3.0], {"units": "mph"}),
            "height": ((), 5.0),
        },
        coords={"time": pd.date_range("2013-01-01", periods=3), "room": ["a", "b"]},
    )
    batches = {batch.table: batch for batch in sources.dataset(data, name="w").batches()}
    assert set(batches) == {"w_time_room", "w_time", "w"}
    assert batches["w_time_room"].rows["temp"].to_pylist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert batches["w_time_room"].rows["room"].to_pylist() == ["a", "b"] * 3
    assert batches["w_time_room"].units == {"temp": "degC"}
    assert batches["w_time"].units == {"wind": "mph"}
    assert batches["w"].rows.to_pydict() == {"height": [5.0]}


def test_a_long_dataset_is_read_in_slices() -> None:
    data = xr.Dataset({"x": (("time", "k"), np.arange(200_000.0).reshape(-1, 4))})
    batches = list(sources.dataset(data).batches())
    assert max(batch.rows.num_rows for batch in batches) <= 65_536
    assert np.concatenate([batch.rows["x"].to_numpy() for batch in batches]).tolist() == list(range(200_000))
    assert batches[-1].row_numbers[-1] == 200_000


def test_what_is_no_frame_and_no_dataset_is_refused() -> None:
    with pytest.raises(SchemaError, match="expected a pandas DataFrame"):
        sources.frame([1, 2])  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="expected an xarray Dataset"):
        sources.dataset(pd.DataFrame())  # type: ignore[arg-type]


def test_each_sheet_of_a_workbook_is_a_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Legs"
    for row in (["a", "b"], [1, 1.5]):
        book.active.append(row)
    book.create_sheet("Empty")
    hidden = book.create_sheet("Trucks")
    hidden.sheet_state = "hidden"
    for row in (["Fleet of 2013"], ["id", "load"], [None, "kg"], ["T1", 100], ["T2", "n/a"], ["T3", 300]):
        hidden.append(row)
    book.save(tmp_path / "dispatch.xlsx")
    source = sources.excel(tmp_path / "dispatch.xlsx")
    batches = list(source.batches())
    assert [batch.table for batch in batches] == ["Legs", "Trucks"]
    assert batches[1].rows.to_pydict() == {
        "id": ["T1", "T2", "T3"],
        "load": [100, None, 300],
        "load" + T: [None, "n/a", None],
    }
    assert batches[1].units == {"load": "kg"}
    assert set(source.sheets()) == {"Legs", "Trucks"}
    assert "units in row 3: kg" in source.sheets()["Trucks"].evidence
    [batch] = sources.excel(
        tmp_path / "dispatch.xlsx", sheet="Trucks", text_columns=["load"], header_rows=[2]
    ).batches()
    assert batch.rows.to_pydict() == {"id": ["T1", "T2", "T3"], "load": ["100", "n/a", "300"]}
