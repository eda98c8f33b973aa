"""The same bytes at the same time, from many threads, to two guards of one asset: at most one change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.commands.guard.site import Site
from twinlab.commands.guard import GuardLedger


@pytest.fixture
def two(tmp_path: Path, need: Callable[[str], object]) -> Site:
    need("securesystemslib")
    return Site(tmp_path)


def at_once(work: list[Callable[[], object]]) -> list[object]:
    """Begin all work at the same instant."""
    barrier = threading.Barrier(len(work))

    def begin(one: Callable[[], object]) -> object:
        barrier.wait(20)
        return one()

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(begin, work))


def test_one_guard_carries_out_the_same_bytes_once(two: Site) -> None:
    for value in (6.0, 5.0, 7.0, 6.0):
        assert two.select(value=value).outcome == "selected"
        operate = two.wire(operation="operate", value=value)
        before = len(two.forklift.changes)
        answers = at_once([lambda operate=operate: two.guard.submit(operate) for _ in range(8)])
        assert sorted(answer.outcome for answer in answers) == ["done"] + ["refused"] * 7
        assert two.forklift.changes[before:] == [("forklift/7", value)]


@pytest.mark.parametrize("own_ledger", [True, False])
def test_two_guards_carry_out_the_same_bytes_once(two: Site, own_ledger: bool) -> None:
    """Whichever took over last acts; the select is known to both."""
    first = two.guard
    ledger = {"ledger": GuardLedger(two.folder / "other.db", create=True)} if own_ledger else {}
    second = two.new_guard(**ledger)
    two.time.wait(6)
    for value in (6.0, 5.0, 7.0):
        select, operate = two.wire(value=value), two.wire(operation="operate", value=value)
        assert second.submit(select).outcome == "selected"
        first.submit(select)
        before = len(two.forklift.changes)
        work = [
            lambda guard=guard, operate=operate: guard.submit(operate) for guard in (first, second) for _ in range(4)
        ]
        answers = at_once(work)
        assert [answer.outcome for answer in answers].count("done") == 1
        assert two.forklift.changes[before:] == [("forklift/7", value)]
        assert two.forklift.safe == []


def test_a_guard_that_takes_over_while_the_other_one_acts(two: Site) -> None:
    """Takes over at every moment: before, during and after the action; the setpoint changes once at most."""
    for turn in range(6):
        value = 6.0 if turn % 2 else 5.0
        select, operate = two.wire(value=value), two.wire(operation="operate", value=value)
        assert two.guard.submit(select).outcome == "selected"
        before = len(two.forklift.changes)
        made: list[object] = []
        older = two.guard
        at_once(
            [lambda older=older, operate=operate: older.submit(operate), lambda made=made: made.append(two.new_guard())]
        )
        two.guard = made[0]  # type: ignore[assignment]
        two.guard.submit(select)
        two.guard.submit(operate)
        assert len(two.forklift.changes) - before <= 1
        two.time.wait(6)


def test_stops_and_setpoints_at_once_end_at_the_fail_safe_value(two: Site) -> None:
    for _ in range(6):
        two.time.wait(7)
        two.forklift.values["forklift/7"] = 6.0
        assert two.select(value=5.0).outcome == "selected"
        operate, stop = two.wire(operation="operate", value=5.0), two.stop_wire()
        work = [
            lambda operate=operate: two.guard.submit(operate),
            *(lambda stop=stop: two.guard.submit(stop) for _ in range(3)),
        ]
        answers = at_once(work)
        assert [answer.outcome for answer in answers[1:]] == ["done"] * 3
        # A setpoint may be done before the stops; never after them.
        assert two.forklift.values["forklift/7"] == 0.0
