"""The check of actuators passes one that conforms, and says what is wrong with each that doesn't."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.commands.guard.killed_guard import FileForklift
from twinlab.commands.guard import State
from twinlab.testing import check_actuator

WHAT: dict[str, Any] = {
    "target": "forklift/7", "parameter": "max_speed", "unit": "km/h", "values": (6.0, 5.0), "fail_safe": 0.0, "timeout": 0.2,
}  # fmt: skip


class Safe(FileForklift):
    """Goes to its fail-safe value, too."""

    def fail_safe(self, target: str, parameter: str, value: float | None) -> bool:
        assert value is not None
        self.changes.write_text(f"{value}\n")
        return True


class Forgetful(Safe):
    def take_over(self) -> int:
        return 1


class Unfenced(Safe):
    def apply(self, target: str, parameter: str, value: float, *, epoch: int, timeout: float) -> bool:
        return super().apply(target, parameter, value, epoch=self.fence._read(), timeout=timeout)


class Silent(Safe):
    def apply(self, *given: Any, **named: Any) -> bool:
        super().apply(*given, **named)
        return None  # type: ignore[return-value]


class Stuck(Safe):
    def apply(self, *given: Any, **named: Any) -> bool:
        return True


class Timed(Safe):
    """Takes the time as a part of the state."""

    def state(self, target: str, parameter: str) -> State:
        found = super().state(target, parameter)
        return replace(found, sha256=f"{hash(found.at.isoformat()) & (2**64 - 1):064x}")


class Constant(Safe):
    def state(self, target: str, parameter: str) -> State:
        return replace(super().state(target, parameter), sha256="0" * 64)


class Naive(Safe):
    def state(self, target: str, parameter: str) -> State:
        return replace(super().state(target, parameter), at=datetime.now())


class Miles(Safe):
    def state(self, target: str, parameter: str) -> State:
        return replace(super().state(target, parameter), unit="mph")


def test_an_actuator_that_conforms_passes(tmp_path: Path, need: Callable[[str], object]) -> None:
    check_actuator(lambda: Safe(tmp_path), **WHAT)
    assert Safe(tmp_path).value() == 0.0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Forgetful, "take_over: expected 2 after 1"), (Unfenced, "expected CommandRejectedError for the epoch 1"), (Silent, "apply: expected True"),
        (Stuck, "read_back: expected 6 km/h within 0.2 s, got 8"), (Timed, "the same hash for the same value"), (Constant, "another hash for another value"),
        (Naive, "a time with a zone"), (Miles, "expected the unit km/h, got mph"), (FileForklift, "read_back: expected 0 km/h"),
    ],
)  # fmt: skip
def test_what_does_not_conform_is_said(kind: type[FileForklift], expected: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=expected):
        check_actuator(lambda: kind(tmp_path), **WHAT)
