"""A guard in a process of its own, killed at a point: ``python -m tests.commands.guard.killed_guard FOLDER POINT``.

The asset is a file that outlives the guard, as a forklift outlives its gateway: each change of a setpoint is a line of it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twinlab.commands.guard import Fence, Guard, GuardLedger, Rates, Rule, State
from twinlab.commands.messages import state_hash
from twinlab.signing.keys import KeyRingFile

RULE = Rule(
    parameter="max_speed", targets=frozenset({"forklift/7"}), unit="km/h", limits=(0.0, 12.0), largest_step=6.0, tolerance=0.2,
    roles=frozenset({"operator"}), people=1, fail_safe=0.0, timeout=2.0, longest_age=5.0,
)  # fmt: skip
POINTS = (
    "before the ledger", "in the ledger's transaction", "after the ledger", "before the audit", "after the audit", "before the asset changes",
    "after the asset changed", "before reading back", "before the outcome is written", "before the answer is recorded", "after the answer is recorded",
)  # fmt: skip


class FileForklift:
    """A forklift whose setpoints are lines of a file."""

    def __init__(self, folder: Path, at: Callable[[str], None] = lambda point: None) -> None:
        self.changes = folder / "changes"
        self.fence = Fence(folder / "epoch")
        self.at = at

    def value(self) -> float:
        lines = self.changes.read_text(encoding="utf-8").split() if self.changes.exists() else []
        return float(lines[-1]) if lines else 8.0

    def take_over(self) -> int:
        return self.fence.advance()

    def state(self, target: str, parameter: str) -> State:
        return State(self.value(), "km/h", datetime.now(UTC), state_hash(target, parameter, self.value(), "km/h"))

    def read_back(self, target: str, parameter: str) -> State:
        self.at("before reading back")
        return self.state(target, parameter)

    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        with self.fence.acting(epoch):
            self.at("before the asset changes")
            with self.changes.open("a", encoding="utf-8") as file:
                file.write(f"{value}\n")
                file.flush()
                os.fsync(file.fileno())
            self.at("after the asset changed")
        return True

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        return True


class DyingLedger(GuardLedger):
    """Ends the process inside and after the transaction of an operate."""

    at: Callable[[str], None] = staticmethod(lambda point: None)

    def add(self, command: Any, **given: Any) -> None:
        self.at("before the ledger")
        super().add(command, **given)
        self.at("in the ledger's transaction")

    def write_outcome(self, *given: Any) -> None:
        self.at("before the outcome is written")
        super().write_outcome(*given)


def guard_of(folder: Path, at: Callable[[str], None] = lambda point: None) -> tuple[Guard, FileForklift]:
    forklift = FileForklift(folder, at)
    path = folder / "guard.db"
    ledger = DyingLedger(path, create=not path.exists())
    ledger.at = at  # type: ignore[method-assign]
    audit = folder / "audit"

    def record(entry: dict[str, Any]) -> None:
        if entry["kind"] == "command accepted":
            at("after the ledger")
            at("before the audit")
        if entry["kind"] == "command answered":
            at("before the answer is recorded")
        with audit.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if entry["kind"] == "command accepted":
            at("after the audit")
        if entry["kind"] == "command answered":
            at("after the answer is recorded")

    guard = Guard(
        [RULE], twin="parcel", device="gateway/1", ring=KeyRingFile(folder / "keys.yaml").read, ledger=ledger, actuator=forklift,
        record=record, rates=Rates(total=10_000, target=10_000),
    )  # fmt: skip
    return guard, forklift


def say(text: str) -> None:
    """Write a line to who started the process."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(folder: Path, point: str) -> None:
    """Answer the messages of the folder; die at a point of the second one, which operates."""
    armed: list[bool] = []

    def at(reached: str) -> None:
        if armed and reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    guard, _ = guard_of(folder, at)
    say("ready")
    for number, line in enumerate(sys.stdin):
        if number == 1 and point != "any":
            armed.append(True)
        say(guard.submit(line.strip().encode()).outcome)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
