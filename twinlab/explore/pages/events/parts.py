"""The page Events & KPIs: KPIs, events found by a condition, and recorded events; one part at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.kit.link import Link
from twinlab.explore.kit.panes import empty_pane
from twinlab.explore.kit.widgets import TOGGLES, TOGGLES_LABEL, without_debounce
from twinlab.explore.views.base import Explorer
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import holoviews as hv
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import TwinModel

__all__ = ["EventsAndKpisView", "parts_of"]

_NOTHING = mark("This twin has no events"), mark("Its model, twin.yaml, names neither signals, nor events, nor KPIs.")


def _kpis() -> type[Explorer]:
    from twinlab.explore.views.kpis.explorer import KpiExplorer  # noqa: PLC0415  (each part is imported when it is opened)

    return KpiExplorer


def _found() -> type[Explorer]:
    from twinlab.explore.pages.events.found import FoundView  # noqa: PLC0415

    return FoundView


def _recorded() -> type[Explorer]:
    from twinlab.explore.pages.events.page import EventsView  # noqa: PLC0415

    return EventsView


#: Part -> its label and its view.
_PARTS: dict[str, tuple[str, Callable[[], type[Explorer]]]] = {
    "kpis": ("KPIs", _kpis),
    "find": (mark("Find events"), _found),
    "recorded": (mark("Recorded events"), _recorded),
}


def parts_of(model: TwinModel) -> list[str]:
    """Return the parts that a twin has."""
    signals = any(spec.signals for spec in model.asset_types.values())
    has = {"kpis": bool(model.kpis), "find": signals, "recorded": bool(model.event_types)}
    return [name for name in _PARTS if has[name]]


class EventsAndKpisView(Explorer):
    """KPIs, events found by a condition, and recorded events; one part is shown.

    ``current`` is the view of the part that is shown; link, code, data, tables and exports are its own.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`.
    """

    name_in_link: ClassVar[str] = "events"
    label: ClassVar[str] = mark("Events & KPIs")

    part = param.Selector(default=None, objects=[], allow_None=True, check_on_set=True, doc="which part is shown")

    def __init__(
        self,
        twin: TwinReader,
        *,
        link: Link | None = None,
        shared: Shared | None = None,
        session: Session | None = None,
        patient: bool = False,
        open_code: str | None = None,
    ) -> None:
        super().__init__(twin, link=link, shared=shared, session=session, patient=patient, open_code=open_code)
        self._views: dict[str, Explorer] = {}
        self._places: dict[str, pn.Column] = {
            name: pn.Column(sizing_mode="stretch_width", visible=False) for name in parts_of(twin.model)
        }
        self.param.part.objects = {tr(_PARTS[name][0]): name for name in self._places}
        if self._places:
            with self._silently():
                self.part = self._asked(self.first_link)
            self._open(self.first_link)

    @property
    def current(self) -> Explorer | None:
        """The view of the part that is shown; None for a twin without events and KPIs."""
        return self._views.get(str(self.part))

    # -- selecting ----------------------------------------------------------------------------------------------------

    def _hinted(self, link: Link) -> str | None:
        """Return the part that the fields of a link belong to; None if there is none."""
        if link.part in self._places:
            return link.part
        hints = {
            "kpis": (link.kpi,),
            "find": (link.when,),
            "recorded": (link.event_type, link.find, link.layout, link.in_view),
        }
        told = (name for name, given in hints.items() if any(one is not None for one in given))
        return next((name for name in told if name in self._places), None)

    def _asked(self, link: Link) -> str:
        return str(self._hinted(link) or self.part or self._first)

    @property
    def _first(self) -> str:
        """The part of a page that is opened without a link."""
        # Who opens a page of events without having KPIs looks for what was recorded.
        return next((name for name in ("kpis", "recorded", "find") if name in self._places), "")

    def apply(self, link: Link) -> None:
        """Show the state of a link; a wrong value becomes a notice."""
        if not self._places:
            return
        with self._silently():
            self.part = self._asked(link)
        if self.current is not None:
            self._show()
            self.current.apply(link)
        else:
            self._open(link)
        self.revision += 1

    @param.depends("part", watch=True)
    def _part_changed(self) -> None:
        if not self._quiet and self.part is not None:
            # What all parts know is carried over.
            self._open(self.first_link.carried())
            self.revision += 1

    def _open(self, link: Link) -> None:
        """Show the chosen part, and build its view if that isn't built yet."""
        name = str(self.part)
        if name not in self._views:
            view = _PARTS[name][1]()(
                self.twin,
                link=link,
                shared=self.shared,
                session=self.session,
                patient=self.patient,
                open_code=self.open_code,
            )
            self._views[name] = view
            self._places[name][:] = [view]
            view.param.watch(self._follow, ["revision", "chosen", "notice"])
        self._show()

    def _show(self) -> None:
        for name, place in self._places.items():
            place.visible = name == self.part
        self._follow()

    def _follow(self, *_: object) -> None:
        view = self.current
        if view is not None:
            self.param.update(chosen=view.chosen, notice=view.notice)
            self.revision += 1

    # -- state, code and data -----------------------------------------------------------------------------------------

    def link(self) -> Link:
        """Return the state of the part that is shown."""
        if self.current is None:
            return Link()
        own = self.current.link()
        hinted = self._hinted(own)
        told = hinted == self.part or (hinted is None and self.part == self._first)
        return own if told else replace(own, part=self.part)

    def code(self) -> str:
        """Return Python that gives the shown data as ``data``."""
        return "" if self.current is None else self.current.code()

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return the shown data, as `code` gives them."""
        return None if self.current is None else self.current.data()

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables of the part that is shown."""
        return {} if self.current is None else self.current.tables()

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        return {} if self.current is None else self.current.settings()

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.core.Dimensioned | None:
        """Return the plot of the part that is shown."""
        return None if self.current is None else self.current.figure(backend=backend)

    # -- layout -------------------------------------------------------------------------------------------------------

    def controls(self) -> pn.viewable.Viewable:
        """Return the buttons that choose the part."""
        buttons: Any = pmui.RadioButtonGroup.from_param(
            self.param.part,
            label="",
            description="",
            size="small",
            margin=(8, 10, 4, 10),
            sx=TOGGLES,
            stylesheets=[TOGGLES_LABEL],
        )
        return without_debounce(buttons)

    def __panel__(self) -> pn.viewable.Viewable:
        if not self._places:
            return empty_pane(*_NOTHING)
        choose = [self.controls()] if len(self._places) > 1 else []
        return pn.Column(*choose, *self._places.values(), sizing_mode="stretch_width")
