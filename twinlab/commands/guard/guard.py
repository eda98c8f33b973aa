"""The guard: bytes in, one answer out, and at most one change of one setpoint between them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, ClassVar

from twinlab.commands.guard.acting import LATE, Result, arrived_late, make_safe, operate, read_back, stop
from twinlab.commands.guard.actuator import Actuator, State
from twinlab.commands.guard.checks import CHECKS, Check
from twinlab.commands.guard.clock import Clock, ForwardClock
from twinlab.commands.guard.entries import Kind, Record, entry_of
from twinlab.commands.guard.flood import Flood
from twinlab.commands.guard.ledger import GuardLedger
from twinlab.commands.guard.message import Message
from twinlab.commands.guard.rules import Rates, Rule
from twinlab.commands.guard.situation import Flight, Late, Situation
from twinlab.commands.messages.answer import Answer, Outcome, new_answer
from twinlab.errors import CommandRejectedError, ControlError, SchemaError
from twinlab.signing.keys.ring import KeyRing

__all__ = ["Guard"]


class Guard:
    """The check before acting.

    Parameters
    ----------
    rules : iterable of Rule
        What may be set, of which assets.
    twin : str
        Name of the twin whose commands count.
    device : str
        Name of this device in the file of keys.
    ring : callable
        Returns the keys as they are now: ``KeyRingFile(path).read``.
    ledger : GuardLedger
        What must not be forgotten.
    actuator : Actuator
        What sets parameters and reads them back.
    record : callable
        Writes an entry of the audit and raises if it can't: a command is then refused; an emergency stop is carried out and its
        entry is written later.
    clock : Clock
        By default the clock of the machine.
    rates : Rates
        How many messages a second are looked at.

    Raises
    ------
    SchemaError
        If two rules are about the same parameter of the same asset.
    ControlError
        If the ledger can't be written.

    Notes
    -----
    From its start on, this guard is the one that may act: an older one of the same ledger or the same actuator is refused.
    Commands that were under way when an earlier process ended are read back, never repeated: see `recovered`.
    """

    checks: ClassVar[tuple[Check, ...]] = CHECKS

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        twin: str,
        device: str,
        ring: Callable[[], KeyRing],
        ledger: GuardLedger,
        actuator: Actuator,
        record: Record,
        clock: Clock | None = None,
        rates: Rates | None = None,
    ) -> None:
        time, known = clock or Clock(), _by_target(rules)
        self._record = record
        self._lock = threading.Lock()
        self._late: list[Callable[[], object]] = []
        self._late_lock = threading.Lock()
        self._flood = Flood((rates or Rates()).total)
        device_epoch = actuator.take_over()
        epoch, continues = ledger.take_over(device_epoch)
        self._here = Situation(
            twin=twin, device=device, rules=known, read_ring=ring, ledger=ledger, actuator=actuator, time=time,
            clock=ForwardClock(time, ledger.highest_instant()), rates=rates or Rates(), epoch=epoch,
            device_epoch=device_epoch, stopped_at=ledger.last_stops(), stop_ids=ledger.stop_ids(),
        )  # fmt: skip
        if not continues:
            # Its ledger doesn't know what another guard, or this one with a ledger that was lost, carried out meanwhile.
            self._here.taken_over_at = self._here.clock.read()[0]
        for key in ledger.operated():
            if (rule := self._here.rules.get(key)) is not None and rule.link_timeout is not None:
                self._here.links[key] = rule
                self.link_alive(key[0])
        self.recovered = self._recover()
        """Answers to commands that were under way when an earlier process ended: their outcome is unknown."""

    def submit(self, wire: bytes) -> Answer:
        """Check a message and, if it passes, do what it asks for. Never raises.

        Parameters
        ----------
        wire : bytes
            An envelope with a command, or anything else.

        Returns
        -------
        Answer
            To be signed with the key of the device: ``sign_answer(guard.submit(wire), signer)``.
        """
        message = Message(wire, now=self._here.clock.read()[0], stops=dict(self._here.stops))
        try:
            self._pass(message, self._of("all", "all_but_stops"))
            asks_for_stop = message.command.operation == "stop"
        except _RefusedError as refused:
            return self._refuse(message, refused.reason, check=refused.check)
        except Exception as error:  # noqa: BLE001  (a fault of a check refuses: nothing was done yet)
            return self._refuse(message, f"fault of the guard: {type(error).__name__}: {error}")
        return self._stop(message) if asks_for_stop else self._set(message)

    def tick(self) -> None:
        """Do what is due without a message; call it about once a second, from another thread than `submit`'s.

        It takes targets to fail-safe whose link is silent or whose action doesn't end, writes the highest instant of the
        clock, and writes entries that couldn't be written before.

        Raises
        ------
        ControlError
            If the ledger or the audit can't be written; what must be made safe is safe then.
        """
        self._end_silent_links()
        self._end_long_flights()
        self._end_late_setpoints()
        if more := self._flood.ended(self._here.time.monotonic()):
            reason = f"{more} further messages were refused, too many a second to record each"
            self._note_later("command refused", None, Result("refused", reason), check="rate", more=more)
        try:
            self._here.ledger.write_instant(self._here.clock.read()[0])
            self._write_late()
        except ControlError:
            raise
        except Exception as error:
            msg = f"expected an audit that can be written, got: {error}; no command is carried out until it can"
            raise ControlError(msg) from error

    def link_alive(self, target: str) -> None:
        """Note that something came over the link to a target: see ``Rule.link_timeout``."""
        self._here.words[target] = self._here.time.monotonic()

    def _pass(self, message: Message, checks: Collection[Check]) -> None:
        for check in checks:
            try:
                check.refuse(self._here, message)
            except ControlError as error:
                if check.of == "all_but_stops" and message.asks_for_stop:
                    continue
                raise _RefusedError(check.name, str(error)) from error

    def _refuse(self, message: Message, reason: str, *, check: str = "") -> Answer:
        more = self._flood.counted(check, self._here.time.monotonic())
        if more is None:
            return self._answer(message, Result("refused", reason))
        try:
            self._note("command refused", message, "refused", reason, check=check, more=more)
        except Exception as error:  # noqa: BLE001  (refused is refused)
            reason = f"{reason}; this refusal couldn't be recorded: {error}"
        return self._answer(message, Result("refused", reason))

    def _set(self, message: Message) -> Answer:
        here = self._here
        # One command at a time for a target: a state that is slow to read delays no other target.
        with here.target_lock(message.command.target):
            try:
                message.now = here.clock.read()[0]
                self._pass(message, self._of("setpoint"))
            except _RefusedError as refused:
                return self._refuse(message, refused.reason, check=refused.check)
            except Exception as error:  # noqa: BLE001  (nothing was done yet)
                return self._refuse(message, f"fault of the guard: {type(error).__name__}: {error}")
            with self._lock:
                refused_with = self._remember(message)
                if refused_with is not None:
                    return refused_with
                if message.command.operation == "select":
                    here.select(message)
                    return self._answer(message, _SELECTED)
                here.selects.pop(message.command.target, None)
                flight = Flight(here.rule(message), here.time.monotonic())
                here.flights[message.command.target] = flight
        return self._operate(message, flight)

    def _remember(self, message: Message) -> Answer | None:
        """Write a command to the ledger and the audit, before anything is done; return an answer if it is refused."""
        here, selects = self._here, message.command.operation == "select"
        try:
            self._write_late()
            with here.ledger.transaction():
                self._pass(message, self._of("memory"))
                outcome: Outcome | None = "selected" if selects else None
                here.ledger.add(message.command, wire_sha256=message.sha256, now=message.now, outcome=outcome)
        except _RefusedError as refused:
            return self._refuse(message, refused.reason, check=refused.check)
        except Exception as error:  # noqa: BLE001  (nothing was done yet)
            return self._refuse(message, str(error) or type(error).__name__)
        try:
            outcome, reason = ("selected", _SELECTED.reason) if selects else ("unknown", "under way")
            self._note("command accepted", message, outcome, reason)
        except Exception as error:  # noqa: BLE001  (what can't be recorded isn't done)
            return self._end(message, Result("refused", f"expected an audit that can be written, got: {error}"))
        return None

    def _of(self, *kinds: str) -> list[Check]:
        return [check for check in self.checks if check.of in kinds]

    def _operate(self, message: Message, flight: Flight) -> Answer:
        here, target = self._here, message.command.target
        watched = message.key in here.links
        if flight.rule.link_timeout is not None:
            here.links[message.key] = flight.rule
            self.link_alive(target)
        try:
            result = operate(here, message, flight)
        finally:
            with self._lock:
                here.flights.pop(target, None)
        if result.outcome == "refused" and not watched:
            # Nothing was set.
            here.links.pop(message.key, None)
        return self._end(message, result)

    def _stop(self, message: Message) -> Answer:
        here, target = self._here, message.command.target
        # Before acting, so that a command that is under way ends at the fail-safe value, too.
        with here.stop_lock:
            here.stops[target] = here.stops.get(target, 0) + 1
            here.stopped_at[target] = message.now
        here.selects.pop(target, None)
        result = stop(here, message)
        here.stop_ids.add(message.command.id)
        self._late.append(lambda: here.ledger.add_stop(
            message.command, wire_sha256=message.sha256, now=message.now, outcome=result.outcome, reason=result.reason
        ))  # fmt: skip
        self._note_later("command answered", message, result)
        with suppress(Exception):
            self._write_late(wait=0.05)
        return self._answer(message, result)

    def _end(self, message: Message, result: Result) -> Answer:
        """Write the outcome of a command, now or as soon as it can be written, and return the answer."""
        command_id = message.command.id
        self._late.append(lambda: self._here.ledger.write_outcome(command_id, result.outcome, result.reason))
        self._note_later("command answered", message, result)
        with suppress(Exception):
            self._write_late()
        return self._answer(message, result)

    def _write_late(self, *, wait: float = 5.0) -> None:
        """Write what couldn't be written before, oldest first; raise if it still can't."""
        if not self._late_lock.acquire(timeout=wait):
            msg = "expected an audit and a ledger that can be written, got ones that don't answer"
            raise ControlError(msg)
        try:
            while self._late:
                self._late[0]()
                del self._late[0]
        finally:
            self._late_lock.release()

    def _end_silent_links(self) -> None:
        here, now = self._here, self._here.time.monotonic()
        for key, rule in list(here.links.items()):
            seconds = now - here.words.get(key[0], -math.inf)
            if rule.link_timeout is None or seconds <= rule.link_timeout:
                continue
            why = f"expected a sign of life within {rule.link_timeout:g} s, got none for {seconds:.0f} s"
            if (flight := here.flights.get(key[0])) is not None:
                flight.broken = why
            if self._made_safe(key, rule, why) == "unknown":
                # Again, until the target can be reached.
                here.links[key] = rule
                self.link_alive(key[0])

    def _end_long_flights(self) -> None:
        here, now = self._here, self._here.time.monotonic()
        for key, rule in here.rules.items():
            flight = here.flights.get(key[0])
            if flight is None or flight.rule is not rule or flight.broken:
                continue
            # Once for the acknowledgement, once for the value that is read back, and a second for both.
            if now - flight.started > 2 * rule.timeout + 1.0:
                flight.broken = (
                    f"expected an end within {2 * rule.timeout:g} s, got none in {now - flight.started:.0f} s"
                )
                self._made_safe(key, rule, flight.broken)

    def _end_late_setpoints(self) -> None:
        here, now = self._here, self._here.time.monotonic()
        for key, late in list(here.late.items()):
            if key[0] in here.flights or now >= late.until:
                here.late.pop(key, None)
            elif (why := arrived_late(here, key)) is None:
                # It can't be read: the time begins when it can.
                here.late[key] = Late(late.value, now + LATE)
            elif why:
                self._made_safe(key, here.rules[key], why)

    def _made_safe(self, key: tuple[str, str], rule: Rule, why: str) -> Outcome:
        result = make_safe(self._here, key, rule, why)
        self._note_later("link lost", None, Result(result.outcome, f"{key[1]} of {key[0]}: {result.reason}"))
        return result.outcome

    def _recover(self) -> tuple[Answer, ...]:
        here, answers = self._here, []
        for found in here.ledger.pending():
            key = found.target, found.parameter
            state, text = read_back(here, key)
            reason = (
                f"the guard ended while {found.parameter} {found.value:g} {found.unit} was under way to {found.target}; "
                f"read back: {text}; it isn't repeated: decide again"
            )
            here.ledger.write_outcome(found.id, "unknown", reason)
            self._record(entry_of(
                "command recovered", None, device=here.device, now=here.clock.read()[0], wire_sha256=found.wire_sha256,
                outcome="unknown", reason=reason,
            ))  # fmt: skip
            answers.append(new_answer(
                "unknown", reason, device=here.device, wire_sha256=found.wire_sha256, command=(found.id, *key), value=_reported(state),
                now=here.clock.read()[0],
            ))  # fmt: skip
        return tuple(answers)

    def _note(
        self, kind: Kind, message: Message | None, outcome: Outcome, reason: str, *, check: str = "", more: int = 0
    ) -> None:
        self._record(self._entry(kind, message, Result(outcome, reason), check=check, more=more))

    def _note_later(
        self, kind: Kind, message: Message | None, result: Result, *, check: str = "", more: int = 0
    ) -> None:
        # With the time of now, whenever it can be written.
        entry = self._entry(kind, message, result, check=check, more=more)
        self._late.append(lambda: self._record(entry))

    def _entry(self, kind: Kind, message: Message | None, result: Result, *, check: str, more: int) -> dict[str, Any]:
        here = self._here
        return entry_of(
            kind, message, device=here.device, now=here.clock.read()[0], wire_sha256=message.sha256 if message else "",
            outcome=result.outcome, reason=result.reason, check=check, more=more,
        )  # fmt: skip

    def _answer(self, message: Message, result: Result) -> Answer:
        command = message.known
        return new_answer(
            result.outcome, result.reason, device=self._here.device, wire_sha256=message.sha256,
            command=None if command is None else (command.id, command.target, command.parameter),
            value=_reported(result.state),
            now=self._here.clock.read()[0],
        )  # fmt: skip


_SELECTED = Result("selected", "it is selected; operate follows")


class _RefusedError(CommandRejectedError):
    """A check refused."""

    def __init__(self, check: str, reason: str) -> None:
        super().__init__(reason)
        self.check, self.reason = check, reason


def _reported(state: State | None) -> tuple[float, str] | None:
    # An asset may report anything; an answer has finite numbers.
    with suppress(TypeError, ValueError, OverflowError):
        if state is not None and math.isfinite(value := float(state.value)):
            return value, str(state.unit)
    return None


def _by_target(rules: Iterable[Rule]) -> dict[tuple[str, str], Rule]:
    found: dict[tuple[str, str], Rule] = {}
    for rule in rules:
        for target in rule.targets:
            if (target, rule.parameter) in found:
                msg = f"rules: expected one of {rule.parameter} for {target}, got two"
                raise SchemaError(msg)
            found[target, rule.parameter] = rule
    return found
