"""What a guard does once all checks are passed: set and read back, or go to safety."""

from __future__ import annotations

from dataclasses import dataclass

from twinlab.commands.guard.actuator import State
from twinlab.commands.guard.message import Message
from twinlab.commands.guard.rules import Rule
from twinlab.commands.guard.situation import Flight, Late, Situation
from twinlab.commands.messages.answer import Outcome
from twinlab.errors import CommandRejectedError

__all__ = ["LATE", "Result", "arrived_late", "make_safe", "operate", "read_back", "stop"]

#: Seconds between two looks at the value that a target moves to.
_PAUSE = 0.05
#: Seconds for which a setpoint without an acknowledgement may still arrive: TCP repeats what got lost for about so long.
LATE = 30.0


@dataclass(frozen=True)
class Result:
    """Outcome of a command."""

    outcome: Outcome
    reason: str
    state: State | None = None


def operate(here: Situation, message: Message, flight: Flight) -> Result:
    """Set a value once, and read it back until it is reached; whatever else happens, go to fail-safe."""
    command, rule = message.command, flight.rule
    if why := _broken(here, message, flight) or _waited(here, message, rule):
        return Result("refused", f"{command.target}: nothing was set: {why}")
    here.late.pop(message.key, None)
    try:
        acknowledged = here.actuator.apply(
            *message.key, command.value, epoch=here.device_epoch, timeout=rule.timeout
        )  # fmt: skip
    except CommandRejectedError as error:
        # The asset, or another guard in front of it, changed nothing.
        return Result("refused", str(error))
    except Exception as error:  # noqa: BLE001  (whatever it is, the setpoint may have changed)
        here.late[message.key] = Late(command.value, here.time.monotonic() + LATE)
        return make_safe(here, message.key, rule, f"expected an acknowledgement, got: {_text(error)}")
    seconds = here.time.monotonic() - flight.started
    if why := _broken(here, message, flight):
        return make_safe(here, message.key, rule, why)
    if not acknowledged or seconds > rule.timeout:
        here.late[message.key] = Late(command.value, here.time.monotonic() + LATE)
        why = f"expected an acknowledgement within {rule.timeout:g} s, got none" + (
            f" in {seconds:.1f} s" if acknowledged else ""
        )
        return make_safe(here, message.key, rule, why)
    try:
        return _reached(here, message, flight)
    except Exception as error:  # noqa: BLE001  (the setpoint has changed: a fault mustn't leave it so)
        return make_safe(here, message.key, rule, f"fault while reading back: {_text(error)}")


def _reached(here: Situation, message: Message, flight: Flight) -> Result:
    command, rule = message.command, flight.rule
    until = here.time.monotonic() + rule.timeout
    while True:
        state, found = read_back(here, message.key)
        if why := _broken(here, message, flight):
            return make_safe(here, message.key, rule, why)
        if state is not None and _within(here, state, command.value, rule):
            return Result("done", f"{rule.parameter} of {command.target} was set and read back: {found}", state)
        if here.time.monotonic() >= until:
            why = f"expected {command.value:g} {rule.unit} (± {rule.tolerance:g}) to be read back within {rule.timeout:g} s, got {found}"
            return make_safe(here, message.key, rule, why)
        here.time.sleep(_PAUSE)


def _within(here: Situation, state: State, value: float, rule: Rule) -> bool:
    age = (here.clock.read()[0] - state.at).total_seconds()
    # A comparison with NaN is false.
    return state.unit == rule.unit and age <= rule.longest_age and abs(state.value - value) <= rule.tolerance


def _broken(here: Situation, message: Message, flight: Flight) -> str:
    target = message.command.target
    if here.stops.get(target, 0) != message.stops_before(target):
        return "an emergency stop came meanwhile"
    return flight.broken


def _waited(here: Situation, message: Message, rule: Rule) -> str:
    """Return why a command that passed its checks waited too long: for the audit, the disk, or other commands."""
    now = here.clock.read()[0]
    if now >= message.command.expires:
        return f"it expired at {message.command.expires_at} while it waited"
    if message.state is not None and (age := (now - message.state.at).total_seconds()) > rule.longest_age:
        return f"the state that it was compared with became {age:.1f} s old while it waited"
    return ""


def stop(here: Situation, message: Message) -> Result:
    """Take a target to its fail-safe value at once."""
    rule, target = here.rule(message), message.command.target
    made = make_safe(here, message.key, rule, f"emergency stop by {' and '.join(message.persons)}")
    if made.outcome == "fail_safe":
        return Result("done", f"{target}: {made.reason}", made.state)
    return Result("unknown", f"{target}: {made.reason}", made.state)


def arrived_late(here: Situation, key: tuple[str, str]) -> str | None:
    """Return why a target must go to safety again: a setpoint without an acknowledgement reached it after all; "" if not.

    None if it can't be read.
    """
    late, rule = here.late[key], here.rules[key]
    state, found = read_back(here, key)
    if state is None:
        return None
    if not abs(state.value - late.value) <= rule.tolerance:
        return ""
    if rule.fail_safe is not None and abs(state.value - rule.fail_safe) <= rule.tolerance:
        return ""
    return f"expected {late.value:g} {rule.unit} never to arrive, which wasn't acknowledged in time, got {found}"


def make_safe(here: Situation, key: tuple[str, str], rule: Rule, why: str) -> Result:
    """Take a target to its fail-safe value, and report why, and whether it acknowledged."""
    here.selects.pop(key[0], None)
    here.links.pop(key, None)
    where = "its fail-safe state" if rule.fail_safe is None else f"{rule.parameter} {rule.fail_safe:g} {rule.unit}"
    try:
        acknowledged, problem = here.actuator.fail_safe(*key, rule.fail_safe), "no acknowledgement"
    except Exception as error:  # noqa: BLE001  (whatever it is, the answer must state it)
        acknowledged, problem = False, _text(error)
    state, found = read_back(here, key)
    if acknowledged:
        return Result("fail_safe", f"{why}; {key[0]} went to {where}, read back: {found}", state)
    return Result(
        "unknown", f"{why}; {where} was asked for, got: {problem}; read back: {found}; look at {key[0]} itself", state
    )


def read_back(here: Situation, key: tuple[str, str]) -> tuple[State | None, str]:
    """Return what an asset reports, and the same in words."""
    try:
        state = here.actuator.read_back(*key)
        return state, f"{float(state.value):g} {state.unit}"
    except Exception as error:  # noqa: BLE001  (a lost link, or what isn't a number, is an answer, too)
        return None, f"nothing ({_text(error)})"


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
