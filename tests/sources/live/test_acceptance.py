"""Acceptance: any loss, repetition and order on the way, and any crash of either side, gives each row once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from twinlab.edge.handshake import RUNS
from twinlab.edge.messages import Lost, Message, pack, parse
from twinlab.edge.outbox import Outbox
from twinlab.edge.readings import Reading, Readings
from twinlab.edge.window import Window
from twinlab.errors import SchemaError
from twinlab.sources.live.acceptance import Acceptance, Accepted, offsets_of
from twinlab.sources.live.clock import ClockEstimate

SECOND = 10**9


def rows(first: int, count: int, token: int = 9) -> Message:
    content = Readings.of([Reading("t", n, float(n)) for n in range(first, first + count)])
    return Message(token, first, count, 0, content)


def values(parts: list[Accepted]) -> list[float]:
    return [v for part in parts if isinstance(part.content, Readings) for v in part.content.values.tolist()]


def test_overlapping_messages_give_each_row_once() -> None:
    acceptance = Acceptance()
    got = values(acceptance.offer("a", rows(1, 5)))
    for first, count in ((3, 5), (10, 3), (1, 9), (8, 4), (12, 2)):
        got += values(acceptance.offer("a", rows(first, count)))
    assert got == [float(n) for n in range(1, 14)]
    assert acceptance.buffered == 0


def test_a_replaced_disk_gets_the_next_epoch_and_the_old_one_may_still_drain() -> None:
    acceptance = Acceptance(
        {"a/0000000000000009": {"epoch": 4, "last": 10}, "b/0000000000000001": {"epoch": 7, "last": 1}}
    )
    new = acceptance.offer("a", rows(1, 5, token=8))
    old = acceptance.offer("a", rows(11, 5, token=9))
    assert [(part.epoch, part.first, part.last) for part in (*new, *old)] == [(8, 1, 5), (4, 11, 15)]
    assert offsets_of([*new, *old]) == {
        "a/0000000000000008": {"epoch": 8, "last": 5},
        "a/0000000000000009": {"epoch": 4, "last": 15},
    }


def test_the_same_token_of_another_gateway_is_another_outbox() -> None:
    acceptance = Acceptance()
    assert values(acceptance.offer("a", rows(1, 2))) == values(acceptance.offer("b", rows(1, 2)))


def test_what_does_not_fit_is_shed_unacknowledged_and_asked_for_when_there_is_room() -> None:
    acceptance = Acceptance(queue_rows=10, buffer_rows=6)
    taken = acceptance.offer("a", rows(1, 10))
    assert acceptance.offer("a", rows(11, 5)) == []
    assert acceptance.reply("a", 9).missing is None
    assert acceptance.offer("a", rows(16, 5)) == []
    assert acceptance.offer("a", rows(21, 5)) == []
    assert (acceptance.queued, acceptance.buffered, acceptance.shed) == (10, 5, 10)
    acceptance.commit(taken)
    reply = acceptance.reply("a", 9)
    assert (reply.accepted, reply.missing) == (10, 11)
    assert values(acceptance.offer("a", rows(11, 5))) == [float(n) for n in range(11, 21)]


def test_rows_that_have_arrived_are_not_lost_because_the_gateway_drops_them_later() -> None:
    acceptance = Acceptance()
    assert acceptance.offer("a", rows(6, 5)) == []
    parts = acceptance.offer("a", Message(9, 1, 20, 0, Lost({"s": 20}, ("old",), 0, 0)))
    assert [(part.first, part.last, type(part.content)) for part in parts] == [(1, 5, Lost), (6, 10, Readings)]
    parts = acceptance.offer("a", Message(9, 1, 20, 0, Lost({"s": 20}, ("old",), 0, 0)))
    assert [(part.first, part.last) for part in parts] == [(11, 20)]


def test_a_ledger_that_lacks_what_was_acknowledged_states_the_gap_and_goes_on() -> None:
    acceptance = Acceptance({"a/0000000000000009": {"epoch": 4, "last": 10}})
    assert acceptance.offer("a", rows(31, 5)) == []
    lost, found = acceptance.begin("a", 9, 31)
    assert (lost.first, lost.last, found.first, found.last) == (11, 30, 31, 35)
    assert isinstance(lost.content, Lost)
    assert "older copy" in lost.content.reasons[0]
    # A birth that is older than the rows changes nothing.
    assert acceptance.begin("a", 9, 5) == []


def test_a_gateway_can_not_begin_outboxes_without_end() -> None:
    acceptance = Acceptance()
    with pytest.raises(SchemaError, match="gateway 'a': has begun 64 outboxes"):
        for token in range(1, 200):
            acceptance.begin("a", token, 1)
    acceptance.begin("b", 1, 1)


def test_rows_that_an_earlier_source_accepted_are_durable_for_the_next() -> None:
    parts = Acceptance().offer("a", rows(1, 5))
    later = Acceptance()
    later.commit(parts)
    assert later.reply("a", 9).accepted == 5
    assert values(later.offer("a", rows(1, 8))) == [6.0, 7.0, 8.0]
    assert later.queued == 3


@pytest.mark.parametrize("offsets", [{"a/zz": {"epoch": 1, "last": 1}}, {"a/01": 5}, {"a/01": {"epoch": 1}}])
def test_a_damaged_offset_is_named(offsets: dict[str, object]) -> None:
    with pytest.raises(SchemaError, match="offset 'a/"):
        Acceptance(offsets)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12), st.booleans()), max_size=60), st.integers(5, 40))
def test_any_order_with_repetitions_gives_a_prefix_once_within_the_bounds(
    steps: list[tuple[int, int, bool]], bound: int
) -> None:
    acceptance, got, open_parts = Acceptance(queue_rows=bound, buffer_rows=bound), [], []
    for first, count, commit in steps:
        parts = acceptance.offer("a", rows(first, count))
        got += values(parts)
        open_parts += parts
        assert acceptance.queued <= bound
        assert acceptance.buffered <= bound
        if commit:
            acceptance.commit(open_parts)
            open_parts = []
            assert acceptance.reply("a", 9).accepted == len(got)
    assert got == [float(n) for n in range(1, len(got) + 1)]


def test_an_older_copy_of_an_outbox_is_told_from_a_run_that_goes_on() -> None:
    acceptance, first = Acceptance(), (1, 111)
    assert acceptance.begin("a", 9, 1, runs=(first,)) == []
    taken = acceptance.offer("a", rows(1, 20))
    acceptance.commit(taken)
    # Runs that go on where the outbox ended, one of them without a handshake; and an earlier version that states none.
    second = (first, (21, 222), (24, 333))
    for runs in (second, (), second):
        acceptance.begin("a", 9, 1, runs=runs)
        assert not acceptance.copied("a", 9)
    taken += acceptance.offer("a", rows(21, 5))
    # The copy ended at 15 and has numbered other rows from 16 on, more than the historian has; then it was started again.
    copy = (first, (16, 444), (90, 555))
    acceptance.begin("a", 9, 3, runs=copy)
    assert "uses the sequences from 16 on again, of which the ledger has those up to 25" in acceptance.copied("a", 9)
    assert acceptance.offer("a", rows(16, 40)) == []
    reply = acceptance.reply("a", 9)
    assert (reply.accepted, reply.refused) == (15, acceptance.copied("a", 9))
    # The historian that takes over knows it by the offsets, and takes nothing before the handshake.
    later = Acceptance(offsets_of(taken))
    assert later.offer("a", rows(26, 5)) == []
    later.begin("a", 9, 3, runs=copy)
    assert later.copied("a", 9)
    later.begin("a", 9, 3, runs=second)
    assert values(later.offer("a", rows(26, 2))) == [26.0, 27.0]
    # With a copy that has used no number again, nothing is wrong.
    later.begin("a", 9, 3, runs=(*second, (28, 666)))
    assert not later.copied("a", 9)


def test_runs_before_those_that_are_remembered_are_no_copies() -> None:
    acceptance = Acceptance()
    runs = tuple((n, n * 1_000) for n in range(1, 41))
    for number in range(1, 41):
        acceptance.begin("a", 9, 1, runs=runs[:number][-RUNS:])
        assert not acceptance.copied("a", 9)
        acceptance.offer("a", rows(number, 1))
    # A copy of the latest runs is one.
    acceptance.begin("a", 9, 1, runs=(*runs[30:38], (39, 7)))
    assert "from 39 on" in acceptance.copied("a", 9)


def test_rows_before_the_copy_are_acknowledged_once_they_are_durable() -> None:
    acceptance = Acceptance()
    acceptance.begin("a", 9, 1, runs=((1, 1),))
    taken = acceptance.offer("a", rows(1, 20))
    acceptance.begin("a", 9, 1, runs=((1, 1), (11, 2)))
    assert (acceptance.reply("a", 9).accepted, acceptance.reply("a", 9).refused) == (0, "")
    acceptance.commit(taken)
    assert acceptance.reply("a", 9).accepted == 10


class Site:
    """A gateway whose disk may be restored from a backup, and a historian; each row has another value."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "box.db"
        self.value, self.got, self.offsets = 0, [], {}
        self.backup: tuple[dict[str, bytes], list[float]] | None = None
        self.box, self.acceptance = Outbox(self.path), Acceptance()
        # What the disk has, or the historian.
        self.written: list[float] = []

    def write(self, count: int) -> None:
        new = [float(n) for n in range(self.value + 1, self.value + 1 + count)]
        self.value += count
        self.written += new
        self.box.write({"s": Readings.of([Reading("t", int(n), n) for n in new])})

    def deliver(self, messages: int) -> None:
        """Handshake, then so many messages, stored and acknowledged."""
        for _ in range(2):
            box = self.box
            self.store(self.acceptance.begin("g", box.token, box.acknowledged + 1, runs=box.runs))
            reply = self.acceptance.reply("g", box.token)
            if not reply.refused:
                break
            box.renew(reply.accepted)
        for _ in range(messages):
            block = self.box.read(self.box.acknowledged + 1, 7)
            if block is None:
                return
            self.store(self.acceptance.offer("g", parse(pack(self.box.token, block, 0))))
            self.box.acknowledge(self.acceptance.reply("g", self.box.token).accepted)

    def store(self, parts: list[Accepted]) -> None:
        self.got += values(parts)
        self.offsets |= offsets_of(parts)
        self.acceptance.commit(parts)

    def restart(self) -> None:
        self.box.close()
        self.box = Outbox(self.path)

    def restart_historian(self) -> None:
        self.acceptance = Acceptance(self.offsets)

    def save(self) -> None:
        self.box.close()
        self.backup = {p.name: p.read_bytes() for p in self.path.parent.iterdir()}, list(self.written)
        self.box = Outbox(self.path)

    def restore(self) -> None:
        if self.backup is None:
            return
        self.box.close()
        for path in self.path.parent.iterdir():
            path.unlink()
        for name, content in self.backup[0].items():
            (self.path.parent / name).write_bytes(content)
        # What only the lost disk had is gone.
        self.written = sorted({*self.backup[1], *self.got})
        self.box = Outbox(self.path)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("write"), st.integers(1, 12)),
            st.tuples(st.just("deliver"), st.integers(0, 4)),
            st.tuples(st.sampled_from(["restart", "restart_historian", "save", "restore"])),
        ),
        max_size=25,
    )
)
@example(
    [
        ("write", 10), ("deliver", 4), ("save",), ("write", 10), ("deliver", 9), ("restore",), ("write", 12), ("restart",),
        ("restart_historian",), ("deliver", 1),
    ]
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_disk_that_is_restored_loses_and_repeats_no_row_that_anybody_has(steps: list[tuple[object, ...]]) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        site = Site(Path(folder))
        for name, *given_ in steps:
            getattr(site, str(name))(*given_)
        site.deliver(1_000)
        site.box.close()
    assert sorted(site.got) == sorted(site.written)


class Journey(RuleBasedStateMachine):
    """A gateway with a real outbox, a bad network, a historian with a ledger (a list); either side may be killed at any step."""

    @initialize(expiry=st.sampled_from([None, 20]))
    def start(self, expiry: int | None) -> None:
        self.folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.now, self.written, self.expiry, self.disk = 0, 0, expiry, 0
        self.made: dict[int, int] = {}
        self.expired: set[float] = set()
        self.network: list[bytes] = []
        self.replies: list[object] = []
        self.ledger: list[Accepted] = []
        self.offsets: dict[str, object] = {}
        self.taken: list[Accepted] = []
        self.start_gateway()
        self.start_historian()

    def start_gateway(self) -> None:
        path = Path(self.folder.name) / f"{self.disk}.db"
        self.box = Outbox(path, expiry={} if self.expiry is None else {"s": self.expiry}, clock=lambda: self.now)
        self.window = Window(self.box.acknowledged, rows=40, patience=5.0)
        self.greeted = False

    def start_historian(self) -> None:
        self.acceptance = Acceptance(self.offsets, queue_rows=60, buffer_rows=30)
        self.taken = []

    @rule(count=st.integers(1, 15))
    def measure(self, count: int) -> None:
        first = self.written + 1
        self.box.write({"s": Readings.of([Reading("t", n, float(n)) for n in range(first, first + count)])})
        self.written += count

    @rule()
    def send(self) -> None:
        # A gateway sends nothing before its handshake.
        at = self.window.next(now=self.now / SECOND) if self.greeted else None
        block = None if at is None else self.box.read(at, 10)
        if block is not None:
            self.network.append(pack(self.box.token, block, self.now))
            self.window.sent(block.last, now=self.now / SECOND)

    @rule(data=st.data(), again=st.booleans(), drop=st.booleans())
    def deliver(self, data: st.DataObject, again: bool, drop: bool) -> None:
        if self.network:
            place = data.draw(st.integers(0, len(self.network) - 1))
            payload = self.network[place] if again else self.network.pop(place)
            if not drop or again:
                self.taken += self.acceptance.offer("g", parse(payload))

    @rule()
    def sync(self) -> None:
        self.ledger += self.taken
        self.offsets |= offsets_of(self.taken)
        self.acceptance.commit(self.taken)
        self.taken = []
        for token in self.acceptance.outboxes("g"):
            self.replies.append(self.acceptance.reply("g", token))

    @rule(data=st.data(), drop=st.booleans())
    def answer(self, data: st.DataObject, drop: bool) -> None:
        if self.replies:
            reply = self.replies.pop(data.draw(st.integers(0, len(self.replies) - 1)))
            if not drop and reply.token == self.box.token:
                self.box.acknowledge(reply.accepted)
                self.window.accept(reply.accepted, now=self.now / SECOND)
                if reply.missing is not None:
                    self.window.miss(reply.missing, now=self.now / SECOND)

    @rule(seconds=st.integers(1, 10))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule()
    def expire(self) -> None:
        for one in self.box.expire():
            assert one.rows
        at = self.box.acknowledged + 1
        while (block := self.box.read(at)) is not None:
            if isinstance(block.content(), Lost):
                self.expired |= set(range(block.first, block.last + 1))
            at = block.last + 1

    @rule()
    def kill_gateway(self) -> None:
        self.box.close()
        self.start_gateway()

    @rule()
    def kill_historian(self) -> None:
        self.start_historian()

    @rule()
    def meet(self) -> None:
        """Handshake of a new connection."""
        box = self.box
        self.taken += self.acceptance.begin("g", box.token, box.acknowledged + 1, runs=box.runs)
        assert not self.acceptance.copied("g", box.token)
        self.greeted = True

    @invariant()
    def nothing_twice_and_nothing_skipped(self) -> None:
        if not hasattr(self, "ledger"):
            return
        at = 1
        for part in self.ledger:
            assert part.first == at
            if isinstance(part.content, Readings):
                assert part.content.values.tolist() == [float(n) for n in range(part.first, part.last + 1)]
            else:
                assert set(range(part.first, part.last + 1)) <= self.expired
            at = part.last + 1
        assert self.box.acknowledged < at

    def teardown(self) -> None:
        """With a network that works, everything arrives."""
        if not hasattr(self, "box"):
            return
        for _ in range(400):
            if self.box.rows == 0:
                break
            self.now += 6 * SECOND
            self.meet()
            for _ in range(6):
                self.send()
            for payload in self.network:
                self.taken += self.acceptance.offer("g", parse(payload))
            self.network.clear()
            self.replies.clear()
            self.sync()
            reply = self.replies.pop()
            self.box.acknowledge(reply.accepted)
            self.window.accept(reply.accepted, now=self.now / SECOND)
        assert self.box.rows == 0
        assert (self.ledger[-1].last if self.ledger else 0) == self.written
        self.nothing_twice_and_nothing_skipped()
        self.box.close()
        self.folder.cleanup()


TestJourney = Journey.TestCase
TestJourney.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


@given(st.floats(-90_000, 90_000), st.lists(st.floats(0, 30), min_size=1, max_size=50))
def test_a_clock_is_off_by_the_estimate_but_for_the_shortest_delay(offset: float, delays: list[float]) -> None:
    clock = ClockEstimate()
    for n, delay in enumerate(delays):
        received = 10**18 + n * SECOND
        clock.add(sent=received + int((offset - delay) * 1e9), received=received)
    assert clock.offset == pytest.approx(offset - min(delays), abs=1e-6)


def test_a_clock_that_was_set_is_estimated_anew_within_the_span() -> None:
    clock = ClockEstimate(span=60)
    assert clock.offset is None
    for second in range(200):
        clock.add(sent=second * SECOND + (3_600 * SECOND if second < 100 else 0), received=second * SECOND)
        if second in (99, 199):
            assert clock.offset == (3_600 if second == 99 else 0)
