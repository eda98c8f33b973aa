"""The gateway with a historian in this process: what it reports as stored arrives once, whatever the connection does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from twinlab.edge import Gateway, GatewaySettings, Outbox, Reading, Readings, read_settings
from twinlab.edge.gateway import read_chunks, read_line, run_lines
from twinlab.edge.handshake import Birth
from twinlab.edge.messages import parse
from twinlab.edge.settings import Broker
from twinlab.errors import SchemaError, SourceError
from twinlab.sources.live.acceptance import Acceptance, Accepted, offsets_of


class Historian:
    """Accepts rows of one gateway in memory; ``loss`` of the messages are lost on their way, and connections end at random."""

    def __init__(self, *, loss: float = 0.0, cut: float = 0.0, seed: int = 1) -> None:
        self.random, self.loss, self.cut = random.Random(seed), loss, cut
        self.acceptance, self.offsets = Acceptance(), {}
        self.got: list[Accepted] = []
        self.births: list[Birth] = []
        self.refuse = 0

    @asynccontextmanager
    async def connect(self, broker: Broker, name: str, *, will: bytes) -> AsyncIterator[Historian]:
        if self.refuse:
            self.refuse -= 1
            msg = "nobody listens"
            raise ConnectionError(msg)
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        yield self

    def restart(self) -> None:
        self.acceptance = Acceptance(self.offsets)

    async def publish(self, kind: str, payload: bytes, *, retain: bool = False) -> None:
        await asyncio.sleep(0)
        if self.random.random() < self.cut:
            msg = "the connection was cut"
            raise ConnectionError(msg)
        if kind == "birth":
            birth = Birth.from_json(payload)
            self.births.append(birth)
            self.store(self.acceptance.begin("g", birth.token, birth.first, runs=birth.runs))
            token = birth.token
        elif self.random.random() < self.loss:
            return
        else:
            message = parse(payload)
            self.store(self.acceptance.offer("g", message))
            token = message.token
        self.inbox.put_nowait(self.acceptance.reply("g", token).to_json())

    def store(self, parts: list[Accepted]) -> None:
        self.got += parts
        self.offsets |= offsets_of(parts)
        self.acceptance.commit(parts)

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        while True:
            yield "reply", await self.inbox.get()

    @property
    def values(self) -> list[float]:
        return [v for part in self.got if isinstance(part.content, Readings) for v in part.content.values.tolist()]


def settings(folder: Path, **others: object) -> GatewaySettings:
    given = {"broker": {"host": "nowhere"}, "outbox": str(folder / "box.db"), "commit_every": "1ms", "patience": "50ms"}
    return GatewaySettings.model_validate({"name": "g", **given, **others})


def numbered(first: int, count: int, tag: str = "t") -> list[Reading]:
    return [Reading(tag, n, float(n)) for n in range(first, first + count)]


async def write_all(gateway: Gateway, rows: int, step: int) -> None:
    for first in range(1, rows + 1, step):
        assert await gateway.write(numbered(first, step)) >= first + step - 1
    async with asyncio.timeout(60):
        await gateway.drain()


def test_everything_arrives_once_in_order(tmp_path: Path) -> None:
    historian = Historian()

    async def main() -> None:
        async with Gateway(settings(tmp_path, units={"t": "degC"}), connect=historian.connect) as gateway:
            await write_all(gateway, 600, 50)

    asyncio.run(main())
    assert historian.values == [float(n) for n in range(1, 601)]
    assert historian.births[-1].units == {"t": "degC"}


@pytest.mark.parametrize("seed", [1, 2])
def test_lost_messages_and_cut_connections_lose_and_repeat_nothing(tmp_path: Path, seed: int) -> None:
    historian = Historian(loss=0.3, cut=0.03, seed=seed)

    async def main() -> None:
        async with Gateway(settings(tmp_path), connect=historian.connect) as gateway:
            await write_all(gateway, 400, 20)

    asyncio.run(main())
    assert historian.values == [float(n) for n in range(1, 401)]


def test_rows_of_a_gateway_that_was_never_connected_are_sent_by_the_next(tmp_path: Path) -> None:
    historian = Historian()
    historian.refuse = 1_000

    async def main(*, rows: int) -> None:
        async with Gateway(settings(tmp_path), connect=historian.connect) as gateway:
            if rows:
                await gateway.write(numbered(1, rows))
            else:
                async with asyncio.timeout(60):
                    await gateway.drain()

    asyncio.run(main(rows=100))
    assert historian.values == []
    historian.refuse = 2
    asyncio.run(main(rows=0))
    assert historian.values == [float(n) for n in range(1, 101)]


def test_a_restored_copy_that_has_used_sequences_again_is_refused_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    historian = Historian()

    async def main(first: int, count: int, *, drain: bool = True) -> None:
        async with Gateway(settings(tmp_path), connect=historian.connect) as gateway:
            await gateway.write(numbered(first, count))
            async with asyncio.timeout(60):
                if drain:
                    await gateway.drain()

    asyncio.run(main(1, 10))
    historian.refuse = 10_000
    asyncio.run(main(11, 10, drain=False))
    copy = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    historian.refuse = 0
    asyncio.run(main(21, 20))
    for name, content in copy.items():
        (tmp_path / name).write_bytes(content)
    # The copy numbers other rows with the sequences 21 to 80, while nobody listens: more than the historian has.
    historian.refuse = 10_000
    asyncio.run(main(1_001, 60, drain=False))
    historian.refuse = 0
    historian.restart()
    asyncio.run(main(2_001, 5))
    assert historian.values == [float(n) for n in (*range(1, 41), *range(1_001, 1_061), *range(2_001, 2_006))]
    assert {part.epoch for part in historian.got} == {1, 2}
    (line,) = (one for one in caplog.records if one.getMessage() == "the outbox begins another epoch")
    assert "uses the sequences from 21 on again" in line.error  # type: ignore[attr-defined]


def test_a_restored_copy_of_an_outbox_begins_another_epoch(tmp_path: Path) -> None:
    historian = Historian()

    async def main(first: int, count: int) -> None:
        async with Gateway(settings(tmp_path), connect=historian.connect) as gateway:
            await gateway.write(numbered(first, count))
            async with asyncio.timeout(60):
                await gateway.drain()

    asyncio.run(main(1, 10))
    copy = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    asyncio.run(main(11, 50))
    for name, content in copy.items():
        (tmp_path / name).write_bytes(content)
    asyncio.run(main(61, 5))
    assert historian.values == [float(n) for n in range(1, 66)]
    assert [part.epoch for part in historian.got][-1] == 2


def test_tags_go_to_their_streams(tmp_path: Path) -> None:
    historian = Historian()
    historian.refuse = 1_000
    streams = {"fast": {"tags": ["pos_*"], "expires": "1h"}, "slow": {"tags": ["temp"]}}

    async def main() -> None:
        async with Gateway(settings(tmp_path, streams=streams), connect=historian.connect) as gateway:
            rows = [Reading(tag, n, float(n)) for n, tag in enumerate(["pos_x", "temp", "pos_y", "door", "pos_x"])]
            await gateway.write(rows)

    asyncio.run(main())
    with Outbox(tmp_path / "box.db") as box:
        assert dict(box._db.execute("select stream, rows from blocks")) == {"fast": 3, "slow": 1, "other": 1}


def test_a_full_disk_is_reported_to_who_writes_and_later_rows_are_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    historian = Historian()

    async def main() -> None:
        async with Gateway(settings(tmp_path), connect=historian.connect) as gateway:
            write = gateway.outbox.write

            def fails(groups: object, *, within: object) -> int:
                msg = "disk full"
                raise SourceError(msg)

            monkeypatch.setattr(gateway.outbox, "write", fails)
            with pytest.raises(SourceError, match="disk full"):
                await gateway.write(numbered(1, 5))
            monkeypatch.setattr(gateway.outbox, "write", write)
            await write_all(gateway, 5, 5)

    asyncio.run(main())
    assert historian.values == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_certificates_that_are_missing_end_the_gateway_with_their_names(tmp_path: Path) -> None:
    broker = {"host": "127.0.0.1", "ca": str(tmp_path / "ca.crt")}

    async def main() -> None:
        async with Gateway(settings(tmp_path, broker=broker)) as gateway:
            await gateway.write(numbered(1, 1))
            await gateway.drain()

    with pytest.raises(SourceError, match=r"ca\.crt"):
        asyncio.run(main())


def test_lines_are_stored_and_those_that_can_not_be_read_are_counted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    historian = Historian()
    text = '{"tag": "t", "time": 1, "value": 1}\nnonsense\n\n{"tag": "t", "time": "2026-03-01T12:00:00+01:00", "text": "open"}'
    counts: list[int] = []

    async def main() -> None:
        async with Gateway(settings(tmp_path), connect=historian.connect) as gateway:
            with (tmp_path / "lines").open("wb+") as file:
                file.write(text.encode())
                file.seek(0)
                await run_lines(gateway, read_chunks(file), counts.append)
            async with asyncio.timeout(60):
                await gateway.drain()

    asyncio.run(main())
    rows = [row for part in historian.got if isinstance(part.content, Readings) for row in part.content.rows()]
    assert rows == [Reading("t", 1, 1.0), Reading("t", 1772362800000000000, None, "open")]
    assert counts[-1] == 4
    assert [record.line for record in caplog.records if record.message == "a line was refused"] == [2]


@pytest.mark.parametrize(
    "line",
    ["", "[]", "5", '{"tag": "t"}', '{"tag": "t", "time": "noon"}', '{"tag": "t", "time": "2026-03-01T12:00:00"}',
     '{"tag": "t", "time": 1, "value": "warm"}', '{"tag": "t", "time": 1e30}', '{"tag": "", "time": 1}',
     '{"tag": "t", "time": 1, "text": "\\ud800"}', '{"tag": "t", "time": true}'],
)  # fmt: skip
def test_a_line_that_is_no_reading_says_what_is_expected(line: str) -> None:
    with pytest.raises(SchemaError, match="expected"):
        read_line(line)


def test_settings_name_what_is_wrong_and_find_files_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "truck.yaml"
    path.write_text("name: a/b\nbroker: {host: h, port: 0}\nwidth: 3\n")
    with pytest.raises(SchemaError, match=r"truck\.yaml: name: .*broker\.port: .*width"):
        read_settings(path)
    path.write_text("name: a\nbroker: {host: h, ca: certs/ca.crt}\nstreams: {s: {tags: ['x*'], expires: 2min}}\n")
    found = read_settings(path)
    assert found.broker.ca == str(tmp_path / "certs/ca.crt")
    assert found.outbox == str(tmp_path / "outbox.db")
    assert found.expiry == {"s": 120.0}
    with pytest.raises(SchemaError, match="No such file"):
        read_settings(tmp_path / "none.yaml")
