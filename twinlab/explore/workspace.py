"""Workspace: all pages of a twin in one object, which `Twin.explore` returns and the server shows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link, known_or_problem, unknown_text
from twinlab.explore.kit.page_state import PageState, with_page_state
from twinlab.explore.kit.panes import error_pane, loading_pane
from twinlab.explore.page_registry import PAGES, PageSpec, available_pages
from twinlab.explore.views.base import Explorer
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["Workspace"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
#: Fields of a link that concern the page that it opens, and no other.
_OWN = ("part", "horizon", "scenarios")
_NO_PAGE = mark("There is no page here that you may see. Ask the administrator of this twin for a role that opens one.")


@dataclass
class _Slot:
    """One page of the workspace: its view, once it is built, and its place in the layout."""

    spec: PageSpec
    body: pn.Column
    view: Any = None
    # Link for building the view.
    first: Link = field(default_factory=Link)
    # Whether that link is the page state, not one that a reader opened.
    from_page_state: bool = False
    # Whether a thread is building the view.
    building: bool = False
    # Why the view couldn't be built.
    error: str = ""


class Workspace(Explorer):
    """All pages of a twin. Each is built when it is first opened, and then stays as the reader left it.

    Set ``page`` to open another page, which takes over the selected assets, the period and the instant. ``revision``,
    ``chosen`` and ``notice`` are those of the current page.

    Parameters
    ----------
    twin : TwinReader
        The twin to read.
    page : str, optional
        The first page. By default that of the link, else the first page of the twin.
    link, shared, session, patient, open_code
        As for `Explorer`; the link opens the page that it names.
    allowed : callable, optional
        Called with a page's name; returns whether the reader may see the page. By default they may see all.
    """

    name_in_link = ""
    label = "Explorer"

    page = param.Selector(default=None, objects=[], allow_None=True, check_on_set=True, doc="name of the current page")
    #: The view of the current page; None until it is built, or if it can't be built.
    current = param.Parameter(default=None, allow_None=True, doc="view of the current page")
    picks = param.Integer(default=0, doc="number of times that the reader selected an asset")

    def __init__(
        self,
        twin: TwinReader,
        *,
        page: str | None = None,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
        allowed: Callable[[str], bool] | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        specs, self._faults = available_pages(twin, allowed=allowed)
        self._allowed = allowed
        # The loading message is there from the start: adding it later takes a sixth of the time of a visit.
        self._slots = {
            spec.name: _Slot(spec, pn.Column(loading_pane(tr(spec.label)), sizing_mode="stretch_width", visible=False))
            for spec in specs
        }
        self._page_state = PageState()
        self._quiet = True
        self._alert_of_pages = pmui.Alert(
            object="", severity="warning", visible=False, closeable=True, margin=(4, 10), sizing_mode="stretch_width"
        )
        #: The current page, without the row of buttons.
        self.body = pn.Column(
            self._alert_of_pages, *(slot.body for slot in self._slots.values()), sizing_mode="stretch_width"
        )
        self.param.page.objects = _labels(specs)
        if not specs:
            self._show_notice(tr(_NO_PAGE))
        self._quiet = False
        first = self.first_link
        self.apply(first if page is None else replace(first, page=page))
        self._show_faults()

    # -- changing pages -----------------------------------------------------------------------------------------------

    @property
    def pages(self) -> tuple[PageSpec, ...]:
        """The pages that this reader can open."""
        return tuple(slot.spec for slot in self._slots.values())

    def apply(self, link: Link) -> None:
        """Open the page that a link names, in the state of the link; a wrong name becomes a notice."""
        if not self._slots:
            self._sync()
            return
        problems: list[str] = []
        if link.page in PAGES and self._allowed is not None and not self._allowed(str(link.page)):
            problems.append(tr("the page {page!r} isn't open to you", page=link.page))
        elif link.page in self._faults:
            problems.append(self._faults[link.page])
        else:
            known_or_problem(link.page, self._slots, "page", problems)
        name = link.page if link.page in self._slots else next(iter(self._slots))
        self._leave()
        self._quiet = True
        try:
            self.page = name
        finally:
            self._quiet = False
        self._show_notice(" · ".join(problems))
        slot = self._slots[name]
        if slot.view is None:
            slot.first, slot.from_page_state = link, False
        self._show_page()
        if slot.view is not None and slot.first is not link:
            slot.view.apply(link)
        self._arrive(slot)

    @param.depends("page", watch=True)
    def _page_changed(self) -> None:
        """Open the page that was set, with the page state."""
        if self._quiet or self.page is None:
            return
        self._leave()
        self._open()

    def _open(self, *, stated: Link | None = None) -> None:
        """Show the current page, with what a link states of it alone, and update it from the page state."""
        self._show_notice("")
        slot = self._slots[str(self.page)]
        if slot.view is None:
            slot.first, slot.from_page_state = _with_own(self._page_state.link, stated), True
        self._show_page()
        if slot.view is not None:
            self._apply_page_state(slot.view, stated)
        self._arrive(slot)

    def visit(self, link: Link | None) -> None:
        """Open the page that a link names and apply the parts that the link states; the rest of the page stays as it is."""
        if link is None or link.page not in self._slots:
            return
        self._leave()
        self._page_state.leave("", link)
        if link.page != self.page:
            self._quiet = True
            try:
                self.page = link.page
            finally:
                self._quiet = False
        self._open(stated=link)

    def _leave(self) -> None:
        shown = next((slot for slot in self._slots.values() if slot.body.visible), None)
        if shown is not None and shown.view is not None:
            self._page_state.leave(shown.spec.name, shown.view.link())

    def _arrive(self, slot: _Slot) -> None:
        if slot.view is not None and slot.body.visible:
            self._page_state.arrive(slot.spec.name, slot.view.link())
        self._sync()

    def _show_page(self) -> None:
        """Make the current page visible, and build it if it isn't built."""
        for name, slot in self._slots.items():
            slot.body.visible = name == self.page
        slot = self._slots[str(self.page)]
        if slot.view is not None:
            return
        if self.patient and pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.onload(partial(self._build_later, slot))
        else:
            self._build(slot)

    def _apply_page_state(self, view: Explorer, stated: Link | None = None) -> None:
        """Apply the page state to a view, as far as the view has the assets."""
        own = view.link()
        asked = _with_own(with_page_state(own, self._page_state.link), stated)
        if asked != own:
            view.apply(asked)
            self._drop_unknown_assets(view, own)

    def _drop_unknown_assets(self, view: Explorer, own: Link) -> None:
        """Drop assets of the page state that a view doesn't have: they were selected on another page."""
        if unknown_text("asset") in view.notice:
            times = Link(window=self._page_state.link.window, at=self._page_state.link.at)
            view.apply(with_page_state(own, times))

    # -- building -----------------------------------------------------------------------------------------------------

    def _make(self, slot: _Slot) -> tuple[Explorer, pn.viewable.Viewable] | None:
        """Return a page's view with its layout; None if it can't be built."""
        try:
            view = slot.spec.load()(
                self.twin,
                link=replace(slot.first, page=None),
                shared=self.shared,
                session=self.session,
                patient=self.patient,
                open_code=self.open_code,
            )
            return view, cast("pn.viewable.Viewable", pn.panel(view))
        except READING_ERRORS as error:
            _LOG.exception("the page %s can't be built", slot.spec.name)
            slot.error = str(error)
        except Exception:  # noqa: BLE001  (a fault of one page, logged and shown, leaves the others)
            _LOG.exception("the page %s of %s has a fault", slot.spec.name, PAGES.origin(slot.spec.name))
            slot.error = tr("Something went wrong and was logged.")
        return None

    def _build(self, slot: _Slot) -> None:
        self._put(slot, self._make(slot))

    async def _build_later(self, slot: _Slot) -> None:
        """Build in a thread, so that this reader and others can use their pages meanwhile."""
        if slot.view is not None or slot.building:
            return
        made, asked = None, slot.first
        slot.building, slot.error = True, ""
        try:
            made = await asyncio.to_thread(self._make, slot)
        finally:
            slot.building = False
            self._put(slot, made)
        if made is not None and slot.first is not asked:
            # The reader has opened another link meanwhile.
            made[0].apply(slot.first)
        self._arrive(slot)

    def _put(self, slot: _Slot, made: tuple[Explorer, pn.viewable.Viewable] | None) -> None:
        if made is None:
            slot.body[:] = [error_pane(tr(slot.spec.label), slot.error, retry=lambda: self._retry(slot))]
            return
        view, layout = made
        slot.view, slot.error = view, ""
        if slot.from_page_state:
            self._drop_unknown_assets(view, Link())
        slot.body[:] = [layout]
        view.param.watch(lambda *_: self._sync(), ["revision", "notice"])
        view.param.watch(self._selected, "chosen", onlychanged=False)
        if "asked" in view.param:
            view.param.watch(lambda event: self.visit(event.new), "asked")

    def _retry(self, slot: _Slot) -> None:
        slot.body[:] = [loading_pane(tr(slot.spec.label))]
        self._show_page()
        self._arrive(slot)

    # -- following the current page -----------------------------------------------------------------------------------

    def _current_slot(self) -> _Slot | None:
        return self._slots.get(str(self.page))

    def _sync(self) -> None:
        """Copy notice, selection and revision from the current view."""
        slot = self._current_slot()
        view = None if slot is None else slot.view
        notice = "" if view is None else view.notice
        own = str(self._alert_of_pages.object or "")
        notices = " · ".join(text for text in (own, slot.error if slot is not None else "", notice) if text)
        self.param.update(
            current=view, notice=notices, chosen=None if view is None else view.chosen, revision=self.revision + 1
        )

    def _selected(self, event: param.parameterized.Event) -> None:
        """Pass on the asset that the reader selected, also if it is the same again."""
        self._sync()
        if event.new is not None:
            self.picks += 1

    def _show_faults(self) -> None:
        """Add the faults of pages that can't be loaded to the notice about the pages."""
        own = str(self._alert_of_pages.object or "")
        faults = [fault for fault in self._faults.values() if fault not in own]
        if faults:
            self._show_notice(" · ".join(text for text in (own, *faults) if text))
            self._sync()

    def _show_notice(self, text: str) -> None:
        """Show a notice about the pages themselves; views show their own notices."""
        self._alert_of_pages.param.update(object=text, visible=bool(text), closed=False)

    # -- the current page as an explorer ------------------------------------------------------------------------------

    def _ask(self, ask: Callable[[Explorer], _T], *, otherwise: _T) -> _T:
        slot = self._current_slot()
        return otherwise if slot is None or slot.view is None else ask(slot.view)

    def link(self) -> Link:
        """Return the state of the current page."""
        slot = self._current_slot()
        waiting = Link() if slot is None else slot.first
        return replace(self._ask(lambda view: view.link(), otherwise=waiting), page=self.page, problems=())

    def code(self) -> str:
        """Return Python that reads the data of the current page."""
        return self._ask(lambda view: view.code(), otherwise="")

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return the data of the current page."""
        return self._ask(lambda view: view.data(), otherwise=None)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the data of the current page as tables."""
        return self._ask(lambda view: view.tables(), otherwise={})

    def settings(self) -> dict[str, str]:
        """Return the reader's choices on the current page: label -> value."""
        slot = self._current_slot()
        page = {} if slot is None else {"page": tr(slot.spec.label)}
        nothing: dict[str, str] = {}
        return page | self._ask(lambda view: view.settings(), otherwise=nothing)

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the plot of the current page."""
        return self._ask(lambda view: view.figure(backend=backend), otherwise=None)

    # -- layout -------------------------------------------------------------------------------------------------------

    def tabs(self) -> pn.viewable.Viewable:
        """Return a row of buttons, one for each page."""
        names = [spec.name for spec in self.pages]
        row = pmui.RadioButtonGroup.from_param(
            self.param.page, label=tr("Page"), size="small", margin=(4, 10), description=""
        )
        row.visible = len(names) > 1
        return row

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.tabs(), self.body, sizing_mode="stretch_width")


def _labels(specs: Iterable[PageSpec]) -> dict[str, str]:
    """Return label -> name of each page; a label that several pages have is followed by the name."""
    labels: dict[str, str] = {}
    for spec in specs:
        label = tr(spec.label)
        labels[label if label not in labels else f"{label} ({spec.name})"] = spec.name
    return labels


def _with_own(link: Link, stated: Link | None) -> Link:
    """Return a link with what another states of its page alone."""
    given = {name: getattr(stated, name) for name in _OWN if getattr(stated, name, None) is not None}
    return replace(link, **given)
