"""An object store in memory whose requests go wrong as those over a network do, and a schedule that decides which process runs next."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from twinlab.errors import HistoryConflictError, SourceError
from twinlab.objects.bucket import Listed, Missing

__all__ = ["Killed", "MemoryStore", "Schedule"]


class Killed(BaseException):
    """The process of this thread was killed."""


class MemoryStore:
    """Objects with versions; `get`, `create`, `replace`, `list`, `delete` are atomic."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, int]] = {}
        self.writes = 0

    def get(self, name: str) -> tuple[bytes, str | None]:
        if name not in self.objects:
            raise Missing(name)
        data, version = self.objects[name]
        return data, str(version)

    def create(self, name: str, data: bytes) -> str | None:
        if name in self.objects:
            msg = f"{name} is there"
            raise HistoryConflictError(msg)
        return self._store(name, data)

    def replace(self, name: str, data: bytes, version: str | None) -> str | None:
        if name not in self.objects or str(self.objects[name][1]) != version:
            msg = f"{name} was replaced"
            raise HistoryConflictError(msg)
        return self._store(name, data)

    def list(self, prefix: str) -> Iterator[Listed]:
        return (Listed(name, len(data)) for name, (data, _) in sorted(self.objects.items()) if name.startswith(prefix))

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)

    def _store(self, name: str, data: bytes) -> str:
        self.writes += 1
        self.objects[name] = (data, self.writes)
        return str(self.writes)


class Process:
    """Requests of one process: each waits until the schedule lets it go on, and goes wrong as the schedule says."""

    def __init__(self, number: int, store: MemoryStore, schedule: Schedule) -> None:
        self.number = number
        self._store, self._schedule = store, schedule
        self.dead = False

    def get(self, name: str) -> tuple[bytes, str | None]:
        return self._request(lambda: self._store.get(name), writes=False)

    def create(self, name: str, data: bytes) -> str | None:
        return self._request(lambda: self._store.create(name, data), writes=True)

    def replace(self, name: str, data: bytes, version: str | None) -> str | None:
        return self._request(lambda: self._store.replace(name, data, version), writes=True)

    def list(self, prefix: str) -> list[Listed]:
        return self._request(lambda: list(self._store.list(prefix)), writes=False)

    def sleep(self, seconds: float) -> None:
        self._schedule.pause(self, seconds)

    def clock(self) -> float:
        return self._schedule.now

    def _request(self, work: Callable[[], object], *, writes: bool):
        fault = self._schedule.turn(self, writes=writes)
        if fault == "kill":
            self.dead = True
            raise Killed
        if fault == "kill after":
            self.dead = True
            _quietly(work)
            raise Killed
        if fault == "cut":
            msg = "cut before the request arrived"
            raise SourceError(msg)
        if fault == "late":
            # It arrives some time after its sender has given it up.
            self._schedule.late.append(work)
            msg = "no answer yet"
            raise SourceError(msg)
        if fault == "twice":
            _quietly(work)  # delivered again by the network: the answer is that of the second
        if fault == "no answer":
            _quietly(work)
            msg = "cut before the answer"
            raise SourceError(msg)
        return work()


class Schedule:
    """Runs processes as threads, one request of one of them at a time, in an order and with faults that ``choose`` decides.

    Parameters
    ----------
    choose : callable
        ``choose(n)`` returns a number below n.
    """

    def __init__(self, choose: Callable[[int], int]) -> None:
        self._choose = choose
        self.now = 0.0
        self.late: list[Callable[[], object]] = []
        self._wake: dict[Process, float] = {}
        self._allowed: dict[Process, str] = {}
        self._state = threading.Condition()
        self._waiting: dict[Process, bool] = {}
        self._running = 0
        self.faults = True
        self.kills = 2
        """So many processes may be killed."""
        self.errors: list[Exception] = []
        """What processes ended with that weren't killed."""

    def start(self, process: Process, work: Callable[[Process], None]) -> threading.Thread:
        """Run a process."""

        def run() -> None:
            try:
                work(process)
            except Killed:
                pass
            except Exception as error:  # noqa: BLE001  (the test shows it)
                self.errors.append(error)
            finally:
                with self._state:
                    self._running -= 1
                    self._state.notify_all()

        with self._state:
            self._running += 1
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def turn(self, process: Process, *, writes: bool) -> str:
        """Wait for this process's turn; return what goes wrong."""
        if process.dead:
            raise Killed
        with self._state:
            self._waiting[process] = writes
            self._running -= 1
            self._state.notify_all()
            self._state.wait_for(lambda: process in self._allowed)
            return self._allowed.pop(process)

    def pause(self, process: Process, seconds: float) -> None:
        """Let other processes go on until time has passed."""
        with self._state:
            self._wake[process] = self.now + seconds
        self.turn(process, writes=False)

    def step(self) -> bool:
        """Let one process go on by one request; return whether there was one."""
        with self._state:
            assert self._state.wait_for(lambda: self._running == 0, timeout=20)
            ready = [one for one in self._waiting if self._wake.get(one, 0.0) <= self.now]
            if not ready:
                if not self._waiting:
                    return False
                self.now = min(self._wake[one] for one in self._waiting)
                ready = [one for one in self._waiting if self._wake.get(one, 0.0) <= self.now]
            chosen = sorted(ready, key=lambda one: one.number)[self._choose(len(ready))]
            paused = self._wake.pop(chosen, None) is not None
            writes = self._waiting.pop(chosen)
            faults = ["", "", "", "", "", "cut"] + (["late", "no answer", "twice"] if writes else [])
            faults += ["kill", "kill after"] if self.kills and self._choose(8) == 0 else []
            fault = faults[self._choose(len(faults))] if self.faults and not paused else ""
            self.kills -= fault.startswith("kill")
            self._running += 1
            self._allowed[chosen] = fault
            self._state.notify_all()
        if self.late and self._choose(3) == 0:
            _quietly(self.late.pop(self._choose(len(self.late))))
        if self._choose(4) == 0:
            self.now += 0.2 + self._choose(3)
        return True

    def deliver_all(self) -> None:
        """Let what is under way arrive."""
        for work in self.late:
            _quietly(work)


def _quietly(work: Callable[[], object]) -> None:
    with contextlib.suppress(HistoryConflictError, Missing):
        work()
