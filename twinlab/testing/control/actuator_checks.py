"""Conformance check of an actuator: what a guard relies on when it sets a value, and when it goes to safety."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from twinlab.commands.guard.actuator import Actuator, State
from twinlab.errors import CommandRejectedError

__all__ = ["check_actuator"]


def check_actuator(
    make: Callable[[], Actuator],
    *,
    target: str,
    parameter: str,
    unit: str,
    values: tuple[float, float],
    fail_safe: float | None,
    tolerance: float = 0.0,
    timeout: float = 5.0,
) -> None:
    """Check that an actuator sets a value, reads it back, refuses older guards, and goes to safety for any of them.

    The asset is set to both values, and is left at its fail-safe value: use one that nobody works with.

    Parameters
    ----------
    make : callable
        Returns an actuator of the asset; called twice, as by two gateways or before and after a restart.
    target, parameter, unit : str
        What is set: ``"forklift/7", "max_speed", "km/h"``.
    values : (float, float)
        Two values that it may have, in the unit, further apart than the tolerance.
    fail_safe : float or None
        Value to go to for safety; None if the asset knows by itself.
    tolerance : float
        How far a value that is read back may be from the one that was set.
    timeout : float
        Seconds for an acknowledgement, and for a value to be reached.

    Raises
    ------
    AssertionError
        That says what doesn't conform.
    """
    older, newer = make(), make()
    assert isinstance(older, Actuator), f"expected the methods of an Actuator, got {type(older).__name__}"
    first, second = older.take_over(), newer.take_over()
    assert second == first + 1, f"take_over: expected {first + 1} after {first}, also from another object, got {second}"
    what = (target, parameter)

    def reached(value: float) -> State:
        until = time.monotonic() + timeout
        while True:
            state = newer.read_back(*what)
            _check_state(state, unit)
            if abs(state.value - value) <= tolerance:
                return state
            assert time.monotonic() < until, (
                f"read_back: expected {value:g} {unit} within {timeout:g} s, got {state.value:g}"
            )
            time.sleep(0.02)

    states = []
    for value in values:
        acknowledged = newer.apply(*what, value, epoch=second, timeout=timeout)
        assert acknowledged is True, f"apply: expected True for {value:g} {unit}, got {acknowledged!r}"
        states.append(reached(value))
    assert states[0].sha256 != states[1].sha256, "state: expected another hash for another value"
    again = newer.state(*what)
    assert again.sha256 == states[1].sha256, "state: expected the same hash for the same value, whatever the time"
    _check_older(older, first, what, values[0], timeout)
    reached(values[1])
    # Safety has no epoch.
    for actuator in (older, newer):
        acknowledged = actuator.fail_safe(*what, fail_safe)
        assert acknowledged is True, f"fail_safe: expected True, got {acknowledged!r}"
    if fail_safe is not None:
        reached(fail_safe)


def _check_older(older: Actuator, epoch: int, what: tuple[str, str], value: float, timeout: float) -> None:
    try:
        older.apply(*what, value, epoch=epoch, timeout=timeout)
    except CommandRejectedError:
        return
    msg = f"apply: expected CommandRejectedError for the epoch {epoch}, after which another guard took over"
    raise AssertionError(msg)


def _check_state(state: State, unit: str) -> None:
    assert state.unit == unit, f"state: expected the unit {unit}, got {state.unit}"
    assert state.at.tzinfo is not None, f"state: expected a time with a zone, got {state.at}"
    assert re.fullmatch("[0-9a-f]{64}", state.sha256), f"state: expected a SHA-256 of state_hash, got {state.sha256!r}"
