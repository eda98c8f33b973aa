"""Events of a fleet's year of raw samples: `find` beside DuckDB's gaps and islands on sorted Parquet, with two threads each.

Run with ``python -m pytest tests/benchmarks/test_find_bench.py -m benchmark -s -n0`` (`find_fleet` builds the data once, in
``TWINLAB_BENCH_DIR``). Both give the same events, which is asserted; CPU seconds are reported, never asserted.
``TWINLAB_BENCH_OUT`` takes JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
import find_fleet
from find_fleet import CELLS, ORIGIN, Fleet

import twinlab as tl

pytestmark = pytest.mark.benchmark
ROWS: list[dict[str, object]] = []
#: Limit in degC -> what it selects.
LIMITS = {70.0: "1 truck in 100, ever", 35.0: "0.001 % of the cells", 25.0: "6 %", 12.0: "50 %"}

Events = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


class Measured(NamedTuple):
    """What was found, and what it took."""

    events: Events
    cpu: float
    wall: float


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """The history and the peer's file."""
    chosen = os.environ.get("TWINLAB_BENCH_DIR")
    return find_fleet.build(Path(chosen) if chosen else tmp_path_factory.mktemp("bench"))


def measured(function: Callable[[], Any], events: Callable[[Any], Events], rounds: int) -> Measured:
    """Return what a function found, with its median CPU time and wall time in seconds."""
    taken = []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        table = function()
        taken.append((time.process_time() - cpu, time.perf_counter() - wall))
    return Measured(events(table), *np.median(taken, axis=0).tolist())


def found(fleet: Fleet, limit: float) -> pd.DataFrame:
    """Return the table of events."""
    return tl.events.find(fleet.reader(), f"temperature > {limit} degC", on="truck")


def of_table(table: pd.DataFrame) -> Events:
    """Return truck, first minute and minute after the last one of each event."""
    # An event that isn't over at the end of the year ends with it, in the peer's answer.
    last = np.datetime64(ORIGIN) + np.timedelta64(CELLS, "m")
    start, end = (
        (column.to_numpy(dtype="datetime64[m]") - np.datetime64(ORIGIN, "m")).astype(np.int64)
        for column in (table["start"], table["end"].fillna(last))
    )
    trucks = table["asset"].str.slice(1).astype(np.int64).to_numpy()
    return trucks, start, end


#: A value counts for an hour; an event ends with the next good row that isn't above the limit, or an hour after the last one
#: that is. `{window}` orders the rows of a truck.
ISLANDS = """
with marked as (
    select series, minute, number > {limit} as hit,
        lag(series) over w as series_before, lag(minute) over w as before, lag(number > {limit}) over w as hit_before,
        lead(series) over w as series_after, lead(minute) over w as after, lead(number > {limit}) over w as hit_after
    from '{file}' where flag in (1, 3) window w as ({window})),
edges as (
    select series, minute,
        not coalesce(series_before = series and hit_before and minute - before <= 60, false) as starts,
        not coalesce(series_after = series and hit_after and after - minute <= 60, false) as ends,
        least(case when series_after = series then after end, minute + 60, {cells}) as until
    from marked where hit),
paired as (
    select series, minute, starts, ends, until, lead(until) over (partition by series order by minute) as later
    from edges where starts or ends)
select series, minute as start, case when ends then until else later end as until
from paired where starts order by series, start
"""
#: Relying on the order of the rows in the file, which a stream of rows keeps; and as the books write it, whose time hardly
#: depends on the limit: once.
WINDOWS = {"file order": "", "partition": "partition by series order by minute"}
PARTITION_LIMITS = (25.0,)


def islands(fleet: Fleet, limit: float, window: str) -> dict[str, NDArray[Any]]:
    """Return the columns that DuckDB gives."""
    import duckdb

    sql = ISLANDS.format(limit=round(limit * 10), file=fleet.rows, window=WINDOWS[window], cells=CELLS)
    with duckdb.connect(config={"threads": 2, "temp_directory": str(fleet.root / "spill")}) as connection:
        return connection.execute(sql).fetchnumpy()


def of_columns(columns: dict[str, NDArray[Any]]) -> Events:
    """Return truck, first minute and minute after the last one of each event."""
    series, start, until = (np.asarray(columns[name]).astype(np.int64) for name in ("series", "start", "until"))
    return series, start, until


def test_find_beside_duckdb(fleet: Fleet) -> None:
    pytest.importorskip("duckdb")
    # Compiles the kernels.
    found(fleet, 90.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ours = {limit: measured(lambda x=limit: found(fleet, x), of_table, 5) for limit in LIMITS}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for limit, what in LIMITS.items():
        mine = ours[limit]
        row: dict[str, object] = {"temperature >": limit, "selects": what, "events": len(mine.events[0])}
        row |= {"checksum": blake2b(np.stack(mine.events).tobytes(), digest_size=4).hexdigest()}
        row |= {"find_cpu_s": round(mine.cpu, 3), "find_wall_s": round(mine.wall, 3)}
        for window in WINDOWS if limit in PARTITION_LIMITS else ("file order",):
            theirs = measured(lambda x=limit, w=window: islands(fleet, x, w), of_columns, 1)
            for one, other in zip(mine.events, theirs.events, strict=True):
                np.testing.assert_array_equal(one, other)
            row |= {f"{window}_cpu_s": round(theirs.cpu, 1), f"{window}_wall_s": round(theirs.wall, 1)}
            row |= {f"{window}_ratio": round(theirs.cpu / mine.cpu, 1)}
        ROWS.append(row)
        sys.stdout.write("\n" + "  ".join(f"{name}={value}" for name, value in row.items()))
        sys.stdout.flush()
    ROWS.append({"peak_mb": round(peak), "peak_mb_before": round(before)})
    sys.stdout.write(f"\npeak {peak:.0f} MB, {before:.0f} MB with the kernels compiled and nothing found\n")
    if out := os.environ.get("TWINLAB_BENCH_OUT"):
        Path(out).write_text(json.dumps(ROWS, indent=1))


def test_windows_are_evaluated_where_rollups_leave_them_open(fleet: Fleet) -> None:
    expression = "mean(temperature) over 15 min > 30 degC"
    taken = measured(lambda: tl.events.find(fleet.reader(), expression, on="truck"), of_table, 3)
    sys.stdout.write(f"\n{expression}: {len(taken.events[0])} events, {taken.cpu:.2f} s CPU, {taken.wall:.2f} s\n")
