"""The launcher's server as a process, which ends with its Jupyter server."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import click
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback

from twinlab.jupyter.launcher.entry import SECRET_VARIABLE, TWINS_VARIABLE
from twinlab.jupyter.launcher.handlers import Launcher
from twinlab.jupyter.launcher.router import LauncherRouter
from twinlab.jupyter.launcher.twin_pages import TwinPages

__all__ = ["main"]

#: Milliseconds between looks whether the parent is still there.
_LOOK = 3_000
#: Largest body of a request, bytes: files are uploaded through the websocket.
_MAX_BODY_BYTES = 1_000_000


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--root", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True)
def main(port: int, root: Path) -> None:
    """Serve the start page and the pages of twins on this machine, until SIGTERM or the end of the parent."""
    logging.basicConfig(level=logging.INFO, format="twinlab launcher: %(message)s")
    secret = os.environ.pop(SECRET_VARIABLE, "")
    if not secret:
        msg = f"expected the secret of the Jupyter server in {SECRET_VARIABLE}; jupyter-server-proxy starts this server"
        raise click.ClickException(msg)
    named = tuple(Path(one).resolve() for one in os.environ.get(TWINS_VARIABLE, "").split(os.pathsep) if one)
    asyncio.run(_serve(port, Launcher(root.resolve(), TwinPages(), named), secret))


async def _serve(port: int, launcher: Launcher, secret: str) -> None:
    stopped = asyncio.Event()
    router = LauncherRouter(launcher, secret)
    server = HTTPServer(router, max_body_size=_MAX_BODY_BYTES, body_timeout=30.0, idle_connection_timeout=300.0)
    server.listen(port, "127.0.0.1")
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            stopped.set()

    watch = PeriodicCallback(look, _LOOK)
    watch.start()
    # Windows has no handlers of signals in a loop: the process just ends there.
    for number in (signal.SIGTERM, signal.SIGINT) if os.name == "posix" else ():
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    try:
        await stopped.wait()
    finally:
        watch.stop()
        server.stop()
        launcher.pages.close()
