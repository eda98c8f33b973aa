"""The checks of a command against what the asset reports: fresh, as it was looked at, not blocked, near enough."""

from __future__ import annotations

from twinlab.commands.guard.message import Message
from twinlab.commands.guard.situation import Situation
from twinlab.commands.messages.command import CLOCK_TOLERANCE
from twinlab.errors import CommandRejectedError

__all__ = ["check_fresh", "check_interlocks", "check_same", "check_step"]


def check_fresh(here: Situation, message: Message) -> None:
    """Refuse while the reported state is stale, or of the future."""
    rule, state = here.rule(message), here.state(message)
    age = (message.now - state.at).total_seconds()
    if not -CLOCK_TOLERANCE.total_seconds() <= age <= rule.longest_age:
        msg = f"{message.command.target}: expected a {rule.parameter} reported at most {rule.longest_age:g} s ago, got one {age:.1f} s old; wait for the next"
        raise CommandRejectedError(msg)


def check_same(here: Situation, message: Message) -> None:
    """Refuse if the state isn't the one that the persons looked at."""
    state, expected = here.state(message), message.command.expected_state
    if state.sha256 != expected:
        msg = (
            f"command.expected_state: expected {state.sha256[:12]}…, which is the state now ({state.value:g} {state.unit}), "
            f"got {expected[:12]}…: it changed since it was looked at; decide again"
        )
        raise CommandRejectedError(msg)


def check_interlocks(here: Situation, message: Message) -> None:
    """Refuse while an interlock doesn't allow a setpoint."""
    blocked = here.state(message).blocked
    if blocked:
        msg = f"{message.command.target}: {'; '.join(blocked)}"
        raise CommandRejectedError(msg)


def check_step(here: Situation, message: Message) -> None:
    """Refuse a setpoint too far from the reported value, and one whose distance isn't known."""
    rule, state, value = here.rule(message), here.state(message), message.command.value
    # A comparison with NaN is false.
    if state.unit != rule.unit or not abs(value - state.value) <= rule.largest_step:
        msg = (
            f"command.value: expected at most {rule.largest_step:g} {rule.unit} from the reported {rule.parameter}, "
            f"{state.value:g} {state.unit}, got {value:g} {message.command.unit}; go in smaller steps"
        )
        raise CommandRejectedError(msg)
