"""Freshness of assets: last rows and latencies from the ledger, states from the status of the historian."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

import twinlab as tl
from twinlab.ledger.reader import Reader
from twinlab.twin.live.freshness.arrivals import Arrivals
from twinlab.twin.live.freshness.table import freshness_table
from twinlab.twin.live.status import LiveStatus

SECOND = 10**9
#: A source that works, as its status says.
WORKS = {"state": "connected", "stale": False, "gaps": [], "clock_offset": 0.5}


def append(twin: tl.Twin, *rows: tuple[str, int, float], source: str = "feed") -> None:
    """Append rows (tag, event time in seconds, value)."""
    tags, times, values = zip(*rows, strict=True)
    batch = pa.RecordBatch.from_pydict(
        {
            "tag": list(tags),
            "source_time": pa.array([int(at * SECOND) for at in times], pa.int64()),
            "time_basis": ["utc"] * len(rows),
            "value": list(values),
        }
    )
    with twin.ledger.writer(source) as writer:
        writer.append_many([batch])


@pytest.fixture
def twin(live_twin: Callable[[str], tl.Twin]) -> tl.Twin:
    return live_twin("{kind: replay, file: log.csv, stale_after: 5min}")


def table(twin: tl.Twin, *, running: bool = True, after: float = 60.0, **source: object):
    """Return the freshness some seconds after the newest row arrived."""
    found = Arrivals(twin.ledger, twin.model, twin.mappings).read()
    newest = max(one.last_arrived for one in found["feed"].values())
    status = LiveStatus(running=running, updated_ns=1, sources={"feed": WORKS | source})
    return freshness_table(found, status, twin.model, twin.mappings, now_ns=newest + int(after * SECOND))


def test_the_last_row_and_the_latencies_of_each_asset_are_those_of_the_ledger(twin: tl.Twin) -> None:
    append(twin, ("a.t", 1_000, 1.0), ("b.t", 1_010, 2.0))
    append(twin, ("a.t", 1_060, 3.0))
    found = table(twin)
    assert list(found.index) == [("truck", "a"), ("truck", "b")]
    assert found.loc[("truck", "a"), "last_event"] == np.datetime64("1970-01-01T00:17:40")
    arrived = twin.recent_rows("feed")["arrived"]
    assert found.loc[("truck", "a"), "last_arrived"] == arrived.max()
    assert found.loc[("truck", "a"), "age"] == pytest.approx(60.0)
    late = (arrived.astype("int64").to_numpy() - np.array([1_060, 1_010, 1_000]) * SECOND) / 1e9
    expected = np.percentile(late[[0, 2]], (50, 99))
    assert found.loc[("truck", "a"), ["event_p50", "event_p99"]].to_numpy(dtype=float) == pytest.approx(expected)


def test_each_reading_reads_new_rows_alone(twin: tl.Twin, monkeypatch: pytest.MonkeyPatch) -> None:
    append(twin, ("a.t", 1_000, 1.0))
    arrivals = Arrivals(twin.ledger, twin.model, twin.mappings)
    first = arrivals.read()["feed"]["truck", "a"].last_event
    starts: list[int] = []
    frames = Reader.frames
    monkeypatch.setattr(Reader, "frames", lambda self, **how: starts.append(how["start"]) or frames(self, **how))
    assert arrivals.read()["feed"]["truck", "a"].last_event == first
    assert starts == []
    append(twin, ("a.t", 1_100, 1.0))
    assert arrivals.read()["feed"]["truck", "a"].last_event == 1_100 * SECOND
    assert starts == [1]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, "live"),
        ({"after": 301.0}, "stale"),
        ({"stale": True}, "stale"),
        ({"state": "connecting"}, "no connection"),
        ({"state": "failed"}, "no connection"),
        ({"running": False}, "no connection"),
        ({"running": False, "state": "ended"}, "live"),
    ],
)
def test_an_asset_is_live_stale_or_without_connection(twin: tl.Twin, status: dict[str, object], state: str) -> None:
    append(twin, ("a.t", 1_000, 1.0))
    assert table(twin, **status)["state"].tolist() == [state]  # type: ignore[arg-type]


def test_a_gap_that_signals_state_is_the_limit(twin: tl.Twin) -> None:
    append(twin, ("a.t", 1_000, 1.0))
    found = Arrivals(twin.ledger, twin.model, twin.mappings).read()
    kind = twin.model.asset_types["truck"]
    signal = kind.signals["temperature"].model_copy(update={"gap": "1h"})
    model = twin.model.model_copy(
        update={"asset_types": {"truck": kind.model_copy(update={"signals": {"temperature": signal}})}}
    )
    status = LiveStatus(running=True, sources={"feed": WORKS})
    now = found["feed"]["truck", "a"].last_arrived
    for seconds, state in ((3_599, "live"), (3_601, "stale")):
        made = freshness_table(found, status, model, twin.mappings, now_ns=now + seconds * SECOND)
        assert made["state"].tolist() == [state]


def test_gaps_clocks_and_lost_connections_of_a_stream_are_those_of_its_assets(
    live_twin: Callable[[str], tl.Twin],
) -> None:
    twin = live_twin("{kind: replay, file: log.csv}")
    rule = twin.mappings["feed"].stream
    assert rule is not None
    tags = {r"/^(?P<id>\w+)/t$/": next(iter(rule.tags.values()))}
    twin.mappings["feed"] = twin.mappings["feed"].model_copy(update={"stream": rule.model_copy(update={"tags": tags})})
    append(twin, ("a/t", 1_000, 1.0), ("b/t", 1_000, 1.0))
    over = {"start_ns": 1, "stop_ns": 2}
    gaps = [
        {"stream": stream, "tags": tags, **over} for stream, tags in (("a", []), ("", ["b/t"]), ("", []), ("c", []))
    ]
    found = table(twin, gaps=gaps, stream_clocks={"a": 7.0, "c": 90.0}, streams_offline=("b",))
    assert found["gaps"].tolist() == [2, 2]
    assert found["clock_offset"].tolist() == [7.0, 0.5]
    assert found["state"].tolist() == ["live", "no connection"]
    goes_on = {"stream": "", "tags": ["b/t"], "start_ns": 1, "stop_ns": None}
    assert table(twin, gaps=[goes_on])["state"].tolist() == ["live", "rows missing"]


def test_a_twin_reads_its_own_freshness(twin: tl.Twin) -> None:
    assert twin.freshness().empty
    append(twin, ("a.t", 1_000, 1.0))
    found = twin.freshness()
    assert found["state"].tolist() == ["no connection"]
    assert found["source"].tolist() == ["feed"]
