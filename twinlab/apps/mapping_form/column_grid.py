"""The form's table of columns or tags: meaning, unit, missing-value codes and states of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import ipywidgets as widgets

from twinlab.apps.mapping_form.draft import LONG_ROLES, ROLES, MappingDraft, parse_missing_codes, parse_states
from twinlab.apps.mapping_form.html import cell, message
from twinlab.apps.mapping_form.key_list import MoreKeys
from twinlab.apps.mapping_form.keys import Part
from twinlab.apps.mapping_form.preview import SampleTable
from twinlab.apps.mapping_form.suggestions import suggestions
from twinlab.apps.mapping_form.yaml_edit import comments
from twinlab.model.mapping import TagRule
from twinlab.model.twinmodel import Signal, TwinModel
from twinlab.model.units import known_units
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["ColumnGrid", "ColumnRow", "Edit", "Host", "Lock", "set_options", "set_value"]

_HEADS = ("Sample values", "Meaning", "Unit", "Missing codes", "States", "Asset, if its own", "")
_WIDTHS = "minmax(90px, 1.1fr) minmax(90px, 1.3fr) minmax(150px, 1.4fr) minmax(80px, 0.7fr) minmax(90px, 0.8fr) "
_WIDTHS += "minmax(120px, 1.2fr) minmax(100px, 0.9fr) 34px"


class Edit(Protocol):
    """A change of the draft."""

    def __call__(self, draft: MappingDraft) -> MappingDraft:
        """Return the changed draft."""


class Host(Protocol):
    """What the parts of the form need of it."""

    updating: bool

    def edit(self, change: Edit) -> None:
        """Change the draft and show it, or show the error."""

    def write_key(self, part: Part, path: tuple[str, ...], value: Callable[[], object]) -> None:
        """Set a key of the mapping, or show the error."""


def set_options(widget: widgets.Dropdown, options: list[tuple[str, str]], value: str) -> None:
    """Set a dropdown's options and value; a value that isn't among the options is added and marked."""
    if value not in [known for _, known in options]:
        options = [*options, (f"⚠ {value}", value)]
    if list(widget.options) != options:
        widget.options = options
    if widget.value != value:
        widget.value = value


def set_value(widget: Any, value: str) -> None:
    """Set a text; an equal one isn't sent to the browser again."""
    if widget.value != value:
        widget.value = value


class Lock:
    """Disables fields while the text that they would change can't be read."""

    def __init__(self) -> None:
        self._closed: list[Any] = []
        self._shown: tuple[object, ...] = ()

    def holds(self, *shown: object) -> bool:
        """Return whether the fields are disabled, and show exactly this."""
        return len(shown) == len(self._shown) and all(one is two for one, two in zip(shown, self._shown, strict=True))

    def close(self, parts: tuple[widgets.Widget, ...], *shown: object) -> None:
        """Disable every field within these parts that isn't yet, and remember what they show."""
        self._shown = shown
        self._closed = [one for part in parts for one in _fields(part) if not one.disabled]
        for field in self._closed:
            field.disabled = True

    def open(self) -> None:
        """Enable the fields again that `close` disabled."""
        for field in self._closed:
            field.disabled = False
        self._closed, self._shown = [], ()


def _fields(part: widgets.Widget) -> Iterator[Any]:
    if hasattr(part, "disabled"):
        yield part
    for child in getattr(part, "children", ()):
        yield from _fields(child)


class ColumnRow:
    """The widgets of one column or tag."""

    def __init__(self, name: str, host: Host, *, tags: bool) -> None:
        self.name, self._host, self._tags = name, host, tags
        self.table = ""
        wide = widgets.Layout(width="auto", min_width="0")
        what = "tag" if tags else "column"

        def text(label: str, hint: str = "") -> widgets.Text:
            tip = f"{label} of {what} {name}"
            return widgets.Text(continuous_update=False, placeholder=hint, tooltip=tip, layout=_copy(wide))

        self.title = widgets.HTML(cell(name, title=f"{what} {name}"))
        self.samples = widgets.HTML()
        # In a narrow window, name and samples have a line each above the fields.
        for one in (self.title, self.samples):
            one.add_class("tl-wide")
        self.title.add_class("tl-name")
        self.role = widgets.Dropdown(
            options=[("not mapped", "")], tooltip=f"meaning of {what} {name}", layout=_copy(wide)
        )
        self.unit = widgets.Combobox(
            continuous_update=False, options=known_units(), tooltip=f"unit of {what} {name}", layout=_copy(wide)
        )
        self.missing = text("missing-value codes", "-9999, NA")
        self.states = text("states", "1 = open, 0 = closed")
        self.asset = text("asset", "type/id")
        # It spans the whole row by a CSS class: ipywidgets' empty `grid_area` would override the layout in the browser.
        self.note = widgets.HTML(layout=widgets.Layout(display="none"))
        self.note.add_class("tl-note")
        self.more = MoreKeys(host.write_key, f"{what} {name}")
        self.role.observe(self._role, "value")
        for widget, key in (
            (self.unit, "unit"),
            (self.missing, "missing"),
            (self.states, "states"),
            (self.asset, "asset"),
        ):
            widget.observe(self._setter(key), "value")

    @property
    def cells(self) -> tuple[widgets.Widget, ...]:
        """The widgets in the order of the grid's columns."""
        return (
            self.title,
            self.samples,
            self.role,
            self.unit,
            self.missing,
            self.states,
            self.asset,
            self.more.button,
            self.note,
            self.more.box,
        )

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None, texts: list[str]) -> None:
        """Show the draft's rule of this column."""
        self.table = table
        role = draft.role(table, self.name, tags=self._tags)
        entry = draft.entry(table, self.name, tags=self._tags) or {}
        options = _options(draft, table, self.name, tags=self._tags)
        set_options(self.role, options, role)
        signal = _signal(draft, table, self.name, role, tags=self._tags)
        stated = sample.units.get(self.name, "") if sample is not None and not self._tags else ""
        set_value(self.samples, cell(" · ".join(texts), kind="tl-muted"))
        set_value(self.unit, _text(entry.get("unit")))
        self.unit.placeholder = stated or (signal.unit if signal is not None else "") or "unit"
        set_value(
            self.missing, ", ".join(map(str, missing)) if isinstance(missing := entry.get("missing"), list) else ""
        )
        states = entry.get("states")
        set_value(self.states, ", ".join(f"{k} = {v}" for k, v in states.items()) if isinstance(states, dict) else "")
        set_value(self.asset, _text(entry.get("asset")))
        mapped = role != "" and not role.startswith("=")
        state = signal is not None and signal.kind == "state"
        _visible(self.unit, (mapped and not state) or bool(self.unit.value))
        _visible(self.missing, mapped)
        _visible(self.states, state or bool(self.states.value))
        _visible(self.asset, mapped and (bool(self.asset.value) or not draft.get(table, "asset", "type")))
        has_unit = signal is not None and signal.unit not in ("1", UNKNOWN)
        self._show_note(draft, table, stated=has_unit)
        self.more.show(self._part(draft), draft.text, errors=draft.errors, suggest=suggestions(draft, sample))
        _visible(self.more.button, mapped)

    def _part(self, draft: MappingDraft) -> Part | None:
        path = draft.entry_path(self.table, self.name, tags=self._tags)
        return Part(path, TagRule, self.name) if path is not None else None

    def _show_note(self, draft: MappingDraft, table: str, *, stated: bool) -> None:
        kind = "tags" if self._tags else "columns"
        wrong = draft.error_at(table, kind, self.name)
        note = draft.note(table, self.name, tags=self._tags)
        found = comments(draft.text, (*draft.rule_path(table), kind, self.name))
        # The model's unit applies where the mapping has none.
        unsure = not stated and any("not stated" in text for text in found)
        lines = [message(wrong, kind="error", role="alert")] if wrong else []
        lines += [message("; ".join(found), kind="warn")] if unsure else []
        said = "" if unsure or not found else f"in the draft: {' · '.join(found)}"
        lines += [cell(text, kind="tl-muted") for text in (note, said) if text]
        set_value(self.note, "".join(lines))
        self.note.layout.display = None if lines else "none"
        for widget in (self.role, self.unit, self.missing, self.states, self.asset):
            widget.disabled = bool(note)

    def _role(self, change: dict[str, Any]) -> None:
        if not self._host.updating:
            self._host.edit(lambda draft: draft.with_role(self.table, self.name, change["new"], tags=self._tags))

    def _setter(self, key: str) -> Any:
        def changed(change: dict[str, Any]) -> None:
            if not self._host.updating:
                self._host.edit(lambda draft: self._with(draft, key, change["new"].strip()))

        return changed

    def _with(self, draft: MappingDraft, key: str, text: str) -> MappingDraft:
        value: object = text
        if key == "missing":
            value = parse_missing_codes(text)
        elif key == "states":
            value = parse_states(text)
        return draft.with_value(self.table, ("tags" if self._tags else "columns", self.name, key), value)


class ColumnGrid(widgets.GridBox):
    """One row for each column or tag of a table."""

    def __init__(self, host: Host, *, tags: bool = False) -> None:
        self._host, self._tags = host, tags
        self.rows: dict[str, ColumnRow] = {}
        # Sample values of the table shown last; edits don't change them.
        self._sampled: tuple[object, str] = (None, "")
        self._samples: dict[str, list[str]] = {}
        heads = ("Tag" if tags else "Column", *_HEADS)
        self._heads = [widgets.HTML(cell(text, kind="tl-h")) for text in heads]
        for head in self._heads:
            head.add_class("tl-head")
        super().__init__(
            layout=widgets.Layout(grid_template_columns=_WIDTHS, grid_gap="0 8px", width="100%", align_items="center")
        )
        self.add_class("tl-grid")

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        """Show the columns of a table: those of the sample, then those that only the mapping names."""
        names = self._names(draft, table, sample)
        if list(self.rows) != names:
            self.rows = {name: self.rows.get(name) or ColumnRow(name, self._host, tags=self._tags) for name in names}
            self.children = [*self._heads, *(widget for row in self.rows.values() for widget in row.cells)]
        self._sample(draft, table, sample)
        for name, row in self.rows.items():
            row.show(draft, table, sample, self._samples.get(name, []))

    def _sample(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        key = (sample, f"{draft.get(table, 'tag')}/{draft.get(table, 'value')}" if self._tags else "")
        if sample is None or (key[0] is self._sampled[0] and key[1] == self._sampled[1]):
            return
        self._sampled = key
        if self._tags:
            self._samples = _tag_samples(draft, table, sample)
        else:
            self._samples = {name: sample.distinct(name, count=4) for name in sample.columns}

    def _names(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> list[str]:
        named = draft.get(table, "tags" if self._tags else "columns")
        written = [str(name) for name in named if not _is_pattern(str(name))] if isinstance(named, dict) else []
        if self._tags:
            column = draft.get(table, "tag")
            seen = sample.distinct(str(column), count=200) if sample is not None and column else []
        else:
            seen = sample.columns if sample is not None else []
        return [*seen, *(name for name in written if name not in seen)]


def _tag_samples(draft: MappingDraft, table: str, sample: SampleTable) -> dict[str, list[str]]:
    tag, value = draft.get(table, "tag"), draft.get(table, "value")
    found: dict[str, list[str]] = {}
    for one, text in sample.pairs(str(tag), str(value)):
        texts = found.setdefault(one, [])
        if len(texts) < 4 and text not in texts:
            texts.append(text)
    return found


def _options(draft: MappingDraft, table: str, name: str, *, tags: bool) -> list[tuple[str, str]]:
    roles = {key: label for key, label in ROLES.items() if not tags or key in ("", "=ignore")}
    used = draft.used(table, name) if not tags else ""
    if used:
        roles[""] = f"{used} (see YAML)"
    fixed = [(label, key) for key, label in (roles | ({} if tags else LONG_ROLES)).items()]
    kind = draft.asset_type(table, name, tags=tags)
    model: TwinModel = draft.model
    if kind in model.asset_types:
        return fixed + [(_label(key, one), key) for key, one in model.asset_types[kind].signals.items()]
    made: dict[str, str] = {}
    for type_name, asset_type in model.asset_types.items():
        for key in asset_type.signals:
            made[key] = f"{made[key]}, {type_name}" if key in made else f"{key} of {type_name}"
    return fixed + [(label, key) for key, label in made.items()]


def _label(name: str, signal: Signal) -> str:
    unit = "unit unknown" if signal.unit == UNKNOWN else signal.unit
    return f"{name} ({'state' if signal.kind == 'state' else unit})"


def _signal(draft: MappingDraft, table: str, name: str, role: str, *, tags: bool) -> Signal | None:
    kind = draft.model.asset_types.get(draft.asset_type(table, name, tags=tags) or "")
    return kind.signals.get(role) if kind is not None else None


def _visible(widget: widgets.Widget, shown: bool) -> None:  # noqa: FBT001
    wanted = None if shown else "hidden"
    if widget.layout.visibility != wanted:
        widget.layout.visibility = wanted


def _copy(layout: widgets.Layout) -> widgets.Layout:
    # One layout for each widget: hiding a shared one would hide them all.
    return widgets.Layout(width=layout.width, min_width=layout.min_width)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _is_pattern(name: str) -> bool:
    return len(name) > 2 and name[0] == name[-1] == "/"
