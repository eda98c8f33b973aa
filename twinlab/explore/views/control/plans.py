"""Plans of all sessions: looked at, signed by one or two persons, sent, and watched step by step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.panes import Html, empty_pane
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.explore.views.control.timeline import timeline_html
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.explore.views.control.signing import SignerOfPage

__all__ = ["PlansPart", "shown_plans"]

_PAGE = 8
#: Seconds after which the outcome of a plan is read again.
_AGAIN = 30.0
#: Status of a plan -> sign; the status is shown beside it as text.
_SIGNS = {
    "proposed": "○",
    "approved": "●",
    "done": "✓",
    "refused": "✕",
    "expired": "–",
    "unknown": "?",
    "fail_safe": "!",
}
_OPEN = {"proposed", "approved"}
_NONE = (
    mark("No plan yet"),
    mark(
        "Propose a setpoint under Setpoints. Plans of all users are listed here, and anybody with the role can sign them."
    ),
)
_TEXT = '<p role="status" style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:4px 0;overflow-wrap:anywhere">{{ text }}</p>'


class PlansPart:
    """The list, and one plan (``pane``).

    Parameters
    ----------
    twin : Any
        With ``plans`` and ``plan``.
    signing : SignerOfPage
    on_change : callable
        Called when another plan is chosen, or one was signed or sent.
    """

    def __init__(self, twin: Any, signing: SignerOfPage, *, on_change: Callable[[], None]) -> None:
        self.twin, self._signing, self._on_change = twin, signing, on_change
        self.table: pd.DataFrame | None = None
        self.plan: Any = None
        self._busy = False
        # Id, status and signers of the plan that is drawn.
        self._drawn: tuple[str, str, tuple[str, ...]] | None = None
        self._steps: list[Any] = []
        names = signing.names()
        self.who = pmui.Select(label=tr("Sign as"), options=names or ["nobody"], width=140, size="small", margin=(6, 6))
        self.passphrase = pmui.PasswordInput(label=tr("Passphrase"), width=200, size="small", margin=(6, 6))
        self.approve = pmui.Button(
            label=tr("Approve"), icon="draw", color="primary", variant="outlined", size="small", margin=(6, 6)
        )
        self.send = pmui.Button(
            label=tr("Send"), icon="send", color="primary", variant="contained", size="small", margin=(6, 6)
        )
        self.approve.disabled = not names
        self.approve.on_click(lambda _: self.approve_now())
        self.send.on_click(lambda _: self.send_now())
        self.alert = pmui.Alert(object="", severity="error", visible=False, margin=(4, 10), sizing_mode="stretch_width")
        self._picture = Html("", sizing_mode="stretch_width", margin=(4, 10))
        self._signatures = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._timeline = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._came = Html("", sizing_mode="stretch_width", margin=(0, 10))
        # Plan that was compared last, when (monotonic), and what is shown of it.
        self._compared: tuple[str, float, str] = ("", 0.0, "")
        self._buttons = pn.FlexBox(self.who, self.passphrase, self.approve, self.send, align_items="center")
        self._detail = pn.Column(
            self._picture,
            self._signatures,
            self._buttons,
            self.alert,
            self._timeline,
            self._came,
            sizing_mode="stretch_width",
            visible=False,
        )
        self._grid: pn.widgets.Tabulator | None = None
        self._list = pn.Column(empty_pane(*_NONE, height=200), sizing_mode="stretch_width")
        self.pane = pn.Column(self._detail, self._list, sizing_mode="stretch_width")

    # -- state --------------------------------------------------------------------------------------------------------

    @property
    def chosen(self) -> str:
        """Id of the shown plan; "" without one."""
        return "" if self.plan is None else str(self.plan.id)

    def read(self) -> tuple[pd.DataFrame, Any, str]:
        """Return all plans, the shown one as it is now, and its comparison as HTML; called in a thread."""
        plan = self.twin.plan(self.chosen) if self.chosen else None
        return self.twin.plans(), plan, self._what_came(plan)

    def show(self, found: tuple[pd.DataFrame, Any, str]) -> None:
        """Show what was read, unless something is under way here."""
        table, plan, came = found
        self.show_list(table)
        if plan is not None and not self._busy and plan.id == self.chosen:
            self.show_plan(plan, keep=True)
            self._came.object = came

    def _what_came(self, plan: Any) -> str:
        """Return a plan that was carried out against what was observed since; read again after half a minute."""
        if plan is None or plan.result is None or plan.result.outcome != "done":
            return ""
        before, when, shown = self._compared
        if before == plan.id and time.monotonic() < when + _AGAIN:
            return shown
        try:
            shown = plan.compare()._repr_html_()
        except TwinlabError as error:
            shown = str(
                html(_TEXT, text=tr("What was predicted can't be compared with what came: {error}", error=error))
            )
        self._compared = (plan.id, time.monotonic(), shown)
        return shown

    def show_list(self, table: pd.DataFrame) -> None:
        """Show the list of plans."""
        before, self.table = self.table, table
        if table.empty:
            return
        rows = shown_plans(table)
        if self._grid is None:
            self._grid = _grid(rows)
            self._grid.param.watch(self._selected, "selection")
            heading = pmui.Typography(tr("All plans"), variant="h6", margin=(10, 10, 0, 10))
            self._list[:] = [heading, self._grid]
        elif before is None or not rows.equals(self._grid.value):
            self._grid.value = rows
        ids = list(table.index)
        wanted = [ids.index(self.chosen)] if self.chosen in ids else []
        if self._grid.selection != wanted:
            self._grid.selection = wanted

    def choose(self, plan_id: str) -> None:
        """Show a plan.

        Raises
        ------
        UnknownTermError
            If there is none of this id.
        """
        self.show_plan(self.twin.plan(plan_id))
        self._on_change()

    def show_plan(self, plan: Any, *, keep: bool = False) -> None:
        """Show a plan: what it would do, who has signed, and its outcome."""
        before, self._drawn = self._drawn, (plan.id, plan.status, plan.persons)
        self.plan = plan
        if before != self._drawn:
            self._picture.object = plan._repr_html_()
        if before is None or before[0] != plan.id:
            self._came.object = ""
        if not keep:
            self.alert.visible = False
            self._steps = []
        no_key = f" {self._signing.no_key()}." if plan.status == "proposed" and self._signing.no_key() else ""
        self._signatures.object = html(_TEXT, text=_signed(plan) + no_key)
        sendable = plan.status == "approved"
        self._buttons.visible = plan.status in _OPEN
        self.approve.visible = self.who.visible = self.passphrase.visible = plan.status == "proposed"
        self.send.visible = sendable
        if plan.result is not None:
            self._timeline.object = timeline_html(plan.result.steps, outcome=plan.result.outcome) + html(
                _TEXT, text=_became(plan.result)
            )
        elif not self._busy:
            self._timeline.object = ""
        self._detail.visible = True

    def _selected(self, event: Any) -> None:
        if event.new and self.table is not None:
            plan_id = str(self.table.index[event.new[-1]])
            if plan_id != self.chosen:
                try:
                    self.choose(plan_id)
                except TwinlabError as error:
                    self._fail(str(error))

    # -- what is done -------------------------------------------------------------------------------------------------

    def approve_now(self) -> None:
        """Sign the shown plan with the key of the chosen person."""
        plan, passphrase = self.plan, str(self.passphrase.value or "")
        self.passphrase.value = ""
        name = str(self.who.value or "")
        self._begin(self.approve)
        BackgroundRun[str](
            lambda **_: plan.approve(as_=self._signing.signer(name, passphrase)), on_progress=lambda _: None,
            on_end=lambda found, fault: self._ended(self.approve, found, fault),
        ).start()  # fmt: skip

    def send_now(self) -> None:
        """Send the shown plan, and show each step as it happens."""
        plan = self.plan
        self._steps = []
        self._timeline.object = timeline_html([])
        self._begin(self.send)
        BackgroundRun[Any](
            lambda *, progress, cancel: plan.send(progress=progress), on_progress=self._stepped,  # noqa: ARG005  (never cancelled)
            on_end=lambda _, fault: self._ended(self.send, plan, fault), pause=0.0,
        ).start()  # fmt: skip

    def _stepped(self, steps: list[Any]) -> None:
        self._steps += steps
        self._timeline.object = timeline_html(self._steps)

    def _begin(self, button: Any) -> None:
        self._busy = True
        self.alert.visible = False
        button.loading = True

    def _ended(self, button: Any, plan: Any, fault: str | None) -> None:
        self._busy = False
        button.loading = False
        if fault is not None:
            self._fail(fault)
            # Another session may have signed or sent it meanwhile.
            plan = self.twin.plan(self.chosen)
        self.show_plan(plan, keep=True)
        self.show_list(self.twin.plans())
        self._on_change()

    def _fail(self, why: str) -> None:
        self.alert.param.update(object=why, visible=True)


def shown_plans(table: pd.DataFrame) -> pd.DataFrame:
    """Return plans as text.

    Parameters
    ----------
    table : DataFrame
        As ``twin.plans()`` returns it.
    """
    import pandas as pd  # noqa: PLC0415

    rows = [
        {
            "status": f"{_SIGNS.get(one['status'], '?')} {one['status'].replace('_', '-')}", "asset": one["target"],
            "parameter": str(one["parameter"]).replace("_", " "), "setpoint": f"{one['value']:g}" + ("" if one["unit"] == "1" else f" {one['unit']}"),
            "simulation": one["verdict"], tr("signed by"): tr(" and ").join(one["persons"]), tr("at (UTC)"): str(one["at"])[:19].replace("T", " "), "why": one["reason"],
        }
        for one in table.to_dict("records")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _signed(plan: Any) -> str:
    if plan.status == "expired":
        return tr(
            "The signatures are older than 60 s and don't count any more; propose it again, with the state as it is now."
        )
    if plan.result is not None or plan.status == "refused":
        return ""
    missing = plan.proposal.people - len(plan.persons)
    if missing <= 0:
        return tr(
            "Signed by {persons}. It can be sent until {expires} UTC.",
            persons=tr(" and ").join(plan.persons),
            expires=str(plan.expires)[11:19],
        )
    signed = (
        tr(
            "Signed by {persons} until {expires} UTC. ",
            persons=tr(" and ").join(plan.persons),
            expires=str(plan.expires)[11:19],
        )
        if plan.persons
        else ""
    )
    people = tr("one person") if missing == 1 else tr("{missing} different persons", missing=missing)
    other = "another" if plan.persons and missing == 1 else people
    return tr(
        "{signed}It needs the signature of {other} with the role {roles}.",
        signed=signed,
        other=other,
        roles=tr(" or ").join(plan.proposal.roles),
    )


def _became(result: Any) -> str:
    unit = "" if result.unit == "1" else f" {result.unit}"
    reported = "nothing" if result.reported is None else f"{result.reported:g}{unit}"
    by = tr(", signed by {device}", device=result.device) if result.device else ""
    return tr(
        "{value}: asked for {predicted:g}{unit}, reports {reported}{by}. {reason}",
        value=result.outcome.replace("_", "-"),
        predicted=result.predicted,
        unit=unit,
        reported=reported,
        by=by,
        reason=result.reason,
    )


def _grid(rows: pd.DataFrame) -> pn.widgets.Tabulator:
    return pn.widgets.Tabulator(
        rows, selectable=1, disabled=True, show_index=False, pagination="local", page_size=_PAGE, configuration=table_buttons(), layout="fit_data_fill",
        stylesheets=[TABLE_SHEET], sizing_mode="stretch_width", margin=(4, 10), text_align={"setpoint": "right"},
    )  # fmt: skip
