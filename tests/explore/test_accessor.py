"""`.twin` on plain xarray data."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import twinlab.explore
from twinlab.errors import SchemaError, UnknownTermError
from twinlab.explore.dataset_reader import DatasetReader, cadence_of
from twinlab.model import TwinReader


def series(count: int = 500, *, step: str = "5min") -> xr.DataArray:
    width = np.timedelta64(int(step.removesuffix("min")), "m")
    time = np.datetime64("2026-03-01", "ns") + np.arange(count) * width
    values = np.sin(np.arange(count) / 40)[:, None] + np.arange(2)
    attrs = {"units": "degC", "long_name": "room air"}
    return xr.DataArray(values, {"time": time, "room": ["a", "b"]}, ("time", "room"), name="Air Temp", attrs=attrs)


def test_an_array_is_explored_like_a_twin() -> None:
    explorer = series().twin.explore()
    assert "Room air" in explorer.title or "room air" in explorer.title
    assert explorer.view is not None
    np.testing.assert_allclose(explorer.view.data["air_temp"].sel(asset="a"), series().sel(room="a"))
    explorer.assets = ["b"]
    assert explorer.view.traces[0].label == "b"


def test_copied_code_reads_the_same_from_the_array() -> None:
    array = series()
    explorer = array.twin.explore()
    space: dict[str, object] = {"data": array}
    exec(explorer.code(), space)
    xr.testing.assert_allclose(space["data"], explorer.data())


def test_flags_beside_a_variable_are_used() -> None:
    data = series(10).to_dataset(name="speed")
    flags = xr.full_like(series(10), 1, dtype="uint8").drop_attrs()
    flags[3, 0] = 4
    reader = data.assign(speed_qc=flags).twin.reader
    assert isinstance(reader, TwinReader)
    assert int((reader.history("series").speed_qc == 4).sum()) == 1


def test_an_array_is_judged_by_the_tests_asked_for() -> None:
    array = series(48).isel(room=0).copy()
    array[5], array[7] = 99.0, np.nan
    flags = array.twin.flags(sensor_span=(-40, 60))
    assert flags.values[5] == 4
    assert flags.values[7] == 9
    assert "units" not in flags.attrs
    with pytest.raises(SchemaError, match="sensor_span.*: expected a span .* with low < high"):
        array.twin.flags(sensor_span=(60, -40))
    with pytest.raises(SchemaError, match="expected a dimension 'time'"):
        xr.DataArray([1.0], dims="x").twin.flags()


def test_a_plot_holds_few_points_however_long_the_array() -> None:
    import holoviews as hv

    array = series(30_000)
    curves = array.twin.plot(flags=array.twin.flags(sensor_span=(-5, 5))).traverse(lambda x: x, [hv.Curve])
    assert {len(c) for c in curves if len(c)} <= set(range(1, 2_001))
    assert array.isel(time=slice(200)).twin.plot().traverse(lambda x: len(x), [hv.Curve]) == [200, 200]
    with pytest.raises(SchemaError, match="expected flags of dims"):
        array.twin.plot(flags=array.isel(room=0))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (xr.Dataset({"a": ("x", [1.0])}), "expected a dimension 'time' with times, got x"),
        (xr.Dataset({"a": ("time", [1.0])}, {"time": [1]}), "expected naive UTC times"),
        (xr.Dataset({"a": (("time", "x", "y"), np.ones((1, 1, 1)))}, {"time": [np.datetime64(0, "ns")]}), "got x, y"),
        (xr.Dataset({"a": ("time", ["text"])}, {"time": [np.datetime64(0, "ns")]}), "with numbers"),
        (xr.Dataset({"a": ("time", [1.0, 2.0])}, {"time": [np.datetime64(0, "ns")] * 2}), "each time"),
    ],
)
def test_data_that_cannot_be_read_are_refused_with_words(data: xr.Dataset, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        data.twin.explore()


def test_what_plain_data_do_not_have_is_told() -> None:
    reader = DatasetReader(series().to_dataset())
    for ask in (
        lambda: reader.events("trip"),
        lambda: reader.relationships("in"),
        lambda: reader.history("series", step="1h"),
        lambda: reader.history("series", assets=["c"]),
        lambda: reader.history("room"),
    ):
        with pytest.raises(UnknownTermError):
            ask()


def test_a_unit_nobody_knows_is_shown_and_not_refused() -> None:
    array = series(10)
    array.attrs["units"] = "widgets/fortnight"
    spec = DatasetReader(array.to_dataset()).model.asset_types["series"].signals["air_temp"]
    assert spec.title == "room air (widgets/fortnight)"


@given(st.integers(1, 86_400), st.integers(2, 50))
def test_a_cadence_divides_a_day_and_is_no_longer_than_the_data_s(seconds: int, count: int) -> None:
    from twinlab.model.twinmodel import parse_duration

    time = np.datetime64("2026-01-01", "ns") + np.arange(count) * np.timedelta64(seconds, "s")
    cadence = parse_duration(cadence_of(time))
    assert 86_400 * 10**9 % cadence == 0
    assert cadence <= seconds * 10**9


def test_the_accessor_comes_with_the_room() -> None:
    assert hasattr(xr.Dataset, "twin")
    assert twinlab.explore.accessor.TwinArray is xr.DataArray.twin
