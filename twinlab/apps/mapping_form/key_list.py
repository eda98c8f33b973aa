"""All keys of one part of a mapping or model: those that are set, and the others in a list to add from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from twinlab.apps.mapping_form.html import cell, help_text, messages
from twinlab.apps.mapping_form.keys import Key, Part, errors_at, flat_keys, parse_value, shown_value, value_at
from twinlab.languages import tr

__all__ = ["KeyList", "KeyRow", "MoreKeys", "Write"]

#: Changes a key of a part: its path, and the value (None: removed).
Write = Callable[[Part, tuple[str, ...], Callable[[], object]], None]


class KeyRow:
    """The widgets of one key."""

    def __init__(self, path: tuple[str, ...], key: Key, write: Callable[[Callable[[], object]], None]) -> None:
        self.path, self.key, self._write = path, key, write
        self.updating = False
        self._value: object = None
        name = ".".join(path)
        self.name = widgets.HTML(cell(name, kind="tl-key", title=name))
        self.name.add_class("tl-key-name")
        wide: dict[str, Any] = {
            "layout": widgets.Layout(width="auto", min_width="0"),
            "tooltip": tr("value of {name}", name=name),
        }
        # Parts of their own are added here one at a time; their keys are edited where they are listed.
        self._holds = key.inner is not None and not key.plain
        if key.choices:
            first = tr("not set: {default}", default=key.default) if key.default else tr("not set")
            self.field: Any = widgets.Dropdown(options=[(first, ""), *((one, one) for one in key.choices)], **wide)
        else:
            self.field = widgets.Combobox(continuous_update=False, ensure_option=False, **wide)
        self.field.observe(self._changed, "value")
        self.remove = widgets.Button(
            icon="times", tooltip=tr("remove {name}", name=name), layout=widgets.Layout(width="34px", padding="0")
        )
        self.remove.on_click(lambda _: write(lambda: None))
        self.help = widgets.HTML(help_text(key.help))
        self.help.add_class("tl-key-help")

    @property
    def cells(self) -> tuple[widgets.Widget, ...]:
        """The widgets in the order of the grid's columns."""
        return (self.name, self.field, self.remove, self.help)

    def show(self, value: object, suggestions: Sequence[str], *, written: bool) -> None:
        """Show the value that is written."""
        self.updating, self._value = True, value
        try:
            text = "" if self._holds else shown_value(value)
            if isinstance(self.field, widgets.Dropdown):
                options = [one for _, one in self.field.options]
                if text not in options:
                    self.field.options = [*self.field.options, (f"⚠ {text}", text)]
            else:
                self.field.placeholder = self._hint(value)
                if list(self.field.options) != list(suggestions):
                    self.field.options = list(suggestions)
            if self.field.value != text:
                self.field.value = text
        finally:
            self.updating = False
        visible = None if written and not self._holds else "hidden"
        if self.remove.layout.visibility != visible:
            self.remove.layout.visibility = visible

    def _hint(self, value: object) -> str:
        if self._holds:
            example = {"list": "{key: value, …}", "dict": "name: {key: value, …}", "part": tr("key: value, …")}
            said = example.get(self.key.kind, "")
            if not value:
                return said
            count = len(value) if isinstance(value, (list, dict)) and self.key.kind != "part" else 0
            return (
                tr("{count} there, each a part of its own; add {said}", count=count, said=said)
                if count
                else tr("a part of its own; add {said}", said=said)
            )
        if self.key.default:
            return tr("not set: {default}", default=self.key.default)
        return {"list": "a, b", "dict": "a: b, c: d", "number": tr("a number")}.get(self.key.kind, "")

    def _changed(self, change: dict[str, Any]) -> None:
        if not self.updating and (change["new"].strip() or not self._holds):
            self._write(lambda: self._typed(change["new"]))

    def _typed(self, text: str) -> object:
        value = parse_value(self.key, text)
        if not self._holds:
            return value
        # What is typed is added to the parts that are there.
        if self.key.kind == "list":
            added = value if isinstance(value, list) else [value]
            return [*self._value, *added] if isinstance(self._value, list) else added
        both = isinstance(self._value, dict) and isinstance(value, dict)
        return {**self._value, **value} if both else value  # type: ignore[dict-item]


class KeyList(widgets.VBox):
    """The keys of one part.

    Parameters
    ----------
    write : callable
        Called with the part, the path of a key and a function that returns its new value, or raises SchemaError.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._part: Part | None = None
        self._added: list[tuple[str, ...]] = []
        self.rows: dict[tuple[str, ...], KeyRow] = {}
        self._shown: tuple[Any, ...] = ()
        self.errors = widgets.HTML()
        self._grid = widgets.GridBox(
            layout=widgets.Layout(
                grid_template_columns="minmax(110px, 0.7fr) minmax(150px, 1.3fr) 34px minmax(160px, 2.2fr)",
                grid_gap="0 8px", width="100%", align_items="center",
            )
        )  # fmt: skip
        self._grid.add_class("tl-keys")
        self.add = widgets.Dropdown(
            description=tr("Add"),
            style={"description_width": "40px"},
            layout=widgets.Layout(width="auto", max_width="640px"),
        )
        self.add.observe(self._chosen, "value")
        self._updating = False
        super().__init__(children=[self._grid, self.errors, self.add])
        self.add_class("tl-keylist")

    def show(
        self, part: Part, text: str, *, errors: tuple[str, ...] = (), suggest: Callable[[Part, str], Sequence[str]]
    ) -> None:
        """Show the keys of a part of a text."""
        if self._part is None or (part.path, part.holder) != (self._part.path, self._part.holder):
            self._added, self.rows = [], {}
        self._part = part
        self._shown = (text, errors, suggest)
        known, written = flat_keys(part.holder), value_at(text, part)
        self._added = [path for path in self._added if path not in written]
        names = [path for path in known if path in written or path in self._added]
        if list(self.rows) != names:
            self.rows = {path: self.rows.get(path) or self._row(part, path, known[path]) for path in names}
            self._grid.children = [one for row in self.rows.values() for one in row.cells]
        for path, row in self.rows.items():
            row.show(written.get(path), suggest(part, path[-1]), written=path in written)
        self.errors.value = messages(tr("Errors here"), errors_at(errors, part), kind="error")
        self._show_others(known, written)

    def _show_others(self, known: Mapping[tuple[str, ...], Key], written: Mapping[tuple[str, ...], object]) -> None:
        others = [path for path in known if path not in written and path not in self._added]
        options = [(tr("a key …"), ()), *((_label(path, known[path]), path) for path in others)]
        self._updating = True
        try:
            if list(self.add.options) != options:
                self.add.options = options
            self.add.value = ()
        finally:
            self._updating = False
        self.add.layout.display = None if others else "none"

    def _row(self, part: Part, path: tuple[str, ...], key: Key) -> KeyRow:
        return KeyRow(path, key, lambda value: self._write(part, path, value))

    def _chosen(self, change: dict[str, Any]) -> None:
        if self._updating or not change["new"] or self._part is None:
            return
        self._added.append(change["new"])
        text, errors, suggest = self._shown
        self.show(self._part, text, errors=errors, suggest=suggest)


def _label(path: tuple[str, ...], key: Key) -> str:
    said = key.help.partition(". ")[0].rstrip(".")
    return f"{'.'.join(path)}: {said if len(said) <= 90 else said[:89] + '…'}" if said else ".".join(path)


class MoreKeys:
    """A button that shows all keys of one part below its own fields; the list is built when it is asked for.

    Parameters
    ----------
    write : callable
        As for `KeyList`.
    what : str
        The part, for the button's tooltip.
    label : str
        The button's text; three dots by default.
    """

    def __init__(self, write: Write, what: str, *, label: str = "") -> None:
        self._write = write
        self._shown: tuple[Any, ...] = ()
        self.list: KeyList | None = None
        self.button = widgets.ToggleButton(
            description=label, icon="" if label else "ellipsis-h", tooltip=tr("more keys of {what}", what=what),
            layout=widgets.Layout(
                width="auto" if label else "34px", padding="0 8px" if label else "0", align_self="flex-start"
            ),
        )  # fmt: skip
        self.box = widgets.VBox(layout=widgets.Layout(display="none"))
        self.box.add_class("tl-more")
        self.button.observe(lambda _: self._fill(), "value")

    def show(
        self, part: Part | None, text: str, *, errors: tuple[str, ...], suggest: Callable[[Part, str], Sequence[str]]
    ) -> None:
        """Show the keys of a part of a text; None where it isn't written yet."""
        self._shown = (part, text, errors, suggest)
        if self.button.disabled != (part is None):
            self.button.disabled = part is None
        self._fill()

    def _fill(self) -> None:
        part: Part | None = self._shown[0] if self._shown else None
        opened = False
        if self.button.value and part is not None:
            opened = True
            if self.list is None:
                self.list = KeyList(self._write)
                self.box.children = [self.list]
            _, text, errors, suggest = self._shown
            self.list.show(part, text, errors=errors, suggest=suggest)
        wanted = None if opened else "none"
        if self.box.layout.display != wanted:
            self.box.layout.display = wanted
