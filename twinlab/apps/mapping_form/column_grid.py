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
from twinlab.apps.mapping_form.suggestions import further_roles, roles, suggestions
from twinlab.languages import mark, tr
from twinlab.model.edits.yaml_edit import comments
from twinlab.model.mapping import TagRule
from twinlab.model.units import known_units
from twinlab.model.units.spelling import UNKNOWN

__all__ = ["ColumnGrid", "ColumnRow", "Edit", "Host", "Lock", "set_options", "set_value"]

_HEADS = (
    mark("Sample values"),
    mark("Meaning"),
    mark("Unit"),
    mark("Missing codes"),
    mark("States"),
    mark("Asset, if its own"),
    "",
)
_WIDTHS = "minmax(90px, 1.1fr) minmax(90px, 1.3fr) minmax(150px, 1.4fr) minmax(80px, 0.7fr) minmax(90px, 0.8fr) "
_WIDTHS += "minmax(120px, 1.2fr) minmax(100px, 0.9fr) 72px"


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
    """The widgets of one rule of a column or tag.

    Parameters
    ----------
    name : str
        The column or tag.
    host : Host
        The form.
    tags : bool
        Whether it is a tag.
    first : ColumnRow, optional
        The row of the column's first rule, for the row of a further one.
    place : int
        Position of the rule among those of the column. At the end of them, the row adds a rule.
    """

    def __init__(self, name: str, host: Host, *, tags: bool, first: ColumnRow | None = None, place: int = 0) -> None:
        self.name, self._host, self._tags, self._first, self._place = name, host, tags, first, place
        self.table, self._adds = "", False
        wide = widgets.Layout(width="auto", min_width="0")
        what = "tag" if tags else "column"
        name = tr("{name}, rule {place}", name=name, place=place + 1) if place else name

        def text(label: str, hint: str = "") -> widgets.Text:
            tip = tr("{label} of {what} {name}", label=label, what=what, name=name)
            return widgets.Text(continuous_update=False, placeholder=hint, tooltip=tip, layout=_copy(wide))

        self.title = widgets.HTML(cell(name, title=f"{what} {name}"))
        self.samples = widgets.HTML()
        # In a narrow window, name and samples have a line each above the fields.
        for one in (self.title, self.samples):
            one.add_class("tl-wide")
        self.title.add_class("tl-name")
        self.role = widgets.Dropdown(
            options=[(tr("not mapped"), "")],
            tooltip=tr("meaning of {what} {name}", what=what, name=name),
            layout=_copy(wide),
        )
        self.unit = widgets.Combobox(continuous_update=False, options=known_units(), tooltip=tr("unit of {what} {name}", what=what, name=name), layout=_copy(wide))  # fmt: skip
        self.missing = text(tr("missing-value codes"), tr("-9999, NA"))
        self.states = text("states", tr("1 = open, 0 = closed"))
        self.asset = text("asset", "type/id")
        # It spans the whole row by a CSS class: ipywidgets' empty `grid_area` would override the layout in the browser.
        self.note = widgets.HTML(layout=widgets.Layout(display="none"))
        self.note.add_class("tl-note")
        self.more = MoreKeys(host.write_key, f"{what} {name}")
        tip = tr("another meaning of {what} {name}: a second signal, a property", what=what, name=name)
        self.add = widgets.ToggleButton(
            icon="plus", tooltip=tip, layout=widgets.Layout(width="34px", padding="0", align_self="flex-start")
        )
        self._buttons = widgets.HBox([self.more.button, self.add])
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
            self._buttons,
            self.note,
            self.more.box,
        )

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None, texts: list[str]) -> None:
        """Show the draft's rule of this column."""
        self.table = table
        which: dict[str, Any] = {"tags": self._tags, "place": self._place}
        count = len(draft.entries(table, self.name, tags=self._tags))
        self._adds = self._first is not None and self._place >= count
        role = draft.role(table, self.name, **which)
        entry = draft.entry(table, self.name, **which) or {}
        options = roles(draft, table, self.name, several=self._first is not None or count > 1, **which)
        if self._adds:
            options = [(tr("– another meaning –"), ""), *options[1:]]
            options += [(label, key) for key, label in further_roles(draft, table).items() if not self._tags]
        set_options(self.role, options, role)
        kind = draft.model.asset_types.get(draft.asset_type(table, self.name, **which) or "")
        signal = kind.signals.get(role) if kind is not None else None
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
        used = role not in ("", "=ignore") or bool(not self._tags and draft.used(table, self.name))
        _visible(self.add, self._first is None and used)

    def _part(self, draft: MappingDraft) -> Part | None:
        path = draft.entry_path(self.table, self.name, tags=self._tags, place=self._place)
        return Part(path, TagRule, self.name) if path is not None else None

    def _show_note(self, draft: MappingDraft, table: str, *, stated: bool) -> None:
        kind = "tags" if self._tags else "columns"
        wrong = draft.error_at(table, kind, self.name, place=self._place)
        note = draft.note(table, self.name, tags=self._tags)
        path = draft.entry_path(table, self.name, tags=self._tags, place=self._place)
        whole = path is None or len(draft.entries(table, self.name, tags=self._tags)) == 1
        found = comments(draft.text, (*draft.rule_path(table), kind, self.name) if path is None or whole else path)
        # The model's unit applies where the mapping has none.
        unsure = not stated and any("not stated" in text for text in found)
        lines = [message(wrong, kind="error", role="alert")] if wrong else []
        lines += [message("; ".join(found), kind="warn")] if unsure else []
        said = "" if unsure or not found else tr("in the draft: {found}", found=" · ".join(found))
        lines += [cell(text, kind="tl-muted") for text in (note, said, self._also(draft)) if text]
        set_value(self.note, "".join(lines))
        self.note.layout.display = None if lines else "none"
        for widget in (self.role, self.unit, self.missing, self.states, self.asset):
            widget.disabled = bool(note)

    def _also(self, draft: MappingDraft) -> str:
        """Return what the column is beside the signal that the row shows."""
        if self._tags or self._place or not draft.entries(self.table, self.name):
            return ""
        own = draft.own_role(self.table, self.name)
        also = tr((ROLES | LONG_ROLES)[own]) if own else ""
        return ", ".join(text for text in (also and tr("also: {also}", also=also), draft.used(self.table, self.name)) if text)  # fmt: skip

    def _role(self, change: dict[str, Any]) -> None:
        if self._host.updating:
            return
        role, which = change["new"], (self.table, self.name)
        if not self._adds:
            self._host.edit(lambda draft: draft.with_role(*which, role, tags=self._tags, place=self._place))
            return
        if self._first is not None:
            self._host.updating = True
            self._first.add.value = False
            self._host.updating = False
        if role.startswith("@"):
            path = tuple(int(one) if one.isdigit() else one for one in role[1:].split("/"))
            self._host.edit(lambda draft: draft.with_value(self.table, path, self.name))
        else:
            self._host.edit(lambda draft: draft.with_another(*which, role, tags=self._tags))

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
        kind = "tags" if self._tags else "columns"
        return draft.with_value(self.table, (kind, self.name, self._place, key), value)


class ColumnGrid(widgets.GridBox):
    """One row for each column or tag of a table, and one for each further rule that it has.

    Attributes
    ----------
    rows : dict of str to ColumnRow
        The first rows of all columns or tags.
    further : dict of (str, int) to ColumnRow
        The rows of further rules: column and position among its rules.
    """

    def __init__(self, host: Host, *, tags: bool = False) -> None:
        self._host, self._tags = host, tags
        self.rows: dict[str, ColumnRow] = {}
        self.further: dict[tuple[str, int], ColumnRow] = {}
        self._last: tuple[MappingDraft, str, SampleTable | None] | None = None
        # Sample values of the table shown last; edits don't change them.
        self._sampled: tuple[object, str] = (None, "")
        self._samples: dict[str, list[str]] = {}
        heads = (tr("Tag") if tags else tr("Column"), *(tr(head) if head else head for head in _HEADS))
        self._heads = [widgets.HTML(cell(text, kind="tl-h")) for text in heads]
        for head in self._heads:
            head.add_class("tl-head")
        super().__init__(
            layout=widgets.Layout(grid_template_columns=_WIDTHS, grid_gap="0 8px", width="100%", align_items="center")
        )
        self.add_class("tl-grid")

    def show(self, draft: MappingDraft, table: str, sample: SampleTable | None) -> None:
        """Show the columns of a table: those of the sample, then those that only the mapping names."""
        self._last = (draft, table, sample)
        names = self._names(draft, table, sample)
        rows = {name: self.rows.get(name) or self._first(name) for name in names}
        further = {
            (name, place): self.further.get((name, place))
            or ColumnRow(name, self._host, tags=self._tags, first=first, place=place)
            for name, first in rows.items()
            for place in range(1, max(1, len(draft.entries(table, name, tags=self._tags))) + bool(first.add.value))
        }
        if list(self.rows) != names or list(self.further) != list(further):
            self.rows, self.further = rows, further
            self.children = [*self._heads, *(widget for row in self._ordered() for widget in row.cells)]
        self._sample(draft, table, sample)
        for row in self._ordered():
            row.show(draft, table, sample, self._samples.get(row.name, []))

    def _ordered(self) -> Iterator[ColumnRow]:
        for name, first in self.rows.items():
            yield first
            yield from (row for (column, _), row in self.further.items() if column == name)

    def _first(self, name: str) -> ColumnRow:
        row = ColumnRow(name, self._host, tags=self._tags)
        row.add.observe(lambda _: self._added(), "value")
        return row

    def _added(self) -> None:
        if self._host.updating or self._last is None:
            return
        self._host.updating = True
        try:
            self.show(*self._last)
        finally:
            self._host.updating = False

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
