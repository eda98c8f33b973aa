"""Polling an HTTP service on loopback: pages, limits, errors, answers that have not changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.field_peers import HttpPeer
from twinlab.errors import SourceError
from twinlab.sources.live import LIVE_KINDS, Gap, LiveBatch, LiveContext, LiveSource
from twinlab.testing import check_live_source

WAYS: dict[str, dict[str, str]] = {
    "cursor": {"by": "cursor", "next": "next.cursor", "parameter": "at"},
    "url": {"by": "url", "next": "next.url"},
    "link": {"by": "link"},
    "offset": {"by": "offset", "parameter": "at"},
}


@pytest.fixture(scope="module")
def served() -> Iterator[HttpPeer]:
    peer = HttpPeer()
    yield peer
    peer.close()


@pytest.fixture
def peer(served: HttpPeer, monkeypatch: pytest.MonkeyPatch) -> HttpPeer:
    monkeypatch.setenv("SERVICE_TOKEN", "secret")
    served.positions = [position(n) for n in range(8)]
    served.depots = [{"id": "A", "docks": 4}, {"id": "B", "docks": 2}]
    for one in (served.moods, served.requests, served.answers):
        one.clear()
    return served


def position(number: int, *, second: int | None = None, speed: float = 50.0) -> dict[str, Any]:
    at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=10 * number if second is None else second)
    return {"id": number, "vehicle": {"id": "truck-1"}, "speed": speed, "updated": at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def positions(way: str = "cursor") -> dict[str, Any]:
    table = {"path": f"v1/positions/{way}", "rows": "data.items", "key": ["id"], "pages": WAYS[way]}
    return {"positions": {**table, "updated": "updated", "since": "updated_after"}}


DEPOTS = {"depots": {"path": "/v1/depots", "key": ["id"]}}


def opened(peer: HttpPeer, tables: dict[str, Any], *, once: bool = True, **options: Any) -> LiveSource:
    offsets = options.pop("offsets", {})
    given = {
        "url": peer.url,
        "tables": tables,
        "token": "${SERVICE_TOKEN}",
        "every": "20ms",
        "requests_per_second": 500,
        **options,
    }
    kind = LIVE_KINDS.get("http")
    source: LiveSource = kind.open(kind.parse(given), LiveContext("telematics", offsets=offsets, once=once))
    return source


async def collect(
    source: LiveSource, enough: Callable[[list[LiveBatch]], bool] = lambda found: False
) -> list[LiveBatch]:
    found: list[LiveBatch] = []
    async with asyncio.timeout(20), aclosing(source.batches()) as batches:  # type: ignore[type-var]
        async for batch in batches:
            found.append(batch)
            if enough(found):
                break
    return found


def run(source: LiveSource, enough: Callable[[list[LiveBatch]], bool] = lambda found: False) -> list[LiveBatch]:
    return asyncio.run(collect(source, enough))


def rows(batches: list[LiveBatch]) -> list[dict[str, Any]]:
    return [row for batch in batches for part in batch.parts for row in part.rows.to_pylist()]  # type: ignore[union-attr]


def ids(batches: list[LiveBatch]) -> list[int]:
    return [row["id"] for row in rows(batches)]


@pytest.mark.parametrize("way", WAYS)
def test_all_pages_are_read(peer: HttpPeer, way: str) -> None:
    source = opened(peer, positions(way))
    found = run(source)
    assert ids(found) == list(range(8))
    assert rows(found)[0] == {
        "id": 0,
        "vehicle.id": "truck-1",
        "speed": 50.0,
        "updated": rows(found)[0]["updated"],
    }
    newest = int(datetime(2026, 3, 1, 0, 1, 10, tzinfo=UTC).timestamp()) * 10**9
    assert [batch.offsets for batch in found if batch.offsets] == [{"positions": newest}]
    # The offset is the last: it is never before a row that isn't durable.
    assert found[-1].offsets
    assert len(peer.requests) == (4 if way == "offset" else 3)
    assert (source.health.state, source.health.rows) == ("ended", 8)


def test_a_poll_begins_the_overlap_before_the_newest_row_and_yields_only_what_is_new(peer: HttpPeer) -> None:
    source = opened(peer, positions(), once=False, overlap="30s")

    def enough(found: list[LiveBatch]) -> bool:
        if len(ids(found)) == 8 and found[-1].offsets:
            # A late row, one that is corrected, and a new one.
            peer.positions.append(position(100, second=45))
            peer.positions[6] = position(6, speed=10.0)
            peer.positions.append(position(101, second=80))
        return len(ids(found)) >= 11

    found = run(source, enough)
    assert ids(found)[8:] == [6, 100, 101]
    assert rows(found)[8]["speed"] == 10.0
    assert {query.get("updated_after") for _, _, query in peer.requests[:3]} == {None}
    assert peer.requests[3][2]["updated_after"] == "2026-03-01T00:00:40Z"


def test_after_a_restart_it_reads_from_its_offset_on(peer: HttpPeer) -> None:
    offset = int(datetime(2026, 3, 1, 0, 1, 0, tzinfo=UTC).timestamp()) * 10**9
    found = run(opened(peer, positions(), overlap="10s", offsets={"positions": offset}))
    assert ids(found) == [5, 6, 7]


def test_a_pause_that_the_service_asks_for_is_kept(peer: HttpPeer) -> None:
    later = datetime.now(UTC) + timedelta(seconds=2)
    peer.moods = [(429, {"Retry-After": "0.4"}), (503, {"Retry-After": format_datetime(later, usegmt=True)})]
    source = opened(peer, positions())
    assert ids(run(source)) == list(range(8))
    times = [at for at, _, _ in peer.requests]
    assert times[1] - times[0] >= 0.4
    assert time.time() >= later.timestamp() - 1
    assert times[2] - times[1] >= 0.3
    assert source.health.errors == 2


@pytest.mark.parametrize("mood", [500, 502, 504, 408])
def test_errors_that_pass_are_tried_again_and_no_row_is_lost_or_doubled(peer: HttpPeer, mood: int) -> None:
    peer.moods = [(mood, {})]
    assert ids(run(opened(peer, positions()))) == list(range(8))
    assert peer.answers == [mood, 200, 200, 200]


def test_an_error_is_over_with_the_next_answer_even_one_without_rows(peer: HttpPeer) -> None:
    peer.moods = [(503, {})]
    peer.depots = []
    source = opened(peer, DEPOTS)
    assert rows(run(source)) == []
    assert (source.health.errors, source.health.error) == (1, "")


def test_a_page_that_is_no_json_is_tried_again(peer: HttpPeer) -> None:
    peer.moods = [(200, {"body": "<html>Maintenance</html>", "Content-Type": "text/html"})]
    source = opened(peer, positions())
    assert ids(run(source)) == list(range(8))
    assert source.health.errors == 1


def test_a_cursor_that_has_expired_begins_the_poll_anew(peer: HttpPeer) -> None:
    source = opened(peer, positions())

    def enough(found: list[LiveBatch]) -> bool:
        if len(found) == 1:
            peer.moods = [(410, {})]
        return False

    assert ids(run(source, enough)) == list(range(8))
    assert 410 in peer.answers


def test_an_answer_that_has_not_changed_is_not_sent_again(peer: HttpPeer) -> None:
    source = opened(peer, DEPOTS, once=False)

    def until_unchanged() -> None:
        deadline = time.monotonic() + 10
        while peer.answers.count(304) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)

    async def all_of_it() -> list[LiveBatch]:
        task = asyncio.ensure_future(collect(source, lambda found: len(rows(found)) == 3))
        await asyncio.to_thread(until_unchanged)
        peer.depots = [{"id": "A", "docks": 4}, {"id": "B", "docks": 9}]
        return await task

    found = asyncio.run(all_of_it())
    assert [(row["id"], row["docks"]) for row in rows(found)] == [("A", 4), ("B", 2), ("B", 9)]
    assert peer.answers.count(200) == 2


def test_what_is_no_object_is_a_problem_and_not_lost(peer: HttpPeer) -> None:
    peer.depots = [{"id": "A"}, 7, {"id": "B"}]
    (batch,) = run(opened(peer, DEPOTS))
    (part,) = batch.parts
    assert [row["id"] for row in rows([batch])] == ["A", "B"]
    assert [(one.row, one.text) for one in part.problems] == [(2, "7")]  # type: ignore[union-attr]


def test_requests_stay_within_the_stated_pace(peer: HttpPeer) -> None:
    began = time.monotonic()
    source = opened(peer, positions(), once=False, requests_per_second=20, every="1ms")
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(collect(source), 1.5))
    assert 4 <= len(peer.requests) <= (time.monotonic() - began) * 20 + 1


@pytest.mark.parametrize(
    ("options", "moods", "message"),
    [
        ({"token": None}, [], "answers 401 .*check `token`"),
        ({"token": "${NOT_SET}"}, [], "NOT_SET isn't set"),
        ({"url": "/other"}, [], "answers 404 .*check `path`"),
        (
            {},
            [(302, {"Location": "http://127.0.0.1:1/elsewhere"})],
            "302 .*to http://127.0.0.1:1/elsewhere: state that address",
        ),
        ({"certificates": "none.pem"}, [], "expected certificates in .*none.pem"),
    ],
)
def test_what_another_attempt_can_t_mend_ends_the_source(
    peer: HttpPeer, options: dict[str, Any], moods: list[Any], message: str
) -> None:
    peer.moods = list(moods)
    options = {**options, **({"url": peer.url + options["url"]} if "url" in options else {})}
    source = opened(peer, positions(), **options)
    with pytest.raises(SourceError, match=message):
        run(source)
    assert source.health.state == "failed"
    assert len(peer.requests) <= 1


def test_columns_that_no_row_has_are_named(peer: HttpPeer) -> None:
    source = opened(peer, {"depots": {**DEPOTS["depots"], "key": ["number"]}})
    with pytest.raises(SourceError, match="table 'depots': no row has the column 'number'; there are docks, id"):
        run(source)


def test_nobody_at_the_address_is_an_error_after_which_it_goes_on(peer: HttpPeer) -> None:
    source = opened(peer, positions(), url="http://127.0.0.1:1/api")
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(collect(source), 0.5))
    assert source.health.state == "connecting"
    assert "http://127.0.0.1:1/api/v1/positions/cursor: no answer" in source.health.error


def test_one_table_that_fails_does_not_stop_the_others(peer: HttpPeer) -> None:
    source = opened(peer, {"broken": {**DEPOTS["depots"], "rows": "items"}, **DEPOTS}, once=False)
    found = run(source, lambda found: len(rows(found)) == 2)
    assert {part.table for batch in found for part in batch.parts} == {"depots"}  # type: ignore[union-attr]


def test_a_gap_is_read_again_when_asked(peer: HttpPeer) -> None:
    source = opened(peer, positions(), once=False, overlap="1s")
    start = int(datetime(2026, 3, 1, 0, 0, 40, tzinfo=UTC).timestamp()) * 10**9

    def enough(found: list[LiveBatch]) -> bool:
        if len(ids(found)) == 8 and found[-1].offsets:
            asked.append(asyncio.ensure_future(source.fill(Gap("positions", "test", start_ns=start))))
        return bool(found[-1].filled)

    asked: list[asyncio.Future[str]] = []
    found = run(source, enough)
    assert ids(found)[8:] == [4, 5, 6, 7]
    assert [one.result() for one in asked] == [""]
    (filled,) = (one for batch in found for one in batch.filled)
    assert (filled.by, filled.rows) == ("the service, read again", 4)
    assert asyncio.run(source.fill(Gap("nothing", "test", start_ns=start))) == "no table 'nothing' is polled"


def test_numbers_that_the_service_has_dropped_are_a_gap(peer: HttpPeer) -> None:
    numbered = {"rows": "rows", "key": ["number"], "updated": "number", "since": "after", "times": "number"}
    table = {"path": "/v1/depots", **numbered, "oldest": "oldest"}
    peer.depots = {"rows": [{"number": 50}, {"number": 51}], "oldest": 50}
    source = opened(peer, {"depots": table}, offsets={"depots": 7})
    found = run(source)
    (gap,) = (gap for batch in found for gap in batch.gaps)
    assert (gap.stream, gap.first_sequence, gap.stop_sequence) == ("depots", 8, 50)
    assert (source.health.gaps_lost, found[-1].offsets) == (1, {"depots": 51})
    # It isn't read again for ever.
    assert asyncio.run(source.fill(gap)) == "the service has dropped the rows"
    assert peer.requests[-1][2] == {"after": "7"}
    # Continued from the last one, nothing is missing.
    assert [gap for batch in run(opened(peer, {"depots": table}, offsets={"depots": 49})) for gap in batch.gaps] == []


def test_secrets_are_sent_and_not_shown(peer: HttpPeer, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hidden\n")
    source = opened(
        peer, DEPOTS, secret_headers={"X-Api-Key": f"file:{tmp_path / 'key'}"}, headers={"X-Client": "twinlab"}
    )
    run(source)
    assert (peer.seen_headers["x-api-key"], peer.seen_headers["x-client"]) == ("hidden", "twinlab")
    assert "hidden" not in repr(source.health)


def test_it_keeps_the_promises_of_a_live_source(peer: HttpPeer) -> None:
    options = {"url": peer.url, "token": "${SERVICE_TOKEN}", "tables": positions(), "every": "50ms"}
    check_live_source("http", options, rows=8)


def test_rows_that_the_ledger_has_do_not_come_again_after_a_restart(peer: HttpPeer) -> None:
    first = run(opened(peer, {**positions(), **DEPOTS}))
    stored = {
        table: [part.rows for batch in first for part in batch.parts if part.table == table]  # type: ignore[union-attr]
        for table in ("positions", "depots")
    }
    assert all(stored.values())
    asked: list[tuple[str, int | None]] = []

    def read(table: str, since: int | None) -> Iterator[pa.RecordBatch]:
        asked.append((table, since))
        yield from stored[table]

    offsets = {stream: at for batch in first for stream, at in batch.offsets.items()}
    given = {"url": peer.url, "tables": {**positions(), **DEPOTS}, "token": "${SERVICE_TOKEN}", "overlap": "1h"}
    kind = LIVE_KINDS.get("http")

    def restarted() -> LiveSource:
        source: LiveSource = kind.open(
            kind.parse(given), LiveContext("telematics", offsets=offsets, stored=read, once=True)
        )
        return source

    assert rows(run(restarted())) == []
    # Tables that are read as a whole are compared with all of the ledger's newest rows.
    assert [(table, since is None) for table, since in asked] == [("positions", False), ("depots", True)]
    peer.positions[-1]["speed"] = 99.0
    assert [row["speed"] for row in rows(run(restarted()))] == [99.0]
