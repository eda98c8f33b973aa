"""The pages of twins under paths of one server: each twin is opened at its first visit and stays open."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

if TYPE_CHECKING:
    from tornado.web import Application

    from twinlab.apps.server.server import Served
    from twinlab.twin import Twin

__all__ = ["TwinPages"]


class TwinPages:
    """The applications that serve the pages of twins, by key."""

    def __init__(self) -> None:
        self._served: dict[str, tuple[Served, Twin]] = {}
        self._opening = asyncio.Lock()

    def application(self, key: str) -> tuple[Application, str] | None:
        """Return a twin's application and the host under which it answers; None for a twin that isn't open."""
        if key not in self._served:
            return None
        served, _ = self._served[key]
        return served.application, served.url.removeprefix("http://").rstrip("/")

    async def open(self, key: str, folder: Path) -> None:
        """Open a twin and prepare its pages; nothing happens for one that is open.

        Raises
        ------
        TwinlabError
            If the twin can't be opened.
        """
        async with self._opening:
            if key in self._served:
                return
            # Other requests are answered while libraries and the twin are loaded.
            twin = await asyncio.to_thread(_opened, folder)
            from twinlab.apps.server.serve_options import check_options  # noqa: PLC0415  (loaded by `_opened`)
            from twinlab.apps.server.server import prepare  # noqa: PLC0415  (the same)

            options = check_options("127.0.0.1", port=0)
            # It has no port of its own: requests come from the router.
            served = prepare(twin, options, loop=IOLoop.current(), warm=False, listener=HTTPServer)
            self._served[key] = (served, twin)

    def close(self) -> None:
        """Close all."""
        for served, twin in self._served.values():
            served.halt()
            twin.close()
        self._served.clear()


def _opened(folder: Path) -> Twin:
    from twinlab.twin import open_twin  # noqa: PLC0415  (loads the rooms)

    # Panel takes seconds.
    importlib.import_module("twinlab.apps.server.server")
    return open_twin(folder)
