"""The leased writer of a source in an object store: a model with any order of requests, cuts, late deliveries, frozen and killed processes."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory_store import MemoryStore, Process, Schedule

from twinlab.errors import CorruptionError, HistoryConflictError, SourceError
from twinlab.ledger import Ledger
from twinlab.ledger.groups import chain
from twinlab.ledger.groups.chain import Chain
from twinlab.ledger.groups.group import Group, group_name, group_number
from twinlab.ledger.groups.leased import GroupRule, LeasedGroups, lease_name
from twinlab.ledger.groups.working_copy import WorkingCopy
from twinlab.objects.lease import read_lease

_ROWS = 12


class Pushes:
    """Newest pushes as a historian makes them: all groups up to a number, which are removed then, but for fences."""

    def __init__(self, store: MemoryStore, folder: Path) -> None:
        self._store, self.folder, self.at = store, folder, 0

    def number(self, _folder: str) -> int:
        return self.at

    def restore(self, _folder: str, target: Path) -> int:
        if self.at:
            for path in (self.folder / str(self.at)).iterdir():
                shutil.copyfile(path, target / path.name)
        return self.at

    def push(self) -> None:
        work = self.folder / "work"
        copy = WorkingCopy(work, Chain(self._store, "log", "log"), self)
        copy.sync()
        if copy.number > self.at:
            target = self.folder / str(copy.number)
            shutil.copytree(work, target, ignore=shutil.ignore_patterns("groups.json"))
            self.at = copy.number
        self.remove()

    def remove(self) -> None:
        for name in list(self._store.objects):
            number = group_number(name)
            old = number is not None and number <= self.at
            if old and not Group.from_bytes(self._store.get(name)[0], name).is_fence:
                self._store.delete(name)


def rows(first: int, count: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"tag": [f"t{n % 3}" for n in range(first, first + count)], "source_time": list(range(first, first + count))}
    )


def ledger_at(folder: Path, store, pushes: Pushes, **settings) -> Ledger:
    ledger = Ledger(folder)
    rule = GroupRule(store, store, pushes, **settings)
    ledger.groups = lambda source, wait: LeasedGroups(rule, source, wait=wait)
    return ledger


def stored(folder: Path, store: MemoryStore, pushes: Pushes) -> list[int]:
    """Return the times of all rows that a fresh machine reads."""
    WorkingCopy(folder / "log", Chain(store, "log", "log"), pushes).sync()
    ledger = Ledger(folder)
    assert ledger.verify().ok
    return [time for frame in ledger.reader("log").frames() for time in frame.batch().column("source_time").to_pylist()]


def times(ledger: Ledger) -> list[int]:
    return [time for frame in ledger.reader("log").frames() for time in frame.batch().column("source_time").to_pylist()]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def pushes(store: MemoryStore, tmp_path: Path) -> Pushes:
    return Pushes(store, tmp_path / "pushes")


def test_a_group_is_the_same_on_every_machine(store: MemoryStore, pushes: Pushes, tmp_path: Path) -> None:
    one = ledger_at(tmp_path / "one", store, pushes)
    with one.writer("log", segment_rows=5) as writer:
        for first in range(0, 12, 3):
            assert writer.append_observations(rows(first, 3)).position == first + 3
    assert [name for name in store.objects if "/groups/" in name] == [group_name("log", n) for n in range(1, 5)]
    # Another machine continues where the first one has ended, without a fence.
    other = ledger_at(tmp_path / "other", store, pushes)
    with other.writer("log") as writer:
        assert writer.position == 12
        writer.append_observations(rows(12, 1))
    assert len([name for name in store.objects if "/groups/" in name]) == 5
    assert stored(tmp_path / "third", store, pushes) == times(other) == list(range(13))
    assert (tmp_path / "other/log/00000001.seg").read_bytes() == (tmp_path / "third/log/00000001.seg").read_bytes()


def test_a_second_writer_is_refused_while_the_first_renews(store: MemoryStore, pushes: Pushes, tmp_path: Path) -> None:
    one = ledger_at(tmp_path / "one", store, pushes, lease_seconds=0.8)
    other = ledger_at(tmp_path / "other", store, pushes, lease_seconds=0.8)
    with one.writer("log"), pytest.raises(HistoryConflictError, match="source 'log' is being written by process"):
        other.writer("log")


def test_a_writer_that_was_taken_for_dead_acknowledges_nothing_more(
    store: MemoryStore, pushes: Pushes, tmp_path: Path
) -> None:
    # The first one is frozen: nobody renews its lease.
    one = ledger_at(tmp_path / "one", store, pushes, lease_seconds=0.5, renewing=False)
    writer = one.writer("log")
    writer.append_observations(rows(0, 3))
    other = ledger_at(tmp_path / "other", store, pushes)
    with other.writer("log") as second:
        assert second.position == 3
        with pytest.raises(HistoryConflictError, match="process .* has taken over, because process"):
            writer.append_observations(rows(3, 3))
        second.append_observations(rows(3, 2))
    with pytest.raises(SourceError, match="an earlier write failed"):
        writer.append_observations(rows(3, 3))
    writer.close()
    assert stored(tmp_path / "third", store, pushes) == list(range(5))


def test_groups_in_a_push_can_be_removed(store: MemoryStore, pushes: Pushes, tmp_path: Path) -> None:
    one = ledger_at(tmp_path / "one", store, pushes)
    with one.writer("log") as writer:
        writer.append_observations(rows(0, 3))
        pushes.push()
        assert not [name for name in store.objects if "/groups/" in name]
        writer.append_observations(rows(3, 3))
    assert stored(tmp_path / "third", store, pushes) == list(range(6))
    with one.writer("log") as writer:
        assert writer.position == 6


def test_damage_is_found(store: MemoryStore, pushes: Pushes, tmp_path: Path) -> None:
    with ledger_at(tmp_path / "one", store, pushes).writer("log") as writer:
        writer.append_observations(rows(0, 3))
        writer.append_observations(rows(3, 3))
    name = group_name("log", 1)
    data = bytearray(store.objects[name][0])
    data[-5] ^= 1
    store.objects[name] = (bytes(data), 99)
    with pytest.raises(CorruptionError, match="expected a group of rows with its checksums"):
        stored(tmp_path / "third", store, pushes)
    store.delete(name)
    with pytest.raises(CorruptionError, match="expected groups up to 2, the store has them up to 0"):
        ledger_at(tmp_path / "other", store, pushes).writer("log")
    assert read_lease(store, lease_name("log"))[0] is not None


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_no_order_of_requests_and_faults_loses_or_repeats_a_row(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chain._FEW = 100  # the schedule knows one thread a process
    folder, random, store = tmp_path_factory.mktemp("model"), Random(seed), MemoryStore()
    schedule, pushes = Schedule(random.randrange), Pushes(store, folder / "pushes")
    acknowledged = [0]

    def write(process: Process) -> None:
        own = Random(f"{seed} {process.number}")
        ledger = ledger_at(
            folder / f"machine{process.number}", process, pushes, lease_seconds=2.0, patience=3.0, clock=process.clock,
            sleep=process.sleep, renewing=False,
        )  # fmt: skip
        while True:
            try:
                with ledger.writer("log", wait=1.0) as writer:
                    while writer.position < _ROWS:
                        # A producer continues with what the position says.
                        acknowledged.append(
                            writer.append_observations(rows(writer.position, 1 + own.randrange(3))).position
                        )
                return
            except (HistoryConflictError, SourceError):
                process.sleep(0.5)

    for number in range(3):
        schedule.start(Process(number, store, schedule), write)
    for number in range(4000):
        schedule.faults = number < 500  # so that it comes to an end
        if not schedule.step():
            break
        if random.randrange(12) == 0:
            pushes.push()
    assert schedule.errors == []
    schedule.deliver_all()
    pushes.push()
    found = stored(folder / "fresh", store, pushes)
    assert found == list(range(len(found)))
    # What was stored by a process that was killed before its acknowledgement counts, too.
    assert len(found) >= max(*acknowledged, _ROWS)


def test_the_time_of_arrival_never_goes_back_from_one_machine_to_the_next(
    store: MemoryStore, pushes: Pushes, tmp_path: Path
) -> None:
    times = []
    for number, hours in enumerate((1, -1, 0)):
        ledger = ledger_at(tmp_path / str(number), store, pushes)
        with ledger.writer("log") as writer:
            writer.now = lambda hours=hours: time.time_ns() + hours * 3600 * 10**9
            times.append(writer.append_observations(rows(number, 1)).ingest_time)
    assert times == sorted(times)
    assert stored(tmp_path / "all", store, pushes) == [0, 1, 2]
