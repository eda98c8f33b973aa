"""What the checks of a guard look at beside the message: rules, keys, memory, the asset."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from twinlab.commands.guard.actuator import Actuator, State
from twinlab.commands.guard.clock import Clock, ForwardClock
from twinlab.commands.guard.flood import Window
from twinlab.commands.guard.ledger import GuardLedger
from twinlab.commands.guard.message import Message
from twinlab.commands.guard.rules import Rates, Rule
from twinlab.errors import CommandRejectedError, SchemaError
from twinlab.signing.keys.ring import KeyRing

__all__ = ["Flight", "Late", "Select", "Situation"]


@dataclass(frozen=True)
class Select:
    """A target that somebody has selected."""

    parameter: str
    value: float
    unit: str
    persons: tuple[str, ...]
    until: datetime


@dataclass
class Flight:
    """A setpoint that is under way to its target."""

    rule: Rule
    started: float
    """By the monotonic clock."""
    broken: str = ""
    """Why it must end at the fail-safe value, whatever the asset answers."""


@dataclass(frozen=True)
class Late:
    """A setpoint that wasn't acknowledged: it may still arrive."""

    value: float
    until: float
    """When it is given up, by the monotonic clock."""


@dataclass
class Situation:
    """Beside the message."""

    twin: str
    device: str
    rules: Mapping[tuple[str, str], Rule]
    """(target, parameter) -> rule."""
    read_ring: Callable[[], KeyRing]
    ledger: GuardLedger
    actuator: Actuator
    time: Clock
    clock: ForwardClock
    rates: Rates
    epoch: int
    """Epoch of this guard in its ledger."""
    device_epoch: int
    """Epoch of this guard at the actuator."""
    selects: dict[str, Select] = field(default_factory=dict)
    flights: dict[str, Flight] = field(default_factory=dict)
    stops: dict[str, int] = field(default_factory=dict)
    """Target -> number of emergency stops since the start."""
    stopped_at: dict[str, datetime] = field(default_factory=dict)
    """Target -> instant of the last emergency stop."""
    stop_ids: set[str] = field(default_factory=set)
    """Emergency stops that were carried out."""
    stop_lock: threading.Lock = field(default_factory=threading.Lock)
    windows: dict[str, Window] = field(default_factory=dict)
    taken_over_at: datetime | None = None
    """Since when this guard may act, if another one may have acted since it did last."""
    target_locks: dict[str, threading.Lock] = field(default_factory=dict)
    late: dict[tuple[str, str], Late] = field(default_factory=dict)
    """Setpoints without an acknowledgement."""
    links: dict[tuple[str, str], Rule] = field(default_factory=dict)
    """What goes to fail-safe when its link is silent: its rule."""
    words: dict[str, float] = field(default_factory=dict)
    """Target -> when its link was alive last, by the monotonic clock."""
    last_ring: KeyRing | None = None
    """The last one that could be read."""

    def __post_init__(self) -> None:
        self.all_messages = Window(self.rates.total)

    def rule(self, message: Message) -> Rule:
        """Return the rule of a command."""
        return self.rules[message.key]

    def ring(self, message: Message) -> KeyRing:
        """Return the keys as their file states them now; read once a message.

        An emergency stop is verified with the last ones that could be read, if the file can't be read now.

        Raises
        ------
        CommandRejectedError
            If they can't be read.
        """
        if message.ring is None:
            try:
                message.ring = self.last_ring = self.read_ring()
            except SchemaError as error:
                if self.last_ring is None or not message.asks_for_stop:
                    raise CommandRejectedError(str(error)) from error
                message.ring = self.last_ring
        return message.ring

    def target_lock(self, target: str) -> threading.Lock:
        """Return the lock of a target that a rule names."""
        return self.target_locks.setdefault(target, threading.Lock())

    def target_window(self, target: str) -> Window:
        """Return the window of a target that a rule names."""
        return self.windows.setdefault(target, Window(self.rates.target))

    def state(self, message: Message) -> State:
        """Return what the asset reports now; asked once a message, so that all checks look at the same.

        Raises
        ------
        CommandRejectedError
            If it can't be read.
        """
        if message.state is None:
            try:
                message.state = self.actuator.state(*message.key)
            except Exception as error:
                target, parameter = message.key
                msg = f"{target}: expected the reported {parameter}, got: {str(error) or type(error).__name__}; nothing is set without it"
                raise CommandRejectedError(msg) from error
        return message.state

    def live_select(self, target: str, now: datetime) -> Select | None:
        """Return the select of a target that hasn't timed out."""
        found = self.selects.get(target)
        return found if found is not None and now < found.until else None

    def select(self, message: Message) -> None:
        """Reserve the target of a command for the persons who signed it."""
        command, rule = message.command, self.rule(message)
        until = message.now + timedelta(seconds=rule.select_lifetime)
        self.selects[command.target] = Select(command.parameter, command.value, command.unit, message.persons, until)
