"""Aggregation at the edge: what it leaves out follows from what it sends, and can be requested."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.edge.test_gateway import Historian, settings
from twinlab.edge import Gateway, Outbox, Reading, Readings
from twinlab.edge.aggregation import Deadband, Windows
from twinlab.edge.raw import RawRequest
from twinlab.edge.reducing import Reducing
from twinlab.edge.settings import Stream
from twinlab.errors import SchemaError, SourceError

VALUES = st.none() | st.integers(-50, 50).map(lambda n: n / 4) | st.just(math.nan)
ROWS = st.lists(
    st.builds(
        Reading,
        tag=st.sampled_from(["a", "b"]),
        time=st.integers(0, 200),
        value=VALUES,
        text=st.sampled_from([None, None, "open"]),
        status=st.sampled_from([None, None, None, 7]),
    ),
    max_size=60,
)
SECOND = 10**9


def key(row: Reading) -> tuple[object, ...]:
    return tuple("nan" if isinstance(part, float) and math.isnan(part) else part for part in row)


@given(ROWS, st.sampled_from([0.0, 0.5, 3.0]), st.none() | st.integers(1, 50), st.integers(0, 60))
def test_a_row_that_a_deadband_leaves_out_is_near_the_last_one_sent(
    rows: list[Reading], width: float, longest: int | None, cut: int
) -> None:
    first = Deadband(width, longest=longest)
    one = first.take(rows[:cut])
    # Killed and started again: the state has been through JSON.
    two = Deadband(width, longest=longest, state=json.loads(json.dumps(first.state))).take(rows[cut:])
    sent, left_out = one.sent + two.sent, one.left_out + two.left_out
    whole = Deadband(width, longest=longest).take(rows)
    assert list(map(key, whole.sent)) == list(map(key, sent))
    assert sorted(map(repr, sent + left_out)) == sorted(map(repr, rows))
    last: dict[str, Reading] = {}
    waiting = list(map(key, sent))
    for row in rows:
        if waiting and key(row) == waiting[0] and not near(row, last.get(row.tag), width, longest):
            waiting.pop(0)
            last[row.tag] = row
        else:
            assert near(row, last[row.tag], width, longest)
    assert waiting == []


def near(row: Reading, last: Reading | None, width: float, longest: int | None) -> bool:
    if last is None or (row.text, row.status, row.value is None) != (last.text, last.status, last.value is None):
        return False
    if longest is not None and abs(row.time - last.time) >= longest:
        return False
    if row.value is None or last.value is None:
        return True
    return (math.isnan(row.value) and math.isnan(last.value)) or abs(row.value - last.value) <= width


@given(ROWS, st.integers(1, 60), st.integers(0, 60))
def test_windows_count_every_row_that_they_leave_out(rows: list[Reading], width: int, cut: int) -> None:
    first = Windows(width)
    one = first.take(rows[:cut])
    second = Windows(width, state=json.loads(json.dumps(first.state)))
    two = second.take(rows[cut:])
    sent = one.sent + two.sent + second.close(10_000)
    assert second.close(10_000) == []
    left_out = one.left_out + two.left_out
    plain = [row for row in sent if "/" not in row.tag]
    assert sorted(map(repr, plain + left_out)) == sorted(map(repr, rows))
    made = {(row.tag, row.time): row.value for row in sent if "/" in row.tag}
    assert len(made) == sum("/" in row.tag for row in sent)
    windows: dict[tuple[str, int], list[float]] = {}
    for row in left_out:
        windows.setdefault((row.tag, row.time - row.time % width), []).append(row.value)
    assert made == {
        (f"{tag}/{name}", start): value
        for (tag, start), values in windows.items()
        for name, value in {
            "mean": sum(values) / len(values), "min": min(values), "max": max(values), "count": len(values)
        }.items()
    }  # fmt: skip


def numbered(first: int, count: int, tag: str = "vib") -> list[Reading]:
    return [Reading(tag, n * SECOND, float(n)) for n in range(first, first + count)]


STREAMS = {"fast": {"tags": ["vib"], "window": "10s", "grace": "1s", "keep_raw": "1h"}}


def test_a_gateway_sends_windows_and_raw_rows_on_request_once(tmp_path: Path) -> None:
    historian = Historian()

    async def main() -> None:
        async with Gateway(
            settings(tmp_path, streams=STREAMS, units={"vib": "mm/s"}),
            connect=historian.connect,
            now_ns=lambda: 25 * SECOND,
        ) as gateway:
            await gateway.write([*numbered(0, 25), Reading("door", 0, text="open")])
            async with asyncio.timeout(30):
                await gateway.drain()
            for _ in range(2):
                payload = RawRequest(("v*",), 5 * SECOND, 8 * SECOND).to_json()
                await gateway._send_raw(payload)
                await gateway.drain()
            await gateway._send_raw(b"nonsense")

    asyncio.run(main())
    parts = [part.content for part in historian.got if isinstance(part.content, Readings)]
    rows = [row for part in parts for row in part.rows()]
    assert {(row.tag, row.time // SECOND, row.value) for row in rows if row.tag.startswith("vib/")} == {
        ("vib/mean", 0, 4.5), ("vib/min", 0, 0.0), ("vib/max", 0, 9.0), ("vib/count", 0, 10.0),
        ("vib/mean", 10, 14.5), ("vib/min", 10, 10.0), ("vib/max", 10, 19.0), ("vib/count", 10, 10.0),
    }  # fmt: skip
    assert [row for row in rows if row.tag == "vib"] == numbered(5, 3)
    units = {tag: unit for part in parts for tag, unit in zip(part.tags, part.units, strict=True)}
    assert units == {
        "vib": "mm/s",
        "vib/mean": "mm/s",
        "vib/min": "mm/s",
        "vib/max": "mm/s",
        "vib/count": "1",
        "door": None,
    }


def opened(folder: Path) -> tuple[Outbox, Reducing]:
    box = Outbox(folder / "box.db")
    return box, Reducing(box, settings(folder, streams=STREAMS))


def test_an_open_window_survives_the_end_of_the_gateway(tmp_path: Path) -> None:
    box, reducing = opened(tmp_path)
    reducing.write({"fast": Readings.of(numbered(0, 5))})
    box.close()
    box, reducing = opened(tmp_path)
    reducing.write({"fast": Readings.of(numbered(5, 3))})
    assert reducing.close(10 * SECOND) == {}
    assert reducing.close(11 * SECOND)["fast"].rows() == [
        Reading("vib/mean", 0, 3.5), Reading("vib/min", 0, 0.0), Reading("vib/max", 0, 7.0), Reading("vib/count", 0, 8.0),
    ]  # fmt: skip
    assert reducing.close(12 * SECOND) == {}
    box.close()


def test_rows_that_could_not_be_stored_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box, reducing = opened(tmp_path)

    def fails(groups: object, *, within: object) -> int:
        msg = "disk full"
        raise SourceError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(box, "write", fails)
        with pytest.raises(SourceError):
            reducing.write({"fast": Readings.of(numbered(0, 5))})
    reducing.write({"fast": Readings.of(numbered(0, 5))})
    assert reducing.close(60 * SECOND)["fast"].values.tolist() == [2.0, 0.0, 4.0, 5.0]
    box.close()


def test_raw_rows_are_kept_as_long_as_stated(tmp_path: Path) -> None:
    now = [0]
    box = Outbox(tmp_path / "box.db", clock=lambda: now[0])
    reducing = Reducing(box, settings(tmp_path, streams=STREAMS))
    everything = RawRequest(("*",), 0, 10**18)
    for hour in range(3):
        now[0] = hour * 3_000 * SECOND
        reducing.write({"fast": Readings.of(numbered(hour * 100, 10))})
    reducing.close(0)
    assert reducing.request(everything) == 20
    assert reducing.request(everything) == 0
    box.close()


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"deadband": 1, "window": "1s"}, "got both"),
        ({"at_least": "1s"}, "this one has none"),
        ({"deadband": -1}, "deadband"),
    ],
)
def test_a_stream_that_contradicts_itself_is_refused(keys: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Stream.model_validate({"tags": ["a"], **keys})


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b'{"tags": 5, "start": 0, "stop": 1}', b'{"tags": [], "start": "a", "stop": 1}']
)
def test_a_request_that_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(SchemaError):
        RawRequest.from_json(payload)
