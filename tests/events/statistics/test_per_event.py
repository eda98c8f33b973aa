"""Statistics of a signal during events, against a loop over events and cells."""

import dask.array
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import twinlab as tl
from tests.events.algebra.tables import Row, rows, table
from twinlab.testing import FakeTwin

CADENCE = 2
#: Twenty cells of two minutes of assets a and b, from minute -4 on.
CELLS, FIRST = 20, -4
SEVERITY = [tl.Flag.NOT_EVALUATED, tl.Flag.PASS, tl.Flag.SUSPECT, tl.Flag.MISSING, tl.Flag.FAIL]


def dataset(values: np.ndarray, flags: np.ndarray | None = None) -> xr.Dataset:
    time = np.datetime64("2026-03-01", "ns") + (FIRST + CADENCE * np.arange(len(values))) * np.timedelta64(1, "m")
    data = xr.Dataset(
        {"level": (("time", "asset"), values, {"units": "degC"})}, coords={"time": time, "asset": ["a", "b"]}
    )
    return data if flags is None else data.assign(level_qc=(("time", "asset"), flags))


def example(seed: int) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    flags = rng.choice([1, 1, 1, 2, 3, 4, 9], (CELLS, 2)).astype(np.uint8)
    return dataset(np.where(flags == 9, np.nan, rng.integers(0, 9, (CELLS, 2))), flags)


def oracle(data: xr.Dataset, row: Row, above: float) -> dict[str, object] | None:
    """Look at each cell of an event."""
    if row.start is None or (row.end is not None and row.end < row.start):
        return None
    stop = FIRST + CADENCE * CELLS
    end = max(stop, row.start) if row.end is None else row.end
    length = max(end - row.start, 1e-9)
    found = {"duration": end - row.start, "good": 0.0, "sum": 0.0, "above": 0.0, "values": [], "flags": set()}
    for cell in range(CELLS if row.asset else 0):
        begin = FIRST + CADENCE * cell
        lasted = min(row.start + length, begin + CADENCE) - max(row.start, begin)
        if lasted <= 0:
            continue
        one = data.isel(time=cell).sel(asset=row.asset)
        value, flag = float(one.level), int(one.level_qc)
        found["flags"].add(flag)
        if flag in (1, 2, 3):
            found["good"] += lasted
            found["sum"] += lasted * value
            found["above"] += lasted * max(value - above, 0)
            found["values"].append((value, -begin))
    return found | {"coverage": found["good"] / length}


@settings(max_examples=40)
@given(st.lists(rows(), max_size=6), st.integers(0, 3), st.sampled_from([None, (7, 1), (20, 2), (3, 2)]))
def test_statistics_are_those_of_a_loop_over_cells(some: list[Row], seed: int, chunks: tuple | None) -> None:
    data = example(seed)
    lazy = data if chunks is None else data.chunk({"time": chunks[0], "asset": chunks[1]})
    found = tl.events.event_statistics(lazy, table(some), "level", above=4)
    assert found.index.equals(table(some).index)
    for row, one in zip(some, found.itertuples(), strict=True):
        wanted = oracle(data, row, 4)
        if wanted is None:
            assert pd.isna(one.duration) and pd.isna(one.coverage) and pd.isna(one.mean) and pd.isna(one.worst_flag)
            continue
        assert one.duration == pd.Timedelta(minutes=wanted["duration"])
        np.testing.assert_allclose(one.coverage, wanted["coverage"], atol=1e-9)
        flags = [flag for flag in SEVERITY if flag in wanted["flags"]]
        assert (flags[-1].name.lower() if flags else None) == (
            one.worst_flag if isinstance(one.worst_flag, str) else None
        )
        if not wanted["values"]:
            assert np.isnan([one.mean, one.min, one.max, one.integral_above]).all() and pd.isna(one.peak)
            continue
        np.testing.assert_allclose(one.mean, wanted["sum"] / wanted["good"])
        assert one.min == min(wanted["values"])[0]
        highest, begin = max(wanted["values"])
        assert one.max == highest
        assert one.peak == pd.Timestamp("2026-03-01") + pd.Timedelta(minutes=-begin)
        integral = wanted["above"] / 60 if wanted["duration"] else 0
        np.testing.assert_allclose(one.integral_above, integral, atol=1e-9)


def test_each_chunk_with_an_event_is_read_once_and_no_other() -> None:
    read = []
    values = example(0)["level"].values

    def block(block_info: dict) -> np.ndarray:
        (t0, t1), (a0, a1) = block_info[None]["array-location"]
        read.append((t0, a0))
        return values[t0:t1, a0:a1]

    lazy = dask.array.map_blocks(block, chunks=((5,) * 4, (1, 1)), dtype=float, meta=np.empty((0, 0)))
    data = dataset(values).assign(level=(("time", "asset"), lazy))
    some = table([Row("a", 0, 2), Row("a", 1, 3), Row("a", 3, 9), Row("b", 30, None), Row(None, 8, 20)])
    tl.events.event_statistics(data, some, "level")
    # The first cell is minute -4, so that minutes 0 to 9 are cells 2 to 6.
    assert sorted(read) == [(0, 0), (5, 0), (15, 1)]


def test_limits_are_converted_and_may_be_one_for_each_event() -> None:
    data = dataset(np.full((CELLS, 2), 10.0))
    some = table([Row("a", 0, 30), Row("b", 0, 30)])
    kelvin = tl.events.event_statistics(data, some, "level", above="281.15 K", below="53.6 °F")
    np.testing.assert_allclose(kelvin["integral_above"], [1, 1])
    np.testing.assert_allclose(kelvin["integral_below"], [1, 1])
    assert kelvin.attrs["units"]["integral_above"] == "degC h"
    assert kelvin.attrs["units"]["mean"] == "degC"
    own = tl.events.event_statistics(data, some, "level", above=pd.Series([4.0, None], index=some.index))
    np.testing.assert_allclose(own["integral_above"], [3, np.nan])


def test_a_twin_finds_the_asset_type_from_the_type_or_the_link_of_its_events() -> None:
    twin = FakeTwin.example(days=2, trips=20)
    trips = twin.events("trip")
    by_link = tl.events.event_statistics(twin, trips, "temperature", asset="origin")
    stated = tl.events.event_statistics(twin, trips, "temperature", asset="origin", on="station")
    assert by_link.equals(stated)
    known = trips["start"].notna() & (trips["end"] < pd.Timestamp("2026-01-02 20:00"))
    assert (by_link["coverage"][known] > 0).mean() > 0.8
    with pytest.raises(tl.SchemaError, match="expected on=, the asset type: cold_room, station have"):
        tl.events.event_statistics(twin, trips.drop(columns="type"), "temperature")


def test_statistics_of_whole_days_are_the_rollups_of_the_twin() -> None:
    twin = FakeTwin.example(days=3, trips=10)
    daily = twin.history("station", signals=["temperature"], step="1d")
    days = tl.events.split(
        pd.DataFrame(
            {
                "asset": daily.asset.values.astype(object),
                "start": daily.time.values[0],
                "end": daily.time.values[-1] + np.timedelta64(1, "D"),
            }
        ),
        every="1d",
    )
    found = tl.events.event_statistics(twin, days, "temperature", on="station")
    for name in ("mean", "min", "max"):
        # Rollups count values that pass or are suspect, and here nothing is unevaluated.
        np.testing.assert_allclose(found[name].to_numpy().reshape(-1, 3), daily[f"temperature_{name}"].values.T)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"signal": "levle"}, tl.UnknownTermError, "known variable, got 'levle'.*'level'"),
        ({"asset": "aset"}, tl.UnknownTermError, "no column 'aset' with assets.*'asset'"),
        ({"above": "warm"}, tl.SchemaError, "above: expected a number with a unit such as '8 degC', got 'warm'"),
        ({"below": "8 km"}, tl.UnitError, "below='8 km'"),
        ({"above": pd.Series([1.0])}, tl.SchemaError, "above: expected a Series with the index of the events"),
        ({"now": "soon"}, tl.SchemaError, "expected an instant"),
    ],
)
def test_wrong_arguments_are_refused_by_name(arguments: dict, error: type, message: str) -> None:
    given_ = {"signal": "level"} | arguments
    with pytest.raises(error, match=message):
        tl.events.event_statistics(example(0), table([Row("a", 0, 1), Row("b", 0, 1)]), **given_)


def test_states_and_irregular_axes_are_refused_with_what_to_do() -> None:
    some = table([Row("a", 0, 1)])
    state = example(0)
    state["level"].attrs["flag_values"] = [0, 1]
    with pytest.raises(tl.SchemaError, match="got the state 'level'"):
        tl.events.event_statistics(state, some, "level")
    with pytest.raises(tl.SchemaError, match="regular time axis.*resample"):
        tl.events.event_statistics(example(0).isel(time=[0, 1, 3]), some, "level")
    with pytest.raises(tl.SchemaError, match="with the dim time, got asset"):
        tl.events.event_statistics(example(0).isel(time=0), some, "level")


def test_other_dimensions_of_a_dataset_count_as_assets() -> None:
    data = example(0)
    some = table([Row("a", 0, 9), Row("b", 3, 20)])
    wanted = tl.events.event_statistics(data, some, "level")
    room = data.rename(asset="room").transpose("room", "time").assign_coords(floor=("room", [1, 2]))
    assert tl.events.event_statistics(room, some, "level").equals(wanted)
    alone = tl.events.event_statistics(data.sel(asset="b"), some.assign(asset=""), "level")
    assert alone.iloc[1:].equals(wanted.iloc[1:])
    grid = xr.concat([data, data + 1], pd.Index(["x", "y"], name="line"))
    found = tl.events.event_statistics(grid, some.assign(asset=["x/a", "x/b"]), "level")
    found_turned = tl.events.event_statistics(
        grid.transpose("asset", "time", "line"), some.assign(asset=["a/x", "b/x"]), "level"
    )
    assert found["mean"].equals(wanted["mean"]) and found_turned["mean"].equals(wanted["mean"])


def test_no_events_have_no_statistics() -> None:
    found = tl.events.event_statistics(example(0), table([]), "level")
    assert len(found) == 0
    assert found["worst_flag"].dtype == "category"
