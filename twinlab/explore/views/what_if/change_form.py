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
from twinlab.explore.views.what_if.places import pair_text
from twinlab.languages import mark, tr
from twinlab.simulate.scenarios.registry import CHANGE_KINDS

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from twinlab.explore.views.what_if.places import Pair, Places
    from twinlab.explore.views.what_if.plan import Plan

__all__ = ["ChangeForm"]

_FIRST_NAME = "what_if"
#: Fields that a timetable refuses, or whose names only a fitted model knows; scenarios in Python and in links may have them.
_HIDDEN = frozenset(
    {"kind", "start", "stop", "instead", "preferred", "centre", "radius", "kinds", "sources", "timetable"}
)
#: Kinds for people.
_KINDS = {
    "close": mark("Close a place"), "reroute": mark("Close links"), "storm": mark("Storm"), "demand": mark("More or less demand"),
    "speed": mark("Faster or slower trips"), "transporters": mark("Fewer trips"), "timetable": mark("Other departures"),
}  # fmt: skip
#: Labels of fields whose names in YAML say less.
_LABELS = {
    "node": mark("Where"), "entities": mark("Who passes it"), "nodes": mark("Where"), "closed": mark("Closed links"), "transporters": mark("Trips"),
    "both_ways": mark("Both ways"), "add": mark("Fewer a day"), "every": mark("A departure every"),
}  # fmt: skip
#: What a factor multiplies, by kind.
_FACTORS = {"storm": mark("Times of travel ×"), "demand": mark("Demand ×"), "speed": mark("Speed ×")}
_FACTOR_EXAMPLES = {"storm": "1.5", "demand": "1.2", "speed": "0.8"}
_EXAMPLES = {"add": "1", "every": mark("90 min")}
#: Kinds that name one group of transporters; others may name all of a type.
_OF_ONE_GROUP = frozenset({"transporters", "timetable"})
_CHOICES = {"reroute": mark("goes around it"), "wait": mark("waits")}


class ChangeForm:
    """Widgets for one change, and the changes of a plan with a button to remove each (``pane``).

    Parameters
    ----------
    kinds : sequence of str
        Kinds of changes to choose from.
    places : Places
        Names to choose from where a kind of change asks for places or links.
    carrier : str
        Asset type of what makes the trips.
    on_change : callable
        Called with the new plan.
    """

    def __init__(
        self, kinds: Sequence[str], places: Places, *, carrier: str, on_change: Callable[[Plan], None]
    ) -> None:
        self._places, self._carrier, self._on_change = places, carrier, on_change
        self._plan: Plan | None = None
        self._name = pmui.TextInput(label=tr("Scenario"), value=_FIRST_NAME, width=130, size="small")
        self._kind = pmui.Select(
            label=tr("Change"),
            options={tr(_KINDS.get(one, one.replace("_", " "))): one for one in kinds if one in _KINDS},
            value=kinds[0],
            width=190,
            size="small",
        )
        self._start = pmui.TextInput(label=tr("From"), placeholder=tr("6h or 06:00"), width=120, size="small")
        self._stop = pmui.TextInput(label=tr("Until"), placeholder=tr("18h or 18:00"), width=120, size="small")
        self._add = pmui.Button(label=tr("Add change"), variant="outlined", size="small", on_click=self._added)
        self._fault = pmui.Alert(
            object="", severity="error", visible=False, margin=(4, 10), sizing_mode="stretch_width"
        )
        self._fields: dict[str, Any] = {}
        # What was picked on the map last, for the fields of the next kind, too.
        self._node, self._link = "", ""
        # Whether the chosen kind may be in effect in a window only.
        self._windows = True
        self._form = pn.Column(sizing_mode="stretch_width")
        self._list = pn.Column(sizing_mode="stretch_width")
        self._kind.param.watch(lambda _: self._kind_changed(), "value")
        self.pane = pn.Column(self._form, self._fault, self._list, sizing_mode="stretch_width")
        self._kind_changed()

    @property
    def scenario(self) -> str:
        """Name of the scenario that changes are added to."""
        return self._name.value.strip() or _FIRST_NAME

    def show(self, plan: Plan) -> None:
        """List the changes of a plan."""
        self._plan = plan
        self._list[:] = [self._line(place, *one) for place, one in enumerate(plan.changes)]

    def fail(self, text: str) -> None:
        """Show what is wrong; "" hides it."""
        self._fault.param.update(object=text, visible=bool(text))

    def pick_place(self, name: str) -> None:
        """Fill in a place; where the chosen kind of change has none, the form becomes one that closes it."""
        self._node = name
        if not {"node", "nodes"} & set(self._fields):
            self._kind.value = "close"
        elif "node" in self._fields:
            self._fields["node"].value = name
        else:
            self._toggle("nodes", name)

    def pick_link(self, pair: Pair) -> None:
        """Fill in a link; where the chosen kind of change has none, the form becomes one that closes it."""
        self._link = pair_text(pair)
        if not {"closed", "transporters"} & set(self._fields):
            self._kind.value = "reroute"
        elif "closed" in self._fields:
            self._toggle("closed", self._link)
        else:
            self._fields["transporters"].value = "-".join(pair)

    def _toggle(self, field: str, value: str) -> None:
        chosen = list(self._fields[field].value)
        self._fields[field].value = [one for one in chosen if one != value] if value in chosen else [*chosen, value]

    def _kind_changed(self) -> None:
        kind = CHANGE_KINDS.get(self._kind.value)
        self._fields = {
            name: self._widget(name, field) for name, field in kind.model_fields.items() if name not in _HIDDEN
        }
        self._windows = kind.windows
        window = [self._start, self._stop] if self._windows else []
        self._form[:] = [row([self._name, self._kind, *self._fields.values(), *window, self._add], margin=(4, 0, 4, 0))]

    def _widget(self, name: str, field: FieldInfo) -> Any:
        label = tr(_LABELS.get(name, name.replace("_", " ").capitalize()))
        links = {pair_text(pair): pair for pair in self._places.links}
        if name == "node":
            start = self._node or next(iter(self._places.names), "")
            return pmui.Select(label=label, options=list(self._places.names), value=start, width=130, size="small")
        if name == "nodes":
            return _several(label, self._places.names, self._node, "everywhere")
        if name == "closed":
            return _several(label, list(links), self._link, tr("choose, or tap on the map"))
        if name == "transporters":
            groups = {text: "-".join(pair) for text, pair in links.items()}
            if self._kind.value not in _OF_ONE_GROUP:
                groups = {tr("all of {carrier}", carrier=self._carrier): self._carrier, **groups}
            first = groups.get(self._link, next(iter(groups.values()), None))
            return pmui.Select(label=label, options=groups, value=first, width=170, size="small")
        if field.annotation is bool:
            return pmui.Checkbox(label=label, value=bool(field.default), size="small")
        if options := {tr(_CHOICES.get(one, one.replace("_", " "))): one for one in _choices(field.annotation)}:
            start = field.default if field.default in options.values() else next(iter(options.values()))
            return pmui.Select(label=label, options=options, value=start, width=150, size="small")
        kind = str(self._kind.value)
        label = tr(_FACTORS.get(kind, label)) if name == "factor" else label
        example = _EXAMPLES.get(name) or _FACTOR_EXAMPLES.get(kind, "")
        return pmui.TextInput(label=label, placeholder=example, width=140, size="small")

    def _stated(self) -> dict[str, Any]:
        """Return what the widgets state, as YAML would have it."""
        out: dict[str, Any] = {"kind": self._kind.value}
        for name, widget in self._fields.items():
            value = widget.value
            if name == "closed":
                pairs = {pair_text(pair): list(pair) for pair in self._places.links}
                value = [pairs[one] for one in value]
            elif name == "factor":
                value = yaml.safe_load(str(value))
            elif name == "add":  # in a scenario a negative number of transporters
                value = yaml.safe_load(f"-{value}") if value else value
            if value not in ("", None, []):
                out[name] = value
        if self._windows:
            window = {"start": self._start.value.strip(), "stop": self._stop.value.strip()}
            out |= {name: text for name, text in window.items() if text}
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
            label=tr("Remove"), variant="text", size="small", margin=0, on_click=lambda _: self._removed(place)
        )
        label = pmui.Typography(f"**{scenario}**: {text}", variant="body2", margin=(6, 4, 0, 10))
        return pn.Row(label, remove, sizing_mode="stretch_width", margin=0)

    def _removed(self, place: int) -> None:
        assert self._plan is not None
        self.fail("")
        self._on_change(self._plan.without(place))


def _several(label: str, options: Sequence[str], first: str, hint: str) -> pmui.MultiChoice:
    chosen = [first] if first in options else []
    return pmui.MultiChoice(label=label, options=list(options), value=chosen, placeholder=hint, width=230, chip=True)


def _choices(annotation: Any) -> list[str]:
    """Return the texts that a field may have, if it may have only some."""
    if typing.get_origin(annotation) is typing.Literal:
        return [str(one) for one in typing.get_args(annotation)]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [text for part in typing.get_args(annotation) for text in _choices(part)]
    return []
