"""A lease in an object store: one holder at a time, on any machine, and another one once it no longer renews it.

A lease is a small object, replaced by conditional PUTs only. Its holder replaces it four times during the lease's time; who waits
counts by its own clock for how long it hasn't changed, so that nobody compares the clocks of two machines. A lease says who may write. What a holder
that doesn't know of its loss still writes is refused by what it writes: see `twinlab.ledger.groups`.
"""

from __future__ import annotations

import json
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from twinlab.errors import CorruptionError, HistoryConflictError, SchemaError, SourceError, TwinlabError
from twinlab.objects.bucket import Missing
from twinlab.objects.trying import TRIES, sent_again

__all__ = ["LEAST_SECONDS", "LeaseObjects", "LeaseRecord", "StoreLease", "machine_clock", "read_lease"]

_LOG = logging.getLogger("twinlab.live")
#: The shortest lease: renewals of a busy machine, or over a slow network, may be late.
LEAST_SECONDS = 0.5
#: The holder renews so many times while a lease lasts.
_RENEWALS = 4
#: Share of the lease's time between two looks of a standby, and bounds of it, seconds.
_LOOK_SHARE, _LOOK_LEAST, _LOOK_MOST = 0.05, 0.05, 0.5

_Result = TypeVar("_Result")


class LeaseObjects(Protocol):
    """The requests that a lease needs, such as those of a `Bucket`."""

    def get(self, name: str) -> tuple[bytes, str | None]:
        """Return an object and its version."""

    def create(self, name: str, data: bytes) -> str | None:
        """Store an object that isn't there."""

    def replace(self, name: str, data: bytes, version: str | None) -> str | None:
        """Replace a version of an object."""


def machine_clock() -> float:
    """Return seconds that go on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True)
class LeaseRecord:
    """What a lease's object says."""

    epoch: int
    """Number of the holder: each has a higher one than the one before."""
    id: str
    """Random text of the holder."""
    holder: str
    """For people: process and machine."""
    seconds: float
    """How long others wait for a sign of life."""
    renewals: int = 0
    expires: str = ""
    """For people: by the holder's own clock."""
    released: bool = False
    note: Mapping[str, Any] = field(default_factory=dict)
    """What a holder that has ended leaves to the next one."""

    def to_bytes(self) -> bytes:
        """Return the record as JSON."""
        return json.dumps(asdict(self), sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> Self:
        """Read a record; raises CorruptionError if it isn't one."""
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError) as error:
            msg = f"{name}: expected a lease, got {data[:80]!r}; remove this object once no process writes to the twin"
            raise CorruptionError(msg) from error


def read_lease(objects: LeaseObjects, name: str) -> tuple[LeaseRecord | None, str | None]:
    """Return a lease and the version of its object; None twice if nobody has had it yet."""
    try:
        data, version = objects.get(name)
    except Missing:
        return None, None
    return LeaseRecord.from_bytes(data, name), version


class StoreLease:
    """The right to write something in an object store, renewed by a thread until it is released or lost; a context manager.

    Parameters
    ----------
    objects : LeaseObjects
    name : str
        Name of the lease's object.
    what : str
        What may be written, for messages: "source 'log'".
    seconds : float
        How long others wait for a sign of life before they take over.
    wait : float
        Seconds to wait for another holder that renews; ``math.inf`` for a standby, which also waits for a store that doesn't answer. A
        holder that is silent is replaced in any case.
    while_waiting : callable
        Called again and again while another one has it, as to stay up to date, in a thread: a look at the lease doesn't wait for it. Its
        errors of the store are ignored.
    clock, sleep : callable
        Seconds of this machine that never go back; a pause.
    renewing : bool
        Whether threads renew, and call ``while_waiting``; without them, `renew` must be called.

    Raises
    ------
    HistoryConflictError
        If another holder renews it; names it.
    SchemaError
        If ``seconds`` is too small.
    SourceError
        If the store can't be read or written, and ``wait`` isn't infinite.
    """

    def __init__(
        self,
        objects: LeaseObjects,
        name: str,
        *,
        what: str,
        seconds: float,
        wait: float = 0.0,
        while_waiting: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = machine_clock,
        sleep: Callable[[float], None] = time.sleep,
        renewing: bool = True,
    ) -> None:
        if not seconds >= LEAST_SECONDS:
            msg = f"expected a lease of at least {LEAST_SECONDS:g} s, got {seconds:g} s"
            raise SchemaError(msg)
        self._objects, self._name, self._what = objects, name, what
        self._clock, self._sleep = clock, sleep
        self.on_loss: Callable[[], object] = lambda: None
        """Called once, in any thread, when it turns out that another process has taken over."""
        self.lost = False
        """Whether another process has taken over."""
        self.previous: LeaseRecord | None = None
        """What the holder before had written last."""
        self._version: str | None = None
        self._winner: LeaseRecord | None = None
        holder = f"process {os.getpid()} on {socket.gethostname()}"
        self._record = LeaseRecord(0, os.urandom(12).hex(), holder, seconds)
        self._renewed = clock()
        self._mutex, self._ended = threading.RLock(), threading.Event()
        self._thread = threading.Thread(target=self._renew_until_the_end, name="lease", daemon=True)
        following = _Following(while_waiting, apart=renewing)
        try:
            self._acquire(wait, following.go_on)
            if renewing:
                self._thread.start()
        finally:
            following.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    @property
    def epoch(self) -> int:
        """Number of this holder."""
        return self._record.epoch

    @property
    def holder(self) -> str:
        """Process and machine, for people."""
        return self._record.holder

    def check(self) -> None:
        """Check that nobody else has taken over, as far as this process knows; the store is asked after a long silence only.

        Raises
        ------
        HistoryConflictError
            If another process has; names it.
        SourceError
            If the lease can't be read.
        """
        if not self.lost and self._clock() - self._renewed >= self._record.seconds:
            self.renew()
        if self.lost:
            raise HistoryConflictError(self._loss())

    def confirm(self) -> None:
        """Ask the store that nobody else has taken over; raises as `check`."""
        if not self.lost:
            self.renew()
        if self.lost:
            raise HistoryConflictError(self._loss())

    def renew(self) -> None:
        """Replace the lease's object, as a sign of life; `lost` is true afterwards if another process has.

        Raises
        ------
        SourceError
            If the store can't be written; the lease may last all the same.
        """
        with self._mutex:
            if not self.lost:
                self._write(replace(self._record, renewals=self._record.renewals + 1))

    def release(self, note: Mapping[str, Any] | None = None) -> None:
        """End the lease, so that the next holder needn't wait; without the store, that one waits for the lease's time.

        Parameters
        ----------
        note : mapping, optional
            What the next holder finds as ``previous.note``.
        """
        with self._mutex:
            if self._ended.is_set():
                return
            self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with self._mutex:
            if not self.lost:
                try:
                    self._write(replace(self._record, released=True, note=dict(note or {})))
                except SourceError as error:
                    _LOG.warning("the lease isn't released", extra={"what": self._what, "error": str(error)})

    # -- inside ----------------------------------------------------------------------------------------------------
    def _acquire(self, wait: float, while_waiting: Callable[[], object]) -> None:
        seen = self._patiently(self._read, wait)
        began = since = self._clock()
        renews = False
        while True:
            record = seen[0]
            if record is None or record.released or self._clock() - since >= record.seconds:
                if self._patiently(partial(self._claim, *seen), wait, tries=TRIES):
                    self.previous = record
                    if record is not None and not record.released:
                        extra = {"what": self._what, "from": record.holder, "epoch": self.epoch}
                        _LOG.warning("took over", extra=extra)
                    return
            elif renews and self._clock() - began >= wait:
                raise HistoryConflictError(self._conflict(record))
            else:
                while_waiting()
                self._sleep(min(max(_LOOK_SHARE * record.seconds, _LOOK_LEAST), _LOOK_MOST))
            found = self._patiently(self._read, wait)
            if found != seen:
                renews = found[0] is not None
                seen, since = found, self._clock()

    def _patiently(self, request: Callable[[], _Result], wait: float, *, tries: int = 1) -> _Result:
        """Send a request again if it fails: a standby as often as needed, another process so many times."""
        most = math.inf if wait == math.inf else tries
        # By name, so that standbys on several machines don't ask at the same moments.
        random = Random(self.holder)  # noqa: S311  (pauses)
        return sent_again(request, tries=most, what=self._what, sleep=self._sleep, random=random)

    def _read(self) -> tuple[LeaseRecord | None, str | None]:
        return read_lease(self._objects, self._name)

    def _claim(self, before: LeaseRecord | None, version: str | None) -> bool:
        """Replace the lease of a holder that has ended or is silent; return whether no other process was faster."""
        record = replace(self._record, epoch=1 if before is None else before.epoch + 1, expires=self._expiry())
        began = self._clock()
        try:
            if before is None:
                self._version = self._objects.create(self._name, record.to_bytes())
            else:
                self._version = self._objects.replace(self._name, record.to_bytes(), version)
        except (HistoryConflictError, SourceError) as error:
            # The store may have done it although its answer was lost, or do it yet: this one, or an earlier try.
            found, self._version = self._read()
            if found is None or (found.id, found.epoch) != (record.id, record.epoch):
                if isinstance(error, SourceError):
                    raise
                return False
            record = found
        self._record, self._renewed = record, began
        return True

    def _write(self, record: LeaseRecord) -> None:
        """Replace this process's own version of the object."""
        began, record = self._clock(), replace(record, expires=self._expiry())
        for _ in range(2):
            try:
                self._version = self._objects.replace(self._name, record.to_bytes(), self._version)
            except HistoryConflictError:
                found, version = read_lease(self._objects, self._name)
                if found is None or (found.id, found.epoch) != (record.id, record.epoch):
                    self._lose(found)
                    return
                self._version = version
                if found != record:
                    continue  # an earlier write, whose answer was lost
            break
        self._record, self._renewed = record, began

    def _expiry(self) -> str:
        return (datetime.now(UTC) + timedelta(seconds=self._record.seconds)).isoformat(timespec="milliseconds")

    def _renew_until_the_end(self) -> None:
        while not self._ended.wait(self._record.seconds / _RENEWALS) and not self.lost:
            try:
                self.renew()
            except (SourceError, CorruptionError) as error:
                # What is written asks the store itself.
                _LOG.warning("the lease isn't renewed", extra={"what": self._what, "error": str(error)})

    def _lose(self, winner: LeaseRecord | None) -> None:
        self.lost, self._winner = True, winner
        _LOG.error("the lease is lost", extra={"what": self._what, "error": self._loss()})
        self.on_loss()

    def lose(self, holder: str) -> HistoryConflictError:
        """Note that ``holder`` has taken over, which what it has written shows; return the error to raise."""
        with self._mutex:
            if not self.lost:
                self._lose(LeaseRecord(self.epoch + 1, "", holder, self._record.seconds))
        return HistoryConflictError(self._loss())

    def _loss(self) -> str:
        winner = "another process" if self._winner is None else self._winner.holder
        return (
            f"{self._what}: {winner} has taken over, because {self.holder} was silent for its lease of {self._record.seconds:g} s; "
            "what it hadn't acknowledged must be sent to the new one"
        )

    def _conflict(self, record: LeaseRecord) -> str:
        return (
            f"{self._what} is being written by {record.holder}, whose lease of {record.seconds:g} s is renewed: there is one writer at a "
            "time; stop it, or wait for it"
        )


class _Following:
    """Calls what keeps a standby up to date, one call at a time, in a thread unless it isn't to be ``apart``."""

    def __init__(self, work: Callable[[], object], *, apart: bool) -> None:
        self._work, self._apart = work, apart
        self._thread: threading.Thread | None = None

    def go_on(self) -> None:
        """Call it, if the call before has ended."""
        if not self._apart:
            self._call()
        elif self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._call, name="standby", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait for the last call."""
        if self._thread is not None:
            self._thread.join()

    def _call(self) -> None:
        try:
            self._work()
        except (TwinlabError, OSError) as error:
            _LOG.info("the standby isn't up to date", extra={"error": str(error)})
