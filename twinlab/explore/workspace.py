"""All pages of a twin in one object: what `Twin.explore` returns and what is served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.charts.reading import READING_ERRORS
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.page_state import PageState, with_page_state
from twinlab.explore.kit.panes import error_pane, loading_pane
from twinlab.explore.page_registry import PAGES, PageSpec, available_pages
from twinlab.explore.views.base import Explorer

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["Workspace"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
#: How a view tells that it can't take over what was chosen on another page; nobody asked for it there.
_UNKNOWN = "unknown asset"
_NO_PAGE = "There is no page here that you may see. Ask who looks after this twin for a role that opens one."


@dataclass
class _Place:
    """Where one page stands: its view, once it's built."""

    spec: PageSpec
    body: pn.Column
    view: Any = None
    # Link with which it's built.
    first: Link = field(default_factory=Link)
    # Whether that link is what was chosen on another page.
    carried: bool = False
    # Whether it's being built.
    building: bool = False
    # Why it couldn't be built.
    error: str = ""


class Workspace(Explorer):
    """The pages of a twin, each built when it's first looked at and then kept.

    Set ``page`` to go to another one: assets, period and instant that were chosen go along. ``revision``, ``chosen`` and
    ``notice`` are those of the page that is shown.

    Parameters
    ----------
    twin : TwinReader
        What is read.
    page : str, optional
        Page to begin with. By default the link's, else the twin's first.
    link, shared, session, patient, open_code
        As `Explorer` takes them; the link goes to the page it names.
    allowed : callable, optional
        Says whether the reader may see a page, by its name. By default they may see all.
    """

    name_in_link = ""
    label = "Explorer"

    page = param.Selector(default=None, objects=[], allow_None=True, check_on_set=True, doc="name of the page shown")
    #: The view of the page shown; None while it's being built, and where it can't be.
    current = param.Parameter(default=None, allow_None=True, doc="the view that is shown")
    picks = param.Integer(default=0, doc="rises whenever the reader picks an asset, be it the same again")

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
        # What is said of a page that's being read stands there from the start: put in later, it takes a sixth of a visit.
        self._places = {
            spec.name: _Place(spec, pn.Column(loading_pane(spec.label), sizing_mode="stretch_width", visible=False))
            for spec in specs
        }
        self._page_state = PageState()
        self._quiet = True
        self._said = pmui.Alert(
            object="", severity="warning", visible=False, closeable=True, margin=(4, 10), sizing_mode="stretch_width"
        )
        #: The page that is shown, without tabs.
        self.body = pn.Column(self._said, *(place.body for place in self._places.values()), sizing_mode="stretch_width")
        self.param.page.objects = {spec.label: spec.name for spec in specs}
        if not specs:
            self._say(_NO_PAGE)
        self._quiet = False
        first = self.first_link
        self.apply(first if page is None else replace(first, page=page))
        if self._faults:
            self._say(" · ".join(self._faults.values()))
            self._follow()

    # -- going from page to page --------------------------------------------------------------------------------------

    @property
    def pages(self) -> tuple[PageSpec, ...]:
        """The pages that this reader has."""
        return tuple(place.spec for place in self._places.values())

    def apply(self, link: Link) -> None:
        """Go to the page a link names and show there what it asks for; a wrong name becomes a notice."""
        if not self._places:
            self._follow()
            return
        problems: list[str] = []
        if link.page in PAGES and self._allowed is not None and not self._allowed(str(link.page)):
            problems.append(f"the page {link.page!r} isn't open to you")
        elif link.page in self._faults:
            problems.append(self._faults[link.page])
        else:
            known_or_problem(link.page, self._places, "page", problems)
        name = link.page if link.page in self._places else next(iter(self._places))
        self._leave()
        self._quiet = True
        try:
            self.page = name
        finally:
            self._quiet = False
        self._say(" · ".join(problems))
        place = self._places[name]
        if place.view is None:
            place.first, place.carried = link, False
        self._turn()
        if place.view is not None and place.first is not link:
            place.view.apply(link)
        self._arrive(place)

    @param.depends("page", watch=True)
    def _go(self) -> None:
        """Go to the page that was chosen, with what was chosen on the one before."""
        if self._quiet or self.page is None:
            return
        self._leave()
        self._open()

    def _open(self) -> None:
        """Show the page that is named, with what is carried to it."""
        self._say("")
        place = self._places[str(self.page)]
        if place.view is None:
            place.first, place.carried = self._page_state.link, True
        self._turn()
        if place.view is not None:
            self._bring(place.view)
        self._arrive(place)

    def visit(self, link: Link | None) -> None:
        """Go to the page a link names and take along what it says; all else there stays as it was left."""
        if link is None or link.page not in self._places:
            return
        self._leave()
        self._page_state.leave("", link)
        if link.page != self.page:
            self._quiet = True
            try:
                self.page = link.page
            finally:
                self._quiet = False
        self._open()

    def _leave(self) -> None:
        shown = next((place for place in self._places.values() if place.body.visible), None)
        if shown is not None and shown.view is not None:
            self._page_state.leave(shown.spec.name, shown.view.link())

    def _arrive(self, place: _Place) -> None:
        if place.view is not None and place.body.visible:
            self._page_state.arrive(place.spec.name, place.view.link())
        self._follow()

    def _turn(self) -> None:
        """Show the page that is named, and build it if it isn't there."""
        for name, place in self._places.items():
            place.body.visible = name == self.page
        place = self._places[str(self.page)]
        if place.view is not None:
            return
        if self.patient and pn.state.curdoc is not None and pn.state.curdoc.session_context is not None:
            pn.state.onload(partial(self._build_later, place))
        else:
            self._build(place)

    def _bring(self, view: Explorer) -> None:
        """Give a view what was chosen elsewhere, as far as it knows it."""
        own = view.link()
        asked = with_page_state(own, self._page_state.link)
        if asked != own:
            view.apply(asked)
            self._without_unknown(view, own)

    def _without_unknown(self, view: Explorer, own: Link) -> None:
        """Leave out assets that a view doesn't have: they were chosen for another page."""
        if _UNKNOWN in view.notice:
            times = Link(window=self._page_state.link.window, at=self._page_state.link.at)
            view.apply(with_page_state(own, times))

    # -- building -----------------------------------------------------------------------------------------------------

    def _make(self, place: _Place) -> tuple[Explorer, pn.viewable.Viewable] | None:
        """Build a page's view with its layout; None where it can't be read."""
        try:
            view = place.spec.load()(
                self.twin,
                link=replace(place.first, page=None),
                shared=self.shared,
                session=self.session,
                patient=self.patient,
                open_code=self.open_code,
            )
            return view, cast("pn.viewable.Viewable", pn.panel(view))
        except READING_ERRORS as error:
            _LOG.exception("the page %s can't be built", place.spec.name)
            place.error = str(error)
        except Exception:  # noqa: BLE001  (a fault of one page, logged and told to the reader, leaves the others)
            _LOG.exception("the page %s of %s has a fault", place.spec.name, PAGES.origin(place.spec.name))
            place.error = "Something went wrong and was logged."
        return None

    def _build(self, place: _Place) -> None:
        self._put(place, self._make(place))

    async def _build_later(self, place: _Place) -> None:
        """Build in a thread: the page that stands can be used meanwhile, by this reader and by others."""
        if place.view is not None or place.building:
            return
        made, asked = None, place.first
        place.building, place.error = True, ""
        try:
            made = await asyncio.to_thread(self._make, place)
        finally:
            place.building = False
            self._put(place, made)
        if made is not None and place.first is not asked:
            # The reader has gone on meanwhile.
            made[0].apply(place.first)
        self._arrive(place)

    def _put(self, place: _Place, made: tuple[Explorer, pn.viewable.Viewable] | None) -> None:
        if made is None:
            place.body[:] = [error_pane(place.spec.label, place.error, retry=lambda: self._retry(place))]
            return
        view, layout = made
        place.view, place.error = view, ""
        if place.carried:
            self._without_unknown(view, Link())
        place.body[:] = [layout]
        view.param.watch(lambda *_: self._follow(), ["revision", "notice"])
        view.param.watch(self._picked, "chosen", onlychanged=False)
        if "asked" in view.param:
            view.param.watch(lambda event: self.visit(event.new), "asked")

    def _retry(self, place: _Place) -> None:
        place.body[:] = [loading_pane(place.spec.label)]
        self._turn()
        self._arrive(place)

    # -- following the page that is shown -----------------------------------------------------------------------------

    def _shown(self) -> _Place | None:
        return self._places.get(str(self.page))

    def _follow(self) -> None:
        """Tell what the view tells."""
        place = self._shown()
        view = None if place is None else place.view
        notice = "" if view is None else view.notice
        said = str(self._said.object or "")
        told = " · ".join(text for text in (said, place.error if place is not None else "", notice) if text)
        self.param.update(
            current=view, notice=told, chosen=None if view is None else view.chosen, revision=self.revision + 1
        )

    def _picked(self, event: param.parameterized.Event) -> None:
        """Tell which asset the reader picked, be it the same again."""
        self._follow()
        if event.new is not None:
            self.picks += 1

    def _say(self, text: str) -> None:
        """Tell something about the pages themselves; views tell their own notices."""
        self._said.param.update(object=text, visible=bool(text), closed=False)

    # -- what the page that is shown can do ---------------------------------------------------------------------------

    def _of_view(self, ask: Callable[[Explorer], _T], *, otherwise: _T) -> _T:
        place = self._shown()
        return otherwise if place is None or place.view is None else ask(place.view)

    def link(self) -> Link:
        """Return the state of the page shown."""
        place = self._shown()
        waiting = Link() if place is None else place.first
        return replace(self._of_view(lambda view: view.link(), otherwise=waiting), page=self.page, problems=())

    def code(self) -> str:
        """Return Python that reads what the page shows."""
        return self._of_view(lambda view: view.code(), otherwise="")

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return what the page shows."""
        return self._of_view(lambda view: view.data(), otherwise=None)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what the page shows as tables."""
        return self._of_view(lambda view: view.tables(), otherwise={})

    def settings(self) -> dict[str, str]:
        """Return what the reader chose on the page, in words."""
        place = self._shown()
        page = {} if place is None else {"page": place.spec.label}
        nothing: dict[str, str] = {}
        return page | self._of_view(lambda view: view.settings(), otherwise=nothing)

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return what the page draws."""
        return self._of_view(lambda view: view.figure(backend=backend), otherwise=None)

    # -- layout -------------------------------------------------------------------------------------------------------

    def tabs(self) -> pn.viewable.Viewable:
        """Return a row of buttons, one a page."""
        names = [spec.name for spec in self.pages]
        row = pmui.RadioButtonGroup.from_param(
            self.param.page, label="Page", size="small", margin=(4, 10), description=""
        )
        row.visible = len(names) > 1
        return row

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.tabs(), self.body, sizing_mode="stretch_width")
