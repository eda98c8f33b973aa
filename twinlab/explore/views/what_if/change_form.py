"""A form that adds a change to a scenario, made from the fields of its kind, and the list of changes."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
import yaml

from twinlab.errors import TwinlabError
from twinlab.explore.kit.widgets import row
from twinlab.simulate.scenarios.registry import CHANGE_KINDS

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from twinlab.explore.views.what_if.plan import Plan

__all__ = ["ChangeForm"]

#: Fields that are the name of a place.
_PLACES = frozenset({"node", "instead"})
_FIRST_NAME = "what_if"
#: Labels of fields whose names in YAML say less.
_LABELS = {"node": "Where", "instead": "Instead", "entities": "Who passes", "nodes": "Where", "add": "More (or fewer)"}


class ChangeForm:
    """Widgets for one change, and the changes of a plan with a button to remove each (``pane``).

    Parameters
    ----------
    kinds : sequence of str
        Kinds of changes to choose from.
    places : sequence of str
        Names to choose from where a kind of change asks for a place.
    on_change : callable
        Called with the new plan.
    """

    def __init__(self, kinds: Sequence[str], places: Sequence[str], *, on_change: Callable[[Plan], None]) -> None:
        self._places, self._on_change = list(places), on_change
        self._plan: Plan | None = None
        self._name = pmui.TextInput(label="Scenario", value=_FIRST_NAME, width=140, size="small")
        self._kind = pmui.Select(
            label="Change",
            options={one.replace("_", " "): one for one in kinds},
            value=kinds[0],
            width=140,
            size="small",
        )
        self._start = pmui.TextInput(label="From", placeholder="6h or 06:00", width=125, size="small")
        self._stop = pmui.TextInput(label="Until", placeholder="18h or 18:00", width=125, size="small")
        self._add = pmui.Button(label="Add change", variant="outlined", size="small", on_click=self._added)
        self._fault = pmui.Alert(
            object="", severity="error", visible=False, margin=(4, 10), sizing_mode="stretch_width"
        )
        self._fields: dict[str, Any] = {}
        # Whether the chosen kind may be in effect in a window only.
        self._windows = True
        self._form = pn.Column(sizing_mode="stretch_width")
        self._list = pn.Column(sizing_mode="stretch_width")
        self._kind.param.watch(lambda _: self._kind_changed(), "value")
        self.pane = pn.Column(self._form, self._fault, self._list, sizing_mode="stretch_width")
        self._kind_changed()

    def show(self, plan: Plan) -> None:
        """List the changes of a plan."""
        self._plan = plan
        self._list[:] = [self._line(place, *one) for place, one in enumerate(plan.changes)]

    def fail(self, text: str) -> None:
        """Show what is wrong; "" hides it."""
        self._fault.param.update(object=text, visible=bool(text))

    def _kind_changed(self) -> None:
        kind = CHANGE_KINDS.get(self._kind.value)
        self._fields = {
            name: self._widget(name, field)
            for name, field in kind.model_fields.items()
            if name not in {"kind", "start", "stop"}
        }
        self._windows = kind.windows
        window = [self._start, self._stop] if self._windows else []
        self._form[:] = [row([self._name, self._kind, *self._fields.values(), *window, self._add], margin=(4, 0, 4, 0))]

    def _widget(self, name: str, field: FieldInfo) -> Any:
        label = _LABELS.get(name, name.replace("_", " ").capitalize())
        options = {one.replace("_", " "): one for one in _choices(field.annotation)}
        if name in _PLACES:
            options = {**({} if field.is_required() else {"–": ""}), **{one: one for one in self._places}}
        if options:
            start = field.default if field.default in options.values() else next(iter(options.values()))
            return pmui.Select(label=label, options=options, value=start, width=130, size="small")
        default = "" if field.is_required() or field.default in (None, ()) else str(field.default)
        return pmui.TextInput(label=label, value=default, placeholder=_example(name), width=130, size="small")

    def _stated(self) -> dict[str, Any]:
        """Return what the widgets state, as YAML would have it."""
        out: dict[str, Any] = {"kind": self._kind.value}
        for name, widget in [*self._fields.items(), ("start", self._start), ("stop", self._stop)]:
            text = str(widget.value).strip()
            if text and not (name in {"start", "stop"} and not self._windows):
                out[name] = text if name in {*_PLACES, "start", "stop"} else yaml.safe_load(text)
        return out

    def _added(self, _: object = None) -> None:
        assert self._plan is not None
        try:
            plan = self._plan.adding(self._name.value.strip(), self._stated())
        except (TwinlabError, yaml.YAMLError) as error:
            self.fail(str(error))
        else:
            self.fail("")
            self._on_change(plan)

    def _line(self, place: int, scenario: str, text: str) -> pn.Row:
        remove = pmui.Button(
            label="Remove", variant="text", size="small", margin=0, on_click=lambda _: self._removed(place)
        )
        label = pmui.Typography(f"**{scenario}**: {text}", variant="body2", margin=(6, 4, 0, 10))
        return pn.Row(label, remove, sizing_mode="stretch_width", margin=0)

    def _removed(self, place: int) -> None:
        assert self._plan is not None
        self.fail("")
        self._on_change(self._plan.without(place))


def _choices(annotation: Any) -> list[str]:
    """Return the texts that a field may have, if it may have only some."""
    if typing.get_origin(annotation) is typing.Literal:
        return [str(one) for one in typing.get_args(annotation)]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [text for part in typing.get_args(annotation) for text in _choices(part)]
    return []


def _example(name: str) -> str:
    return {
        "factor": "1.2",
        "closed": "[[FRA, MUC]]",
        "preferred": "[[FRA, MUC]]",
        "nodes": "[FRA, MUC]",
        "centre": "[50.1, 8.7]",
        "radius": "100 km",
        "add": "-1",
    }.get(name, "")
