"""Datasets: values, flags, filled states, counters, any step, the tail, and threads, processes and clusters."""

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.history.build.blocks import Block
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.read import export
from twinlab.history.read.datasets import dataset, instant_ns
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import TwinModel

ORIGIN = int(np.datetime64("2013-12-28", "ns").astype("int64"))
MODEL = TwinModel.model_validate(
    {
        "twin": "test",
        "origin": "2013-12-28",
        "asset_types": {
            "truck": {
                "signals": {
                    "speed": {"unit": "km/h", "resolution": 0.1, "title": "road speed"},
                    "door": {"kind": "state", "states": {0: "closed", 1: "open"}},
                    "odometer": {"kind": "counter", "unit": "km", "resolution": 1.0, "wraps_at": 1000},
                    "slow": {"unit": "degC", "resolution": 0.1, "cadence": "1h"},
                }
            }
        },
    }
)
SIGNALS = MODEL.asset_types["truck"].signals
GROUP = Group("truck", "1min")
IDS = ["t10", "t9", "t1"]
NONE16, NONE32 = sentinel("int16"), sentinel("int32")
CELLS = 9000


def made(k0: int, k1: int) -> tuple[dict, dict]:
    """Return the contents of the cells ``k0 .. k1 - 1``, independent of the span: sparse states, a wrapping counter."""
    k = np.arange(k0, k1)[:, None] + np.array([0, 7, 13])
    speed = (k * 7919 % 1000).astype("int32")
    door = np.where(k % 1700 == 0, k // 1700 % 2, NONE16).astype("int16")
    odometer = np.where(k % 5 == 0, k % 1000, NONE32).astype("int32")
    values = {"speed": speed, "door": door, "odometer": odometer}
    flags = {
        "speed": np.where(k % 11 == 0, 4, 1).astype("uint8"),
        "door": np.where(door == NONE16, 9, 1).astype("uint8"),
        "odometer": np.where(odometer == NONE32, 9, 1).astype("uint8"),
    }
    return values, flags


def filled(root, cells: int) -> HistoryStore:
    """Return a store with the first ``cells`` cells."""
    store = HistoryStore.create(root, origin_ns=ORIGIN)
    mine = {n: SIGNALS[n] for n in ("speed", "door", "odometer")}
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, mine, 3)
        for a in range(0, cells, 5000):
            txn.write_cells(GROUP, a, *made(a, min(a + 5000, cells)))
        txn.meta["assets"] = {"truck": IDS}
        txn.commit("fill")
    return store


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    return filled(tmp_path_factory.mktemp("read") / "h", CELLS).view()


THREE = ["speed", "door", "odometer"]


def test_a_dataset_has_natural_order_units_and_flags(view):
    ds = dataset(view, MODEL, "truck", signals=THREE)
    assert ds.asset.values.tolist() == ["t1", "t9", "t10"]
    assert ds.speed.attrs["units"] == "km/h"
    assert ds.speed.attrs["ancillary_variables"] == "speed_qc"
    assert ds.speed_qc.attrs["flag_meanings"].startswith("pass")
    values, flags = made(0, CELLS)
    np.testing.assert_array_equal(ds.speed, values["speed"][:, ::-1] / 10)
    np.testing.assert_array_equal(ds.speed_qc, flags["speed"][:, ::-1])
    assert ds.time.values[0] == np.datetime64("2013-12-28")
    assert ds.sizes == {"time": CELLS, "asset": 3}


def test_spans_are_half_open_and_assets_come_in_the_order_asked(view):
    ds = dataset(
        view,
        MODEL,
        "truck",
        signals=["speed"],
        assets=["t9", "t10"],
        start="2013-12-28T01:00+01:00",
        stop="2013-12-28T00:05Z",
    )
    assert ds.time.size == 5
    np.testing.assert_array_equal(ds.speed, made(0, 5)[0]["speed"][:, [1, 0]] / 10)


def test_a_state_is_held_until_its_next_observation_even_from_before_the_span(view):
    want = pd.DataFrame(np.where(made(0, CELLS)[0]["door"] == NONE16, np.nan, made(0, CELLS)[0]["door"])).ffill()
    whole = dataset(view, MODEL, "truck", signals=["door"])
    np.testing.assert_array_equal(whole.door, want.to_numpy()[:, ::-1])
    late = dataset(view, MODEL, "truck", signals=["door"], start="2014-01-03T05:00")
    np.testing.assert_array_equal(late.door, want.to_numpy()[6 * 1440 + 300 :, ::-1])


@pytest.mark.parametrize("step", ["15min", "30min", "1h", "6h", "1d", "2d"])
def test_every_step_agrees_with_pandas(view, step):
    ds = dataset(view, MODEL, "truck", signals=THREE, step=step).compute()
    values, flags = made(0, CELLS)
    times = pd.DatetimeIndex(dataset(view, MODEL, "truck", signals=["speed"]).time.values)
    keys = pd.DatetimeIndex(
        ORIGIN
        + (times.as_unit("ns").asi8 - ORIGIN)
        // pd.Timedelta(step.replace("d", "D")).value
        * pd.Timedelta(step.replace("d", "D")).value
    )
    speed = pd.DataFrame(np.where(flags["speed"] == 1, values["speed"] / 10, np.nan)[:, ::-1]).groupby(keys)
    np.testing.assert_allclose(ds.speed_mean, speed.mean())
    np.testing.assert_allclose(ds.speed_sum, speed.sum())
    np.testing.assert_array_equal(ds.speed_min, speed.min())
    np.testing.assert_array_equal(ds.speed_max, speed.max())
    np.testing.assert_array_equal(ds.speed_count, speed.count())
    door = pd.DataFrame(np.where(values["door"] == NONE16, np.nan, values["door"])[:, ::-1]).ffill()
    np.testing.assert_allclose(ds.door_share.sel(door_state="open"), door.groupby(keys).mean())
    odometer = pd.DataFrame(np.where(values["odometer"] == NONE32, np.nan, values["odometer"])[:, ::-1])
    rise = odometer.apply(lambda column: column.dropna().diff()).reindex(odometer.index)
    rise = rise.where(~(rise < 0), rise + 1000).where(odometer.notna()).fillna(0.0).groupby(keys).sum()
    np.testing.assert_allclose(ds.odometer_increase, rise)
    whole = ds.speed_pass + ds.speed_fail + ds.speed_not_evaluated
    assert (whole == pd.Timedelta(step.replace("d", "D")) // pd.Timedelta("1min")).all()


def test_a_counter_without_a_turn_starts_again_from_zero(tmp_path):
    raw = MODEL.model_dump(exclude_defaults=True, by_alias=True)
    raw["asset_types"]["truck"]["signals"]["odometer"].pop("wraps_at")
    model = TwinModel.model_validate(raw)
    store = HistoryStore.create(tmp_path / "h", origin_ns=ORIGIN)
    readings = np.array([[5], [9], [2], [4]], dtype="int32")
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, {"odometer": model.asset_types["truck"].signals["odometer"]}, 1)
        txn.write_cells(GROUP, 0, {"odometer": readings}, {"odometer": np.ones((4, 1), "uint8")})
        txn.commit("x")
    ds = dataset(store.view(), model, "truck", signals=["odometer"], step="1h", asset_ids=["a"])
    assert ds.odometer_increase.values.tolist() == [[8.0]]


@settings(max_examples=5)
@given(cut=st.integers(1, 4000), step=st.sampled_from([None, "15min", "1h", "2h"]))
def test_a_tail_laid_over_reads_as_if_it_were_stored(tmp_path_factory, cut, step):
    whole = filled(tmp_path_factory.mktemp("whole") / "h", 4000).view()
    part = filled(tmp_path_factory.mktemp("part") / "h", cut).view()
    at = max(0, cut - 50)
    tail = [Block(GROUP, at, *made(at, 4000))]
    want = dataset(whole, MODEL, "truck", signals=THREE, step=step)
    got = dataset(part, MODEL, "truck", signals=THREE, step=step, overlay=tail)
    xr.testing.assert_equal(got.compute(), want.compute())


def test_an_asset_that_only_the_tail_knows_is_read(view):
    values = {"speed": np.full((3, 4), 50, "int32")}
    tail = [Block(GROUP, CELLS, values, {"speed": np.ones((3, 4), "uint8")})]
    ds = dataset(view, MODEL, "truck", signals=["speed"], overlay=tail, asset_ids=[*IDS, "t0"])
    assert ds.speed.sel(asset="t0").dropna("time").values.tolist() == [5.0, 5.0, 5.0]
    assert (
        dataset(view, MODEL, "truck", signals=["speed"], overlay=tail, asset_ids=[*IDS, "t0"], step="1d")
        .speed_count[:, 0]
        .sum()
        == 3
    )


def test_threads_processes_and_a_cluster_compute_equal_numbers(view):
    from distributed import Client, LocalCluster

    def work() -> xr.Dataset:
        ds = dataset(view, MODEL, "truck", signals=THREE)
        return xr.merge(
            [ds.speed.resample(time="1D").mean(), ds.door.mean("time"), ds.odometer_qc.max("time")]
        ).compute()

    with dask.config.set(scheduler="threads"):
        threads = work()
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster, Client(cluster):
        distributed = work()
    xr.testing.assert_identical(threads, distributed)


def test_questions_that_have_no_answer_say_why(view):
    with pytest.raises(SchemaError, match="step="):
        dataset(view, MODEL, "truck")
    with pytest.raises(SchemaError, match="whole cells"):
        dataset(view, MODEL, "truck", signals=["speed"], step="90s")
    with pytest.raises(UnknownTermError, match="speed"):
        dataset(view, MODEL, "truck", signals=["sped"])
    with pytest.raises(UnknownTermError, match="t1"):
        dataset(view, MODEL, "truck", signals=["speed"], assets=["t11"])
    with pytest.raises(UnknownTermError, match="truck"):
        dataset(view, MODEL, "trucks")
    with pytest.raises(SchemaError, match="instant"):
        dataset(view, MODEL, "truck", signals=["speed"], start="yesterday-ish")


def test_a_signal_that_was_never_written_reads_as_nothing(view):
    ds = dataset(view, MODEL, "truck", start="2013-12-28", stop="2013-12-29", step="1d")
    assert ds.slow_mean.isnull().all()
    assert (ds.slow_count == 0).all()


@pytest.mark.filterwarnings("error")
def test_exports_open_without_us(view, tmp_path):
    ds = dataset(view, MODEL, "truck", signals=THREE, stop="2013-12-28T02:00")
    export.to_zarr(ds, tmp_path / "plain.zarr")
    with xr.open_zarr(tmp_path / "plain.zarr") as back:
        xr.testing.assert_equal(back.compute(), ds.compute())
        assert back.speed.attrs["units"] == "km/h"
        assert list(back.speed_qc.attrs["flag_values"]) == [1, 2, 3, 4, 9]
    export.to_parquet(ds, tmp_path / "p.parquet")
    export.to_csv(ds, tmp_path / "c.csv")
    export.to_excel(ds, tmp_path / "e.xlsx")
    want = ds.speed.to_numpy().ravel()
    for frame in (
        pd.read_parquet(tmp_path / "p.parquet"),
        pd.read_csv(tmp_path / "c.csv"),
        pd.read_excel(tmp_path / "e.xlsx"),
    ):
        np.testing.assert_allclose(frame["speed"], want)
    assert export.to_frame(dataset(view, MODEL, "truck", signals=["door"], step="1d")).columns[-2:].tolist() == [
        "door_share_closed",
        "door_share_open",
    ]
    with pytest.raises(SchemaError, match="another path"):
        export.to_zarr(ds, tmp_path / "plain.zarr")


@pytest.mark.parametrize("instant", ["3000-01-01", "1500-01-01", pd.Timestamp("2262-04-12").as_unit("s")])
def test_an_instant_that_nanoseconds_do_not_hold_is_refused(instant):
    with pytest.raises(SchemaError, match="2262-04-11"):
        instant_ns(instant)
