"""The served page of a twin: top bar, navigation, the current page of the workspace, drawer and action bar."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from panel.util.parameters import edit_readonly

from twinlab._html import html
from twinlab.apps.frame.actions import Actions
from twinlab.apps.frame.asking import ASK_WIDTH, AskField
from twinlab.apps.frame.bar import bar
from twinlab.apps.frame.browser_side import BrowserSide
from twinlab.apps.frame.drawer import ASSET_WIDTH, asset_drawer
from twinlab.apps.frame.glossary import glossary_link
from twinlab.apps.frame.language import choose_language, language_switch, without_language
from twinlab.apps.frame.onboarding import onboarding
from twinlab.apps.frame.page_template import page_template
from twinlab.apps.frame.settings import settings_for
from twinlab.apps.frame.theme import NAVIGATION, THEME, page_style
from twinlab.apps.login.access import current_user, may_see
from twinlab.apps.rights.pages import opens_page
from twinlab.explore.kit.link import format_link, parse_link
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.session import Session, Shared
from twinlab.explore.kit.tables.paged_table import table_style_sheets
from twinlab.explore.workspace import Workspace
from twinlab.languages import tr

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.apps.frame.browser_side import Drawer
    from twinlab.apps.rights.rights import Rights
    from twinlab.apps.rights.session_rights import Purposes
    from twinlab.ask import Planner
    from twinlab.model.reader import TwinReader
    from twinlab.twin.usage.counter import UsageCounter

__all__ = ["page"]

_LOG = logging.getLogger(__name__)
#: Extension of a file -> the task that is counted.
_FILE_TASKS = {
    ".xlsx": "excel",
    ".html": "report",
    ".svg": "picture",
    ".png": "picture",
    ".parquet": "data",
    ".csv": "data",
}


def page(
    twin: TwinReader,
    *,
    shared: Shared | None = None,
    query: str | None = None,
    session: Session | None = None,
    rights: Rights | None = None,
    purposes: Purposes | None = None,
    planner: Planner | None = None,
    usage: UsageCounter | None = None,
) -> pmui.Page:
    """Return the page of a twin, ready to be served or shown in a notebook.

    Parameters
    ----------
    twin : TwinReader
        Whose data are shown.
    shared : Shared, optional
        Cache that several readers of the twin share (event tables, time of the newest data). By default a new one.
    query : str, optional
        Query of the page's URL. By default that of the session being served.
    session : Session, optional
        The reader and their settings. By default the user who has logged in, with their stored settings.
    rights : Rights, optional
        Which pages the reader opens; ``twin`` and ``shared`` are what they see of the data. By default those of a user
        who has logged in under the default policy, and everything without a login.
    purposes : Purposes, optional
        Between which the reader can choose, in the menu beside their name.
    planner : Planner, optional
        What proposes plans for questions; by default a parser that knows the words of the twin's model. A plan is checked against what the
        reader sees, and shown before it runs.
    usage : UsageCounter, optional
        Counts that a page was opened, a file written, a question answered; not by whom.

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
    asked = _query_of_address() if query is None else query
    choose_language(session, asked)
    notice = pmui.Alert(object="", severity="error", visible=False, closeable=True, margin=10)
    _show_errors_in(notice)
    workspace = Workspace(
        twin,
        link=parse_link(without_language(asked)),
        shared=shared,
        session=session,
        patient=_is_served(),
        allowed=lambda name: may_see(user, name) if rights is None else opens_page(rights, name),
    )
    title = twin.model.title or twin.model.twin.replace("_", " ")
    browser = BrowserSide()
    theme = session.settings.get("theme")
    # Somebody who sees no page has nothing to be introduced to, and nothing to export.
    introduction = onboarding(session) if workspace.pages else None
    drawer, ask = _drawers(
        workspace, browser, planner=planner, on_width=lambda wide: shown.param.update(sx=page_style(drawer=wide))
    )
    _sync_address(workspace, browser, title, ask)
    actions = Actions(
        workspace, browser, on_error=lambda text: notice.param.update(object=text, visible=True, closed=False)
    )
    shown = pmui.Page(
        title=title,
        header=[*bar(shared, session, browser, user=user, purposes=purposes), browser],
        sidebar=[_navigation(workspace), *language_switch(session, browser), *glossary_link()],
        sidebar_open=len(workspace.pages) > 1,
        sidebar_width=96,
        sidebar_resizable=False,
        main=[
            *([ask.strip] if workspace.pages else []),
            _heading(workspace),
            table_style_sheets(),
            notice,
            *([] if introduction is None else [introduction]),
            workspace.body,
            *([actions.panel()] if workspace.pages else []),
            drawer,
            *([ask.drawer] if workspace.pages else []),
        ],
        busy_indicator=None,
        theme_config=THEME,
        dark_theme=theme == "dark",
        sx=page_style(drawer=0),
        meta_name=title,
        template=page_template(theme if isinstance(theme, str) else None),
        sizing_mode="stretch_width",
    )
    _ignore_busy_server(shown)
    _sync_theme(browser, session)
    ask.propose_later(workspace.first_link.ask)
    _count_use(usage, workspace, ask, actions)
    return shown


def _query_of_address() -> str:
    """Return the query of the address that was opened; nothing in a notebook."""
    location = pn.state.location
    return "" if location is None else location.search


def _count_use(usage: UsageCounter | None, workspace: Workspace, ask: AskField, actions: Actions) -> None:
    """Count each page that the reader opens, each answer and each file."""
    if usage is None:
        return
    if workspace.page is not None:
        usage.page(workspace.page)
    workspace.param.watch(lambda event: usage.page(event.new) if event.new else None, "page")
    ask.view.param.watch(lambda event: usage.answered(event.new), "took", onlychanged=False)
    actions.on_file = lambda extension: usage.task(_FILE_TASKS.get(extension, "other"))


def _drawers(
    workspace: Workspace, browser: BrowserSide, *, planner: Planner | None, on_width: Callable[[int], object]
) -> tuple[Drawer, AskField]:
    """Return the drawer of the selected asset, and the field for questions with its drawer; one of both is open."""

    def toggled(other: Drawer, width: int, *, opened: bool) -> None:
        if opened:
            other.open = False
        if opened or not other.open:
            on_width(width if opened else 0)

    asset = asset_drawer(workspace, browser, on_toggle=lambda opened: toggled(ask.drawer, ASSET_WIDTH, opened=opened))
    ask = AskField(
        workspace,
        browser,
        planner=planner,
        on_toggle=lambda opened: toggled(asset, ASK_WIDTH, opened=opened),
    )
    return asset, ask


def _heading(workspace: Workspace) -> Html:
    """Return the heading of the page for screen readers; sighted readers see the navigation."""
    labels = {spec.name: tr(spec.label) for spec in workspace.pages}
    hidden = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap"

    def text() -> Markup:
        return html(
            '<h1 style="{{ hidden }}">{{ label }}</h1>',
            hidden=hidden,
            label=labels.get(str(workspace.page), tr("No page")),
        )

    heading = Html(text(), margin=0, height=0)
    workspace.param.watch(lambda _: heading.param.update(object=text()), "page")
    return heading


def _ignore_busy_server(shown: pmui.Page) -> None:
    """Don't update the page at each event of a busy server: Panel then searches all models of the page, which takes
    longer than most events.

    The page follows a constant expression instead. With a plain value, Panel would still update it at each event of any
    reader, and the server would keep it in memory after it was closed.
    """
    with edit_readonly(shown):
        shown.busy = pn.rx(False)  # noqa: FBT003  (Panel's own signature)


def _is_served() -> bool:
    """Return whether the page is built for a browser that waits: slow reads are then done after it is shown."""
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def _navigation(workspace: Workspace) -> pmui.MenuList:
    """Return the list of pages."""
    names = [spec.name for spec in workspace.pages]
    menu = pmui.MenuList(
        items=[{"label": tr(spec.label), "icon": spec.icon} for spec in workspace.pages],
        active=names.index(workspace.page) if names else None,
        sx=NAVIGATION,
        sizing_mode="stretch_width",
        margin=0,
    )

    def go(event: Any) -> None:
        place = event.new[0] if isinstance(event.new, (tuple, list)) else event.new
        if place is not None:
            workspace.page = names[place]

    menu.param.watch(go, "active")
    workspace.param.watch(lambda event: menu.param.update(active=names.index(event.new)), "page")
    return menu


def _sync_theme(browser: BrowserSide, session: Session) -> None:
    """Follow the theme of the system until the reader chooses one; then store their choice."""
    theme = session.settings.get("theme")
    browser.chosen_theme = theme if theme in ("dark", "light") else ""
    browser.param.watch(lambda event: session.settings.update(theme=event.new), "chosen_theme")


def _show_errors_in(notice: pmui.Alert) -> None:
    """Show and log the errors of this session's callbacks.

    Panel has the handlers of all documents in a register of the whole process, from which a document only goes when
    nothing refers to it. A handler that referred to a part of its page would leave each session in memory for ever.
    """
    shown = weakref.ref(notice)

    def handle(error: Exception) -> None:
        _LOG.error("a callback failed", exc_info=error)
        notice = shown()
        if notice is not None:
            text = tr("Something went wrong and was logged: {name}: {error}", name=type(error).__name__, error=error)
            notice.param.update(object=text, visible=True, closed=False)

    pn.config.exception_handler = handle


def _sync_address(workspace: Workspace, browser: BrowserSide, title: str, ask: AskField) -> None:
    """Write the state of the page and the question to the address, and apply the address when the reader goes back.

    A change of page is a step in the browser's history. A zoom isn't: going back would otherwise take dozens of steps.
    """
    before = [workspace.page]
    labels = {spec.name: tr(spec.label) for spec in workspace.pages}

    def write(*_: object) -> None:
        search = format_link(replace(workspace.link(), ask=ask.view.question or None))
        if workspace.page != before[0] or browser.address["search"] != search:
            browser.address = {"search": search, "push": workspace.page != before[0]}
        before[0] = workspace.page
        browser.tab_title = " · ".join(text for text in (labels.get(str(workspace.page)), title) if text)

    def back(event: Any) -> None:
        link = parse_link(without_language(event.new[1]))
        # The browser's history has this step already.
        before[0] = link.page if link.page in labels else before[0]
        workspace.apply(link)
        ask.propose_later(link.ask)

    workspace.param.watch(write, "revision")
    ask.view.param.watch(write, "question")
    browser.param.watch(back, "went_back")
    write()
