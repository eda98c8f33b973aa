"""The twin's side of control: its folder ``control/``, keys, guard, and the way to the assets."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.commands.guard import Clock, Guard, GuardLedger, Rule
from twinlab.control.proposals.carried import Carried, Channel
from twinlab.control.proposals.plan_store import FilePlans, PlanStore
from twinlab.control.proposals.proposing import Request, Settled, propose
from twinlab.control.proposals.situation.memory import Memory
from twinlab.errors import ControlError, HistoryConflictError, SourceError, UnknownTermError
from twinlab.model.terms import nearest
from twinlab.model.units import convert

if TYPE_CHECKING:
    from twinlab.control.proposals.proposal import Proposal
    from twinlab.model.commands.spec import CommandSpec
    from twinlab.model.reader import TwinReader
    from twinlab.signing.keys.ring import KeyRing

__all__ = ["Desk"]

#: Seconds to wait while another process sends: three answers that don't come.
_TURN = 30.0

#: Writes a row of the audit, or raises: kind, who, what.
Record = Callable[[Mapping[str, Any]], object]


class Desk:
    """What a twin needs to propose, approve and send.

    Parameters
    ----------
    folder : Path
        ``control/`` of the twin: plans, the guard's ledger, its epoch.
    reader : callable
        Returns the twin as it is now.
    ring : callable
        Returns the keys as they are now: ``KeyRingFile(path).read``.
    record : callable
        Writes a row of the audit before anything is done, and raises if it can't.
    channel : callable
        Returns the way to the assets; called when something is first sent.
    people : mapping of str to Path
        Files of private keys of those who sign on this machine.
    settled : callable, optional
        Returns why what is known isn't settled.
    clock : callable
        Returns the present, UTC.
    plans : PlanStore, optional
        Where plans are; by default files in the folder.
    """

    def __init__(
        self,
        folder: Path,
        *,
        reader: Callable[[], TwinReader],
        ring: Callable[[], KeyRing],
        record: Record,
        channel: Callable[[], Channel],
        people: Mapping[str, Path] | None = None,
        settled: Settled | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        plans: PlanStore | None = None,
    ) -> None:
        self.folder = folder
        self.stored = FilePlans(folder) if plans is None else plans
        """Where plans are."""
        self.reader = reader
        self.ring = ring
        self.record = record
        self.people = dict(people or {})
        self.clock = clock
        self._channel = channel
        self._settled = settled
        self._counters: dict[str, int] = {}
        self._lock = threading.Lock()
        self._memory = Memory()
        self._carried: Carried | None = None
        # A page connects while somebody stops an asset.
        self._opening = threading.Lock()

    def evaluate(self, request: Request, *, simulate: bool = True) -> Proposal:
        """Return a proposal from the present state, or only its checks."""
        now = np.datetime64(self.clock().astimezone(UTC).replace(tzinfo=None), "ns")
        return propose(self.reader(), request, now=now, settled=self._settled, memory=self._memory, simulate=simulate)

    def spec(self, proposal: Proposal) -> CommandSpec:
        """Return what the model states of the parameter."""
        return self.reader().model.commands[proposal.asset_type][proposal.parameter]

    def next_counters(self, target: str) -> tuple[int, int]:
        """Return two counters of a target, higher than any before.

        They are milliseconds since 1970, so that several processes, and a twin that was restored from a backup, need no common
        memory; within this one they rise by at least one.
        """
        with self._lock:
            first = (
                max(self._counters.get(target, 0), self.ledger.last_counter(target), time.time_ns() // 10**6 - 1) + 1
            )
            self._counters[target] = first + 1
        return first, first + 1

    def note(self, kind: str, who: list[str], **what: object) -> None:
        """Write a row of the audit.

        Raises
        ------
        ControlError
            If it can't be written: then nothing is done.
        """
        try:
            self.record({"kind": kind, "who": who, "what": what})
        except ControlError:
            raise
        except Exception as error:
            msg = f"the audit can't be written, so that nothing is sent: {error}"
            raise ControlError(msg) from error

    # -- plans -------------------------------------------------------------------------------------------------------------
    def save(self, plan_id: str, data: Mapping[str, Any]) -> None:
        """Write a plan, so that another session lists, approves and sends it."""
        self.stored.save(plan_id, data)

    def load(self, plan_id: str) -> dict[str, Any]:
        """Return what `save` wrote.

        Raises
        ------
        UnknownTermError
            If there is no such plan.
        """
        found = self.stored.read(plan_id)
        if found is None:
            msg = f"the twin has no plan {plan_id!r}{nearest(plan_id, self.stored.all())}"
            raise UnknownTermError(msg)
        return found

    def times_set(self, target: str, parameter: str) -> list[str]:
        """Return when each plan of a parameter was sent, UTC, but for those that changed nothing."""
        return [
            one["result"].get("at") or one["proposal"]["at"]
            for one in self.stored.all().values()
            if one["result"] is not None
            and one["result"]["outcome"] != "refused"
            and (one["proposal"]["target"], one["proposal"]["parameter"]) == (target, parameter)
        ]

    # -- guard -------------------------------------------------------------------------------------------------------------
    @cached_property
    def ledger(self) -> GuardLedger:
        """What the twin's own guard must not forget."""
        path = self.folder / "guard.db"
        self.folder.mkdir(parents=True, exist_ok=True)
        # Losing it is harmless here: the devices have their own, and counters are times.
        return GuardLedger(path, create=not path.exists())

    @property
    def carried(self) -> Carried:
        """The assets, as the guard's actuator; connections are made when it is first asked for."""
        with self._opening:
            if self._carried is None:
                self._carried = Carried(
                    self._channel(), epoch=self.folder / "epoch", ring=self.ring, resolutions=self._resolutions()
                )
            return self._carried

    @cached_property
    def guard(self) -> Guard:
        """The twin's own guard: of two processes only the one that made its guard last can send, see `sending`."""
        twin = self.reader()
        return Guard(
            self._rules(twin), twin=twin.model.twin, device=f"twin/{twin.model.twin}", ring=self.ring, ledger=self.ledger,
            actuator=self.carried, record=self.record, clock=Clock(now=self.clock),
        )  # fmt: skip

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Let this process alone send, with a guard that isn't overtaken. Emergency stops wait for nobody.

        Raises
        ------
        ControlError
            If another process sends for too long, or the guard can't take over.
        """
        with self._alone("sending", "nothing was sent"):
            if self.has_guard and self.carried.overtaken:
                # The old one stays as it is for a stop that uses it just now.
                self.__dict__.pop("guard")
            yield

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Let this process alone change plans.

        Raises
        ------
        ControlError
            If another process has them for too long.
        """
        with self._alone("storing", "nothing was signed"):
            yield

    @contextmanager
    def _alone(self, what: str, else_: str) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self.stored.alone(what, wait=_TURN))
            except (OSError, HistoryConflictError, SourceError) as error:
                msg = f"{else_}: {error}"
                raise ControlError(msg) from error
            yield

    @property
    def has_guard(self) -> bool:
        """Whether the guard has been made in this process."""
        return "guard" in self.__dict__

    def close(self) -> None:
        """Close the guard's files and the way to the assets."""
        if "ledger" in self.__dict__:
            self.ledger.close()
        if self._carried is not None and hasattr(self._carried.channel, "close"):
            self._carried.channel.close()
        self._carried = None
        for name in ("guard", "ledger"):
            self.__dict__.pop(name, None)

    def _rules(self, twin: TwinReader) -> list[Rule]:
        return [
            Rule(
                parameter=name, targets=frozenset(f"{kind}/{asset}" for asset in twin.assets(kind).index), unit=spec.unit, limits=spec.limits,
                largest_step=spec.largest_step, tolerance=spec.tolerance, roles=frozenset(spec.roles), people=spec.people,
                fail_safe=spec.fail_safe, timeout=spec.timeout_s, longest_age=max(spec.fresh_ns / 1e9, 5.0),
            )
            for kind, specs in twin.model.commands.items()
            if len(twin.assets(kind))
            for name, spec in specs.items()
        ]  # fmt: skip

    def _resolutions(self) -> dict[tuple[str, str], float | None]:
        """Return the step in which each parameter is reported, in the unit of its command."""
        model, found = self.reader().model, {}
        for kind, specs in model.commands.items():
            for name, spec in specs.items():
                signal = model.asset_types[kind].signals[spec.signal]
                ends = convert([0.0, signal.resolution or 0.0], str(signal.unit), spec.unit)
                found[kind, name] = float(f"{abs(ends[1] - ends[0]):.12g}") if signal.resolution else None
        return found
