"""Any sequence of commands, waits, stops, restarts and replays: the guard answers as a simple model of it does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.commands.guard.site import Site
from twinlab.commands.messages import Command

TARGETS = st.sampled_from(["forklift/7", "forklift/8", "forklift/9"])
VALUES = st.sampled_from([-1.0, 0.0, 3.0, 6.0, 6.5, 12.0, 12.5])
SIGNERS = st.sampled_from(
    [("ann", "bob"), ("bob", "cid"), ("ann", "ann2"), ("ann",), ("ann", "vic"), ("ann", "bob", "cid"), ("ann", "olaf")]
)
PERSONS = {"ann": "Ann", "ann2": "Ann", "bob": "Bob", "cid": "Cid"}


class Oracle:
    """What a guard should do, in the simplest words: no bytes, no signatures, no disk."""

    def __init__(self) -> None:
        self.values = {"forklift/7": 8.0, "forklift/8": 8.0}
        self.used: set[str] = set()
        self.counters: dict[str, int] = {}
        self.selects: dict[str, tuple[float, tuple[str, ...], float]] = {}
        self.stopped: dict[str, float] = {}
        self.stops: set[str] = set()
        self.changes: list[tuple[str, float]] = []

    def answer(self, command: Command, signers: tuple[str, ...], issued: float, now: float, fresh: bool) -> str:
        persons = tuple(sorted({PERSONS[name] for name in signers if name in PERSONS}))
        target = command.target
        select = self.selects.get(target)
        select = select if select and now < select[2] else None
        allowed = (
            "olaf" not in signers and len(persons) >= 2 and target in self.values and issued <= now + 5 and now < issued + 30 and fresh
            and command.id not in self.used and command.counter > self.counters.get(target, 0)
            and 0 <= command.value <= 12 and abs(command.value - self.values[target]) <= 6
            and issued > self.stopped.get(target, float("-inf")) + 5 and (select is None or select[1] == persons)
        )  # fmt: skip
        if allowed and command.operation == "operate":
            allowed = select is not None and select[0] == command.value
        if not allowed:
            return "refused"
        self.used.add(command.id)
        self.counters[target] = command.counter
        if command.operation == "select":
            self.selects[target] = (command.value, persons, now + 10)
            return "selected"
        del self.selects[target]
        self.values[target] = command.value
        self.changes.append((target, command.value))
        return "done"


class Journeys(RuleBasedStateMachine):
    """A guard beside the oracle."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.site = Site(self.folder)
        self.oracle = Oracle()
        self.start = self.site.time.passed
        self.sent: list[tuple[bytes, Command, tuple[str, ...], float, str]] = []
        self.stop_wires: list[tuple[bytes, str, str, float]] = []

    @property
    def now(self) -> float:
        return self.site.time.passed - self.start

    @initialize()
    def begin(self) -> None:
        assert self.site.forklift.values == self.oracle.values

    @rule(
        operation=st.sampled_from(["select", "operate"]), asset=TARGETS, value=VALUES, signers=SIGNERS,
        counter=st.sampled_from([-1, 0, 1, 1, 1, 5]), ahead=st.sampled_from([0, 0, 0, -20, 4, 10]), load=st.sampled_from([0, 0, 0, 1]),
        send=st.booleans(),
    )  # fmt: skip
    def command(
        self, operation: Any, asset: str, value: float, signers: tuple[str, ...], counter: int, ahead: int, load: int, send: bool
    ) -> None:  # fmt: skip
        """Sign a command, about a state that may have changed, and send it at once or later."""

        self.site.forklift.load += load
        made = self.site.command(
            operation=operation, target=asset, value=value, counter=max(self.oracle.counters.get(asset, 0) + counter, 1),
            now=self.site.time.now + timedelta(seconds=ahead),
        )  # fmt: skip
        wire = self.site.wire(command=made, signers=signers)
        self.sent.append((wire, made, signers, self.now + ahead, self.site.state(asset)))
        if send:
            self._submit(len(self.sent) - 1)

    @rule(value=st.sampled_from([3.0, 4.0, 5.0, 6.0, 8.0, 10.0]), asset=TARGETS, wait=st.sampled_from([0, 5, 9, 10]))
    def journey(self, value: float, asset: str, wait: int) -> None:
        """Select, wait, operate, as people do."""
        self.command("select", asset, value, ("ann", "bob"), 1, 0, 0, True)
        self.site.time.wait(wait)
        self.command("operate", asset, value, ("ann", "bob"), 1, 0, 0, True)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        """Send bytes that were sent, or were recorded and not sent."""
        self._submit(data.draw(st.integers(0, len(self.sent) - 1)))

    def _submit(self, number: int) -> None:
        wire, made, signers, issued, seen = self.sent[number]
        fresh = made.target in self.oracle.values and seen == self.site.state(made.target)
        expected = self.oracle.answer(made, signers, issued, self.now, fresh)
        answer = self.site.guard.submit(wire)
        assert answer.outcome == expected, answer.reason

    @rule(asset=st.sampled_from(["forklift/7", "forklift/8"]), signer=st.sampled_from(["ann", "bob", "vic"]))
    def stop(self, asset: str, signer: str) -> None:
        wire = self.site.stop_wire(target=asset, signer=signer)
        self.stop_wires.append((wire, asset, signer, self.now))
        self._stop(len(self.stop_wires) - 1)

    @precondition(lambda self: self.stop_wires)
    @rule(data=st.data())
    def stop_again(self, data: st.DataObject) -> None:
        self._stop(data.draw(st.integers(0, len(self.stop_wires) - 1)))

    def _stop(self, number: int) -> None:
        wire, target, signer, issued = self.stop_wires[number]
        # Each was carried out when it was made.
        if signer == "vic" or self.now >= issued + 60:
            assert self.site.guard.submit(wire).outcome == "refused"
            return
        assert self.site.guard.submit(wire).outcome == "done"
        self.oracle.values[target] = 0.0
        self.oracle.stopped[target] = self.now
        self.oracle.selects.pop(target, None)

    @rule(seconds=st.sampled_from([1, 4, 6, 10, 25, 31, 61]))
    def wait(self, seconds: int) -> None:
        self.site.time.wait(seconds)
        for target in self.oracle.values:
            self.site.guard.link_alive(target)
        self.site.guard.tick()

    @rule()
    def restart(self) -> None:
        self.site.restart()
        assert self.site.guard.recovered == ()
        self.oracle.selects.clear()

    @rule()
    def second_guard(self) -> None:
        """Another guard takes over; the older one is refused everything."""
        older = self.site.guard
        self.site.guard = self.site.new_guard()
        self.oracle.selects.clear()
        before = list(self.site.forklift.changes)
        assert older.submit(self.site.wire()).outcome == "refused"
        assert self.site.forklift.changes == before
        older._here.ledger.close()

    @invariant()
    def setpoints_changed_as_the_oracle_says(self) -> None:
        assert self.site.forklift.changes == self.oracle.changes
        assert self.site.forklift.values == self.oracle.values

    @invariant()
    def each_answer_is_recorded(self) -> None:
        done = [
            entry
            for entry in self.site.entries
            if entry["kind"] == "command answered" and entry["what"]["operation"] == "operate"
        ]
        assert len(done) == len(self.oracle.changes)
        assert len({entry["what"]["id"] for entry in done}) == len(done)

    def teardown(self) -> None:
        self.site.guard._here.ledger.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def machine(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Journeys,
        settings=settings(
            settings.get_profile("default"), max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )  # fmt: skip


def test_any_sequence_is_answered_as_a_simple_model_does(need: Callable[[str], object]) -> None:
    need("securesystemslib")
    machine(40, 25)


@pytest.mark.soak
def test_any_long_sequence_is_answered_as_a_simple_model_does(need: Callable[[str], object]) -> None:
    need("securesystemslib")
    machine(200, 60)
