"""The lease of a twin's historian: one holder at a time, on any machine that has the twin's folder, and another one once it no longer renews it.

A lease is a file with a number, the epoch; the newest one counts. Its holder rewrites it every quarter of the lease's time, so that a
standby sees a change. Nobody compares clocks: a standby counts by its own clock for how long nothing has changed, then makes the file
of the next epoch, which only one process can. The holder before finds that its epoch isn't the newest, and writes nothing more.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from twinlab._files import open_binary, sync_folder
from twinlab._locks import Lock, break_locks_like
from twinlab.errors import HistoryConflictError, SchemaError, SourceError

__all__ = ["Lease"]

_LOG = logging.getLogger("twinlab.live")
#: The shortest lease: renewals of a busy machine may be late.
_LEAST_SECONDS = 0.5
#: The holder renews so many times while a lease lasts.
_RENEWALS = 4
#: Seconds between two looks of a standby.
_LOOK_EVERY = 0.05
#: Seconds for which a lock whose holder is shut out may be in others' hands.
_PATIENCE = 5.0
_PREFIX, _SUFFIX = "lease-", ".json"
#: A file is always written with so many bytes: it is rewritten in place, and a shorter text would leave a rest of the longer one.
_BYTES = 512


def _clock() -> float:
    """Return seconds that go on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _machine() -> str:
    """Return what processes that share locks of the operating system have in common: one start of one machine."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{socket.gethostname()}-{uuid.getnode():x}"


@dataclass(frozen=True)
class _Record:
    """What a lease's file says."""

    pid: int
    host: str
    machine: str
    seconds: float
    renewals: int
    expires: str
    """For people: by the holder's own clock."""
    ready: bool = False
    """Whether the holder before can't write any more."""
    released: bool = False

    def packed(self) -> bytes:
        return json.dumps(asdict(self)).encode().ljust(_BYTES)

    @property
    def holder(self) -> str:
        return f"process {self.pid} on {self.host}"


def _parsed(data: bytes) -> _Record | None:
    """Return a record, None of a file that is being written or was cut by a power failure."""
    try:
        return _Record(**json.loads(data))
    except (ValueError, TypeError):
        return None


@dataclass(frozen=True)
class _Seen:
    """The newest lease in a folder at some moment."""

    epoch: int = 0
    data: bytes = b""

    @property
    def record(self) -> _Record | None:
        return _parsed(self.data)


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"{_PREFIX}{epoch:08d}{_SUFFIX}"


def _epochs(folder: Path) -> list[int]:
    """Return the epochs that have a file, in order."""
    with os.scandir(folder) as entries:
        texts = [one.name[len(_PREFIX) : -len(_SUFFIX)] for one in entries if one.name.startswith(_PREFIX)]
    return sorted(int(text) for text in texts if text.isdigit())


def _newest(folder: Path) -> _Seen:
    while epochs := _epochs(folder):
        # A holder removes the file of the one before.
        with suppress(FileNotFoundError):
            return _Seen(epochs[-1], _path(folder, epochs[-1]).read_bytes())
    return _Seen()


class Lease:
    """The right to write a twin's rows, renewed by a thread until it is released or lost; a context manager.

    On one machine, a lock of the operating system says at once that a holder has ended; on another one, or if a holder is frozen, its
    silence does.

    Parameters
    ----------
    twin : Path
        The twin's folder.
    name : str
        Folder in it for the lease; made if it isn't there.
    seconds : float
        How long others wait for a sign of life before they take over.
    wait : bool
        Whether to wait for another holder to end or to go silent.
    shut_out : callable
        Called if the holder before may still run although it was silent: makes sure that nobody reads what it still writes.

    Raises
    ------
    HistoryConflictError
        If there is another holder and ``wait`` is false; names it.
    SchemaError
        If ``seconds`` is too small.
    SourceError
        If the folder can't be written.
    """

    def __init__(
        self,
        twin: Path,
        name: str,
        *,
        seconds: float,
        wait: bool = False,
        shut_out: Callable[[], None] = lambda: None,
    ) -> None:
        if not seconds >= _LEAST_SECONDS:
            msg = f"expected a lease of at least {_LEAST_SECONDS:g} s, got {seconds:g} s"
            raise SchemaError(msg)
        self._twin, self._folder = twin, twin / name
        self.on_loss: Callable[[], object] = lambda: None
        """Called once, in any thread, when it turns out that another process has taken over."""
        self.lost = False
        """Whether another process has taken over."""
        self.epoch = 0
        """Number of this lease; each holder has a higher one than the one before."""
        self._record = _Record(os.getpid(), socket.gethostname(), _machine(), seconds, 0, "")
        self._renewed = _clock()
        self._mutex, self._ended = threading.RLock(), threading.Event()
        self._lock: Lock | None = None
        self._thread = threading.Thread(target=self._keep_renewing, name="lease", daemon=True)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._acquire(shut_out, wait=wait)
        except OSError as error:
            msg = f"{self._folder}: the lease of the historian can't be written ({error}); check the disk"
            raise SourceError(msg) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def check(self) -> None:
        """Check that nobody else has taken over; what was synced before a check that succeeds is never lost.

        Raises
        ------
        HistoryConflictError
            If another process has; names it.
        SourceError
            If the lease can't be read.
        """
        try:
            # After a long silence the file itself is asked for: a network's file system may return an old list of names.
            if not self.lost and _clock() - self._renewed >= self._record.seconds:
                self._renew()
            if not self.lost and _epochs(self._folder)[-1:] != [self.epoch]:
                self._lose()
        except OSError as error:
            msg = f"{self._folder}: the lease of the historian can't be read ({error}); nothing is stored meanwhile"
            raise SourceError(msg) from error
        if self.lost:
            raise HistoryConflictError(self._loss())

    def release(self) -> None:
        """End the lease, so that a standby takes over at once; nothing happens if it is released already."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is not None:
            with suppress(OSError):
                self._renew(released=True)
            self._lock.release()
            self._lock = None

    # -- acquire ---------------------------------------------------------------------------------------------------
    def _acquire(self, shut_out: Callable[[], None], *, wait: bool) -> None:
        first = seen = _newest(self._folder)
        since, said = _clock(), False
        while True:
            record = seen.record
            # A process of this machine that has ended has no lock any more.
            ended = record is not None and record.ready and (record.released or record.machine == self._record.machine)
            silent = seen.epoch > 0 and _clock() - since >= (self._record if record is None else record).seconds
            lock = None
            if ended or silent or not seen.epoch:
                lock = self._try_lock(refuse=not wait)
                sure = lock is not None and (ended or not seen.epoch)
                if (sure or silent) and self._claim(seen.epoch + 1):
                    self._begin(lock, seen, None if sure else shut_out)
                    return
                if lock is not None:
                    lock.release()
            if not wait and seen != first and record is not None:
                raise HistoryConflictError(self._conflict(record))
            if not said:
                _LOG.info("standby", extra={"holder": "unknown" if record is None else record.holder})
                said = True
            time.sleep(_LOOK_EVERY)
            now = _newest(self._folder)
            if now != seen:
                seen, since = now, _clock()

    def _try_lock(self, *, refuse: bool) -> Lock | None:
        try:
            return Lock(self._folder / "lock", what=f"the historian of {self._twin}")
        except HistoryConflictError:
            if refuse:
                raise
            return None

    def _claim(self, epoch: int) -> bool:
        """Make the file of an epoch; return whether no other process was faster."""
        try:
            descriptor = open_binary(_path(self._folder, epoch), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            return False
        try:
            os.write(descriptor, self._record.packed())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self._folder)
        self.epoch, self._renewed = epoch, _clock()
        return True

    def _begin(self, lock: Lock | None, before: _Seen, shut_out: Callable[[], None] | None) -> None:
        """Make sure that the holder before writes nothing any more."""
        self._thread.start()
        try:
            for epoch in _epochs(self._folder):
                if epoch < self.epoch:
                    # A holder that renews by the file's name alone finds out, too.
                    _path(self._folder, epoch).unlink(missing_ok=True)
            broken: list[Path] = []
            if lock is None:
                broken = break_locks_like(self._folder / "lock", self._twin)
                lock = Lock(self._folder / "lock", what=f"the historian of {self._twin}", wait=_PATIENCE)
            self._lock = lock
            if shut_out is not None:
                shut_out()
            with self._mutex:
                self._record = replace(self._record, ready=True)
            self._renew()
        except BaseException:
            self.release()
            raise
        if before.epoch and before.record is not None and not before.record.released:
            extra = {"from": before.record.holder, "epoch": self.epoch, "locks_broken": len(broken)}
            _LOG.warning("took over", extra=extra)

    def _conflict(self, record: _Record) -> str:
        return (
            f"the historian of {self._twin} is {record.holder}, whose lease of {record.seconds:g} s is renewed: there is one at a time; "
            "stop it, or wait for it with --standby (standby=True)"
        )

    # -- renew -----------------------------------------------------------------------------------------------------
    def _keep_renewing(self) -> None:
        while not self._ended.wait(self._record.seconds / _RENEWALS) and not self.lost:
            try:
                self._renew()
                if _epochs(self._folder)[-1:] != [self.epoch]:
                    self._lose()
            except OSError as error:
                # A check asks again before rows are stored.
                _LOG.warning("the lease isn't renewed", extra={"error": str(error)})

    def _renew(self, *, released: bool = False) -> None:
        with self._mutex:
            began = _clock()
            expires = datetime.now(UTC) + timedelta(seconds=self._record.seconds)
            self._record = replace(
                self._record,
                renewals=self._record.renewals + 1,
                expires=expires.isoformat(timespec="milliseconds"),
                released=released,
            )
            try:
                # Opened by name each time: a holder that comes after has removed the file.
                descriptor = open_binary(_path(self._folder, self.epoch), os.O_WRONLY)
            except FileNotFoundError:
                self._lose()
                return
            try:
                os.write(descriptor, self._record.packed())
            finally:
                os.close(descriptor)
            self._renewed = began

    def _lose(self) -> None:
        with self._mutex:
            if self.lost:
                return
            self.lost = True
        _LOG.error("the lease is lost", extra={"error": self._loss()})
        self.on_loss()

    def _loss(self) -> str:
        record = None
        with suppress(OSError):
            record = _newest(self._folder).record
        return (
            f"the historian of {self._twin} was silent for its lease of {self._record.seconds:g} s, and "
            f"{'another process' if record is None else record.holder} has taken over; rows that it hadn't acknowledged are "
            "sent to the new one. To be the next, run it with --standby (standby=True)"
        )
