"""Cells written in any order have the values of the last write; rollups are exact in every case."""

import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.errors import HistoryConflictError, SchemaError, UnknownTermError
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Axis, Group
from twinlab.history.layout.rollup import reduce_cells
from twinlab.history.write import pending_tiles
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.twinmodel import Signal

ORIGIN = int(np.datetime64("2013-12-20", "ns").astype("int64"))
GROUP = Group("truck", "15min")
SIGNALS = {
    "temperature": Signal(unit="degC", resolution=0.1, cadence="15min"),
    "door": Signal(kind="state", states={0: "closed", 1: "open"}, cadence="15min"),
}
SIZE = 3000  # cells: from December over the turn of the year to the end of January
STEPS = ("1h", "4h", "1d")


def random_slab(rng: np.random.Generator, nt: int, na: int) -> tuple[dict, dict]:
    """Return values and flags of all signals, every flag occurring, no value where one can't pass."""
    flags = {n: rng.choice(np.array([1, 1, 1, 1, 2, 3, 4, 9], "uint8"), (nt, na)) for n in SIGNALS}
    values = {
        "temperature": rng.integers(-500, 500, (nt, na)).astype("int32"),
        "door": rng.integers(0, 2, (nt, na)).astype("int16"),
    }
    for name, part in values.items():
        part[flags[name] == 9] = sentinel(part.dtype)
    return values, flags


slabs = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE), st.integers(0, 2**32 - 1), st.sampled_from("wwwncg")),
    min_size=1,
    max_size=6,
)


@settings(max_examples=5)
@given(plan=slabs, decoded=st.sampled_from([0, 2**25]))
def test_whatever_the_order_of_slabs_the_last_write_is_read_and_rollups_fit(tmp_path_factory, plan, decoded):
    with mock.patch.object(pending_tiles, "_MAX_DECODED", decoded):
        check_slabs(tmp_path_factory, plan)


def check_slabs(tmp_path_factory, plan) -> None:
    root = tmp_path_factory.mktemp("store") / "h"
    store = HistoryStore.create(root, origin_ns=ORIGIN)
    assets = 3
    want = {n: np.full((SIZE, 12), sentinel(s.storage_dtype), s.storage_dtype) for n, s in SIGNALS.items()}
    want_flags = {n: np.full((SIZE, 12), 2, "uint8") for n in SIGNALS}
    with store.lock():
        for k0, length, seed, what in plan:
            rng = np.random.default_rng(seed)
            with store.transaction() as txn:
                assets += 3 if what == "g" and assets < 12 else 0
                txn.ensure_group(GROUP, SIGNALS, assets)
                length = min(length, SIZE - k0)
                # Narrow: some columns of a few cells, as late rows change them.
                first = int(rng.integers(0, assets)) if what == "n" else 0
                last = int(rng.integers(first + 1, assets + 1)) if what == "n" else assets
                length = min(length, 20) if what == "n" else length
                values, flags = random_slab(rng, length, last - first)
                txn.write_cells(GROUP, k0, values, flags, first_asset=first)
                for n in SIGNALS:
                    want[n][k0 : k0 + length, first:last] = values[n]
                    want_flags[n][k0 : k0 + length, first:last] = flags[n]
                    seen, marks = txn.reader.cells(GROUP, n, 0, SIZE)
                    np.testing.assert_array_equal(seen, want[n][:, :assets])
                    np.testing.assert_array_equal(marks, want_flags[n][:, :assets])
                txn.commit("slab")
            if what == "c":
                store.compact(GROUP)
    view = store.view()
    for n in SIGNALS:
        seen, marks = view.cells(GROUP, n, 0, SIZE)
        np.testing.assert_array_equal(seen, want[n][:, :assets])
        np.testing.assert_array_equal(marks, want_flags[n][:, :assets])
    check_rollups(view, want["temperature"][:, :assets], want_flags["temperature"][:, :assets])


def test_old_hot_chunks_are_compacted_and_windows_between_hot_and_cold_stay_exact(tmp_path, monkeypatch):
    monkeypatch.setattr("twinlab.history.write.transaction._MAX_HOT", 2)
    monkeypatch.setattr("twinlab.history.write.transaction._NEWEST_HOT", 1)
    store, assets, rng = HistoryStore.create(tmp_path / "h", origin_ns=ORIGIN), 70, np.random.default_rng(4)
    want, flags = np.full((SIZE, assets), sentinel("int32"), "int32"), np.full((SIZE, assets), 2, "uint8")
    moved = 0
    with store.lock():
        for k0 in [*range(0, SIZE, 150), 40, SIZE // 2, SIZE - 100]:
            part, marks = random_slab(rng, min(150, SIZE - k0), assets)
            with store.transaction() as txn:
                txn.ensure_group(GROUP, SIGNALS, assets)
                txn.write_cells(GROUP, k0, part, marks)
                moved += txn.compact_old(GROUP)
                txn.commit("slab")
            want[k0 : k0 + 150], flags[k0 : k0 + 150] = part["temperature"], marks["temperature"]
            view = store.view()
            assert all(len(year.hot_chunks) <= 2 for year in view.catalog.groups[GROUP].years.values())
    assert moved
    np.testing.assert_array_equal(view.values(GROUP, "temperature", 0, SIZE), want)
    check_rollups(view, want, flags)
    some = np.array([3, 64, 69])
    whole, part = (view.rollup(GROUP, "temperature", "1d", 0, 31, a, statistics=("sum", "fail")) for a in (None, some))
    for name in whole:
        np.testing.assert_array_equal(part[name], whole[name][:, some])


def test_cells_after_a_hot_tile_s_edge_do_not_rewrite_the_cold_ones_before_it(tmp_path):
    store, assets, rng = HistoryStore.create(tmp_path / "h", origin_ns=ORIGIN), 70, np.random.default_rng(4)
    want, flags = np.full((SIZE, assets), sentinel("int32"), "int32"), np.full((SIZE, assets), 2, "uint8")
    base, edge = Axis(ORIGIN, GROUP.cadence_ns).year_cells(2014)[0], 12 * 128
    spans = [(0, base + edge), (base + edge - 2, base + edge + 1), (base + edge - 300, base + edge - 298)]
    states = []
    with store.lock():
        for low, high in spans:
            part, marks = random_slab(rng, high - low, assets)
            with store.transaction() as txn:
                txn.ensure_group(GROUP, SIGNALS, assets)
                txn.write_cells(GROUP, low, part, marks)
                if not low:
                    txn.compact(GROUP)
                txn.commit("slab")
            want[low:high], flags[low:high] = part["temperature"], marks["temperature"]
            view = store.view()
            year = view.catalog.groups[GROUP].years[2014]
            states.append((year.hot_chunks, year.cold_end))
    assert year.hot.tile[0] == 128
    # The two cells before the edge are hot with those after it; a late one of an earlier tile stays cold.
    assert states == [(set(), edge), ({11, 12}, edge - 128), ({11, 12}, edge - 128)]
    np.testing.assert_array_equal(view.values(GROUP, "temperature", 0, SIZE), want)
    np.testing.assert_array_equal(view.flags(GROUP, "temperature", 0, SIZE), flags)
    check_rollups(view, want, flags)


def check_rollups(view, values: np.ndarray, flags: np.ndarray) -> None:
    """Compare every stored level, and the fold from cells, with pandas."""
    good = np.isin(flags, (1, 3))
    frame = pd.DataFrame(np.where(good, values.astype("float64"), np.nan))
    times = Axis(ORIGIN, GROUP.cadence_ns).times(0, SIZE)
    for step in STEPS:
        grouped = frame.groupby(pd.DatetimeIndex(times).floor(step.replace("d", "D")))
        windows = len(grouped)
        out = view.rollup(
            GROUP, "temperature", step, 0, windows, statistics=("sum", "min", "max", "count", "pass", "fail")
        )
        np.testing.assert_array_equal(out["sum"], grouped.sum().to_numpy())
        np.testing.assert_array_equal(out["count"], grouped.count().to_numpy())
        some = out["count"] > 0
        np.testing.assert_array_equal(out["min"][some], grouped.min().to_numpy()[some])
        np.testing.assert_array_equal(out["max"][some], grouped.max().to_numpy()[some])
        assert (out["min"][~some] == sentinel("int32")).all()
        failed = (
            pd.DataFrame(flags == 4).groupby(pd.DatetimeIndex(times).floor(step.replace("d", "D"))).sum().to_numpy()
        )
        np.testing.assert_array_equal(out["fail"], failed)
        per = view.catalog.entry(GROUP).per(step)
        again = view.fold(GROUP, "temperature", per, 0, windows)
        for what in ("sum", "min", "max", "count"):
            np.testing.assert_array_equal(again[what], out[what])


@pytest.fixture
def filled(tmp_path: Path):
    """A store with one slab over the turn of a year, partly hot."""
    store = HistoryStore.create(tmp_path / "h", origin_ns=ORIGIN)
    rng = np.random.default_rng(0)
    values, flags = random_slab(rng, SIZE, 20)
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, SIGNALS, 20)
        txn.write_cells(GROUP, 0, values, flags)
        txn.meta["position"] = {"fridges": 7}
        txn.commit("fill")
    return store, values, flags


def test_zarr_itself_reads_the_same_numbers(filled):
    store, values, flags = filled
    view = store.view()
    entry = view.catalog.entry(GROUP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = zarr.open_group(view.session.store, mode="r")
        for year, first, stop in entry.axis.split(0, SIZE):
            base = entry.axis.year_cells(year)[0]
            for hot, a, b in entry.year(year).runs(first - base, stop - base):
                part = root[f"truck/15min/{year}/{'hot' if hot else 'cold'}"]
                np.testing.assert_array_equal(part["temperature"][a:b], values["temperature"][a + base : b + base])
                np.testing.assert_array_equal(part["door_qc"][a:b], flags["door"][a + base : b + base])


def test_any_choice_of_assets_in_any_order_is_read(filled):
    store, values, _ = filled
    for chosen in ([3], [19, 0, 7], list(range(20)), [5, 5]):
        seen = store.view().values(GROUP, "temperature", 100, 400, chosen)
        np.testing.assert_array_equal(seen, values["temperature"][100:400][:, chosen])


def test_windows_that_no_rollup_has_are_folded_from_the_cells_for_any_choice_of_assets(filled):
    store, values, flags = filled
    view = store.view()
    for chosen in ([3], [19, 0, 7], list(range(20)), [5, 5], []):
        for w0, w1 in ((0, 1500), (100, 101), (590, 700), (7, 7)):
            seen = view.fold(GROUP, "temperature", 2, w0, w1, chosen)
            cells = slice(2 * w0, 2 * w1)
            slow = reduce_cells(values["temperature"][cells][:, chosen], flags["temperature"][cells][:, chosen], 2)
            for what in ("sum", "min", "max", "count"):
                np.testing.assert_array_equal(seen[what], slow[what])
                assert seen[what].dtype == slow[what].dtype


def test_what_isnt_committed_is_forgotten(filled):
    store, values, _ = filled
    before = store.view().snapshot
    with store.lock(), store.transaction() as txn:
        txn.write_cells(GROUP, 0, {"temperature": values["temperature"] + 1}, {})
    assert store.view().snapshot == before
    with store.lock(), store.transaction() as txn:
        seen, _ = txn.reader.cells(GROUP, "temperature", 0, SIZE)
    np.testing.assert_array_equal(seen, values["temperature"])


def test_a_view_stays_what_it_was(filled):
    store, values, flags = filled
    old = store.view()
    with store.lock(), store.transaction() as txn:
        txn.write_cells(GROUP, 0, {"door": 1 - np.clip(values["door"], 0, 1)}, {"door": np.ones_like(flags["door"])})
        txn.commit("change")
    np.testing.assert_array_equal(old.values(GROUP, "door", 0, SIZE), values["door"])
    assert old.meta == {"position": {"fridges": 7}}


def test_a_commit_without_changes_publishes_nothing(filled):
    store, _, _ = filled
    before = store.view().snapshot
    with store.lock(), store.transaction() as txn:
        assert txn.commit("nothing") == before


def test_writing_needs_the_lock_and_the_right_types(filled):
    store, values, flags = filled
    with pytest.raises(HistoryConflictError, match="within"), store.transaction():
        pass
    with store.lock(), store.transaction() as txn:
        with pytest.raises(SchemaError, match="int32"):
            txn.write_cells(GROUP, 0, {"temperature": values["door"]}, {})
        with pytest.raises(SchemaError, match="one shape"):
            txn.write_cells(GROUP, 0, {"temperature": values["temperature"][:, :3]}, {"temperature": flags["door"]})
        with pytest.raises(SchemaError, match="flag them missing"):
            nothing = np.full((5, 20), sentinel("int32"), "int32")
            txn.write_cells(GROUP, 0, {"temperature": nothing}, {"temperature": np.ones((5, 20), "uint8")})
        with pytest.raises(UnknownTermError, match="temperature"):
            txn.reader.cells(GROUP, "temprature", 0, 1)
        with pytest.raises(SchemaError, match="only added"):
            txn.ensure_group(GROUP, SIGNALS, 3)
        with pytest.raises(SchemaError, match="rebuild"):
            txn.ensure_group(GROUP, {"temperature": Signal(unit="degC", resolution=0.2, cadence="15min")}, 20)


def test_a_signal_added_later_has_no_values_before(filled):
    store, _, _ = filled
    extra = Signal(unit="Pa", resolution=1.0, cadence="15min")
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, {**SIGNALS, "pressure": extra}, 21)
        txn.write_cells(GROUP, 50, {"pressure": np.full((2, 21), 7, "int32")}, {"pressure": np.ones((2, 21), "uint8")})
        txn.commit("more")
    values, flags = store.view().cells(GROUP, "pressure", 49, 53)
    assert values[:, 20].tolist() == [sentinel("int32"), 7, 7, sentinel("int32")]
    assert flags[:, 20].tolist() == [2, 1, 1, 2]


def test_status_counts_bytes_and_points(filled):
    store, _, _ = filled
    status = store.status()
    assert status.points_by_group == {"truck/15min": SIZE * 20 * 2}
    assert 0 < status.bytes_per_point < 4
    assert status.bytes_on_disk > status.bytes_by_group["truck/15min"]
