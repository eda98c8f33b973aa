"""The worker processes of a server: started, watched, and started again when they end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import twinlab
from twinlab import errors
from twinlab.apps.server.figures import ServingState
from twinlab.apps.server.processes.worker import WorkerSettings
from twinlab.errors import SourceError

__all__ = ["Pool", "Worker", "pool_state"]

_LOG = logging.getLogger(__name__)
#: Seconds after which a worker that ended is started again; doubled while it ends soon, up to the second figure.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
#: A worker that ran for so many seconds didn't end soon.
_SOON = 30.0
#: Seconds that a worker may take to stop.
_STOP_SECONDS = 10.0


@dataclass
class Worker:
    """One of the places for a worker process; the process in it may change."""

    number: int
    # Port on which the process listens; None while it doesn't answer.
    port: int | None = None
    process: asyncio.subprocess.Process | None = None
    # Open connections of readers, and those among them that are websockets.
    connections: int = 0
    websockets: int = 0
    # Times at which pages were opened whose websocket hasn't come yet.
    opening: list[float] = field(default_factory=list)
    # Number of connections that it has had.
    served: int = 0
    # Number of processes that were started after another one had ended.
    restarts: int = 0

    def load(self, now: float, *, within: float) -> tuple[int, int, int]:
        """Return what the worker has to do: open pages, connections, and what it had to do before."""
        self.opening = [time for time in self.opening if now - time < within]
        return self.websockets + len(self.opening), self.connections, self.served


class Pool:
    """Workers of one server.

    Parameters
    ----------
    settings : callable
        Returns the settings of the worker with a number.
    workers : int
        Number of processes.
    """

    def __init__(self, settings: Callable[[int], WorkerSettings], workers: int) -> None:
        self.workers = [Worker(number) for number in range(workers)]
        self._settings = settings
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, *, wait_for_all: bool) -> None:
        """Start the workers, and return when the first one answers, or all of them.

        The first one has the machine for itself until it answers, unless all are waited for.

        Raises
        ------
        TwinlabError
            If a worker that is waited for can't start.
        """
        first, *others = self.workers
        waited = self.workers if wait_for_all else [first]
        ready = [self._watch(worker) for worker in waited]
        for one in asyncio.as_completed(ready):
            await one
        if not wait_for_all:
            for worker in others:
                # Nobody waits for its first answer: a failure is logged, and it is started again.
                self._watch(worker).add_done_callback(lambda done: done.cancelled() or done.exception())

    async def stop(self) -> None:
        """Stop all workers: those that don't are killed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _watch(self, worker: Worker) -> asyncio.Future[None]:
        """Keep a worker running; the result says that it answers for the first time, or why it can't start."""
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks.append(asyncio.create_task(self._keep(worker, first), name=f"worker {worker.number}"))
        return first

    async def _keep(self, worker: Worker, first: asyncio.Future[None]) -> None:
        pause, loop = _FIRST_PAUSE, asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                error = await self._run(worker, first)
            except OSError as raised:
                error = SourceError(f"worker {worker.number} can't be started: {raised}")
            if error is not None and not first.done():
                first.set_exception(error)
                return
            pause = _FIRST_PAUSE if loop.time() - began > _SOON else pause
            _LOG.warning(
                "worker %d ended%s; it is started again in %.1f s", worker.number, f" ({error})" if error else "", pause
            )
            await asyncio.sleep(pause)
            worker.restarts += 1
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run(self, worker: Worker, first: asyncio.Future[None]) -> Exception | None:
        """Run one process until it ends; return the error that it reported."""
        process = await _spawn()
        worker.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(ConnectionError):
                process.stdin.write(self._settings(worker.number).line())
                await process.stdin.drain()
            line = await process.stdout.readline()
            told: dict[str, Any] = json.loads(line) if line else {}
            if "port" in told:
                worker.port = int(told["port"])
                if not first.done():
                    first.set_result(None)
                # More lines are errors after the start.
                line = await process.stdout.readline()
                told = json.loads(line) if line else {}
            code = await process.wait()
            return _error_of(told, code)
        finally:
            worker.port = None
            worker.opening.clear()
            # A worker stops at the end of its standard input.
            process.stdin.close()
            await _ended(process)


def pool_state(pool: Pool) -> list[ServingState]:
    """Return what each worker does now."""
    return [
        ServingState(
            str(one.number), ready=one.port is not None, pid=None if one.process is None else one.process.pid,
            sessions=one.websockets, connections=one.connections, served=one.served, restarts=one.restarts,
        )
        for one in pool.workers
    ]  # fmt: skip


async def _spawn() -> asyncio.subprocess.Process:
    """Start a process of this Python, with this twinlab, apart from the terminal's Ctrl+C."""
    paths = [str(Path(twinlab.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    # -P: a module in the current folder doesn't take the place of one of Python's.
    return await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "twinlab.apps.server.processes.worker",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        start_new_session=os.name != "nt",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )  # fmt: skip


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process that is to stop; kill it if it takes too long."""
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _error_of(told: dict[str, Any], code: int) -> Exception:
    """Return what a worker reported, as the error that it was; or how it ended."""
    if "error" in told:
        known = getattr(errors, str(told.get("kind")), None)
        return (known or SourceError)(told["error"])
    ended = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
    return SourceError(f"a process that serves pages ended {ended}; see its messages above")
