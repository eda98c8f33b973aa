"""OutlookExplorer: risks, forecasts, how good predictions were, and the models, each as a part of one page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.panes import empty_pane
from twinlab.explore.kit.people import author_of
from twinlab.explore.kit.widgets import TOGGLES
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.outlook.checks import ChecksPart
from twinlab.explore.views.outlook.forecast import ForecastPart
from twinlab.explore.views.outlook.models import ModelsPart
from twinlab.explore.views.outlook.possible import can_predict, failing_types
from twinlab.explore.views.outlook.risk import RiskPart
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.explore.views.outlook.part import Part
    from twinlab.model.reader import TwinReader

__all__ = ["OutlookExplorer"]

_PARTS = {mark("Risks"): "risk", mark("Forecasts"): "forecast", mark("How good"): "checks", mark("Models"): "models"}
_NOTHING = (
    mark("Nothing can be predicted here"),
    mark("Predictions need a twin opened with twinlab.open; plain data and views of a part of a twin have none."),
)


class OutlookExplorer(Explorer):
    """What will fail, what comes next, how good predictions were, and the state of the models.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`. The twin needs ``maintenance_list``, ``forecast`` and ``predictions``.
    """

    name_in_link: ClassVar[str] = "outlook"
    label: ClassVar[str] = mark("Outlook")

    part = param.Selector(default="risk", objects=_PARTS, doc="shown part of the page")
    asked = param.Parameter(default=None, allow_None=True, doc="link to another page that the reader wants to open")

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
        self.parts: dict[str, Part] = {}
        self._body = pn.Column(sizing_mode="stretch_width")
        if can_predict(twin):
            self.apply(self.first_link)

    def _made(self, name: str) -> Part:
        """Return a part; it is made when it is first shown."""
        if name not in self.parts:
            given: dict[str, Any] = {"shared": self.shared, "on_change": self._changed}
            if name == "risk":
                self.parts[name] = RiskPart(self.twin, **given, on_what_if=self._ask_what_if)
            elif name == "models":
                self.parts[name] = ModelsPart(self.twin, **given, author=author_of(self.session))
            else:
                kinds = {"forecast": ForecastPart, "checks": ChecksPart}
                self.parts[name] = kinds[name](self.twin, **given)
        return self.parts[name]

    @property
    def shown(self) -> Part:
        """The part that is shown."""
        return self._made(self.part)

    def compute(self) -> None:
        """Compute what the shown part asks for."""
        self.shown.compute()

    def cancel(self) -> None:
        """Cancel what the shown part computes."""
        self.shown.cancel()

    def _changed(self) -> None:
        self.revision += 1

    def _ask_what_if(self, link: Link) -> None:
        # A second press of the same button is a change, too.
        self.asked = None
        self.asked = link

    @param.depends("part", watch=True)
    def _part_changed(self) -> None:
        if not self._quiet:
            self._body[:] = [self.shown.pane]
            self.revision += 1

    # -- state, code and data -----------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice."""
        if not can_predict(self.twin):
            return
        problems = list(link.problems)
        first = "risk" if failing_types(self.twin.model) else "forecast"
        with self._silently():
            self.part = known_or_problem(link.part, _PARTS.values(), "part", problems) or first
        problems += self.shown.apply(link)
        known = self.twin.model.asset_types
        known_or_problem(link.asset_type, known, "asset type", problems)
        self._body[:] = [self.shown.pane]
        self.notice = " · ".join(problems)
        self.revision += 1

    def link(self) -> Link:
        """Return the part and its choices."""
        return Link(part=self.part, **self.shown.link()) if can_predict(self.twin) else Link()

    def code(self) -> str:
        """Return Python that computes what is shown as ``data``; "" before anything is."""
        return self.shown.code(self.open_code) if can_predict(self.twin) else ""

    def data(self) -> xr.Dataset | pd.DataFrame | None:
        """Return what the shown part has computed; None before."""
        return self.shown.data() if can_predict(self.twin) else None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what the shown part has computed as tables."""
        return self.shown.tables() if can_predict(self.twin) else {}

    def settings(self) -> dict[str, str]:
        """Return the reader's choices: label -> value."""
        return self.shown.settings() if can_predict(self.twin) else {}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> Any:  # noqa: ARG002  (bands are Bokeh's)
        """Return the chart of the shown part; None if it has none."""
        return self.shown.figure() if can_predict(self.twin) else None

    # -- layout -------------------------------------------------------------------------------------------------------

    def __panel__(self) -> pn.viewable.Viewable:
        if not can_predict(self.twin):
            return empty_pane(*_NOTHING)
        choice = pmui.RadioButtonGroup.from_param(
            self.param.part, label=tr("Part"), size="small", margin=(8, 10, 0, 10), description="", sx=TOGGLES
        )
        return pn.Column(choice, self._alert, self._body, sizing_mode="stretch_width")
