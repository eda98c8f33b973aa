"""A scan of stored tiles finds the same runs as arrays do, whatever is stored, waiting in the tail, or asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinlab.events.finding.evaluation.block import Block as Cells
from twinlab.events.finding.evaluation.block import SignalCells
from twinlab.events.finding.evaluation.conditions import COMPARE, evaluate
from twinlab.events.finding.scanning.scan import scan_runs
from twinlab.events.finding.scanning.static import Static
from twinlab.events.finding.scanning.strip_scan import FOREVER
from twinlab.events.rules.runs import runs_of
from twinlab.history.build.blocks import Block
from twinlab.history.layout.encoding import sentinel
from twinlab.history.layout.grid import Group
from twinlab.history.read.datasets import dataset
from twinlab.history.scan.cell_scan import CellScan
from twinlab.history.write.history_store import HistoryStore
from twinlab.model.expressions import bound
from twinlab.model.expressions.walk import signals_of
from twinlab.model.twinmodel import TwinModel

# Four days before the end of a year, whose arrays end there.
ORIGIN = int(np.datetime64("2013-12-28", "ns").astype("int64"))
MODEL = TwinModel.model_validate(
    {
        "twin": "test",
        "origin": "2013-12-28",
        "asset_types": {
            "truck": {
                "signals": {
                    "speed": {"unit": "km/h", "resolution": 0.1},
                    "door": {"kind": "state", "states": {0: "closed", 1: "open", 2: "ajar"}},
                    "level": {"unit": "m", "resolution": 0.25, "sensor_span": [0, 1e9]},
                }
            }
        },
    }
)
SIGNALS = MODEL.asset_types["truck"].signals
GROUP = Group("truck", "1min")
ASSETS = 11
CELLS = 11_000
MINUTE = 60 * 10**9
HOLD = {"speed": 60, "door": FOREVER, "level": 60}


def cells(rng: np.random.Generator, count: int, assets: int) -> tuple[dict, dict]:
    """Return integers and flags of wandering signals, with outages short and long, failed and unevaluated cells."""
    values, flags = {}, {}
    for name, signal in SIGNALS.items():
        dtype = signal.storage_dtype
        if name == "door":
            part = np.where(rng.random((count, assets)) < 0.003, rng.integers(0, 3, (count, assets)), sentinel(dtype))
        else:
            part = (rng.normal(0, 2, (count, assets)).cumsum(axis=0) + rng.normal(0, 60, assets)).round()
            for asset in range(assets):
                for _ in range(count // 900):
                    first = rng.integers(0, count)
                    part[first : first + rng.integers(1, 200), asset] = sentinel(dtype)
        part = part.astype(dtype)
        flag = rng.choice(np.array([1, 1, 1, 1, 3, 4], "uint8"), (count, assets))
        # Cells that no watermark has passed: values that count, though no rollup has them.
        if rng.random() < 0.4:
            flag[-rng.integers(1, 1500) :] = 2
        flag[(part == sentinel(dtype)) & (flag != 2)] = 9
        values[name], flags[name] = part, flag
    return values, flags


@pytest.fixture(scope="module", params=[1, 2])
def stored(request, tmp_path_factory):
    """A history of eleven trucks, one of which has no cells; the newest cells are hot."""
    rng = np.random.default_rng(request.param)
    store = HistoryStore.create(tmp_path_factory.mktemp("scan") / "h", origin_ns=ORIGIN)
    with store.lock(), store.transaction() as txn:
        txn.ensure_group(GROUP, SIGNALS, ASSETS)
        txn.write_cells(GROUP, 0, *cells(rng, CELLS - 1000, ASSETS - 1))
        txn.commit("bulk")
    with store.lock(), store.transaction() as txn:
        for first in range(CELLS - 1000, CELLS - 500, 100):
            txn.write_cells(GROUP, first, *cells(rng, 100, ASSETS))
        txn.meta["assets"] = {"truck": [f"t{n}" for n in range(ASSETS)]}
        txn.commit("hot")
    assert any(year.hot_chunks for year in store.view().catalog.entry(GROUP).years.values())
    return store.view()


signals = st.sampled_from(sorted(SIGNALS))
numbers = st.one_of(
    st.integers(-60, 60).map(lambda n: n / 4), st.floats(-30, 30), st.sampled_from([0.0, 1.0, 2.0, np.inf, -np.inf])
)


@st.composite
def compares(draw) -> bound.Compare:
    name = draw(signals)
    one = bound.Signal(name, SIGNALS[name].unit)
    other = draw(st.one_of(numbers.map(lambda n: bound.Constant(n, one.unit)), st.just(bound.Property("limit", ""))))
    sides = draw(st.permutations([one, other]))
    return bound.Compare(draw(st.sampled_from(sorted(COMPARE))), *sides)


#: Conditions that don't change in time, and may be true, false or unknown.
static = st.one_of(
    st.booleans().map(bound.Truth),
    numbers.map(lambda n: bound.Compare(">", bound.Constant(n, ""), bound.Property("limit", ""))),
)
conditions = st.recursive(
    st.one_of(compares(), compares(), compares(), static),
    lambda inner: st.one_of(
        inner.map(bound.Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: bound.All(tuple(some))),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: bound.Any(tuple(some))),
    ),
    max_leaves=5,
).filter(signals_of)


def block_of(data, numbers) -> Cells:
    """Return the cells of a Dataset as arrays."""
    cells = {}
    for name in sorted(SIGNALS):
        if name in data:
            value, flag, state = data[name].values, data[f"{name}_qc"].values, SIGNALS[name].kind == "state"
            good = ~np.isnan(value) & (flag != 4 if state else np.isin(flag, [1, 2, 3]))
            times = data.time.values.astype("datetime64[ns]").astype("int64")
            cells[name] = SignalCells(times, value, good, good, None if state else HOLD[name] * MINUTE)
    return Cells(data.time.values.astype("datetime64[ns]").astype("int64"), tuple(data.asset.values), cells, numbers)


def tail(rng: np.random.Generator) -> list[Block]:
    """Return newer cells: late ones in a rectangle, and those after the last stored cell."""
    late = int(rng.integers(0, CELLS - 2000))
    return [
        Block(GROUP, late, *cells(rng, int(rng.integers(1, 700)), 3), first_asset=4),
        Block(GROUP, CELLS - 500, *cells(rng, 300, ASSETS)),
    ]


@settings(max_examples=25)
@given(
    condition=conditions,
    seed=st.integers(0, 99),
    newer=st.booleans(),
    chosen=st.one_of(st.none(), st.permutations(range(ASSETS)).flatmap(lambda p: st.integers(1, 11).map(lambda n: p[:n]))),
    span=st.one_of(st.none(), st.tuples(st.integers(0, CELLS - 1), st.integers(1, CELLS))),
)  # fmt: skip
def test_a_scan_finds_what_arrays_show(stored, condition, seed, newer, chosen, span):
    rng = np.random.default_rng(seed)
    ids = None if chosen is None else [f"t{n}" for n in chosen]
    window, first = {}, 0 if span is None else span[0]
    if span is not None:
        at = [np.datetime64(ORIGIN + k * 60 * 10**9, "ns") for k in (span[0], span[0] + span[1])]
        window = {"start": at[0], "stop": at[1]}
    overlay = tail(rng) if newer else []
    names = sorted(signals_of(condition))
    data = dataset(stored, MODEL, "truck", signals=names, assets=ids, overlay=overlay, **window)
    scan = CellScan.of(data, names)
    limit = rng.choice([np.nan, -3.0, 1.0, 4.5], data.asset.size)
    got = scan_runs(condition, scan, Static(block_of(data.isel(time=slice(0)), {"limit": limit})), HOLD)
    # Arrays from the origin on contain what is valid at the window's first cell.
    whole = dataset(
        stored, MODEL, "truck", signals=names, assets=ids, overlay=overlay, **window | {"start": "2013-12-28"}
    )
    truth = evaluate(condition, block_of(whole.compute(), {"limit": limit}))
    want = runs_of(truth[first:] == 2)
    np.testing.assert_array_equal(got.asset, want.column)
    np.testing.assert_array_equal(got.first - scan.first, want.first)
    np.testing.assert_array_equal(got.stop - scan.first, want.stop)
