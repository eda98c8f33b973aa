"""A lease whose requests go wrong: a standby waits for the store, other processes say that it doesn't answer."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger" / "groups"))
from memory_store import MemoryStore

from twinlab.errors import HistoryConflictError, SourceError
from twinlab.objects.lease import LeaseRecord, StoreLease, read_lease

NAME = "lease.json"


class Faulty:
    """A store whose writes go wrong one after the other, as a list says: "cut" before they arrive, "no answer", "late"."""

    def __init__(self, store: MemoryStore, faults: list[str]) -> None:
        self._store, self._faults = store, faults
        self._late: list[Callable[[], object]] = []
        self.now = 0.0

    def get(self, name: str) -> tuple[bytes, str | None]:
        return self._store.get(name)

    def create(self, name: str, data: bytes) -> str | None:
        return self._write(lambda: self._store.create(name, data))

    def replace(self, name: str, data: bytes, version: str | None) -> str | None:
        return self._write(lambda: self._store.replace(name, data, version))

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self._late:
            self._late.pop()()

    def _write(self, work: Callable[[], str | None]) -> str | None:
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "late":
            self._late.append(work)
        if fault == "no answer":
            work()
        if fault:
            raise SourceError(fault)
        return work()

    def lease(self, *, wait: float) -> StoreLease:
        clock = lambda: self.now  # noqa: E731
        return StoreLease(self, NAME, what="it", seconds=5, wait=wait, clock=clock, sleep=self.sleep, renewing=False)


@pytest.fixture(params=[None, LeaseRecord(7, "abc", "process 1 on a", 5.0)], ids=["never had", "silent holder"])
def store(request: pytest.FixtureRequest) -> MemoryStore:
    """Return a store with no lease, or with that of a process that was killed."""
    made = MemoryStore()
    if request.param is not None:
        made.create(NAME, request.param.to_bytes())
    return made


@pytest.mark.parametrize(
    "faults", [["cut"] * 20, ["no answer"], ["late"], ["cut", "late", "cut"], ["late", "no answer"]]
)
def test_a_standby_takes_over_whatever_becomes_of_its_requests(store: MemoryStore, faults: list[str]) -> None:
    before = read_lease(store, NAME)[0]
    lease = Faulty(store, faults).lease(wait=math.inf)
    assert lease.epoch == (1 if before is None else before.epoch + 1)
    assert read_lease(store, NAME)[0].holder == lease.holder
    lease.renew()
    assert not lease.lost


def test_another_process_asks_three_times(store: MemoryStore) -> None:
    assert Faulty(store, ["cut", "cut"]).lease(wait=0).epoch
    with pytest.raises(SourceError, match="cut"):
        Faulty(store, ["cut"] * 3).lease(wait=0)


def test_a_standby_that_catches_up_sees_the_silence_all_the_same() -> None:
    store, up_to_date, found = MemoryStore(), threading.Event(), list[StoreLease]()
    store.create(NAME, LeaseRecord(7, "abc", "process 1 on a", 0.5).to_bytes())

    def wait_and_take() -> None:
        found.append(StoreLease(store, NAME, what="it", seconds=0.5, wait=math.inf, while_waiting=up_to_date.wait))

    standby = threading.Thread(target=wait_and_take, daemon=True)
    standby.start()
    until = time.monotonic() + 20
    while read_lease(store, NAME)[0].epoch == 7:
        assert time.monotonic() < until
        time.sleep(0.02)
    # It renews already, but the rows that came before are wanted first.
    assert not found
    up_to_date.set()
    standby.join(20)
    assert found[0].epoch == 8
    found[0].release()
    assert read_lease(store, NAME)[0].released


@pytest.mark.parametrize("hours", [-1, 1])
def test_clocks_of_two_machines_need_not_agree(hours: int) -> None:
    store = MemoryStore()
    machine, other = Faulty(store, []), Faulty(store, [])
    other.now = hours * 3600.0
    first = machine.lease(wait=0)
    # What the record says for people is by a clock that is as wrong.
    record, version = read_lease(store, NAME)
    wrong = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    store.replace(NAME, replace(record, expires=wrong).to_bytes(), version)

    def renewed_meanwhile(seconds: float) -> None:
        other.now += seconds
        first.renew()

    other.sleep = renewed_meanwhile
    with pytest.raises(HistoryConflictError, match="whose lease of 5 s is renewed"):
        other.lease(wait=60)
    assert not first.lost
    began = other.now
    del other.sleep
    assert other.lease(wait=0).epoch == 2
    assert 5 <= other.now - began < 6
    first.renew()
    assert first.lost
