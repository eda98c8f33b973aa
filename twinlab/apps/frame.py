"""The page of a twin: top bar, rail, and one view a page. Knows nothing of any twin's names."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.history_view import HistoryView
from twinlab.explore.link import format_link, parse_link
from twinlab.explore.reading import READING_ERRORS, instant_text
from twinlab.explore.shared import Shared

if TYPE_CHECKING:
    from twinlab.explore.link import Link
    from twinlab.model.reader import TwinReader

__all__ = ["PAGES", "PageSpec", "page"]

_LOG = logging.getLogger(__name__)
_BLUE = "#005A8C"
# White on the bar in both themes: 7:1 and more.
_BAR = {
    "MuiAppBar": {
        "styleOverrides": {
            "root": {
                "backgroundColor": _BLUE,
                "backgroundImage": "none",
                "color": "#fff",
                "& .MuiIconButton-root, & svg": {"color": "#fff"},
                # On a phone, a title of two lines still fits the bar.
                "@media (max-width: 600px)": {"& .title": {"fontSize": "1rem", "lineHeight": "1.15"}},
            }
        }
    }
}
_THEME = {
    "light": {"palette": {"primary": {"main": _BLUE}}, "components": _BAR},
    "dark": {"palette": {"primary": {"main": "#56B4E9"}}, "components": _BAR},
}


@dataclass(frozen=True)
class PageSpec:
    """One page on the rail."""

    label: str
    # Name of a Material icon.
    icon: str
    build: Callable[[Shared, Link], HistoryView]


def _history(shared: Shared, link: Link) -> HistoryView:
    return HistoryView(shared.twin, link=link, tables=shared.tables, patient=True)


#: The pages on the rail, first one first.
PAGES: tuple[PageSpec, ...] = (PageSpec("History", "timeline", _history),)


def page(twin: TwinReader, *, shared: Shared | None = None, query: str | None = None) -> pmui.Page:
    """Return the page of a twin, ready to be served or shown in a notebook.

    Parameters
    ----------
    twin : TwinReader
        Whose data are shown.
    shared : Shared, optional
        What several readers of one twin share (event tables, freshness). Made anew without it.
    query : str, optional
        The query of the page's URL. By default that of the session being served.

    Returns
    -------
    panel_material_ui.Page
        A wrong value in the query, or data that can't be read, gives a notice on the page.
    """
    shared = shared or Shared(twin)
    pn.extension("tabulator", notifications=False)
    location = pn.state.location
    notice = pmui.Alert(object="", severity="error", visible=False, closeable=True, margin=10)
    _show_errors_in(notice)
    link = parse_link(query if query is not None else (location.search if location is not None else ""))
    title = twin.model.title or twin.model.twin.replace("_", " ")
    main: list[object] = [notice]
    try:
        view = PAGES[0].build(shared, link)
    except READING_ERRORS as error:
        _LOG.exception("the page can't be built")
        notice.param.update(object=f"This page can't be shown: {error}", visible=True)
    else:
        main.append(view)
        _keep_in_url(view)
    rail = pmui.MenuList(items=[{"label": spec.label, "icon": spec.icon} for spec in PAGES], active=0)
    return pmui.Page(
        title=title,
        header=[_freshness(shared)],
        sidebar=[rail],
        sidebar_open=len(PAGES) > 1,
        sidebar_width=220,
        main=main,
        theme_config=_THEME,
        meta_name=title,
        sizing_mode="stretch_width",
    )


def _freshness(shared: Shared) -> pn.pane.HTML:
    """Up to when there are data; written once the page stands."""
    pane = pn.pane.HTML("", align="center", margin=(0, 10))

    def write() -> None:
        try:
            latest = shared.latest()
        except READING_ERRORS:
            _LOG.exception("the newest time can't be read")
            latest = None
        text = "no data yet" if latest is None else f"data to {instant_text(latest)} UTC"
        style = "font:14px/1.3 Roboto,system-ui,sans-serif;font-size:clamp(11px,3vw,14px);color:#fff"
        pane.object = f'<span style="{style}">{text}</span>'

    pn.state.onload(write)
    return pane


def _show_errors_in(notice: pmui.Alert) -> None:
    """Show what goes wrong in this session's callbacks, and log it."""

    def handle(error: Exception) -> None:
        _LOG.error("a callback failed", exc_info=error)
        notice.param.update(
            object=f"Something went wrong and was logged: {type(error).__name__}: {error}", visible=True, closed=False
        )

    pn.config.exception_handler = handle


def _keep_in_url(view: HistoryView) -> None:
    """Write the view's state to the address, and follow the address when the reader goes back."""
    location = pn.state.location
    if location is None:
        return
    written = [location.search]

    def write(*_: object) -> None:
        written[0] = format_link(view.link())
        if location.search != written[0]:
            location.search = written[0]

    def follow(*_: object) -> None:
        if location.search != written[0]:
            written[0] = location.search
            view.apply(parse_link(location.search))

    view.param.watch(write, "revision")
    location.param.watch(follow, "search")
