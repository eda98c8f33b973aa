"""The bar at the bottom of a page: what takes a view elsewhere."""

from __future__ import annotations

import asyncio
import base64
import logging
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.apps.frame.clock import file_stamp
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.panes import Html, code_html

if TYPE_CHECKING:
    from twinlab.apps.frame.browser_side import BrowserSide
    from twinlab.explore.workspace import Workspace

__all__ = ["Actions"]

_LOG = logging.getLogger(__name__)
#: What a menu offers -> ending of the file.
_DATA = {"Parquet": ".parquet", "CSV": ".csv"}
_PICTURES = {"SVG, for print": ".svg", "PNG, 300 dots an inch": ".png"}
# Matplotlib and HoloViews keep what they draw with in globals: one file at a time in all threads.
_DRAWING = threading.Lock()
# On a phone the icons alone: six names don't fit a line. The names stay for screen readers.
_BUTTON = {
    "textTransform": "none",
    "whiteSpace": "nowrap",
    "@media (max-width: 600px)": {
        "fontSize": 0,
        "minWidth": "40px",
        "& .MuiButton-startIcon": {"margin": 0},
        "& .MuiButton-endIcon": {"display": "none"},
    },
}
_BAR = {
    "position": "sticky",
    "bottom": "0",
    "z-index": "1100",
    "background": "var(--panel-surface-color, #fff)",
    "border-top": "1px solid rgba(127,127,127,.3)",
    "margin-top": "auto",
}


class Actions:
    """Buttons under a page; what goes wrong is told with ``tell``.

    Parameters
    ----------
    workspace : Workspace
        Whose page is taken elsewhere.
    browser : BrowserSide
        What copies.
    tell : callable
        Takes a sentence for the reader.
    """

    def __init__(self, workspace: Workspace, browser: BrowserSide, *, tell: Callable[[str], None]) -> None:
        self._workspace, self._browser, self._tell = workspace, browser, tell
        self._download = pmui.FileDownload(
            label="File", auto=True, embed=False, filename="twinlab", visible=False, callback=lambda: None
        )
        self._status = Html("", margin=(0, 8), align="center")
        self._code = Html(
            "",
            visible=False,
            sizing_mode="stretch_width",
            margin=(4, 10),
            styles={"max-height": "40vh", "overflow": "auto"},
        )
        # Several pages may stand in one notebook.
        self._link_class, self._code_class = f"copy-link-{browser.name}", f"copy-code-{browser.name}"
        self._python = self._button("Show as Python", "code", self._toggle)
        workspace.param.watch(lambda *_: self._write_code(), "revision")
        self._write_code()

    def panel(self) -> pn.viewable.Viewable:
        """Return the bar."""
        copy_link = self._button("Copy link", "link", lambda _: self._say("Link copied"))
        copy_code = self._button("Copy Python", "content_copy", lambda _: self._say("Python copied"))
        copy_link.css_classes, copy_code.css_classes = [self._link_class], [self._code_class]
        row = pn.FlexBox(
            self._button("Excel", "table_view", partial(self._file, ".xlsx")),
            self._menu("Data", "download", _DATA),
            self._menu("Picture", "image", _PICTURES),
            self._button("Report", "description", partial(self._file, ".html")),
            copy_link,
            self._python,
            copy_code,
            self._status,
            self._download,
            align_items="center",
            gap="2px",
            sizing_mode="stretch_width",
            margin=(2, 6),
        )
        return pn.Column(self._code, row, sizing_mode="stretch_width", styles=_BAR)

    def _button(self, label: str, icon: str, act: Callable[[Any], Any]) -> pmui.Button:
        button = pmui.Button(
            label=label, icon=icon, icon_size="18px", variant="text", size="small", sx=_BUTTON, margin=2
        )
        button.on_click(act)
        return button

    def _menu(self, label: str, icon: str, endings: dict[str, str]) -> pmui.MenuButton:
        items = [{"label": name, "ending": ending} for name, ending in endings.items()]
        menu = pmui.MenuButton(
            label=label, icon=icon, items=items, icon_size="18px", variant="text", size="small", sx=_BUTTON, margin=2
        )
        menu.on_click(lambda item: self._file(item["ending"]))
        return menu

    # -- files --------------------------------------------------------------------------------------------------------

    def _file(self, ending: str, _: object = None) -> None:
        """Write a file and hand it to the browser, once the reader has been told that it's coming."""
        self._say(f"Writing the {_NAMES[ending]} …")
        pn.state.execute(partial(self._send, ending), schedule=True)

    async def _send(self, ending: str) -> None:
        stem = f"{self._workspace.twin.model.twin}-{self._workspace.page}-{file_stamp()}"
        try:
            content = await asyncio.to_thread(self._write, stem + ending)
        except READING_ERRORS as error:
            _LOG.exception("the %s can't be written", _NAMES[ending])
            self._tell(f"The {_NAMES[ending]} can't be written: {error}")
            self._say("")
            return
        self._download.param.update(filename=stem + ending, data=None)
        self._download.data = f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"
        self._say(f"{stem}{ending} is in your downloads")

    def _write(self, name: str) -> bytes:
        """Write the view under a name whose ending says as what; return the file."""
        view = self._workspace
        write = {".xlsx": view.to_excel, ".html": view.report, ".svg": view.picture, ".png": view.picture}
        with _DRAWING, tempfile.TemporaryDirectory(prefix="twinlab-") as folder:
            path = Path(folder) / name
            return write.get(path.suffix, view.export)(path).read_bytes()

    # -- code ---------------------------------------------------------------------------------------------------------

    def _toggle(self, _: object) -> None:
        self._code.visible = not self._code.visible
        self._python.label = "Hide Python" if self._code.visible else "Show as Python"
        self._write_code()

    def _write_code(self) -> None:
        code = self._workspace.code()
        self._browser.copying = {self._link_class: None, self._code_class: code}
        if self._code.visible:
            self._code.object = code_html(code or "# Nothing is shown that could be read.")

    def _say(self, text: str) -> None:
        self._status.object = html(
            '<span role="status" style="font:13px/1.4 Roboto,system-ui,sans-serif">{{ text }}</span>', text=text
        )


_NAMES = {
    ".xlsx": "Excel file",
    ".html": "report",
    ".svg": "picture",
    ".png": "picture",
    ".parquet": "Parquet file",
    ".csv": "CSV file",
}
