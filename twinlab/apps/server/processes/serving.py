"""Serve the twin in a folder with several processes."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from twinlab.apps.server.figures import Figures
from twinlab.apps.server.processes.front import Front
from twinlab.apps.server.processes.pool import Pool, pool_state
from twinlab.apps.server.processes.worker import WorkerSettings
from twinlab.apps.server.serve_options import ServeOptions, check_options
from twinlab.errors import SchemaError

__all__ = ["ServedByWorkers", "serve_folder"]

_LOG = logging.getLogger(__name__)
_TLS_HANDSHAKE_SECONDS = 30.0


class ServedByWorkers:
    """A running server of several processes, and the address of its page."""

    def __init__(self, url: str, pool: Pool) -> None:
        self.url = url
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()

    @property
    def processes(self) -> list[int | None]:
        """Process identifiers of the workers; None for one that doesn't answer now."""
        return [
            worker.process.pid if worker.process is not None and worker.port is not None else None
            for worker in self._pool.workers
        ]

    def stop(self) -> None:
        """Stop the server; may be called from any thread."""
        with suppress(RuntimeError):
            # Without effect once it has stopped.
            self._loop.call_soon_threadsafe(self._stopped.set)

    async def wait(self) -> None:
        """Return when the server is to stop."""
        await self._stopped.wait()


def serve_folder(
    folder: str | Path,
    *,
    workers: int = 2,
    port: int = 0,
    address: str = "127.0.0.1",
    users: str | Path | None = None,
    oidc: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
    open_browser: bool = True,
    warm: bool = False,
    metrics: str | None = None,
    ready: Callable[[ServedByWorkers], None] | None = None,
) -> None:
    """Serve the pages of the twin in a folder with several processes, until SIGTERM, Ctrl+C or `ServedByWorkers.stop`.

    Readers of different workers don't wait for each other. Logins, limits of wrong passwords, settings and notes are
    shared. If a worker ends, its pages load again in another one, nobody is logged out, and it is started again.

    Parameters
    ----------
    folder : path
        The twin's folder.
    workers : int
        Number of processes that serve pages, at least 2. Each needs the memory of one server.
    port, address, users, oidc, certificate, key, open_browser
        As for `twinlab.apps.serve`.
    warm : bool
        Build each page once in each worker before the first request.
    metrics : str, optional
        Port, or host and port, for ``/health`` and ``/metrics``; see `twinlab.twin.health.endpoint`.
    ready : callable, optional
        Called once with a `ServedByWorkers` when the first worker answers, with ``warm`` when all do.

    Raises
    ------
    SourceError
        As for `twinlab.apps.serve`, or if the twin can't be opened.
    SchemaError
        If ``workers`` is less than 2.
    """
    if workers < 2:
        msg = f"expected at least 2 workers, got {workers}; one process serves with `twinlab.apps.serve`"
        raise SchemaError(msg)
    options = check_options(address, port=port, users=users, oidc=oidc, certificate=certificate, key=key)
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="twinlab-", ignore_cleanup_errors=True) as own:
        # mkdtemp's folder: only its owner can read it.
        settings = _settings(Path(folder), options, workers=workers, warm=warm, logins=Path(own) / "logins.sqlite")
        asyncio.run(
            _serve(
                options, settings, workers=workers, warm=warm, open_browser=open_browser, metrics=metrics, ready=ready
            )
        )


def _settings(
    folder: Path, options: ServeOptions, *, workers: int, warm: bool, logins: Path
) -> Callable[[int], WorkerSettings]:
    """Return the settings of each worker."""
    channel_secret = secrets.token_hex(32)
    users = None if options.users is None else str(options.users.path.resolve())
    oidc = None if options.oidc is None else str(options.oidc.resolve())

    def of(number: int) -> WorkerSettings:
        return WorkerSettings(
            str(folder.resolve()), options.address, options.port, options.names, options.secure, users, oidc,
            str(logins) if options.with_login else None, number, workers, warm,
            options.secrets.cookie, options.secrets.session, channel_secret,
        )  # fmt: skip

    return of


async def _serve(
    options: ServeOptions,
    settings: Callable[[int], WorkerSettings],
    *,
    workers: int,
    warm: bool,
    open_browser: bool,
    metrics: str | None,
    ready: Callable[[ServedByWorkers], None] | None,
) -> None:
    pool = Pool(settings, workers)
    front = Front(pool, settings(0).channel_secret)
    # The port is taken now; connections are accepted once a worker answers.
    server = await asyncio.get_running_loop().create_server(
        front.protocol, options.address, options.port, ssl=options.tls, start_serving=False,
        ssl_handshake_timeout=None if options.tls is None else _TLS_HANDSHAKE_SECONDS,
    )  # fmt: skip
    served = ServedByWorkers(options.url, pool)
    figures = Figures(Path(settings(0).folder), lambda: pool_state(pool))
    try:
        await figures.start(metrics)
        with _signals(served):
            starting = asyncio.ensure_future(pool.start(wait_for_all=warm))
            stopping = asyncio.ensure_future(served.wait())
            await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                starting.cancel()
                return
            await starting
            await server.start_serving()
            if ready is not None:
                ready(served)
            if open_browser:
                await asyncio.to_thread(webbrowser.open, served.url)
            await stopping
    finally:
        server.close()
        await figures.close()
        front.close()
        await pool.stop()


@contextmanager
def _signals(served: ServedByWorkers) -> Iterator[None]:
    """Stop in order at SIGTERM and SIGINT inside a ``with`` block, where the system and the thread allow handlers."""
    loop, here = asyncio.get_running_loop(), threading.current_thread() is threading.main_thread()
    handled = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no such handlers: Ctrl+C raises KeyboardInterrupt there.
        with suppress(NotImplementedError):
            if here:
                loop.add_signal_handler(number, served.stop)
                handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
