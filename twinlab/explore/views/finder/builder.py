"""A condition by clicks: a signal or property, an operator, a value or a state, joined by and / or."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.charts.scale import pretty_unit
from twinlab.explore.kit.widgets import row
from twinlab.explore.views.finder.texts import comparison
from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.model.expressions.contexts import AssetContext, Known

__all__ = ["ConditionBuilder"]

_NUMBER = [">", ">=", "<", "<=", "==", "!="]
_STATE = ["==", "!="]


class ConditionBuilder:
    """Widgets that write one comparison after the other (``pane``).

    Parameters
    ----------
    on_add : callable
        Called with a comparison and the word that joins it to what is there, "and" or "or".
    """

    def __init__(self, *, on_add: Callable[[str, str], None]) -> None:
        self._on_add = on_add
        self._context: AssetContext | None = None
        self.name = pmui.Select(label=tr("Signal or property"), options=[], width=190, size="small")
        self.operator = pmui.Select(label=tr("Is"), options=_NUMBER, width=80, size="small")
        self.value = pmui.TextInput(label=tr("Value"), width=120, size="small")
        self.state = pmui.Select(label=tr("State"), options=[], width=130, size="small", visible=False)
        self._buttons = {
            join: pmui.Button(label=tr("Add with {join}", join=join), variant="outlined", size="small")
            for join in ("and", "or")
        }
        for join, button in self._buttons.items():
            button.on_click(lambda _, join=join: self._add(join))
        self.name.param.watch(self._named, "value")
        self.pane: pn.viewable.Viewable = row(
            [self.name, self.operator, self.value, self.state, *self._buttons.values()], margin=(2, 0, 4, 0)
        )

    def offer(self, context: AssetContext) -> None:
        """Offer the signals and properties of an asset type."""
        self._context = context
        usable = [name for name in context.names() if (found := context.known(name)) is not None and not found.refused]
        self.name.param.update(
            options={name.replace("_", " "): name for name in usable}, value=usable[0] if usable else None
        )
        self._named()

    def _known(self) -> Known | None:
        return None if self._context is None or not self.name.value else self._context.known(str(self.name.value))

    def _named(self, *_: object) -> None:
        known = self._known()
        if known is None:
            return
        choices = list(known.states) or (["true", "false"] if known.sort == "boolean" else [])
        operators = _NUMBER if known.sort in ("number", "time") else _STATE
        kept = self.operator.value if self.operator.value in operators else operators[0]
        self.operator.param.update(options=operators, value=kept)
        self.state.param.update(options=choices, value=choices[0] if choices else None, visible=bool(choices))
        unit = "" if known.sort != "number" or known.value.unit in ("", "1") else known.value.unit
        self.value.param.update(
            visible=not choices, label=tr("Value ({unit})", unit=pretty_unit(unit)) if unit else tr("Value")
        )

    def _add(self, join: str) -> None:
        known = self._known()
        if known is None:
            return
        value = str(self.state.value if self.state.visible else self.value.value_input or self.value.value or "")
        if not value.strip():
            return
        unit = known.value.unit if known.sort == "number" and known.value.unit != "1" else ""
        if known.sort == "text" and not value.strip().startswith(('"', "'")):
            value = f'"{value.strip()}"'
        self._on_add(comparison(str(self.name.value), str(self.operator.value), value, unit), join)
