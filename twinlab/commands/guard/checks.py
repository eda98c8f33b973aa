"""The checks of a command in their order. Each refuses for one reason, and says what was expected.

They are a list of names and functions, so that a test can leave each one out and show which attack it prevents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from twinlab.commands.guard import state_checks as of_state
from twinlab.commands.guard.message import MAX_COMMAND_BYTES, Message
from twinlab.commands.guard.situation import Situation
from twinlab.commands.messages.command import CLOCK_TOLERANCE, check_expiry, check_issued
from twinlab.commands.messages.signed import PAYLOAD_TYPE
from twinlab.commands.messages.signers import check_signers
from twinlab.errors import CommandRejectedError
from twinlab.model.terms import nearest
from twinlab.signing.envelopes.dsse import check_payload_type, verify_signatures
from twinlab.signing.keys.ring_keys import RingKeys

__all__ = ["CHECKS", "Check"]


class Check(NamedTuple):
    """One check."""

    name: str
    """In records and tests."""
    refuse: Callable[[Situation, Message], None]
    """Raises CommandRejectedError or CommandExpiredError."""
    of: Literal["setpoint", "memory", "all", "all_but_stops"] = "setpoint"
    """all: of every message, stops too. all_but_stops: not of an emergency stop, and not of what says that it is one and is
    verified next. setpoint: of commands whose signers are known, one at a time for a target. memory: of what the guard remembers,
    one at a time, in the transaction that remembers the command."""


def _size(_: Situation, message: Message) -> None:
    if len(message.wire) > MAX_COMMAND_BYTES:
        msg = f"message: expected at most {MAX_COMMAND_BYTES} bytes, got {len(message.wire)}"
        raise CommandRejectedError(msg)


def _rate(here: Situation, _: Message) -> None:
    if here.all_messages.full(here.time.monotonic()):
        msg = f"messages: expected at most {here.rates.total} in a second, got more; wait a second"
        raise CommandRejectedError(msg)


def _clock(here: Situation, _: Message) -> None:
    here.clock.check()


def _envelope(_: Situation, message: Message) -> None:
    message.envelope  # noqa: B018  (read once, refused here)


def _payload_type(_: Situation, message: Message) -> None:
    check_payload_type(message.envelope, PAYLOAD_TYPE)


def _signatures(here: Situation, message: Message) -> None:
    verify_signatures(message.envelope, RingKeys(here.ring(message).person_keys))
    message.verified = True


def _command(_: Situation, message: Message) -> None:
    message.command  # noqa: B018  (read once, refused here)


def _twin(here: Situation, message: Message) -> None:
    if message.command.twin != here.twin:
        msg = f"command.twin: expected {here.twin}, got {message.command.twin}"
        raise CommandRejectedError(msg)


def _target(here: Situation, message: Message) -> None:
    if message.key not in here.rules:
        what = " of ".join(reversed(message.key))
        known = sorted(" of ".join(reversed(key)) for key in here.rules)
        msg = f"command.target: expected something that {here.device} sets, got {what}{nearest(what, known)}"
        raise CommandRejectedError(msg)


def _persons(here: Situation, message: Message) -> None:
    rule = here.rule(message)
    ring = here.ring(message)
    if message.asks_for_stop:
        message.persons = check_signers(message.signed, ring=ring, roles=rule.roles | rule.stop_roles, people=1)
    else:
        message.persons = check_signers(message.signed, ring=ring, roles=rule.roles, people=rule.people)


def _repeated_stop(here: Situation, message: Message) -> None:
    """Refuse a stop that was carried out and has expired: whoever recorded it could stop the asset for ever."""
    command = message.command
    if command.operation == "stop" and command.id in here.stop_ids and message.now >= command.expires:
        msg = f"command.id: expected a new stop, got {command.id}, which was carried out and expired at {command.expires_at}"
        raise CommandRejectedError(msg)


def _target_rate(here: Situation, message: Message) -> None:
    if here.target_window(message.command.target).full(here.time.monotonic()):
        msg = f"commands to {message.command.target}: expected at most {here.rates.target} in a second, got more; wait a second"
        raise CommandRejectedError(msg)


def _expiry(_: Situation, message: Message) -> None:
    check_expiry(message.command, now=message.now)


def _issued(_: Situation, message: Message) -> None:
    check_issued(message.command, now=message.now)


def _unit(here: Situation, message: Message) -> None:
    rule, unit = here.rule(message), message.command.unit
    if unit != rule.unit:
        msg = f"command.unit: expected {rule.unit} for {rule.parameter}, got {unit!a}; units aren't converted"
        raise CommandRejectedError(msg)


def _limits(here: Situation, message: Message) -> None:
    rule, value = here.rule(message), message.command.value
    low, high = rule.limits
    if not low <= value <= high:
        msg = f"command.value: expected {rule.parameter} from {low:g} to {high:g} {rule.unit}, got {value:g}"
        raise CommandRejectedError(msg)


def _idle(here: Situation, message: Message) -> None:
    if message.command.target in here.flights:
        msg = f"{message.command.target}: expected no command under way, got one; wait for its answer"
        raise CommandRejectedError(msg)


def _other_select(here: Situation, message: Message) -> None:
    found = here.live_select(message.command.target, message.now)
    if found is not None and found.persons != message.persons:
        msg = (
            f"{message.command.target}: expected no select of others, got one of {', '.join(found.persons)}; "
            f"it times out at {found.until:%H:%M:%S} UTC"
        )
        raise CommandRejectedError(msg)


def _selected(here: Situation, message: Message) -> None:
    command = message.command
    if command.operation == "operate" and here.live_select(command.target, message.now) is None:
        lifetime = here.rule(message).select_lifetime
        msg = f"{command.target}: expected a select at most {lifetime:g} s before operate, got none; select first"
        raise CommandRejectedError(msg)


def _as_selected(here: Situation, message: Message) -> None:
    command = message.command
    found = here.live_select(command.target, message.now)
    if command.operation != "operate" or found is None:
        return
    asked, selected = (
        (command.parameter, command.value, command.unit),
        (found.parameter, found.value, found.unit),
    )
    if asked != selected:
        texts = [f"{parameter} {value:g} {unit}" for parameter, value, unit in (selected, asked)]
        msg = f"{command.target}: expected what was selected, {texts[0]}, got {texts[1]}; select again"
        raise CommandRejectedError(msg)


def _after_stop(here: Situation, message: Message) -> None:
    target, command = message.command.target, message.command
    stopped = here.stopped_at.get(target)
    late = here.stops.get(target, 0) != message.stops_before(target)
    # The clock of a signer may be ahead.
    if late or (stopped is not None and command.issued <= stopped + CLOCK_TOLERANCE):
        wait = CLOCK_TOLERANCE.seconds
        msg = f"{target}: expected a command that was signed more than {wait} s after its emergency stop, got one of {command.issued_at}; decide again"
        raise CommandRejectedError(msg)


def _after_take_over(here: Situation, message: Message) -> None:
    since, command = here.taken_over_at, message.command
    # The clock of a signer may be ahead.
    if since is not None and command.issued <= since + CLOCK_TOLERANCE:
        msg = (
            f"{command.target}: expected a command that was signed more than {CLOCK_TOLERANCE.seconds} s after {here.device} took over "
            f"({since:%H:%M:%S} UTC), got one of {command.issued_at}: another guard may have carried it out; decide again"
        )
        raise CommandRejectedError(msg)


def _replay(here: Situation, message: Message) -> None:
    found = here.ledger.outcome_of(message.command.id)
    if found is not None:
        outcome, reason = found
        msg = f"command.id: expected a new one, got {message.command.id}, whose outcome is {outcome}{reason and f' ({reason})'}"
        raise CommandRejectedError(msg)


def _counter(here: Situation, message: Message) -> None:
    command = message.command
    last = here.ledger.last_counter(command.target)
    if command.counter <= last:
        msg = f"command.counter: expected more than {last} for {command.target}, got {command.counter}: a newer command came before"
        raise CommandRejectedError(msg)


def _epoch(here: Situation, _: Message) -> None:
    if (newest := here.ledger.epoch) != here.epoch:
        msg = f"guard of {here.device}: expected the epoch {newest}, got {here.epoch}: another guard has taken over; stop this one"
        raise CommandRejectedError(msg)


#: From cheap to dear, and from what anybody can send to what only few can.
CHECKS: tuple[Check, ...] = (
    Check("rate", _rate, of="all_but_stops"),
    Check("size", _size, of="all"),
    Check("clock", _clock, of="all_but_stops"),
    Check("envelope", _envelope, of="all"),
    Check("payload_type", _payload_type, of="all"),
    Check("signatures", _signatures, of="all"),
    Check("command", _command, of="all"),
    Check("twin", _twin, of="all"),
    Check("target", _target, of="all"),
    Check("persons", _persons, of="all"),
    Check("repeated_stop", _repeated_stop, of="all"),
    Check("target_rate", _target_rate),
    Check("expiry", _expiry),
    Check("issued", _issued),
    Check("unit", _unit),
    Check("limits", _limits),
    Check("idle", _idle),
    Check("after_stop", _after_stop),
    Check("after_take_over", _after_take_over),
    Check("fresh_state", of_state.check_fresh),
    Check("same_state", of_state.check_same),
    Check("interlocks", of_state.check_interlocks),
    Check("step", of_state.check_step),
    Check("other_select", _other_select, of="memory"),
    Check("selected", _selected, of="memory"),
    Check("as_selected", _as_selected, of="memory"),
    Check("replay", _replay, of="memory"),
    Check("counter", _counter, of="memory"),
    Check("epoch", _epoch, of="memory"),
)
