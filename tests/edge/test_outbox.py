"""The outbox: nothing is lost or renumbered by a kill, and only what is acknowledged or expired goes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from twinlab.edge.messages import Lost
from twinlab.edge.outbox import Expired, Outbox
from twinlab.edge.readings import Reading, Readings
from twinlab.errors import HistoryConflictError, SchemaError, SourceError

SECOND = 10**9


def numbered(first: int, count: int, tag: str = "t") -> Readings:
    return Readings.of([Reading(tag, n * SECOND, float(n)) for n in range(first, first + count)])


def contents(outbox: Outbox) -> list[tuple[int, float | None]]:
    """Return (sequence, value) of all rows that would be sent; None for lost ones."""
    found: list[tuple[int, float | None]] = []
    at = outbox.acknowledged + 1
    while (block := outbox.read(at)) is not None:
        content = block.content()
        values = [None] * block.rows if isinstance(content, Lost) else content.values.tolist()
        found += [(n, v) for n, v in zip(range(block.first, block.last + 1), values, strict=True) if n >= at]
        at = block.last + 1
    return found


def test_rows_stay_until_they_are_acknowledged_and_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with Outbox(path) as box:
        token = box.token
        for start in range(1, 31, 10):
            box.write({"s": numbered(start, 10)})
        box.acknowledge(12)
    with Outbox(path) as box:
        assert (box.token, box.last, box.acknowledged, box.rows) == (token, 30, 12, 18)
        assert contents(box) == [(n, float(n)) for n in range(13, 31)]
        assert box.write({"s": numbered(31, 1)}) == 31


def test_small_blocks_are_joined_up_to_a_message(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box.db") as box:
        for n in range(1, 61):
            box.write({"s": numbered(n, 1)})
        block = box.read(1, 40)
        assert block is not None
        assert (block.first, block.last) == (1, 40)
        middle = box.read(30, 20)
        assert middle is not None
        assert (middle.first, middle.last) == (30, 49)


def test_a_large_write_is_cut_into_messages_of_one_transaction(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box.db") as box:
        assert box.write({"a": numbered(1, 2_500), "b": numbered(2_501, 10)}) == 2_510
        assert contents(box) == [(n, float(n)) for n in range(1, 2_511)]


def test_expiry_is_by_stream_and_reported_in_the_place_of_the_rows(tmp_path: Path) -> None:
    now = [0]
    with Outbox(tmp_path / "box.db", expiry={"fast": 60}, clock=lambda: now[0]) as box:
        for second in range(0, 100, 10):
            now[0] = second * SECOND
            first = box.last + 1
            box.write({"fast": numbered(first, 3), "slow": numbered(first + 3, 1)})
        now[0] = 100 * SECOND
        assert box.expire() == [Expired("fast", 12, "older than 60 s at the gateway")]
        assert box.expire() == []
        lost = [n for n, value in contents(box) if value is None]
        assert lost == [n for n in range(1, 17) if n % 4]
        block = box.read(1)
        assert block is not None
        assert block.content() == Lost({"fast": 3}, ("older than 60 s at the gateway",), 1 * SECOND, 3 * SECOND)


def test_reports_of_neighbouring_losses_become_one(tmp_path: Path) -> None:
    now = [0]
    with Outbox(tmp_path / "box.db", expiry={"fast": 1, "slow": 1}, clock=lambda: now[0]) as box:
        for _ in range(30):
            first = box.last + 1
            box.write({"fast": numbered(first, 3), "slow": numbered(first + 3, 1)})
        now[0] = 2 * SECOND
        box.expire()
        block = box.read(1)
        assert block is not None
        assert (block.first, block.last) == (1, 120)
        content = block.content()
        assert isinstance(content, Lost)
        assert content.streams == {"fast": 90, "slow": 30}
        box.acknowledge(120)
        box.tidy()
        assert box.bytes == 0


def test_the_gateways_wall_clock_expires_nothing_and_time_while_closed_does_not_count(tmp_path: Path) -> None:
    now = [5_000 * SECOND]
    with Outbox(tmp_path / "box.db", expiry={"s": 60}, clock=lambda: now[0]) as box:
        box.write({"s": numbered(1, 1)})
        now[0] += 50 * SECOND
        box.write({"s": numbered(2, 1)})
    # After a restart of the machine the clock begins at another number.
    now[0] = 7 * SECOND
    with Outbox(tmp_path / "box.db", expiry={"s": 60}, clock=lambda: now[0]) as box:
        assert box.expire() == []
        now[0] += 11 * SECOND
        assert [(one.stream, one.rows) for one in box.expire()] == [("s", 1)]
        assert contents(box) == [(1, None), (2, 2.0)]


def test_a_full_outbox_drops_the_oldest_of_streams_that_may_expire_first(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box.db", expiry={"fast": 1e9}, max_bytes=60_000) as box:
        while box.bytes <= 60_000:
            first = box.last + 1
            box.write({"keep": numbered(first, 100), "fast": numbered(first + 100, 100)})
        dropped = box.expire()
        assert [one.stream for one in dropped] == ["fast"]
        assert "the outbox was full (60000 bytes)" in dropped[0].reason
        assert box.bytes <= 60_000
        assert all(value is not None for n, value in contents(box) if (n - 1) % 200 < 100)


def test_damaged_rows_are_reported_as_lost_and_the_others_sent(tmp_path: Path) -> None:
    path = tmp_path / "box.db"
    with Outbox(path) as box:
        for start in (1, 11, 21):
            box.write({"s": numbered(start, 10)})
    db = sqlite3.connect(path)
    body = bytearray(db.execute("select body from blocks where first = 11").fetchone()[0])
    body[len(body) // 2] ^= 1
    db.execute("update blocks set body = ? where first = 11", (bytes(body),))
    db.commit()
    db.close()
    with Outbox(path) as box:
        assert contents(box) == [(n, None if 11 <= n <= 20 else float(n)) for n in range(1, 31)]


def test_an_older_copy_of_an_outbox_is_noticed_and_gets_another_epoch(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box.db") as box:
        box.write({"s": numbered(1, 5)})
        box.acknowledge(2)
        box.tidy()
        box.write({"s": numbered(6, 5)})
        with pytest.raises(SchemaError, match="has rows up to 40, this outbox ends at 10"):
            box.acknowledge(40)
        token = box.token
        box.renew()
        assert box.token != token
        # The block of the rows 1 to 5 is acknowledged in part: all of it is sent again rather than none.
        assert contents(box) == [(n, float(n)) for n in range(1, 11)]
        box.acknowledge(10)
    with Outbox(tmp_path / "box.db") as box:
        assert (box.last, box.rows) == (10, 0)


def test_a_second_gateway_on_the_same_outbox_is_refused(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box.db"), pytest.raises(HistoryConflictError, match="the outbox"):
        Outbox(tmp_path / "box.db")


def test_a_full_disk_is_an_error_that_names_the_file_and_loses_nothing_stored(tmp_path: Path) -> None:
    with Outbox(tmp_path / "box.db") as box:
        box.write({"s": numbered(1, 100)})
        pages = box._db.execute("pragma page_count").fetchone()[0]
        box._db.execute(f"pragma max_page_count = {pages + 1}")
        with pytest.raises(SourceError, match=r"box\.db: .*full"):
            for _ in range(200):
                box.write({"s": Readings.of([Reading("t", n, text=f"{n * 7919 % 10007}" * 9) for n in range(300)])})
        last = box.last
        assert len(contents(box)) == last
        box.acknowledge(last)
        box.tidy()
        box._db.execute("pragma max_page_count = 1000000")
        assert box.write({"s": numbered(1, 1)}) == last + 1


KILLED = """
import sys
from pathlib import Path
from twinlab.edge.outbox import Outbox
from twinlab.edge.readings import Reading, Readings
box = Outbox(Path(sys.argv[1]))
print(box.last, flush=True)
while True:
    first = box.last + 1
    print(box.write({"s": Readings.of([Reading("t", n, float(n)) for n in range(first, first + 20)])}), flush=True)
    if first > 100: box.acknowledge(first - 100)
"""


def test_a_killed_gateway_has_every_row_that_it_reported_as_stored(tmp_path: Path) -> None:
    reported = 0
    for lines in (3, 17, 40):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path / "box.db")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(lines):
                reported = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            rest = child.stdout.read().rpartition("\n")[0].split()
            reported = int(rest[-1]) if rest else reported
        with Outbox(tmp_path / "box.db") as box:
            assert box.last >= reported
            assert contents(box) == [(n, float(n)) for n in range(box.acknowledged + 1, box.last + 1)]


class Model(RuleBasedStateMachine):
    """An outbox against a list of rows."""

    @initialize()
    def start(self) -> None:
        # In memory where there is such a folder: each step waits for the disk otherwise.
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.now = 0
        # Stream, value, time of writing, first row of the block.
        self.rows: list[tuple[str, float | None, int, int]] = []
        self.acknowledged = 0
        self.box = self.open()

    def open(self) -> Outbox:
        return Outbox(Path(self.folder.name) / "box.db", expiry={"fast": 30}, clock=lambda: self.now)

    @rule(counts=st.lists(st.tuples(st.sampled_from(["fast", "slow"]), st.integers(1, 5)), min_size=1, max_size=2))
    def write(self, counts: list[tuple[str, int]]) -> None:
        groups = {}
        for stream, count in dict(counts).items():
            first = len(self.rows) + 1
            groups[stream] = numbered(first, count)
            self.rows += [(stream, float(n), self.now, first) for n in range(first, first + count)]
        assert self.box.write(groups) == len(self.rows)

    @rule(share=st.floats(0, 1))
    def acknowledge(self, share: float) -> None:
        self.acknowledged += int((len(self.rows) - self.acknowledged) * share)
        self.box.acknowledge(self.acknowledged)

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule()
    def expire(self) -> None:
        self.box.expire()
        before = self.now - 30 * SECOND
        self.rows = [
            # A block that is acknowledged in part doesn't expire.
            (stream, None if stream == "fast" and at < before and first > self.acknowledged else value, at, first)
            for stream, value, at, first in self.rows
        ]

    @rule()
    def tidy(self) -> None:
        self.box.tidy()

    @rule()
    def reopen(self) -> None:
        self.box.close()
        self.box = self.open()
        assert self.box.acknowledged == self.acknowledged

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "box"):
            return
        assert [n for n, _ in contents(self.box)] == list(range(self.acknowledged + 1, len(self.rows) + 1))
        for n, value in contents(self.box):
            assert value == self.rows[n - 1][1], n
        stored = self.box._db.execute("select coalesce(sum(length(body)), 0) from blocks").fetchone()[0]
        assert self.box.bytes == stored

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.box.close()
            self.folder.cleanup()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
