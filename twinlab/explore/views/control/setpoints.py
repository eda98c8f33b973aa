"""Setpoints beside what assets report, and the form that proposes another one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.panes import Html
from twinlab.explore.kit.tables.paged_table import TABLE_SHEET
from twinlab.explore.kit.translation import table_buttons
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.twinmodel import TwinModel

__all__ = ["SetpointsPart", "shown_setpoints"]

_PAGE = 12
#: State of a setpoint -> sign; the state is shown beside it as text.
_SIGNS = {mark("as set"): "✓", "differs": "!", mark("not set"): "·", "unknown": "?"}


class SetpointsPart:
    """The table and the form (``pane``).

    Parameters
    ----------
    twin : Any
        With ``setpoints`` and ``propose``.
    on_proposed : callable
        Called with a new plan.
    on_chosen : callable
        Called with the asset that is looked at.
    """

    def __init__(self, twin: Any, *, on_proposed: Callable[[Any], None], on_chosen: Callable[[str], None]) -> None:
        self.twin, self._on_proposed, self._on_chosen = twin, on_proposed, on_chosen
        self.table: pd.DataFrame | None = None
        small: dict[str, Any] = {"size": "small", "margin": (6, 6)}
        self.target = pmui.AutocompleteInput(
            label=tr("Asset"),
            options=[],
            restrict=True,
            min_characters=0,
            width=210,
            case_sensitive=False,
            search_strategy="includes",
            **small,
        )
        self.parameter = pmui.Select(label=tr("Parameter"), options=[], width=160, visible=False, **small)
        self.value = pmui.TextInput(label=tr("Setpoint"), width=120, **small)
        self.reason = pmui.TextInput(label=tr("Why"), placeholder=tr("a sentence that others read"), width=300, **small)
        self.propose = pmui.Button(
            label=tr("Propose"), icon="science", color="primary", variant="contained", size="small", margin=(6, 6)
        )
        self.hint = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self.alert = pmui.Alert(object="", severity="error", visible=False, margin=(4, 10), sizing_mode="stretch_width")
        self._grid: pn.widgets.Tabulator | None = None
        self._place = pn.Column(sizing_mode="stretch_width")
        self.propose.on_click(lambda _: self.propose_now())
        self.target.param.watch(lambda event: self._target_changed(event.new), "value")
        self.parameter.param.watch(lambda _: self._show_hint(), "value")
        form = pn.FlexBox(self.target, self.parameter, self.value, self.reason, self.propose, align_items="center")
        heading = pmui.Typography(tr("Propose a setpoint"), variant="h6", margin=(10, 10, 0, 10))
        self.pane = pn.Column(heading, form, self.hint, self.alert, self._place, sizing_mode="stretch_width")

    # -- state --------------------------------------------------------------------------------------------------------

    def show(self, table: pd.DataFrame) -> None:
        """Show the setpoints as they are now; the chosen row stays chosen."""
        self.table = table
        rows = shown_setpoints(table)
        known = list(dict.fromkeys(table.index.astype(str)))
        if list(self.target.options) != known:
            self.target.options = known
        if self._grid is None:
            self._grid = _grid(rows)
            self._grid.param.watch(self._selected, "selection")
            self._place[:] = [self._grid]
        elif not rows.equals(self._grid.value):
            self._grid.value = rows

    def choose(self, target: str, parameter: str | None = None) -> None:
        """Fill the form in for an asset."""
        if target in self.target.options:
            self.target.value = target
            if parameter in self.parameter.options:
                self.parameter.value = parameter

    def _selected(self, event: Any) -> None:
        if event.new and self.table is not None:
            row = self.table.iloc[event.new[-1]]
            self.choose(str(self.table.index[event.new[-1]]), str(row["parameter"]))

    def _target_changed(self, target: str | None) -> None:
        kind = (target or "").partition("/")[0]
        names = list(self.twin.model.commands.get(kind, {}))
        self.parameter.param.update(options=names, value=names[0] if names else None, visible=bool(names))
        self._show_hint()
        if target:
            self._on_chosen(target)

    def _show_hint(self) -> None:
        self.hint.object = _hint(self.twin.model, self.target.value, self.parameter.value)

    # -- what is done -------------------------------------------------------------------------------------------------

    def propose_now(self) -> None:
        """Propose what the form says: it is checked and simulated from the present state."""
        target, parameter = str(self.target.value or ""), str(self.parameter.value or "")
        value, reason = str(self.value.value or "").strip(), str(self.reason.value or "").strip()
        missing = [
            name
            for name, text in ((tr("an asset"), target), (tr("a setpoint"), value), (tr("a reason"), reason))
            if not text
        ]
        if missing:
            self._fail(tr("Expected {missing}; nothing was proposed.", missing=", ".join(missing)))
            return
        self.alert.visible = False
        self.propose.param.update(loading=True, label=tr("Simulating …"))
        BackgroundRun[str](
            lambda **_: self.twin.propose(target, parameter, value, reason=reason),
            on_progress=lambda _: None,
            on_end=self._proposed,
        ).start()

    def _proposed(self, plan: Any, fault: str | None) -> None:
        self.propose.param.update(loading=False, label=tr("Propose"))
        if fault is not None:
            self._fail(fault)
        else:
            self.reason.value = ""
            self._on_proposed(plan)

    def _fail(self, why: str) -> None:
        self.alert.param.update(object=why, visible=True)

    def read(self) -> pd.DataFrame:
        """Return the setpoints as they are now; called in a thread.

        Raises
        ------
        TwinlabError
            If they can't be read.
        """
        found: pd.DataFrame = self.twin.setpoints()
        return found


def shown_setpoints(table: pd.DataFrame) -> pd.DataFrame:
    """Return setpoints as text: what was asked for beside what is reported, and whether they are the same.

    Parameters
    ----------
    table : DataFrame
        As ``twin.setpoints()`` returns it.
    """
    import pandas as pd  # noqa: PLC0415

    rows = [
        {
            "asset": str(asset), "parameter": str(one["parameter"]).replace("_", " "), "setpoint": _number(one["setpoint"], one["unit"]),
            "reported": _number(one["reported"], one["unit"]), "state": f"{_SIGNS.get(one['state'], '?')} {tr(one['state'])}",
            "age": _age(one["age"]), tr("set by"): str(one["set_by"]), "why": str(one["reason"]),
        }
        for asset, one in zip(table.index, table.to_dict("records"), strict=True)
    ]  # fmt: skip
    columns = ["asset", "parameter", "setpoint", "reported", "state", "age", tr("set by"), "why"]
    return pd.DataFrame(rows, columns=columns)


def _number(value: float, unit: str) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:g}" if unit == "1" else f"{value:g} {unit}"


def _age(seconds: float) -> str:
    if math.isnan(seconds):
        return "–"
    if seconds < 120:
        return f"{max(seconds, 0):.0f} s"
    return tr("{seconds:.0f} min", seconds=seconds / 60) if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _hint(model: TwinModel, target: object, parameter: object) -> str:
    from twinlab._html import html  # noqa: PLC0415

    spec = model.commands.get(str(target or "").partition("/")[0], {}).get(str(parameter or ""))
    if spec is None:
        return html(
            '<p style="font:14px/1.45 Roboto,system-ui,sans-serif;margin:2px 0">Choose an asset here or in the table.</p>'
        )
    unit = "" if spec.unit == "1" else f" {spec.unit}"
    people = tr("1 person") if spec.people == 1 else tr("{people} different persons", people=spec.people)
    return html(
        '<p style="font:14px/1.45 Roboto,system-ui,sans-serif;margin:2px 0">{{ title }}: {{ low }} to {{ high }}{{ unit }}, in steps of at most '
        "{{ step }}{{ unit }}; signed by {{ people }} with the role {{ roles }}. Nothing is sent before that.</p>",
        title=spec.title or str(parameter).replace("_", " "), low=f"{spec.limits[0]:g}", high=f"{spec.limits[1]:g}", unit=unit,
        step=f"{spec.largest_step:g}", people=people, roles=tr(" or ").join(spec.roles),
    )  # fmt: skip


def _grid(rows: pd.DataFrame) -> pn.widgets.Tabulator:
    return pn.widgets.Tabulator(
        rows, selectable=1, disabled=True, show_index=False, pagination="local", page_size=_PAGE, configuration=table_buttons(), layout="fit_data_fill",
        header_filters={"asset": {"type": "input", "func": "like", "placeholder": "search"}, "state": {"type": "input", "func": "like", "placeholder": "search"}},
        text_align={"setpoint": "right", "reported": "right", "age": "right"}, stylesheets=[TABLE_SHEET], sizing_mode="stretch_width", margin=(4, 10),
    )  # fmt: skip
