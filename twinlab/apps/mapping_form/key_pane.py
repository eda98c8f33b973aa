"""The form's pane of all keys: choose a part of the mapping or the model, and edit every key that it can have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as widgets

from twinlab.apps.mapping_form.draft import MappingDraft
from twinlab.apps.mapping_form.html import muted
from twinlab.apps.mapping_form.key_list import KeyList
from twinlab.apps.mapping_form.keys import Part, parts
from twinlab.apps.mapping_form.preview import SampleTable
from twinlab.apps.mapping_form.suggestions import suggestions
from twinlab.errors import SchemaError
from twinlab.languages import tr
from twinlab.model import asset_types
from twinlab.model.edits.yaml_edit import document, value_of
from twinlab.model.mapping import Mapping as SourceMapping
from twinlab.model.twinmodel import Signal, TwinModel

__all__ = ["KeyPane"]


class Host(Protocol):
    """What the pane needs of the form."""

    updating: bool

    def write_key(self, part: Part, path: tuple[str, ...], value: Callable[[], object]) -> None:
        """Set a key of the mapping, or show the error."""

    def write_model_key(self, part: Part, path: tuple[str, ...], value: Callable[[], object]) -> None:
        """Set a key of ``twin.yaml``, or show the error."""


class KeyPane(widgets.Accordion):
    """All parts of the mapping and of the model; folded, and built when it is opened.

    Parameters
    ----------
    host : Host
        The form.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._shown: tuple[Any, ...] = ()
        self._unreadable: set[str] = set()
        self._parts: dict[str, tuple[str, Part]] = {}
        self.part = widgets.Dropdown(
            description=tr("Part"),
            style={"description_width": "40px"},
            layout=widgets.Layout(width="auto", max_width="640px"),
        )
        self.part.observe(lambda _: None if self._host.updating else self._fill(), "value")
        self.lists = {"mapping": KeyList(host.write_key), "model": KeyList(host.write_model_key)}
        self.note = widgets.HTML()
        self.another = widgets.Button(
            description=tr("Add another like this"), icon="plus", layout=widgets.Layout(width="auto")
        )
        self.another.on_click(lambda _: self._add())
        body = widgets.VBox([self.part, self.note, *self.lists.values(), self.another])
        super().__init__(
            children=[body], titles=(tr("All keys: every part of the mapping and the model"),), selected_index=None
        )
        self.observe(lambda _: self._fill(), "selected_index")

    def show(
        self, draft: MappingDraft, table: str, model_text: str, sample: SampleTable | None, *, readable: bool
    ) -> None:
        """Show the texts; while the pane is folded, nothing is built.

        Parameters
        ----------
        draft : MappingDraft
            The last draft whose text is YAML.
        table : str
            The table whose parts are shown.
        model_text : str
            Text of ``twin.yaml``.
        sample : SampleTable or None
            First rows of the table.
        readable : bool
            Whether the mapping's present text is YAML. While it isn't, its keys are hidden.
        """
        self._unreadable = set() if readable else {"mapping"}
        try:
            document(model_text)
        except SchemaError:
            self._unreadable.add("model")
            # The parts stay, so that the chosen one is there again afterwards.
            model_text = self._shown[2] if self._shown else ""
        self._shown = (draft, table, model_text, sample)
        self._fill()

    def _fill(self) -> None:
        if self.selected_index is None or not self._shown:
            return
        was, self._host.updating = self._host.updating, True
        try:
            self._choose()
            self._show_keys()
        finally:
            self._host.updating = was

    def _choose(self) -> None:
        draft, table, model_text, _ = self._shown
        place = draft.rule_place(table)
        found = [("mapping", one) for one in parts(draft.data, SourceMapping, table=place)]
        found += [("model", one) for one in parts(document(model_text).data, TwinModel)]
        self._parts = {f"{where}: {one.path}": (where, one) for where, one in found}
        options = [
            (one.label if where == "mapping" else f"twin.yaml: {_model_label(one)}", name)
            for name, (where, one) in self._parts.items()
        ]
        if list(self.part.options) != options:
            before = self.part.value
            self.part.options = options
            table_path = tr("mapping: {table}", table=draft.rule_path(table))
            wanted = before if before in self._parts else table_path
            self.part.value = wanted if wanted in self._parts else next(iter(self._parts))

    def _show_keys(self) -> None:
        draft, _, model_text, sample = self._shown
        where, part = self._parts[self.part.value]
        hidden = where in self._unreadable
        # Not for tables: each has a name of its own, so a copy would never apply.
        listed = where == "mapping" and isinstance(part.path[-1:] and part.path[-1], int) and len(part.path) > 2
        self.another.layout.display = None if listed and not hidden else "none"
        for name, keys in self.lists.items():
            keys.layout.display = None if name == where and not hidden else "none"
        file = "twin.yaml" if where == "model" else tr("the mapping")
        self.note.value = (
            muted(tr("The keys are shown again once the text of {file} is YAML.", file=file)) if hidden else ""
        )
        if hidden:
            return
        text, errors = (draft.text, draft.errors) if where == "mapping" else (model_text, ())
        self.lists[where].show(part, text, errors=errors, suggest=suggestions(draft, sample))

    def _add(self) -> None:
        """Add a copy of the chosen part to the list that it is in, to be changed there, and choose it."""
        _, part = self._parts[self.part.value]
        whole = document(self._shown[0].text).data
        several = value_of(whole, part.path[:-1])
        around, key = Part(part.path[:-2], part.holder, ""), str(part.path[-2])
        self._host.write_key(around, (key,), lambda: [*several, value_of(whole, part.path)])
        added = tr("mapping: {several}", several=(*part.path[:-1], len(several)))
        if added in self._parts:
            self.part.value = added


def _model_label(part: Part) -> str:
    if part.holder is Signal:
        return tr("signal {path} of {path2}", path=part.path[-1], path2=part.path[1])
    if part.holder is asset_types.AssetType:
        return tr("asset type {path}", path=part.path[-1])
    return part.label
