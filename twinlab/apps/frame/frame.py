"""The page of a twin: top bar, rail, one view at a time, a drawer and actions. Knows nothing of any twin's names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from panel.util.parameters import edit_readonly

from twinlab._html import html
from twinlab.apps.frame.actions import Actions
from twinlab.apps.frame.bar import bar
from twinlab.apps.frame.browser_side import BrowserSide
from twinlab.apps.frame.drawer import asset_drawer
from twinlab.apps.frame.onboarding import hint
from twinlab.apps.frame.page_template import shell
from twinlab.apps.frame.settings import settings_for
from twinlab.apps.frame.theme import RAIL, THEME, page_look
from twinlab.apps.login.access import current_user, may_see
from twinlab.explore.kit.link import format_link, parse_link
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.workspace import Workspace

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.model.reader import TwinReader

__all__ = ["page"]

_LOG = logging.getLogger(__name__)


def page(
    twin: TwinReader, *, shared: Shared | None = None, query: str | None = None, session: Session | None = None
) -> pmui.Page:
    """Return the page of a twin, ready to be served or shown in a notebook.

    Parameters
    ----------
    twin : TwinReader
        Whose data are shown.
    shared : Shared, optional
        What several readers of one twin share (event tables, freshness). Made anew without it.
    query : str, optional
        The query of the page's URL. By default that of the session being served.
    session : Session, optional
        The reader and their settings. By default who has logged in, with the settings kept for them.

    Returns
    -------
    panel_material_ui.Page
        A wrong value in the query, or data that can't be read, gives a notice on the page.
    """
    shared = shared or Shared(twin)
    pn.extension("tabulator", notifications=False)
    user = current_user()
    if session is None:
        session = Session(user="" if user is None else user.name, settings=settings_for(user, twin.model.twin))
    notice = pmui.Alert(object="", severity="error", visible=False, closeable=True, margin=10)
    _show_errors_in(notice)
    location = pn.state.location
    asked = query if query is not None else (location.search if location is not None else "")
    workspace = Workspace(
        twin,
        link=parse_link(asked),
        shared=shared,
        session=session,
        patient=_is_served(),
        allowed=lambda name: may_see(user, name),
    )
    title = twin.model.title or twin.model.twin.replace("_", " ")
    browser = BrowserSide()
    _keep_address(workspace, browser, title)
    theme = session.settings.get("theme")
    strip = hint(session)
    drawer = asset_drawer(workspace, browser, moved=lambda opened: shown.param.update(sx=page_look(drawer=opened)))
    actions = Actions(
        workspace, browser, tell=lambda text: notice.param.update(object=text, visible=True, closed=False)
    )
    shown = pmui.Page(
        title=title,
        header=[*bar(shared, session, browser, user=user), browser],
        sidebar=[_rail(workspace)],
        sidebar_open=len(workspace.pages) > 1,
        sidebar_width=96,
        sidebar_resizable=False,
        main=[
            _heading(workspace),
            notice,
            *([] if strip is None else [strip]),
            workspace.body,
            actions.panel(),
            drawer,
        ],
        busy_indicator=None,
        theme_config=THEME,
        dark_theme=theme == "dark",
        sx=page_look(drawer=False),
        meta_name=title,
        template=shell(theme if isinstance(theme, str) else None),
        sizing_mode="stretch_width",
    )
    _let_be(shown)
    _keep_theme(shown, browser, session)
    return shown


def _heading(workspace: Workspace) -> Html:
    """The page's heading for screen readers; others see the rail."""
    labels = {spec.name: spec.label for spec in workspace.pages}
    away = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"

    def text() -> Markup:
        return html(
            '<h1 style="{{ away }}">{{ label }}</h1>', away=away, label=labels.get(str(workspace.page), "No page")
        )

    heading = Html(text(), margin=0, height=0)
    workspace.param.watch(lambda _: heading.param.update(object=text()), "page")
    return heading


def _let_be(shown: pmui.Page) -> None:
    """Don't tell the page at each event that the server is busy: Panel looks through all models of the page each time,
    which takes longer than most events themselves.

    The page follows something that never changes instead. Set to a plain value, it would still be asked at each event of
    any reader, and be kept by the server after it was closed.
    """
    with edit_readonly(shown):
        shown.busy = pn.rx(False)  # noqa: FBT003  (Panel's own signature)


def _is_served() -> bool:
    """Whether somebody waits for the page: what takes time to read may then follow it."""
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def _rail(workspace: Workspace) -> pmui.MenuList:
    """The list of pages."""
    names = [spec.name for spec in workspace.pages]
    rail = pmui.MenuList(
        items=[{"label": spec.label, "icon": spec.icon} for spec in workspace.pages],
        active=names.index(workspace.page) if names else None,
        sx=RAIL,
        sizing_mode="stretch_width",
        margin=0,
    )

    def go(event: Any) -> None:
        place = event.new[0] if isinstance(event.new, (tuple, list)) else event.new
        if place is not None:
            workspace.page = names[place]

    rail.param.watch(go, "active")
    workspace.param.watch(lambda event: rail.param.update(active=names.index(event.new)), "page")
    return rail


def _keep_theme(shown: pmui.Page, browser: BrowserSide, session: Session) -> None:
    """Follow the system's theme until the reader says otherwise; then keep what they say."""
    browser.follow_system = session.settings.get("theme") is None

    def keep(event: Any) -> None:
        if browser.follow_system and event.new == browser.system_dark:
            return
        session.settings["theme"] = "dark" if event.new else "light"
        browser.follow_system = False

    shown.param.watch(keep, "dark_theme")


def _show_errors_in(notice: pmui.Alert) -> None:
    """Show what goes wrong in this session's callbacks, and log it."""

    def handle(error: Exception) -> None:
        _LOG.error("a callback failed", exc_info=error)
        notice.param.update(
            object=f"Something went wrong and was logged: {type(error).__name__}: {error}", visible=True, closed=False
        )

    pn.config.exception_handler = handle


def _keep_address(workspace: Workspace, browser: BrowserSide, title: str) -> None:
    """Write the view's state to the address, and follow the address when the reader goes back.

    Another page is a step in the browser's history; a zoom isn't, or going back would take dozens.
    """
    before = [workspace.page]
    labels = {spec.name: spec.label for spec in workspace.pages}

    def write(*_: object) -> None:
        search = format_link(workspace.link())
        if workspace.page != before[0] or browser.address["search"] != search:
            browser.address = {"search": search, "push": workspace.page != before[0]}
        before[0] = workspace.page
        browser.tab_title = " · ".join(text for text in (labels.get(str(workspace.page)), title) if text)

    def back(event: Any) -> None:
        link = parse_link(event.new[1])
        # The browser has made the step already.
        before[0] = link.page if link.page in labels else before[0]
        workspace.apply(link)

    workspace.param.watch(write, "revision")
    browser.param.watch(back, "went_back")
    write()
