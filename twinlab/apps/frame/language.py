"""The language of a page: the link's, else the one that the reader has chosen, else the browser's; and the switch for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import panel as pn
import panel_material_ui as pmui

from twinlab.languages import available, current_language, preferred_language, tr, use_resolver

if TYPE_CHECKING:
    from bokeh.document import Document

    from twinlab.apps.frame.browser_side import BrowserSide
    from twinlab.explore.kit.session import Session

__all__ = ["choose_language", "language_switch", "without_language"]

#: Setting with the language that a reader has chosen.
_SETTING = "language"
_IN_QUERY = re.compile(r"(?<=[?&])lang=[^&]*(?:&|$)")
#: Document of a served page -> its language.
_DOCUMENTS: WeakKeyDictionary[Document, str] = WeakKeyDictionary()


def choose_language(session: Session, query: str) -> str:
    """Choose the language of the page being built, use it for all that its document does, and return it.

    Parameters
    ----------
    session : Session
        Whose setting counts if the link has no ``lang=``.
    query : str
        Query of the page's URL.
    """
    use_resolver(_of_document)
    known = available()
    asked = parse_qs(query.lstrip("?")).get("lang", [""])[-1]
    stored = str(session.settings.get(_SETTING, ""))
    document = pn.state.curdoc
    accepted = pn.state.headers.get("Accept-Language", "") if document is not None else ""
    named = [one for one in (asked, stored, preferred_language(str(accepted))) if one in known]
    if document is not None and named:
        _DOCUMENTS[document] = named[0]
    return current_language()


def without_language(query: str) -> str:
    """Return a query without its language, which isn't part of the state of a page.

    >>> without_language("?lang=de&page=map"), without_language("?page=map")
    ('?page=map', '?page=map')
    """
    return _IN_QUERY.sub("", query).rstrip("&")


def language_switch(session: Session, browser: BrowserSide) -> list[pn.viewable.Viewable]:
    """Return the menu of languages, whose choice is stored and loads the page again; nothing if there is English only."""
    names = available()
    if len(names) < 2:
        return []
    now = current_language()
    items = [
        {"label": f"{'✓ ' if language == now else ''}{name}", "language": language} for language, name in names.items()
    ]
    menu = pmui.MenuButton(
        label=names.get(now, now),
        items=items,
        icon="language",
        icon_size="16px",
        variant="text",
        size="small",
        description=tr("Language"),
        sx={"textTransform": "none", "fontSize": "12px", "padding": "2px 6px", "minWidth": "0"},
        margin=(12, 2),
    )

    def choose(item: dict[str, object]) -> None:
        chosen = item.get("language")
        # A browser can send any item.
        if chosen in names and chosen != now:
            session.settings[_SETTING] = chosen
            browser.reloads += 1

    menu.on_click(choose)
    return [menu]


def _of_document() -> str | None:
    document = pn.state.curdoc
    return None if document is None else _DOCUMENTS.get(document)
