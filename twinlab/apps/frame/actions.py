"""Action bar at the bottom of a page: export as Excel, data, picture, report, link and Python."""

from __future__ import annotations

import asyncio
import base64
import logging
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.apps.frame.clock import file_stamp
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.panes import Html, code_html
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.apps.frame.browser_side import BrowserSide
    from twinlab.explore.workspace import Workspace

__all__ = ["Actions"]

_LOG = logging.getLogger(__name__)
#: Label of a menu item -> file extension.
_DATA = {"Parquet": ".parquet", "CSV": ".csv"}
_PICTURES = {mark("SVG, for print"): ".svg", mark("PNG, 300 dots an inch"): ".png"}
# Matplotlib and HoloViews have global state: one file at a time in all threads.
_DRAWING = threading.Lock()
# Icons only on a phone, where six labels don't fit into a line; screen readers still read the labels.
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
    """Buttons below a page.

    Parameters
    ----------
    workspace : Workspace
        Whose current page is exported.
    browser : BrowserSide
        Copies links and code to the clipboard.
    on_error : callable
        Called with a sentence for the reader when a file can't be written.

    Attributes
    ----------
    on_file : callable or None
        Called with the extension of a file that was sent to the browser.
    """

    def __init__(self, workspace: Workspace, browser: BrowserSide, *, on_error: Callable[[str], None]) -> None:
        self._workspace, self._browser, self._on_error = workspace, browser, on_error
        self.on_file: Callable[[str], None] | None = None
        self._download = pmui.FileDownload(
            label=tr("File"), auto=True, embed=False, filename="twinlab", visible=False, callback=lambda: None
        )
        self._status = Html("", margin=(0, 8), align="center")
        self._code = Html(
            "",
            visible=False,
            sizing_mode="stretch_width",
            margin=(4, 10),
            styles={"max-height": "40vh", "overflow": "auto"},
        )
        # A notebook may show several pages.
        self._link_class, self._code_class = f"copy-link-{browser.name}", f"copy-code-{browser.name}"
        self._python = self._button(tr("Show as Python"), "code", self._toggle)
        workspace.param.watch(lambda *_: self._write_code(), "revision")
        self._write_code()

    def panel(self) -> pn.viewable.Viewable:
        """Return the bar."""
        copy_link = self._button(tr("Copy link"), "link", lambda _: self._show_status(tr("Link copied")))
        copy_code = self._button(tr("Copy Python"), "content_copy", lambda _: self._show_status(tr("Python copied")))
        copy_link.css_classes, copy_code.css_classes = [self._link_class], [self._code_class]
        row = pn.FlexBox(
            self._button(tr("Excel"), "table_view", partial(self._file, ".xlsx")),
            self._menu(tr("Data"), "download", _DATA, more=_sheet_items(self._workspace)),
            self._menu(tr("Picture"), "image", _PICTURES),
            self._button(tr("Report"), "description", partial(self._file, ".html")),
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

    def _menu(
        self, label: str, icon: str, extensions: dict[str, str], *, more: Sequence[dict[str, str]] = ()
    ) -> pmui.MenuButton:
        items = [{"label": tr(name), "extension": extension} for name, extension in extensions.items()] + [*more]
        menu = pmui.MenuButton(
            label=label, icon=icon, items=items, icon_size="18px", variant="text", size="small", sx=_BUTTON, margin=2
        )
        menu.on_click(lambda item: self._file(item["extension"]) if "extension" in item else None)
        return menu

    # -- files --------------------------------------------------------------------------------------------------------

    def _file(self, extension: str, _: object = None) -> None:
        """Show that a file is being written, then write it and send it to the browser."""
        self._show_status(tr("Writing the {extension} …", extension=tr(_NAMES[extension])))
        pn.state.execute(partial(self._send, extension), schedule=True)

    async def _send(self, extension: str) -> None:
        stem = f"{self._workspace.twin.model.twin}-{self._workspace.page}-{file_stamp()}"
        try:
            content = await asyncio.to_thread(self._write, stem + extension)
        except READING_ERRORS as error:
            _LOG.exception("the %s can't be written", _NAMES[extension])
            self._on_error(
                tr("The {extension} can't be written: {error}", extension=tr(_NAMES[extension]), error=error)
            )
            self._show_status("")
            return
        self._download.param.update(filename=stem + extension, data=None)
        self._download.data = f"data:application/octet-stream;base64,{base64.b64encode(content).decode()}"
        self._show_status(tr("{stem}{extension} is in your downloads", stem=stem, extension=extension))
        if self.on_file is not None:
            self.on_file(extension)

    def _write(self, name: str) -> bytes:
        """Return the content of a file with the current view, in the format of the name's extension."""
        view = self._workspace
        write = {".xlsx": view.to_excel, ".html": view.report, ".svg": view.picture, ".png": view.picture}
        with _DRAWING, tempfile.TemporaryDirectory(prefix="twinlab-") as folder:
            path = Path(folder) / name
            return write.get(path.suffix, view.export)(path).read_bytes()

    # -- code ---------------------------------------------------------------------------------------------------------

    def _toggle(self, _: object) -> None:
        self._code.visible = not self._code.visible
        self._python.label = tr("Hide Python") if self._code.visible else tr("Show as Python")
        self._write_code()

    def _write_code(self) -> None:
        code = self._workspace.code()
        self._browser.copying = {self._link_class: None, self._code_class: code}
        if self._code.visible:
            self._code.object = code_html(code or "# No data are shown.")

    def _show_status(self, text: str) -> None:
        self._status.object = html(
            '<span role="status" style="font:13px/1.4 Roboto,system-ui,sans-serif">{{ text }}</span>', text=text
        )


def _sheet_items(workspace: Workspace) -> list[dict[str, str]]:
    """Return the menu item that leads to the sheets, where they can be fetched: not in a notebook, nor through Jupyter, which asks for its own token."""
    document = pn.state.curdoc
    request = getattr(getattr(document, "session_context", None), "request", None)
    if request is None or "X-Forwarded-Prefix" in request.headers or not workspace.twin.model.rules:
        return []
    return [{"label": tr("A sheet that refreshes itself"), "href": "sheets/", "target": "_blank"}]


_NAMES = {
    ".xlsx": mark("Excel file"),
    ".html": mark("report"),
    ".svg": mark("picture"),
    ".png": mark("picture"),
    ".parquet": mark("Parquet file"),
    ".csv": mark("CSV file"),
}
