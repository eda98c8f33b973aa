"""Long spans without data cost nothing: they aren't built or stored, and read as if they were."""

from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import xarray as xr
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.history.conftest import MODEL
from twinlab.history import HistoryStore
from twinlab.history.build import vacancy
from twinlab.history.build.group_spec import GroupPlan, GroupSpec
from twinlab.history.build.vacancy import Occupied, split_plan, vacant_blocks
from twinlab.history.layout.grid import Frontier, Group
from twinlab.history.store.vacant import MOST, Rectangles
from twinlab.history.write import rebuild, vacant_cells
from twinlab.model.twinmodel import Signal
from twinlab.quality.cells import flag_cells

DAY = 24 * 60
DAYS = 8
ROOMS = "abcdefghijkl"


@contextmanager
def every_cell_is_built():
    with pytest.MonkeyPatch.context() as patch:
        # Longer than any layout; times the cadence in ns it is still an int64.
        patch.setattr(vacancy, "LONG", 2**24)
        patch.setattr(vacancy, "_WORTH", 2**40)
        yield


@contextmanager
def short_spans_are_vacant(most=MOST):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vacancy, "LONG", 64)
        patch.setattr(vacancy, "_WORTH", 1)
        patch.setattr(vacancy, "_SHARE", 1.0)
        patch.setattr(rebuild, "_SPARSE", 0)
        patch.setattr(vacant_cells, "MOST", most)
        yield


def model() -> dict:
    found = deepcopy(MODEL)
    found["asset_types"]["room"]["signals"]["humidity"]["heartbeat"] = "90min"
    return found


# A few minutes of some rooms, anywhere in eight days.
bursts = st.lists(
    st.tuples(st.sampled_from(ROOMS), st.integers(0, DAYS * DAY - 200), st.integers(1, 190), st.sampled_from("tthde")),
    min_size=1,
    max_size=8,
)


def rows_of_bursts(found) -> list[tuple]:
    rng = np.random.default_rng(len(found))
    rows = []
    for room, start, length, signal in found:
        step = 15 if signal == "e" else 1
        for at in range(start, start + length, step):
            value = {
                "t": round(float(rng.normal(20, 3)), 1),
                "h": rng.integers(20, 80),
                "d": rng.integers(0, 2),
                "e": at / 4,
            }[signal]
            rows.append((f"{room}.{signal}", at, float(value)))
    return rows


def everything(reader) -> list:
    start = np.datetime64("2024-01-01")
    minutes = ["temperature", "humidity", "door"]
    out = [
        reader.history("room", signals=minutes),
        reader.history("room", signals=["energy"]),
        reader.history(
            "room", signals=minutes, start=start + np.timedelta64(3, "D"), stop=start + np.timedelta64(5, "D")
        ),
        *(reader.history("room", step=step) for step in ("1h", "7d")),
    ]
    return [*(ds.compute() for ds in out), reader.flag_counts(), reader.value_extents()]


def equal(got: list, want: list) -> None:
    for one, other in zip(got, want, strict=True):
        if isinstance(one, xr.Dataset):
            xr.testing.assert_equal(one, other)
        else:
            assert one == other


def states(site, batches) -> list[list]:
    """Everything that is read after each step: in the tail, published, compacted and rebuilt."""
    out = []
    for number, rows in enumerate(batches):
        site.append(rows)
        if number:
            out.append(everything(site.reader()))
        site.historian().catch_up()
        out.append(everything(site.reader()))
    site.historian().compact()
    store = HistoryStore.open(site.root / "history")
    with store.lock(), store.transaction() as txn:
        for group in list(txn.catalog.groups):
            txn.compact(group)
        txn.commit("compact")
    out.append(everything(site.reader()))
    site.historian().rebuild(workers=1)
    return [*out, everything(site.reader())]


# Each example builds, compacts and rebuilds six twins: shrinking one would take minutes.
@settings(max_examples=3, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(batches=st.lists(bursts, min_size=1, max_size=2), most=st.sampled_from([0, 2, MOST]))
def test_vacant_cells_read_as_if_they_were_built(make_site, batches, most):
    given_rows = [rows_of_bursts(found) for found in batches]
    found = []
    for mode in (every_cell_is_built(), short_spans_are_vacant(most)):
        with mode, TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            found.append(states(make_site(Path(folder), model=model()), given_rows))
    for want, got in zip(*found, strict=True):
        equal(got, want)


def test_two_weeks_two_years_apart_take_the_cells_of_two_weeks(site):
    def week(start, room):
        return [(f"{room}.t", start + at, 20 + at % 7 / 10) for at in range(0, 7 * DAY, 3)]

    site.append(week(0, "a") + week(730 * DAY, "b"))
    report = site.historian().catch_up()
    # Two rooms, three signals at one minute and one at a quarter of an hour; of the latter no cell has a claim.
    assert report.cells < 2 * 3 * 15 * DAY + 2 * 2048 * 4
    built = sum(f.stat().st_size for f in (site.root / "history").rglob("*") if f.is_file())
    report = site.historian().rebuild(workers=1)
    assert report.cells < 2 * 3 * 15 * DAY + 2 * 2048 * 4
    ds = site.reader().history("room", signals=["temperature"]).compute()
    # Room a is missing from its last value on, room b isn't known before its first.
    between = ds.temperature_qc.sel(time=slice("2024-06-01", "2024-06-30"))
    assert set(between.sel(asset="a").values) == {9}
    assert set(between.sel(asset="b").values) == {2}
    site.append(week(740 * DAY, "a"))
    site.historian().catch_up()
    grown = sum(f.stat().st_size for f in (site.root / "history").rglob("*") if f.is_file())
    assert grown < 3 * built


def test_bands_with_claims_at_different_times_are_planned_apart():
    spec = GroupSpec(Group("room", "1min"), 0, {"t": Signal(resolution=0.1)}, tuple(f"r{n:03}" for n in range(80)))
    shape = (1, 80)
    frontier = Frontier(np.zeros(shape, np.int64), np.full(shape, 10**6))
    plan = GroupPlan(spec, [(0, 10**6)], [(0, 10**6)], frontier)
    each = [[(band * 10**5, band * 10**5 + 2048)] for band in range(10)]
    parts = split_plan(plan, each, 0)
    assert [part.spec.first_asset for part in parts] == list(range(0, 80, 8))
    assert sum(part.cells for part in parts) < 10 * 8 * 3000
    # Every cell is either built or vacant.
    assert all(part.covered == [(0, 10**6)] for part in parts)
    # The same times throughout: one plan.
    assert split_plan(plan, [[(0, 2048)]] * 10, 0)[0].spec.assets == spec.assets
    # Dense claims, and a state with stored cells, aren't divided.
    assert split_plan(plan, [[(0, 10**6)]] * 10, 0) == [plan]
    assert split_plan(plan, each, 10) == [plan]
    assert Occupied(spec.part(0, 8)).spans() is None


cells = hnp.arrays(np.int64, (1, 5), elements=st.integers(-5, 60))


@given(cells, cells, st.none() | hnp.arrays(np.int64, (2, 5), elements=st.integers(-5, 60)))
def test_flags_of_vacant_cells_are_those_that_the_tests_give(known_from, passed, lifetimes):
    signal = Signal(resolution=0.1, spike=(1, 2), flat_line="5min", cadence="1min")
    spec = GroupSpec(Group("room", "1min"), 0, {"t": signal}, tuple("abcde"))
    plan = GroupPlan(spec, [], [], Frontier(known_from, passed, lifetimes), vacant=[(10, 50)])
    since, until = known_from[0], passed[0]
    if lifetimes is not None:
        since, until = np.maximum(since, lifetimes[0]), np.minimum(until, lifetimes[1])
    want = flag_cells(np.full((40, 5), np.nan), signal=signal, known_from=since - 10, known_until=until - 10)
    blocks = list(vacant_blocks(plan))
    assert [(block.k0, block.k1) for block in blocks] == list(
        zip([10, *(b.k0 for b in blocks[1:])], [*(b.k0 for b in blocks[1:]), 50], strict=True)
    )
    np.testing.assert_array_equal(np.vstack([block.flags["t"] for block in blocks]), want)
    assert all(block.flags["t"].strides[0] == 0 for block in blocks)


def test_rectangles_that_touch_become_one_and_whole_windows_are_counted():
    found = Rectangles([(0, 90, 0, 8)]).added((90, 130, 0, 8)).added((200, 260, 0, 4))
    assert found.tolist() == [[0, 130, 0, 8], [200, 260, 0, 4]]
    assert found.windows(60).tolist() == [[0, 2, 0, 8]]
    out = np.zeros((2, 4), np.uint8)
    found.paint(out, 9, (258, 262), (3, 5))
    assert out.tolist() == [[9, 9, 0, 0], [0, 0, 0, 0]]
