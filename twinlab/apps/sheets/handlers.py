"""Answers below ``/sheets/``: the page that explains them, the exceptions as CSV, a template for LibreOffice."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tornado.web import RequestHandler

from twinlab._spreadsheets import write_csv
from twinlab.apps.rights.pages import opens_page
from twinlab.apps.sheets.help_page import help_html
from twinlab.apps.sheets.template import linked_sheet
from twinlab.errors import TwinlabError
from twinlab.explore.pages.now.dispatch.feed import sheet_feed
from twinlab.languages import preferred_language, use_from_here

if TYPE_CHECKING:
    from twinlab.apps.login.access import User
    from twinlab.apps.rights.rights import Rights
    from twinlab.explore.kit.session import Shared

__all__ = ["Reader", "sheet_routes"]

_LOG = logging.getLogger(__name__)
#: The reader's setting with the columns of page Now.
_COLUMNS = "now_columns"


@dataclass(frozen=True)
class Reader:
    """Somebody who asks, and what they may see."""

    shared: Shared
    settings: Mapping[str, object]
    # None without a login.
    rights: Rights | None
    name: str = ""


def sheet_routes(reader_of: Callable[[User | None], Reader], *, scheme: str, title: str) -> list[tuple[Any, ...]]:
    """Return the routes of the sheets.

    Parameters
    ----------
    reader_of : callable
        User, or None without a login -> `Reader`. The request guard has checked who asks.
    scheme : str
        "http" or "https".
    title : str
        Title of the twin.
    """
    shared = {"reader_of": reader_of, "scheme": scheme, "title": title}
    return [
        (r"/sheets/", _HelpHandler, shared),
        (r"/sheets/exceptions\.csv", _CsvHandler, shared),
        (r"/sheets/exceptions\.fods", _TemplateHandler, shared),
    ]


class _SheetHandler(RequestHandler):
    def initialize(self, reader_of: Callable[[User | None], Reader], scheme: str, title: str) -> None:
        """Store what all requests share."""
        self.reader_of, self.scheme, self.title = reader_of, scheme, title

    def prepare(self) -> None:
        """Use the reader's language."""
        use_from_here(preferred_language(self.request.headers.get("Accept-Language", "")))
        self.set_header("Vary", "Authorization, Cookie")

    @property
    def address(self) -> str:
        """URL of the CSV, as the reader has written the host."""
        return f"{self.scheme}://{self.request.host}/sheets/exceptions.csv"

    def reader(self) -> Reader:
        """Return who asks."""
        return self.reader_of(getattr(self.request, "twinlab_user", None))

    def refuse(self, status: int, text: str) -> None:
        """Answer with a sentence."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{text}\n")


class _CsvHandler(_SheetHandler):
    async def head(self) -> None:
        """Answer as `get`, without the rows."""
        await self.get()

    async def get(self) -> None:
        """Send the exceptions; Tornado compares the ETag and answers 304 if nothing has changed."""
        reader = self.reader()
        if reader.rights is not None and not opens_page(reader.rights, "now"):
            self.refuse(403, "Your role doesn't open page Now, whose exceptions this sheet has.")
            return
        try:
            # Other readers are served meanwhile.
            text = await asyncio.to_thread(_csv, reader)
        except TwinlabError as error:
            _LOG.warning("a sheet can't be made: %s", error)
            self.refuse(503, str(error))
            return
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        # A program may store it, and asks each time whether it has changed.
        self.set_header("Cache-Control", "private, no-cache")
        self.finish(text)


class _TemplateHandler(_SheetHandler):
    def get(self) -> None:
        """Send a spreadsheet that is linked to the CSV."""
        self.set_header("Content-Type", "application/vnd.oasis.opendocument.spreadsheet-flat-xml")
        self.set_header("Content-Disposition", 'attachment; filename="exceptions.fods"')
        self.finish(linked_sheet(self.address))


class _HelpHandler(_SheetHandler):
    def get(self) -> None:
        """Send the page that explains the addresses."""
        reader = self.reader()
        page = help_html(
            title=self.title, address=self.address, user=reader.name, with_login=reader.rights is not None
        )  # fmt: skip
        self.finish(str(page))


def _csv(reader: Reader) -> str:
    columns = reader.settings.get(_COLUMNS)
    out = io.StringIO()
    write_csv(sheet_feed(reader.shared, columns if isinstance(columns, list) else None), out)
    return out.getvalue()
