"""ControlExplorer: setpoints, plans and the audit, each as a part of one page, below the emergency stop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import panel as pn
import panel_material_ui as pmui
import param

from twinlab.errors import TwinlabError
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.link import Link, known_or_problem
from twinlab.explore.kit.panes import empty_pane
from twinlab.explore.kit.widgets import TOGGLES
from twinlab.explore.views.base import Explorer
from twinlab.explore.views.control.audit import AuditPart
from twinlab.explore.views.control.plans import PlansPart
from twinlab.explore.views.control.possible import can_command, has_audit
from twinlab.explore.views.control.setpoints import SetpointsPart
from twinlab.explore.views.control.signing import SignerOfPage
from twinlab.explore.views.control.stop_bar import StopBar
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.explore.kit.session import Session, Shared
    from twinlab.model.reader import TwinReader

__all__ = ["ControlExplorer"]

_LOG = logging.getLogger(__name__)
_PARTS = {mark("Setpoints"): "setpoints", mark("Plans"): "plans", mark("Audit"): "audit"}
#: Plans of other sessions are looked for each second; setpoints and the audit less often.
_TICK_MS, _SLOW = 1_000, 5
_READ_ONLY = (
    mark("This twin is read-only"),
    (
        mark(
            "Nothing can be sent: its twin.yaml has no section commands. State there which parameters may be set, within which limits, by whom, and what is "
            "simulated first; and in control.yaml whose keys count and where commands go."
        )
    ),
)


class ControlExplorer(Explorer):
    """Setpoints beside what is reported, plans of commands, the emergency stop, and the audit with its proof.

    Parameters
    ----------
    twin, link, shared, session, patient, open_code
        As for `Explorer`. The twin needs ``propose``, ``plans``, ``setpoints`` and ``emergency_stop``; ``audit_rows`` and
        ``verify_audit``.
    """

    name_in_link: ClassVar[str] = "control"
    label: ClassVar[str] = mark("Control & audit")

    part = param.Selector(default="setpoints", objects=_PARTS, doc="shown part of the page")

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
        self.control = can_command(twin)
        self.signing = SignerOfPage(twin, self.session.user)
        self.setpoints = self.plans = self.stop = self.audit = None
        if self.control:
            self.stop = StopBar(twin, _targets(twin), self.signing, on_stopped=self._stopped)
            self.setpoints = SetpointsPart(twin, on_proposed=self._proposed, on_chosen=self.stop.choose)
            self.plans = PlansPart(twin, self.signing, on_change=self._changed)
        if has_audit(twin):
            self.audit = AuditPart(twin, on_search=self._searched)
        self._body = pn.Column(sizing_mode="stretch_width")
        self._timer: Any = None
        self._ticks = 0
        self.apply(self.first_link)

    # -- what happens -------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self.revision += 1

    def _searched(self) -> None:
        self._guarded(self.refresh)
        self.revision += 1

    def _proposed(self, plan: Any) -> None:
        assert self.plans is not None
        self.part = "plans"
        self.plans.show_plan(plan)
        self.plans.show_list(cast("Any", self.twin).plans())
        self.revision += 1

    def _stopped(self) -> None:
        if self.setpoints is not None and self.part == "setpoints":
            self._guarded(self.refresh)

    @param.depends("part", watch=True)
    def _part_changed(self) -> None:
        if not self._quiet:
            self._show()

    def _show(self) -> None:
        shown = self._part(self.part)
        self._body[:] = [empty_pane(*_READ_ONLY) if shown is None else shown.pane]
        self._guarded(self.refresh)
        if shown is self.audit and self.audit is not None and self.audit.report is None:
            self.audit.prove_now()
        self.revision += 1

    def _part(self, part: str) -> Any:
        """Return a part of the page; None if the twin doesn't have it."""
        return {"setpoints": self.setpoints, "plans": self.plans, "audit": self.audit}[part]

    # -- reading ------------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read what the shown part shows."""
        self._fill(self.part, self._read(self.part))

    def _read(self, part: str) -> Any:
        shown = self._part(part)
        return None if shown is None else shown.read()

    def _fill(self, part: str, found: Any) -> None:
        shown = self._part(part)
        if shown is not None and part == self.part:
            shown.show(found)

    async def _tick(self) -> None:
        self._ticks += 1
        part = self.part
        if part != "plans" and self._ticks % _SLOW:
            return
        try:
            found = await asyncio.to_thread(self._read, part)
        except TwinlabError as error:
            _LOG.warning("the page can't be refreshed: %s", error)
            self.notice = tr("The page may be out of date: {error}", error=error)
            return
        if self.notice.startswith(tr("The page may be out of date")):
            self.notice = ""
        self._fill(part, found)

    # -- state, code and data -----------------------------------------------------------------------------------------

    def apply(self, link: Link) -> None:
        """Set the state from a link; wrong values become a notice."""
        problems = list(link.problems)
        with self._silently():
            self.part = known_or_problem(link.part, _PARTS.values(), "part", problems) or (
                "setpoints" if self.control or self.audit is None else "audit"
            )
        if self.plans is not None and self.part == "plans" and link.find:
            try:
                self.plans.choose(link.find)
            except TwinlabError as error:
                problems.append(str(error))
        if self.audit is not None and self.part == "audit":
            self.audit.apply(link.find)
        if self.setpoints is not None and link.asset_type and link.assets:
            self._guarded(lambda: cast("Any", self.setpoints).show(cast("Any", self.setpoints).read()))
            self.setpoints.choose(f"{link.asset_type}/{link.assets[0]}")
        self.notice = " · ".join(problems)
        self._show()

    def link(self) -> Link:
        """Return the part, and its plan or search."""
        if self.part == "plans" and self.plans is not None:
            return Link(part=self.part, find=self.plans.chosen or None)
        if self.part == "audit" and self.audit is not None:
            return Link(part=self.part, find=str(self.audit.text.value or "") or None)
        return Link(part=self.part)

    def code(self) -> str:
        """Return Python that reads what is shown as ``data``."""
        calls = {"setpoints": "twin.setpoints()", "plans": "twin.plans()", "audit": "twin.audit_rows(newest=500)"}
        return "" if self._part(self.part) is None else f"{self.open_code}\n\ndata = {calls[self.part]}\n"

    def data(self) -> pd.DataFrame | None:
        """Return what the shown part has read."""
        if self.part == "audit":
            return None if self.audit is None else self.audit.rows
        shown = self.setpoints if self.part == "setpoints" else self.plans
        return None if shown is None else shown.table

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what is shown as a table."""
        found = self.data()
        if found is None or found.empty:
            return {}
        return {self.part: found.reset_index() if found.index.name is not None else found}

    def settings(self) -> dict[str, str]:
        """Return the part, and who reads."""
        return {"part": self.part, "reader": self.session.user or tr("without a login")}

    def figure(self, *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> None:
        """Return None: what a command would do is drawn in its plan."""

    # -- layout -------------------------------------------------------------------------------------------------------

    def __panel__(self) -> pn.viewable.Viewable:
        if not self.control and self.audit is None:
            return empty_pane(*_READ_ONLY)
        if pn.state.curdoc is not None and self._timer is None:
            self._timer = pn.state.add_periodic_callback(cast("Any", self._tick), period=_TICK_MS)
            pn.state.on_session_destroyed(lambda _: self.signing.lock())
            if self.control and hasattr(self.twin, "connect_devices"):
                # An emergency stop doesn't wait for connections. What fails here is said when something is sent.
                connect = cast("Any", self.twin).connect_devices
                BackgroundRun[str](lambda **_: connect(), on_progress=lambda _: None, on_end=lambda *_: None).start()
        choice = pmui.RadioButtonGroup.from_param(
            self.param.part, label=tr("Part"), size="small", margin=(8, 10, 0, 10), description="", sx=TOGGLES
        )
        top = [] if self.stop is None else [self.stop.pane]
        return pn.Column(*top, choice, self._alert, self._body, sizing_mode="stretch_width")


def _targets(twin: TwinReader) -> list[tuple[str, str]]:
    """Return each asset with each of its parameters that may be set."""
    return [
        (f"{kind}/{asset}", name)
        for kind, specs in twin.model.commands.items()
        for asset in twin.assets(kind).index
        for name in specs
    ]
