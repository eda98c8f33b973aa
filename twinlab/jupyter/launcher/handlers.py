"""Answers of the launcher's server: the start page, the first visit of a twin's pages, a starter notebook, refusals."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tornado.web import RequestHandler

from twinlab.apps.plain_page import plain_policy
from twinlab.errors import TwinlabError
from twinlab.jupyter.launcher.start_page import error_html, start_html
from twinlab.jupyter.launcher.twin_folders import TwinFolder, find_twins, named_twins
from twinlab.jupyter.launcher.twin_pages import TwinPages
from twinlab.languages import preferred_language, tr, use_from_here

__all__ = ["Launcher", "NotebookHandler", "OpenHandler", "RefusedHandler", "StartHandler"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Launcher:
    """What the handlers share."""

    root: Path
    """Folder of the Jupyter server."""
    pages: TwinPages
    named: tuple[Path, ...] = ()
    """Folders of twins elsewhere, such as one that all users of a hub read."""

    def twins(self) -> list[TwinFolder]:
        """Return the twins that are there now."""
        return [*named_twins(self.named), *find_twins(self.root)]

    def twin(self, key: str) -> TwinFolder | None:
        """Return the twin of a key; None if it isn't there any more."""
        return next((one for one in self.twins() if one.key == key), None)


class _Handler(RequestHandler):
    def initialize(self, launcher: Launcher) -> None:
        self.launcher = launcher
        self.nonce = secrets.token_urlsafe(16)

    def prepare(self) -> None:
        use_from_here(preferred_language(self.request.headers.get("Accept-Language", "")))

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")

    def show(self, page: object, *, status: int = 200) -> None:
        """Send a page."""
        self.set_header("Content-Security-Policy", plain_policy(self.nonce, ancestors="'self'"))
        self.set_status(status)
        self.finish(str(page))

    def explain(self, text: str, *, back: str, status: int) -> None:
        """Send the page of an error."""
        self.show(error_html(text, back=back, nonce=self.nonce), status=status)


class StartHandler(_Handler):
    """The start page."""

    async def get(self) -> None:
        """List the twins."""
        found = await asyncio.to_thread(self.launcher.twins)
        self.show(start_html(self.launcher.root, found, nonce=self.nonce))


class OpenHandler(_Handler):
    """The first visit of a twin's pages: opens the twin, then loads the same address again."""

    async def get(self, key: str) -> None:
        """Open the twin."""
        found = await asyncio.to_thread(self.launcher.twin, key)
        if found is None:
            self.explain(_gone(), back="../../", status=404)
            return
        try:
            await self.launcher.pages.open(key, found.path)
        except TwinlabError as error:
            _LOG.warning("%s can't be opened: %s", found.path, error)
            self.explain(str(error), back="../../", status=500)
            return
        query = f"?{self.request.query}" if self.request.query else ""
        # Relative: jupyter-server-proxy would put its own path before an absolute one.
        self.redirect(f"./{query}")


class NotebookHandler(_Handler):
    """Writes a starter notebook and opens it in JupyterLab."""

    async def post(self) -> None:
        """Write the notebook of the twin that the form names."""
        key = self.get_body_argument("twin", "")
        found = await asyncio.to_thread(self.launcher.twin, key)
        if found is None:
            self.explain(_gone(), back="./", status=404)
            return
        try:
            path = await asyncio.to_thread(_written, found.path, self.launcher.root)
        except TwinlabError as error:
            self.explain(str(error), back="./", status=500)
            return
        place = path.relative_to(self.launcher.root).as_posix()
        # From <base>/twinlab/notebook to <base>/lab/tree/…
        self.redirect(f"../lab/tree/{quote(place)}", status=303)

    def check_xsrf_cookie(self) -> None:
        """Do nothing: the router has compared the origin of the request."""


class RefusedHandler(RequestHandler):
    """Refuses a request."""

    def initialize(self, status: int, reason: str) -> None:
        """Store the reason."""
        self._status, self._why = status, reason

    def prepare(self) -> None:
        """Answer, whatever the HTTP method."""
        self.set_status(self._status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{self._why}\n")


def _gone() -> str:
    return tr("This twin isn't there any more.")


def _written(folder: Path, root: Path) -> Path:
    """Write a starter notebook beside a twin; into the root for one that is the root itself, or elsewhere."""
    from twinlab.twin import open_twin  # noqa: PLC0415  (loads the rooms)
    from twinlab.twin.starter import write_starter  # noqa: PLC0415

    twin = open_twin(folder)
    try:
        return write_starter(twin, folder.parent if folder.parent.is_relative_to(root) else root)
    finally:
        twin.close()
