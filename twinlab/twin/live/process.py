"""The historian as a process: all live sources of a twin into its ledger, and the history published, until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from twinlab.errors import SchemaError, TwinlabError
from twinlab.history import BuildReport
from twinlab.ledger import Ledger
from twinlab.ledger.store import do_nothing
from twinlab.model.extensions.live_kind import LiveKind
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.registry import Registry, registry_of
from twinlab.model.twinmodel import TwinModel
from twinlab.sources.live import LiveContext
from twinlab.twin.health.checks import live_checks
from twinlab.twin.health.endpoint import HealthEndpoint
from twinlab.twin.health.families import folder_families, live_families, process_families
from twinlab.twin.live.appender import LiveAppender
from twinlab.twin.live.foresight.child import predict_again, seconds_between
from twinlab.twin.live.gaps import GapLog
from twinlab.twin.live.notify import notify, watchdog_seconds
from twinlab.twin.live.publishing import Publisher
from twinlab.twin.live.recent import stored_rows
from twinlab.twin.live.runner import SourceRunner
from twinlab.twin.live.status import FOLDER, LiveStatus, collect_status, read_status, write_status

__all__ = ["HistorianProcess", "RunOptions"]

_LOG = logging.getLogger("twinlab.live")
#: Seconds between two writes of the status.
_STATUS_EVERY = 1.0
#: Anomalies are looked for at most so often, seconds, and in at most such a share of the time.
_SCORE_EVERY, _SCORE_SHARE = 1.0, 0.05
#: Seconds between two searches for intrusions.
_SEARCH_EVERY = 5.0
#: Seconds between two looks whether personal data are too old, and between two looks at the clock for that.
_RETENTION_EVERY, _CLOCK_EVERY = 86_400.0, 60.0
#: With `once`: seconds without a row after which a source that has no end counts as read.
_IDLE = 5.0


@dataclass(frozen=True)
class RunOptions:
    """How long a historian runs, and what it offers meanwhile."""

    once: bool = False
    """Whether to stop once every source has ended; those that have no end, after five seconds without a row."""
    seconds: float | None = None
    """Stop after so long."""
    metrics_port: int | None = None
    """Port for health and metrics, 0 for a free one; none by default."""
    metrics_host: str = "127.0.0.1"
    """Address for these; one that others can reach needs a token."""


class HistorianLease(Protocol):
    """The right to be the historian, of a folder or in an object store."""

    lost: bool
    on_loss: Callable[[], object]

    def check(self) -> None:
        """Raise HistoryConflictError if another process has taken over."""


class HistorianProcess:
    """Runs the live sources of a twin.

    Parameters
    ----------
    folder : Path
        The twin's folder.
    ledger : Ledger
    model : TwinModel
    mappings : mapping of str to Mapping
        Those with ``live:`` are run.
    publish : callable
        Brings history and stored events up to date with the ledger.
    score : callable
        ``score(last)``: looks for anomalies in new rows; ``last``: the process ends.
    search : callable
        Looks for intrusions in what is new.
    overdue : callable
        Returns whether there are personal data that are too old: the run ends then, and `interrupted` is true.
    options : RunOptions
    """

    def __init__(
        self,
        folder: Path,
        ledger: Ledger,
        model: TwinModel,
        mappings: Mapping[str, SourceMapping],
        *,
        publish: Callable[[], BuildReport],
        score: Callable[[bool], None],
        search: Callable[[], object],
        overdue: Callable[[], bool],
        options: RunOptions,
    ) -> None:
        self._folder, self._ledger, self._model, self._options = folder, ledger, model, options
        self._mappings = {name: one for name, one in mappings.items() if one.live is not None}
        self._publish, self._score, self._search, self._overdue = publish, score, search, overdue
        self._too_old = self._signalled = False
        self._started = time.time_ns()
        if not self._mappings:
            msg = (
                f"expected a mapping with `live:` in {folder / 'mapping'}, got none; add for example  "
                "live: {kind: watch, folder: incoming}"
            )
            raise SchemaError(msg)
        kinds: Registry[LiveKind] = registry_of("twinlab.live")
        self._kinds = {name: kinds.get(one.live.kind) for name, one in self._mappings.items() if one.live is not None}
        for kind in self._kinds.values():
            kind.check_installed()

    @property
    def interrupted(self) -> bool:
        """Whether the run ended only so that keys of personal data can be destroyed, after which another one goes on."""
        return self._too_old and not self._signalled

    @property
    def stopped(self) -> bool:
        """Whether a signal has ended the run."""
        return self._signalled

    def run(self, lease: HistorianLease) -> LiveStatus:
        """Run until stopped by SIGTERM or SIGINT, or as the options say; return the last status.

        Raises
        ------
        HistoryConflictError
            If the lease is lost, or another process writes to one of the sources; names it.
        SourceError
            If a client library isn't installed or a secret isn't set.
        """
        self._ledger.fence = lease.check
        try:
            asyncio.run(self._run(lease))
        finally:
            self._ledger.fence = do_nothing
        return read_status(self._folder)

    # -- inside ----------------------------------------------------------------------------------------------------
    async def _run(self, lease: HistorianLease) -> None:
        runners = self._open_runners()
        publisher = Publisher(runners, self._publish)
        server = self._endpoint(lambda: collect_status(runners, publisher, started_ns=self._started))
        tasks: list[asyncio.Task[None]] = []
        try:
            if self._options.metrics_port is not None:
                host = self._options.metrics_host
                port = await server.start(self._options.metrics_port, host=host)
                _LOG.info("metrics", extra={"url": f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics"})
            lease.on_loss = _stopper(runners)
            if lease.lost:
                _stop_all(runners)
            with _on_signals(partial(self._stop_by_signal, runners)):
                running = [asyncio.create_task(runner.run(), name=runner.name) for runner in runners]
                tasks = [
                    asyncio.create_task(one)
                    for one in (
                        publisher.run(), self._report(runners, publisher), self._look_for_anomalies(runners, publisher),
                        self._look_for_intrusions(publisher), self._look_for_old_data(runners), _watchdog(),
                        *self._foresight(),
                    )
                ]  # fmt: skip
                tasks.append(asyncio.create_task(self._end(runners)))
                notify("READY=1\nSTATUS=running")
                _LOG.info("running", extra={"twin": str(self._folder), "sources": sorted(self._mappings)})
                ended = await asyncio.gather(*running, return_exceptions=True)
                lease.check()
                failed = [error for error in ended if isinstance(error, BaseException)]
                if failed:
                    raise failed[0]
        finally:
            if not self.interrupted:
                notify("STOPPING=1")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if not lease.lost and (publisher.waiting or not publisher.done.count):
                await publisher.publish()
            if not lease.lost:
                await self._score_once(publisher, last=True)
                await self._work_once(publisher, self._search, "intrusions weren't looked for")
            await server.close()
            lease.on_loss = do_nothing
            if not lease.lost:
                status = collect_status(runners, publisher, started_ns=self._started, stopped=not self.interrupted)
                self._write(status)
            _LOG.info("stopped", extra={"rows": {one.name: one.counts.stored for one in runners}})

    def _endpoint(self, status: Callable[[], dict[str, Any]]) -> HealthEndpoint:
        """Return what answers service managers and Prometheus."""
        return HealthEndpoint(
            lambda: live_checks(status()),
            lambda: [*live_families(status()), *folder_families(self._folder), *process_families()],
            status=status,
        )

    def _open_runners(self) -> list[SourceRunner]:
        """Lock and open all sources; none stays locked if one can't be opened."""
        opened: list[SourceRunner] = []
        appenders: list[LiveAppender] = []
        try:
            for name, mapping in sorted(self._mappings.items()):
                assert mapping.live is not None
                appenders.append(LiveAppender(self._ledger, mapping, self._folder / FOLDER))
                stored = partial(stored_rows, self._ledger, name)
                context = LiveContext(name, self._folder, mapping, stored=stored, once=self._options.once)
                opened.append(
                    SourceRunner(
                        self._kinds[name],
                        mapping.live,
                        context,
                        appenders[-1],
                        gaps=GapLog(self._ledger.journal, name),
                        model=self._model,
                    )
                )
        except BaseException:
            for appender in appenders:
                appender.close()
            raise
        return opened

    async def _report(self, runners: list[SourceRunner], publisher: Publisher) -> None:
        """Write the status each second."""
        while True:
            self._write(collect_status(runners, publisher, started_ns=self._started))
            await asyncio.sleep(_STATUS_EVERY)

    async def _look_for_anomalies(self, runners: list[SourceRunner], publisher: Publisher) -> None:
        """Score rows once they are durable, in pauses of publications."""
        seen, pause = -1, _SCORE_EVERY
        while True:
            await asyncio.sleep(pause)
            stored = sum(runner.counts.stored for runner in runners)
            if stored != seen:
                seen, began = stored, time.monotonic()
                await self._score_once(publisher)
                pause = max(_SCORE_EVERY, (time.monotonic() - began) / _SCORE_SHARE)

    async def _look_for_intrusions(self, publisher: Publisher) -> None:
        """Search the logs and the history, in pauses of publications."""
        while True:
            await asyncio.sleep(_SEARCH_EVERY)
            await self._work_once(publisher, self._search, "intrusions weren't looked for")

    async def _look_for_old_data(self, runners: list[SourceRunner]) -> None:
        """Stop the sources once personal data are too old, by the clock of this machine: destroying keys makes the history anew."""
        looked = time.time()
        while not self._too_old:
            await asyncio.sleep(min(_CLOCK_EVERY, _RETENTION_EVERY))
            # A clock that was set back counts, too.
            if abs(time.time() - looked) < _RETENTION_EVERY:
                continue
            looked = time.time()
            try:
                self._too_old = await asyncio.to_thread(self._overdue)
            except TwinlabError as error:
                _LOG.error("the age of personal data wasn't looked at", extra={"error": str(error)})
        _LOG.info("sources stop for a moment: keys of personal data are too old")
        _stop_all(runners)

    async def _score_once(self, publisher: Publisher, *, last: bool = False) -> None:
        await self._work_once(publisher, partial(self._score, last), "anomalies weren't looked for")

    async def _work_once(self, publisher: Publisher, work: Callable[[], object], failed: str) -> None:
        """Do what reads the history beside publications; an error is logged."""
        async with publisher.pause:
            # The thread can't be interrupted: a stop waits for it.
            task = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait({task})
                raise
            except Exception as error:  # noqa: BLE001  # rows are stored and published all the same
                known = isinstance(error, TwinlabError)
                _LOG.error("%s", failed, extra={"error": str(error)}, exc_info=not known)

    def _foresight(self) -> list[Coroutine[Any, Any, None]]:
        """Return what predicts again and again, if `twin.yaml` asks for it."""
        rules = self._model.predictions.values()
        return [predict_again(self._folder, every=seconds_between(rules))] if rules else []

    def _write(self, status: Mapping[str, object]) -> None:
        try:
            write_status(self._folder, status)
        except TwinlabError as error:
            _LOG.warning("the status isn't written", extra={"error": str(error)})

    def _stop_by_signal(self, runners: list[SourceRunner]) -> None:
        self._signalled = True
        _stop_all(runners)

    async def _end(self, runners: list[SourceRunner]) -> None:
        """Stop the sources when the options say so."""
        once, seconds = self._options.once, self._options.seconds
        if not once and seconds is None:
            return
        until = None if seconds is None else time.monotonic() + seconds
        while until is None or time.monotonic() < until:
            left = math.inf if until is None else max(0.0, until - time.monotonic())
            await asyncio.sleep(min(left, 0.1) if once else left)
            if once:
                for runner in runners:
                    # A source that ends by itself may have a long pause on a busy machine.
                    if not self._kinds[runner.name].ends and not runner.queue.rows and runner.idle_seconds > _IDLE:
                        runner.stop()
        _stop_all(runners)


def _stopper(runners: list[SourceRunner]) -> Callable[[], None]:
    """Return a function that stops the sources from another thread."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(_stop_all, runners)

    return stop


def _stop_all(runners: list[SourceRunner]) -> None:
    for runner in runners:
        runner.stop()


async def _watchdog() -> None:
    """Report to the service manager that this process is alive."""
    every = watchdog_seconds()
    while every is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every)


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Stop at SIGTERM and SIGINT; only the main thread gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, handled = asyncio.get_running_loop(), []
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
