"""Top bar of a page: time of the newest data, the clock it is shown in, and the reader's menu."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.apps.frame.clock import behind_text, clock_text, finished, stale
from twinlab.apps.rights.session_rights import PURPOSE, Purposes
from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.live.live_twins import has_live_sources
from twinlab.explore.kit.live.states import newest_row
from twinlab.explore.kit.panes import Html
from twinlab.languages import tr, trn

if TYPE_CHECKING:
    import numpy as np
    from markupsafe import Markup

    from twinlab.apps.frame.browser_side import BrowserSide
    from twinlab.apps.login.access import User
    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["bar"]

_LOG = logging.getLogger(__name__)
#: Milliseconds between updates of the data's age, and of a live twin's.
_EVERY, _LIVE = 10_000, 4_000
_WHITE = {
    "color": "#fff",
    "borderColor": "rgba(255,255,255,.6)",
    "textTransform": "none",
    "minWidth": "44px",
    "padding": "3px 8px",
}
#: Address that ends the reader's login.
_LOGOUT = "/logout"


def bar(
    shared: Shared, session: Session, browser: BrowserSide, *, user: User | None, purposes: Purposes | None = None
) -> list[pn.viewable.Viewable]:
    """Return the elements of the top bar beside the twin's title.

    Parameters
    ----------
    shared : Shared
    session : Session
    browser : BrowserSide
    user : User, optional
        Who has logged in.
    purposes : Purposes, optional
        Between which the user can choose.
    """
    clock = _clock(session)
    parts: list[pn.viewable.Viewable] = [_Freshness(shared, browser, clock).pane, clock]
    if user is not None:
        parts.append(_user_menu(user, session, browser, purposes))
    return parts


def _clock(session: Session) -> pmui.Button:
    """Return the switch between UTC and the reader's time zone."""
    button = pmui.Button(label="UTC", variant="outlined", size="small", sx=_WHITE, margin=(0, 4), align="center")
    button.param.update(**_clock_label(session))

    def change(_: object) -> None:
        session.settings["clock"] = "utc" if session.settings.get("clock") == "local" else "local"
        button.param.update(**_clock_label(session))

    button.on_click(change)
    return button


def _clock_label(session: Session) -> dict[str, str]:
    local = session.settings.get("clock") == "local"
    # Stated on the button, since charts and tables stay in UTC.
    how = tr("time of the newest data in your time zone") if local else tr("time of the newest data in UTC")
    return {
        "label": tr("Local time") if local else "UTC",
        "description": tr("{how}; charts and tables are in UTC", how=how),
    }


def _user_menu(user: User, session: Session, browser: BrowserSide, purposes: Purposes | None) -> pmui.MenuButton:
    roles = ", ".join(user.roles) or tr("no role")
    items = [
        {"label": f"{user.shown}: {roles}"},
        *_purpose_items(purposes),
        None,
        {"label": tr("Log out"), "href": _LOGOUT, "target": "_self"},
        {"label": tr("Log out everywhere"), "href": f"{_LOGOUT}?everywhere", "target": "_self"},
    ]
    menu = pmui.MenuButton(
        label=user.shown, items=items, icon="person", variant="text", size="small", sx=_WHITE, margin=0
    )

    def choose(item: dict[str, object]) -> None:
        chosen = item.get("purpose")
        # A browser can send any item: only a purpose that the policy gives is stored.
        if purposes is not None and chosen in purposes.titles and chosen != purposes.chosen:
            session.settings[PURPOSE] = chosen
            # The page is built again, on a reader for this purpose.
            browser.reloads += 1

    menu.on_click(choose)
    return menu


def _purpose_items(purposes: Purposes | None) -> list[dict[str, str] | None]:
    """Return the items of the menu with which the purpose is chosen; none where there is nothing to choose."""
    if purposes is None or not purposes.titles:
        return []
    return [
        None,
        *(
            {
                "label": tr("{part} Data for: {title}", part="✓" if name == purposes.chosen else "○", title=title),
                "purpose": name,
            }
            for name, title in purposes.titles.items()
        ),
    ]


class _Freshness:
    """Pane with the time of the newest data and their age, updated regularly."""

    def __init__(self, shared: Shared, browser: BrowserSide, clock: pmui.Button) -> None:
        self._shared, self._browser, self._clock = shared, browser, clock
        self._latest: np.datetime64 | None = None
        # Whether the last read failed; None before the first.
        self._failed: bool | None = None
        # Sentences about definitions that aren't applied.
        self._edits: list[str] = []
        # Whether the database of notes, logins and plans doesn't answer.
        self._unsaved = False
        self.pane = Html("", align="center", margin=(0, 10), styles={"flex": "1 1 auto", "min-width": "0"})
        clock.param.watch(lambda _: self._write(), "label")
        browser.param.watch(lambda _: self._write(), "zone")
        pn.state.onload(self._start)

    async def _start(self) -> None:
        await self._read()
        if pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.add_periodic_callback(self._read, period=_LIVE if has_live_sources(self._shared.twin) else _EVERY)  # type: ignore[arg-type]  # it takes coroutine functions

    async def _read(self) -> None:
        try:
            # Read in a thread: other readers aren't blocked.
            self._latest, self._failed = await asyncio.to_thread(self._newest), False
            self._edits = await asyncio.to_thread(edits_of, self._shared.twin)
            self._unsaved = bool(getattr(self._shared.twin, "catalogue_fault", ""))
        except READING_ERRORS:
            self._failed = True
            _LOG.exception("the newest time can't be read")
        self._write()

    def _newest(self) -> np.datetime64 | None:
        latest, twin = self._shared.latest(), self._shared.twin
        # A cell is named by its start: the newest row of a live twin is later than that.
        newest = newest_row(twin.live_status()) if has_live_sources(twin) else None
        return newest if latest is None or (newest is not None and newest > latest) else latest

    def _write(self) -> None:
        zone = self._browser.zone if self._clock.label != "UTC" else ""
        if self._failed is not None:
            self.pane.object = freshness_html(
                self._latest, zone=zone, failed=self._failed, edits=self._edits, unsaved=self._unsaved
            )


def edits_of(twin: TwinReader) -> list[str]:
    """Return a twin's sentences about definitions that aren't applied; none for a reader that doesn't know any."""
    found = getattr(twin, "edits", None)
    return list(found()) if callable(found) else []


def freshness_html(
    latest: np.datetime64 | None,
    *,
    zone: str = "",
    failed: bool = False,
    edits: Sequence[str] = (),
    unsaved: bool = False,
) -> Markup:
    """Return the time of the newest data and their age; dimmed and marked if they are stale or if reading ``failed``.

    Of a finished data set, the day on which it ended. ``edits`` are sentences about definitions that aren't applied; ``unsaved`` says
    that a database doesn't answer, so that nothing can be saved.
    """
    exact = "" if latest is None else tr("newest data: {latest}", latest=clock_text(latest, zone=zone))
    if latest is None:
        text, old = tr("the data can't be read") if failed else tr("no data yet"), True
    elif finished(latest) and not failed:
        text, old = tr("ended {zone}", zone=clock_text(latest, zone=zone)[:10]), False
    else:
        old = failed or stale(latest)
        behind = behind_text(latest)
        text = tr("data to {time}", time=clock_text(latest, zone=zone)) + (f", {behind}" if behind else "")
    style = "display:block;font:14px/1.3 Roboto,system-ui,sans-serif;font-size:clamp(11px,3vw,14px);color:#fff"
    why = tr(
        "the database of notes, logins and plans doesn't answer: what was saved before is shown, and nothing can be saved until it does"
    )
    return html(
        '<span style="{{ style }}{% if old %};opacity:.86{% endif %}" title="{{ exact }}">'
        '{% if old %}<span aria-hidden="true">◷ </span>{% endif %}{{ text }}'
        '{% if edits %} <span style="font-weight:600" title="{{ edits }}">⚠ {{ not_applied }}</span>{% endif %}'
        '{% if unsaved %} <span role="status" style="font-weight:600" title="{{ why }}">⚠ nothing can be saved now</span>{% endif %}</span>',
        style=style,
        exact=exact,
        old=old,
        text=text,
        edits="; ".join(edits),
        not_applied=trn("{count} change not applied", "{count} changes not applied", len(edits)),
        unsaved=unsaved,
        why=why,
    )
