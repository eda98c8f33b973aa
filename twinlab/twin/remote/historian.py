"""The historian of a twin in an object store: it publishes what all writers append, and runs the twin's live sources."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from twinlab._backoff import Backoff
from twinlab.errors import HistoryConflictError, SchemaError, SourceError, TwinlabError
from twinlab.objects.lease import StoreLease
from twinlab.twin.live.notify import notify
from twinlab.twin.live.process import HistorianProcess, RunOptions
from twinlab.twin.live.status import LiveStatus, read_status, write_status
from twinlab.twin.remote.working import WorkingTwin

__all__ = ["PUBLISH_EVERY", "run_historian"]

_LOG = logging.getLogger("twinlab.live")
#: Seconds between two looks for new rows, if a publication takes less; readers see rows after at most twice this time.
PUBLISH_EVERY = 2.0
#: A publication may take such a share of the time.
_SHARE = 0.5


def run_historian(twin: WorkingTwin, options: RunOptions, *, standby: bool, lease_seconds: float) -> LiveStatus:
    """Run until stopped; parameters and errors as `Twin.run`."""
    if options.metrics_port is not None and all(mapping.live is None for mapping in twin.mappings.values()):
        msg = (
            "expected a mapping with `live:` for health and metrics (--metrics), which are those of live sources; run it without, and ask "
            f"`twinlab status {twin.bucket.address.url}` for the historian and the rows that wait"
        )
        raise SchemaError(msg)
    if standby:
        notify("READY=1\nSTATUS=standby")
    with twin.historian_lease(seconds=lease_seconds, wait=math.inf if standby else 0.0) as lease:
        run = _Run(twin, lease, options, patient=standby)
        with _on_signals(run.stop):
            run.begin()
            notify("READY=1\nSTATUS=running")
            if any(mapping.live is not None for mapping in twin.mappings.values()):
                return run.sources()
            return run.follow()


class _Run:
    """What the process that has the lease of the historian does.

    Parameters
    ----------
    twin : WorkingTwin
    lease : StoreLease
    options : RunOptions
    patient : bool
        Whether sources that can't be opened are opened again later, as those of a standby, which nobody watches.
    """

    def __init__(self, twin: WorkingTwin, lease: StoreLease, options: RunOptions, *, patient: bool) -> None:
        self._twin, self._lease, self._options, self._patient = twin, lease, options, patient
        self._started = time.time_ns()
        self._until = math.inf if options.seconds is None else time.monotonic() + options.seconds
        self.stop, self._said = threading.Event(), ""

    def begin(self) -> None:
        """Publish what an earlier historian has left, with the newest definitions; while the store doesn't answer, again and again."""
        self._lease.on_loss = self.stop.set
        backoff = Backoff(0.5, 10.0)
        while not self._ended:
            try:
                self._twin.reload()
                self._twin.publish(self._lease)
            except (HistoryConflictError, SourceError, OSError) as error:
                if self._lease.lost or self._options.once:
                    raise
                _LOG.error("not published yet", extra={"error": _line(error)})
            else:
                return
            self._pause(backoff.next())

    def follow(self) -> LiveStatus:
        """Publish what others append."""
        _LOG.info("running", extra={"twin": self._twin.bucket.address.url, "sources": []})
        while not (self._options.once or self._ended):
            began = time.monotonic()
            self._publish()
            self._pause(max(PUBLISH_EVERY, (time.monotonic() - began) / _SHARE))
        return self._last_status()

    def sources(self) -> LiveStatus:
        """Run the live sources, each as the leased writer of its rows; publish their rows and those of others."""
        ended, backoff = threading.Event(), Backoff(1.0, 30.0)
        thread = threading.Thread(target=self._publish_others, args=(ended,), name="publish", daemon=True)
        thread.start()
        try:
            while not self._ended:
                process = self._process()
                try:
                    return process.run(self._lease)
                except (HistoryConflictError, SourceError) as error:
                    if self._lease.lost or process.stopped or self._options.once or not self._patient:
                        raise
                    _LOG.error("the sources don't run yet", extra={"error": _line(error)})
                # The run had its own.
                self._lease.on_loss = self.stop.set
                with _on_signals(self.stop):
                    self._pause(backoff.next())
        finally:
            ended.set()
            thread.join()
        return self._last_status()

    # -- inside ----------------------------------------------------------------------------------------------------
    @property
    def _ended(self) -> bool:
        return self.stop.is_set() or self._lease.lost or time.monotonic() >= self._until

    def _pause(self, seconds: float) -> None:
        self.stop.wait(max(0.0, min(seconds, self._until - time.monotonic())))

    def _process(self) -> HistorianProcess:
        twin = self._twin
        left = None if self._options.seconds is None else max(0.0, self._until - time.monotonic())
        return HistorianProcess(
            twin.folder, twin.ledger, twin.model, twin.mappings, publish=lambda: twin.publish(self._lease), score=lambda _last: None,
            search=lambda: None, overdue=lambda: False, options=replace(self._options, seconds=left),
        )  # fmt: skip

    def _publish_others(self, ended: threading.Event) -> None:
        while not ended.wait(PUBLISH_EVERY) and not self._lease.lost:
            self._publish()

    def _publish(self) -> None:
        """Publish; a failure is logged and tried again, since the rows are durable and others read them."""
        try:
            self._twin.publish(self._lease)
        except HistoryConflictError as error:
            if not self._lease.lost:
                _LOG.info("not published yet", extra={"error": _line(error)})
        except (SourceError, OSError) as error:
            _LOG.error("not published yet", extra={"error": _line(error)})
        except Exception as error:  # noqa: BLE001  # rows are stored all the same, and the next look tries again
            if _line(error) != self._said:
                self._said = _line(error)
                _LOG.error("not published", extra={"error": self._said}, exc_info=not isinstance(error, TwinlabError))

    def _last_status(self) -> LiveStatus:
        if self._lease.lost:
            self._lease.check()
        now, folder = time.time_ns(), self._twin.folder
        status = {
            "running": False,
            "updated_ns": now,
            "started_ns": self._started,
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        write_status(folder, status)
        return read_status(folder)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def _on_signals(stop: threading.Event) -> Iterator[None]:
    """Stop at SIGTERM and SIGINT; only the main thread gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):
            before[number] = signal.signal(number, lambda _number, _frame: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
