"""Statistics of a signal during a hundred thousand events, beside DuckDB; and during a million events of a fleet's year.

Run with ``pytest tests/benchmarks/test_event_statistics_bench.py -m benchmark -s -n0``. Figures are CPU seconds of this
process, as medians of three, and MB of memory above what the process had. They are reported, never asserted; what is
asserted is that both sides find the same numbers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import xarray as xr

import twinlab as tl
from tests.benchmarks.test_event_algebra_bench import ratio, say

pytestmark = pytest.mark.benchmark
MINUTE, YEAR = 60 * 10**9, 525_600


def events(count: int, assets: int, seed: int = 3) -> pd.DataFrame:
    """Events of half an hour on average that begin and end at whole minutes."""
    rng = np.random.default_rng(seed)
    start = np.sort(rng.integers(0, YEAR, count))
    length = 1 + rng.geometric(1 / 30, count)
    return pd.DataFrame(
        {
            "asset": pd.Series([f"t{n}" for n in rng.integers(0, assets, count)], dtype="str"),
            "start": (start * MINUTE).view("datetime64[ns]"),
            "end": (np.minimum(start + length, YEAR) * MINUTE).view("datetime64[ns]"),
        }
    )


def cpu(act: Callable[[], Any]) -> tuple[float, Any]:
    costs = []
    for _ in range(3):
        began = time.process_time()
        found = act()
        costs.append(time.process_time() - began)
    return float(np.median(costs)), found


def test_statistics_of_a_hundred_thousand_events() -> None:
    import duckdb

    assets = 20
    rng = np.random.default_rng(1)
    values = rng.integers(-50, 300, (YEAR, assets)) / 10
    values[rng.random(values.shape) < 0.03] = np.nan
    when = (np.arange(YEAR) * MINUTE).view("datetime64[ns]")
    names = np.array([f"t{n}" for n in range(assets)], dtype=object)
    data = xr.Dataset({"level": (("time", "asset"), values)}, coords={"time": when, "asset": names})
    some = events(100_000, assets)
    base = duckdb.connect(config={"threads": 2})
    # The cells of an asset together, in order of time; one without a value is no row.
    for n, name in enumerate(names):
        base.register("frame", pd.DataFrame({"asset": name, "time": when, "level": values[:, n]}).dropna())
        base.execute(
            f"{'insert into cells' if n else 'create table cells as'} select *, epoch_ns(time) // 86400000000000 as day from frame"
        )
    base.register("frame", some.assign(row=np.arange(len(some))))
    base.execute("create table events as select * from frame")
    # Tuned by hand: the day is a key of the join, or each event would be compared with each cell of its asset.
    query = """with e as (select *, unnest(range(epoch_ns(start) // 86400000000000, epoch_ns("end") // 86400000000000 + 1)) as day
        from events)
        select row, count(*) as n, avg(level) as mean, min(level) as low, max(level) as high,
        sum(greatest(level - 25, 0)) / 60 as above
        from e join cells c on e.asset = c.asset and e.day = c.day and c.time >= e.start and c.time < e."end"
        group by row order by row"""
    tl.events.event_statistics(data, some[:9], "level", above=25.0)
    ours_s, ours = cpu(lambda: tl.events.event_statistics(data, some, "level", above=25.0))
    theirs_s, theirs = cpu(lambda: base.sql(query).df())
    mine = ours.iloc[theirs["row"]]
    for name, other in (("mean", "mean"), ("min", "low"), ("max", "high"), ("integral_above", "above")):
        np.testing.assert_allclose(mine[name], theirs[other], atol=1e-9)
    counts = (mine["coverage"] * (mine["duration"] / pd.Timedelta(minutes=1))).round().astype(int)
    assert (counts.to_numpy() == theirs["n"].to_numpy()).all()
    assert ours["mean"].notna().sum() == len(theirs)
    say("100,000 events of 10.5 M cells", cells=int(counts.sum()), **ratio(ours_s, duckdb=theirs_s))


def test_memory_for_a_million_events_of_a_year_of_a_thousand_assets() -> None:
    import dask.array

    def block(block_info: dict[Any, Any]) -> np.ndarray:
        (t0, t1), (a0, a1) = block_info[None]["array-location"]
        return np.add.outer(np.arange(t0, t1) % 1440, np.arange(a0, a1) % 7).astype(float)

    chunks = (tuple([65_536] * 8 + [YEAR - 8 * 65_536]), (128,) * 7 + (104,))
    lazy = dask.array.map_blocks(block, chunks=chunks, dtype=float, meta=np.empty((0, 0)))
    when = (np.arange(YEAR) * MINUTE).view("datetime64[ns]")
    names = np.array([f"t{n}" for n in range(1000)], dtype=object)
    data = xr.Dataset({"level": (("time", "asset"), lazy)}, coords={"time": when, "asset": names})
    some = events(1_000_000, 1000)
    tl.events.event_statistics(data, some[:9], "level")
    process, peak, done = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    before = process.memory_info().rss
    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.process_time()
    found = tl.events.event_statistics(data, some, "level")
    seconds = time.process_time() - began
    done.set()
    watcher.join()
    first = (some["start"].to_numpy().view(np.int64) // MINUTE) % 1440 + some["asset"].str.slice(1).astype(
        int
    ).to_numpy() % 7
    assert (found["coverage"] == 1).all()
    assert (found["min"].to_numpy() <= first).all() and (found["max"].to_numpy() >= first).all()
    say(
        "1 M events of 525.6 M cells",
        cpu_s=round(seconds, 1),
        more_MB=round((peak[0] - before) / 1e6),
        sum=float(found["max"].sum()),
    )
