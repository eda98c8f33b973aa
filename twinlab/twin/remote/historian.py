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

from twinlab.errors import HistoryConflictError, SourceError, TwinlabError
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
    if standby:
        notify("READY=1\nSTATUS=standby")
    with twin.historian_lease(seconds=lease_seconds, wait=math.inf if standby else 0.0) as lease:
        twin.reload()
        twin.publish(lease)
        notify("READY=1\nSTATUS=running")
        if any(mapping.live is not None for mapping in twin.mappings.values()):
            return _run_sources(twin, lease, options)
        return _follow(twin, lease, options)


def _follow(twin: WorkingTwin, lease: StoreLease, options: RunOptions) -> LiveStatus:
    """Publish what others append."""
    stop, started = threading.Event(), time.time_ns()
    lease.on_loss = stop.set
    until = math.inf if options.seconds is None else time.monotonic() + options.seconds
    _LOG.info("running", extra={"twin": twin.bucket.address.url, "sources": []})
    with _on_signals(stop):
        while not (options.once or stop.is_set()) and time.monotonic() < until:
            began = time.monotonic()
            _publish(twin, lease)
            pause = max(PUBLISH_EVERY, (time.monotonic() - began) / _SHARE)
            stop.wait(min(pause, max(0.0, until - time.monotonic())))
    lease.check()
    now = time.time_ns()
    write_status(
        twin.folder,
        {"running": False, "updated_ns": now, "started_ns": started, "pid": os.getpid(), "host": socket.gethostname()},
    )
    return read_status(twin.folder)


def _run_sources(twin: WorkingTwin, lease: StoreLease, options: RunOptions) -> LiveStatus:
    """Run the live sources, each as the leased writer of its rows; publish their rows and those of others."""

    def publish_others() -> None:
        while not ended.wait(PUBLISH_EVERY):
            _publish(twin, lease)

    process = HistorianProcess(
        twin.folder, twin.ledger, twin.model, twin.mappings, publish=lambda: twin.publish(lease), score=lambda _last: None,
        search=lambda: None, overdue=lambda: False, options=options,
    )  # fmt: skip
    ended = threading.Event()
    thread = threading.Thread(target=publish_others, name="publish", daemon=True)
    thread.start()
    try:
        return process.run(lease)
    finally:
        ended.set()
        thread.join()


def _publish(twin: WorkingTwin, lease: StoreLease) -> None:
    """Publish; a failure is logged, since the rows are durable, unless the lease is lost."""
    try:
        twin.publish(lease)
    except HistoryConflictError:
        lease.check()
        _LOG.info("not published yet", exc_info=True)
    except (SourceError, OSError) as error:
        _LOG.error("not published yet", extra={"error": " ".join(str(error).split())})
    except TwinlabError as error:
        _LOG.error("not published", extra={"error": " ".join(str(error).split())})


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
