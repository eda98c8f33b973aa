"""Overlaps of a million events with a million others, beside DuckDB and ncls (nested containment lists in C).

Run with ``pytest tests/benchmarks/test_event_algebra_bench.py -m benchmark -s -n0``; ncls only if it is installed. Figures
are CPU seconds of this process, as medians of five. They are reported, never asserted; what is asserted is that all find the
same pairs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import twinlab as tl
from twinlab.events.algebra.event_spans import spans_of
from twinlab.events.algebra.spans import intersections

pytestmark = pytest.mark.benchmark
#: Microseconds, so that a thousand stretches of two years fit in an integer.
YEAR = 365 * 86_400 * 10**6
EVENTS, ASSETS = 1_000_000, 1_000
#: Tuned by hand: each event once for each of its days, so that the day is a key of the join; a pair counts on its first day.
BY_DAY = """
    with m as (select *, unnest(range({start}, {end} + 1)) as day from mine),
    o as (select *, unnest(range({start}, {end} + 1)) as day from others)
    select {columns} from m join o on m.day = o.day and m.day = greatest({m_start}, {o_start}) and {on}
""".format(
    start="epoch_ns(start) // 86400000000000", end='epoch_ns("end") // 86400000000000',
    m_start="epoch_ns(m.start) // 86400000000000", o_start="epoch_ns(o.start) // 86400000000000",
    on="{on}", columns="{columns}",
)  # fmt: skip


def events(seed: int) -> pd.DataFrame:
    """Events of four hours on average, in order of their start, as a history returns them."""
    rng = np.random.default_rng(seed)
    start = np.sort(rng.integers(0, YEAR, EVENTS))
    length = (rng.exponential(4 * 3600, EVENTS) * 1e6).astype(np.int64)
    return pd.DataFrame(
        {
            "event_id": pd.Series([f"e{n}" for n in range(EVENTS)], dtype="str"),
            "asset": pd.Series([f"truck/{n}" for n in rng.integers(0, ASSETS, EVENTS)], dtype="str"),
            "start": (1000 * start).view("datetime64[ns]"),
            "end": (1000 * (start + length)).view("datetime64[ns]"),
        }
    )


def cpu(act: Callable[[], Any]) -> tuple[float, Any]:
    costs = []
    for _ in range(5):
        began = time.process_time()
        found = act()
        costs.append(time.process_time() - began)
    return float(np.median(costs)), found


def say(what: str, **figures: object) -> None:
    figures["load"] = round(os.getloadavg()[0], 1)
    sys.stdout.write(f"\n{what}  " + "  ".join(f"{name}={value}" for name, value in figures.items()) + "\n")


def ratio(ours: float, **theirs: float) -> dict[str, float]:
    ((name, other),) = theirs.items()
    return {"twinlab_s": round(ours, 2), f"{name}_s": round(other, 2), "ratio": round(other / ours, 1)}


def checksum(row: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Return the number of pairs and a hash of them that doesn't depend on their order."""
    pairs = row.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ other.astype(np.uint64) * np.uint64(
        0xC2B2AE3D27D4EB4F
    )
    return len(row), int((pairs * pairs).sum(dtype=np.uint64))


def test_overlaps_of_a_million_events_with_a_million() -> None:
    import duckdb

    mine, others = events(1), events(2)
    base = duckdb.connect(config={"threads": 2})
    for name, table in (("mine", mine), ("others", others)):
        numbered = table.assign(row=np.arange(EVENTS))
        base.register("frame", numbered)
        base.execute(f"create table {name} as select * from frame order by asset, start")
    tl.events.overlap_pairs(mine[:9], others[:9])
    tl.events.overlaps(mine[:9], others[:9])
    on = 'm.asset = o.asset and m.start < o."end" and o.start < m."end"'
    columns = "m.asset, m.event_id, o.event_id as other_id, m.row, o.row as other, greatest(m.start, o.start) as s, "
    columns += 'least(m."end", o."end") as e'
    ours_s, ours = cpu(lambda: tl.events.overlap_pairs(mine, others))
    found = checksum(ours["event"].to_numpy(), ours["other"].to_numpy())
    seconds = int((ours["end"] - ours["start"]).sum().value)
    for name, query in (
        ("plain SQL", f"select {columns} from mine m join others o on {on}"),
        ("SQL by day", BY_DAY.format(on=on, columns=columns)),
    ):
        theirs_s, theirs = cpu(lambda query=query: base.sql(query).to_arrow_table())
        assert found == checksum(theirs["row"].to_numpy(), theirs["other"].to_numpy())
        total = base.sql(f"select sum(epoch_ns(e) - epoch_ns(s)) from ({query})").fetchall()
        assert seconds == int(total[0][0])
        say(f"pairs, beside {name}", n=found[0], hash=found[1], **ratio(ours_s, duckdb=theirs_s))
    some = f"select m.* from mine m where exists (from others o where {on})"
    ours_s, ours = cpu(lambda: tl.events.overlaps(mine, others))
    theirs_s, theirs = cpu(lambda: base.sql(some).to_arrow_table())
    assert len(ours) == len(theirs)
    assert ours.index.to_numpy().sum() == theirs["row"].to_numpy().sum()
    say("events with any", n=len(ours), **ratio(ours_s, duckdb=theirs_s))
    beside_ncls(mine, others, found)


def beside_ncls(mine: pd.DataFrame, others: pd.DataFrame, expected: tuple[int, int]) -> None:
    """Compare the arrays alone: from integer times and keys to pairs of rows."""
    ncls = pytest.importorskip("ncls", reason="ncls is not installed: pip install ncls")
    spans = spans_of(mine, others)
    # One list for all assets: each has its own stretch of time.
    (start, end), (other_start, other_end) = (
        (s.start // 1000 + s.key * 2 * YEAR, s.end // 1000 + s.key * 2 * YEAR) for s in spans
    )
    rows = np.arange(EVENTS)
    theirs_s, (row, other) = cpu(lambda: ncls.NCLS(other_start, other_end, rows).all_overlaps_both(start, end, rows))
    assert checksum(row, other) == expected
    # Anew each time, since spans keep their order.
    ours_s, (row, other) = cpu(lambda: intersections(*(one.take(rows) for one in spans)))
    assert checksum(row, other) == expected
    say("arrays alone", n=len(row), **ratio(ours_s, ncls=theirs_s))
