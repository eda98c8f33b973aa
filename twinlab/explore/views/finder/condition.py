"""The widgets of a condition: its text with completion, durations, and clicks that write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.widgets import TOGGLES, TOGGLES_LABEL, row, without_debounce
from twinlab.explore.views.finder.builder import ConditionBuilder
from twinlab.languages import tr
from twinlab.model.expressions.completion import Completion, completions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinlab.model.expressions.contexts import AssetContext

__all__ = ["ConditionWidgets"]

#: Completions that are offered at once.
_MOST = 14
_FOLLOWING = {
    "& .MuiToggleButton-root": {
        "flex": "0 0 auto",
        "width": "auto",
        "textTransform": "none",
        "letterSpacing": "normal",
        "whiteSpace": "nowrap",
        "padding": "2px 9px",
        "fontSize": "13px",
    },
    "& .MuiToggleButtonGroup-root": {"flexDirection": "row"},
}
_MONOSPACE = {"& input": {"fontFamily": "ui-monospace, monospace", "fontSize": "14px"}}


class ConditionView(Protocol):
    """The parameters that the widgets write: those of a `FinderExplorer`."""

    param: Any
    when: str
    window: Any

    def context(self) -> AssetContext:
        """Return what the names of the condition mean."""


class ConditionWidgets:
    """Widgets that write the parameters of a `FinderExplorer` (``pane``), and buttons that choose its chart (``charts``).

    Parameters
    ----------
    view : ConditionView
    types : mapping of str to str
        Asset type -> title.
    """

    def __init__(self, view: ConditionView, types: Mapping[str, str]) -> None:
        self._view = view
        kinds: Any = {title: name for name, title in types.items()}
        self.kind = pmui.Select.from_param(
            view.param.on, options=kinds, label=tr("Search all"), width=170, size="small", description=""
        )
        self.text = pmui.TextInput(
            label=tr("Condition"),
            value="",
            placeholder=tr("temperature > 8 degC for at least 10 min"),
            size="small",
            sizing_mode="stretch_width",
            sx=_MONOSPACE,
            margin=(8, 10, 2, 10),
        )
        # What can follow, as one widget whose buttons change.
        self.following = pmui.CheckButtonGroup(
            options=[], value=[], size="small", margin=(2, 10), sx=_FOLLOWING, stylesheets=[TOGGLES_LABEL]
        )
        self.following.param.watch(self._followed, "value")
        self.text.param.watch(self._typed, "value_input")
        self.lasting = pmui.TextInput.from_param(
            view.param.lasting,
            label=tr("Lasting at least"),
            placeholder=tr("10 min"),
            width=150,
            size="small",
            description="",
        )
        self.gap = pmui.TextInput.from_param(
            view.param.gap,
            label=tr("Join gaps up to"),
            placeholder=tr("2 min"),
            width=150,
            size="small",
            description="",
        )
        self._all = pmui.Button(label=tr("Search all times"), variant="outlined", size="small", visible=False)
        self._all.on_click(lambda _: view.param.update(window=None))
        view.param.watch(self._window_changed, "window")
        self.builder = ConditionBuilder(on_add=self._add)
        buttons: Any = pmui.RadioButtonGroup.from_param(
            view.param.chart, label="", size="small", margin=(4, 10), sx=TOGGLES, stylesheets=[TOGGLES_LABEL]
        )
        self.charts = without_debounce(buttons)
        self.pane: pn.viewable.Viewable = pn.Column(
            row([self.kind, self.lasting, self.gap, self._all], margin=(8, 0, 0, 0)),
            self.text,
            row([self.following], margin=(0, 0, 0, 0)),
            self.builder.pane,
            sizing_mode="stretch_width",
        )

    def show(self) -> None:
        """Show the condition of the view."""
        self.builder.offer(self._view.context())
        self._offer(self._view.when)
        if str(self.text.value_input or "") != self._view.when:
            self.text.value = self._view.when
        self._window_changed()

    def _typed(self, event: Any) -> None:
        text = str(event.new or "")
        self._offer(text)
        self._view.when = text

    def _following(self, text: str) -> list[Completion]:
        """Return what can follow at the end of a condition: what is begun there is completed, not offered."""
        found = completions(text, len(text), self._view.context())
        return [one for one in found if one.text != text[one.start :]][:_MOST]

    def _offer(self, text: str) -> None:
        """Offer what can follow at the end of the condition."""
        offered = list(dict.fromkeys(one.text for one in self._following(text)))
        if offered != self.following.options:
            self.following.param.update(options=offered, value=[], visible=bool(offered))

    def _followed(self, event: Any) -> None:
        """Write what was pressed at the end of the condition."""
        if not event.new:
            return
        text = self._view.when
        chosen = next((one for one in self._following(text) if one.text == event.new[-1]), None)
        self.following.value = []
        if chosen is not None:
            before = text[: chosen.start]
            space = " " if before and before[-1] not in " (." else ""
            after = "(" if chosen.kind == "function" else " "
            self.text.value = f"{before}{space}{chosen.text.removesuffix('(')}{after}"
            # Typing goes on where it was.
            self.text.focus()

    def _add(self, comparison: str, join: str) -> None:
        written = self._view.when.strip()
        self._view.when = f"{written} {join} {comparison}" if written else comparison
        self.show()

    def _window_changed(self, *_: object) -> None:
        self._all.visible = self._view.window is not None
