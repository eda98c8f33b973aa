"""The mapping form: edit a drafted mapping in JupyterLab and see the first rows harmonised as you edit."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from twinlab.apps.mapping_form.answers import MODEL_FILE, Asked, answered, asked_questions, contradiction, kept
from twinlab.apps.mapping_form.column_grid import ColumnGrid, Edit, Lock, set_value
from twinlab.apps.mapping_form.draft import MappingDraft, parse_draft
from twinlab.apps.mapping_form.files import EditedFile, check_others, find_mapping, find_sample_file, properties
from twinlab.apps.mapping_form.html import heading, message, messages, muted, preview_html, state, title
from twinlab.apps.mapping_form.key_pane import KeyPane
from twinlab.apps.mapping_form.keys import Part, with_key
from twinlab.apps.mapping_form.model_pane import ModelPane
from twinlab.apps.mapping_form.preview import PreviewTable, Properties, Sample, preview, read_sample
from twinlab.apps.mapping_form.question_pane import QuestionPane, count_text
from twinlab.apps.mapping_form.suggestions import table_names
from twinlab.apps.mapping_form.time_and_asset import AssetBox, TimeBox
from twinlab.errors import SchemaError, SourceError, TwinlabError
from twinlab.languages import tr
from twinlab.model.load import parse_model

__all__ = ["MappingForm"]

_ROWS = 20


class MappingForm(widgets.VBox):
    """Edit one source's mapping of a twin; nothing is written before Save.

    Parameters
    ----------
    folder : path
        The twin's directory, as ``twinlab.create(folder, files=…)`` makes it.
    source : str
        Name of the source whose mapping is edited.
    file : path, optional
        File whose first rows are shown. By default the first that fits the mapping's ``files`` patterns in the twin's
        directory, the one above it, or the working directory; it can be named in the form too.

    Attributes
    ----------
    draft : MappingDraft
        The mapping in the form.
    table : PreviewTable or None
        The first rows as written and harmonised; None while there is no file.

    Raises
    ------
    SourceError
        If the folder has no twin, or no mapping of this source.
    SchemaError
        If ``twin.yaml`` breaks its schema. (A broken mapping can be repaired in the form.)
    """

    def __init__(self, folder: str | Path, source: str, *, file: str | Path | None = None) -> None:
        root = Path(folder)
        if not (root / "twin.yaml").is_file():
            msg = f"expected a twin in {root}, but there is no twin.yaml; make one with twinlab.create({str(root)!r}, files=…)"
            raise SourceError(msg)
        self.folder, self.path = root, find_mapping(root, source)
        self._edited = EditedFile(self.path)
        self.model = ModelPane(self, root / "twin.yaml")
        self.draft: MappingDraft = parse_draft(self._edited.text, self.model.model, source=source, name=self.path.name)
        self.sample: Sample | None = None
        self.table: PreviewTable | None = None
        self.updating = False
        self._last: MappingDraft | None = None
        self._lock = Lock()
        self._shown: tuple[Any, ...] = ()
        self._reading: Any = None
        self._properties: Properties | None = None
        self._build()
        super().__init__(children=self._layout(), layout=widgets.Layout(width="100%"))
        self.add_class("tl-form")
        with self._guarded():
            self._load_sample(file if file is not None else find_sample_file(root, self.draft))
        self._refresh()

    # -- actions, also from code -------------------------------------------------------------------------------------
    def edit(self, change: Edit) -> None:
        """Change the draft and show it; an error is shown in the form and leaves the draft unchanged."""
        with self._guarded():
            self.draft = change(self.draft)
            self._show_message("")
        self._refresh()

    def answer(self, asked: Asked, value: object) -> None:
        """Write a question's answer in the texts it is about; an answer that doesn't fit is shown and changes nothing."""
        with self._guarded():
            self._show_message("")
            self._replace(answered(self._texts(), asked, value))
            absent = contradiction(asked, str(value)) if asked.field == "zone" else ""
            if absent:
                said = tr("The data contradict {value}: {absent} doesn't exist there. See the rows in the preview.", value=value, absent=absent)  # fmt: skip
                self._show_message(message(said, kind="warn", role="alert"))
        self._refresh()

    def keep(self, asked: Asked) -> None:
        """Accept what was drafted: remove the question's entry."""
        with self._guarded():
            self._show_message("")
            self._replace(kept(self._texts(), asked))
        self._refresh()

    def write_key(self, part: Part, path: tuple[str, ...], value: Callable[[], object]) -> None:
        """Set a key of a part of the mapping, or remove it where the value is None; a value that can't be read is shown."""
        self.edit(lambda draft: draft.with_text(with_key(draft.text, part, path, value())))

    def write_model_key(self, part: Part, path: tuple[str, ...], value: Callable[[], object]) -> None:
        """Set a key of a part of ``twin.yaml``, as `write_key` does in the mapping."""
        with self._guarded():
            self._show_message("")
            # The field's change is an edit of the model.
            self.model.text.value = with_key(self.model.text.value, part, path, value())

    def edit_model(self, text: str) -> None:
        """Replace the text of ``twin.yaml``; while it has errors, the mapping is checked against the last valid model."""
        with self._guarded():
            self._show_message("")
            if self.model.take(text):
                self.draft = parse_draft(
                    self.draft.text, self.model.model, source=self.draft.source, name=self.path.name
                )
        self._refresh()

    def save(self) -> None:
        """Write the mapping in one step. If it has errors, or the file was changed by somebody else meanwhile, that is
        shown in the form and nothing is written.
        """
        with self._guarded():
            self._save()
        self._refresh()

    def reload(self) -> None:
        """Discard the edits and read the mapping's file and the model again."""
        with self._guarded():
            self.model.reload()
            self.draft = parse_draft(
                self._edited.reload(), self.model.model, source=self.draft.source, name=self.path.name
            )
            self._show_message(message(tr("Read {name} and twin.yaml again.", name=self.path.name), kind="ok"))
        self._refresh()

    @property
    def unsaved(self) -> bool:
        """Whether mapping or model differ from what was read or saved last."""
        return self.draft.text != self._edited.text or self.model.unsaved

    # -- widgets -----------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        wide = {"description_width": "128px"}
        self.save_button = widgets.Button(description=tr("Save"), icon="save", button_style="primary")
        self.save_button.on_click(lambda _: self.save())
        self.reload_button = widgets.Button(description=tr("Reload"), icon="refresh", tooltip=tr("discard the edits, read the file again"))  # fmt: skip
        self.reload_button.on_click(lambda _: self.reload())
        self.status, self.message, self.errors = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.open_count, self.stale, self.yaml_errors = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.file = widgets.Text(description=tr("Sample file"), continuous_update=False, style=wide, layout=widgets.Layout(flex="1 1 320px"))  # fmt: skip
        self.file.placeholder = tr("path of a file of this source, to see its first rows")
        self.file.observe(self._file_changed, "value")
        self.tables = widgets.Dropdown(description=tr("Table"), style=wide, layout=widgets.Layout(flex="0 1 320px"))
        self.tables.observe(self._table_changed, "value")
        self.questions = QuestionPane(self)
        self.columns, self.tags = ColumnGrid(self), ColumnGrid(self, tags=True)
        self.time, self.asset = TimeBox(self), AssetBox(self)
        self.all_keys = KeyPane(self)
        self.preview = widgets.HTML()
        self.yaml = widgets.Textarea(value=self._edited.text, rows=18, tooltip=tr("the mapping as YAML"), layout=widgets.Layout(width="auto"))  # fmt: skip
        self.yaml.add_class("tl-yaml")
        self.yaml.observe(self._text_changed, "value")

    def _layout(self) -> list[widgets.Widget]:
        head = widgets.HTML(title(self.draft.source), layout=widgets.Layout(flex="1 1 auto"))
        wrap: dict[str, Any] = {"flex_flow": "row wrap", "width": "100%"}
        line = widgets.Layout(**wrap, align_items="center", grid_gap="4px 8px")
        boxes = widgets.Layout(**wrap, grid_gap="8px", align_items="stretch", margin="8px 0")
        self._tag_head = widgets.HTML(heading(tr("Tags"), note=tr("values of the tag column, and what each means")))
        return [
            widgets.HBox([head, self.open_count, self.status, self.save_button, self.reload_button], layout=line),
            self.message,
            self.errors,
            widgets.HBox([self.file, self.tables], layout=line),
            self.questions,
            self.stale,
            widgets.HTML(
                heading(tr("Columns"), note=tr("what each column means; missing codes are separated by commas"))
            ),
            self.columns,
            self._tag_head,
            self.tags,
            widgets.HBox([self.time, self.asset], layout=boxes),
            self.all_keys,
            widgets.HTML(heading(tr("Preview"), note=tr("as it will be read; nothing is written before Save"))),
            self.preview,
            widgets.HTML(heading("YAML", note=tr("the same mapping as text; edit either side"))),
            self.yaml,
            self.yaml_errors,
            self.model,
        ]

    # -- events ------------------------------------------------------------------------------------------------------
    def _text_changed(self, change: dict[str, Any]) -> None:
        if not self.updating:
            self.edit(lambda draft: draft.with_text(change["new"]))

    def _table_changed(self, _: dict[str, Any]) -> None:
        if not self.updating:
            self._refresh()

    def _file_changed(self, change: dict[str, Any]) -> None:
        if self.updating:
            return
        with self._guarded():
            self._show_message("")
            self._load_sample(change["new"].strip() or None)
        self._refresh()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Show errors in the form: in a notebook the traceback of a callback would only be in a log."""
        try:
            yield
        except TwinlabError as error:
            self._show_message(message(str(error), kind="error", role="alert"))
        except Exception as error:  # noqa: BLE001  (a program error is shown too)
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = tr("{name}: {error} ({name2}:{lineno}). Please report this.", name=type(error).__name__, error=error, name2=Path(where.filename).name, lineno=where.lineno)  # fmt: skip
            self._show_message(message(text, kind="error", role="alert"))

    # -- showing -----------------------------------------------------------------------------------------------------
    def _show_message(self, html: str) -> None:
        self.message.value = html

    def _load_sample(self, file: str | Path | None) -> None:
        self.sample, self.table = None, None
        if file is None:
            return
        was, self.updating = self.updating, True
        try:
            self.file.value = str(file)
        finally:
            self.updating = was
        self._reading = (self.draft.data or {}).get("reading")
        self.sample = read_sample(file, self._reading if isinstance(self._reading, dict) else None)

    def _refresh(self) -> None:
        """Show the draft in all widgets; those that are up to date aren't changed."""
        if self.updating:
            return
        self.updating = True
        try:
            with self._guarded():
                self._reread()
                self._show_tables()
                self._show_fields()
            with self._guarded():
                self._show_questions()
            with self._guarded():
                self._show_preview()
            self._show_state()
        finally:
            self.updating = False

    def _reread(self) -> None:
        """Read the sample again where the mapping's `reading` changed."""
        valid = self.draft.mapping
        if valid is not None and self.file.value and (valid.reading or None) != (self._reading or None):
            self._reading = valid.reading
            self._load_sample(self.file.value)

    def _show_tables(self) -> None:
        names = table_names(self._readable, self.sample)
        if list(self.tables.options) != names:
            before = self.tables.value
            self.tables.options = names
            self.tables.value = before if before in names else names[0]
        self.tables.layout.display = None if len(names) > 1 else "none"

    def _show_fields(self) -> None:
        if self.yaml.value != self.draft.text:
            self.yaml.value = self.draft.text
        draft, table, unreadable = self._readable, self.tables.value, self.draft.data is None
        said = message(tr("The YAML below can't be read; these fields show how it was before."), kind="warn")
        set_value(self.stale, said if unreadable else "")
        wrong = self.draft.errors if unreadable else ()
        set_value(self.yaml_errors, messages(tr("This can't be read"), wrong, kind="error"))
        sample = self.sample.tables.get(table) if self.sample is not None else None
        self.all_keys.show(draft, table, self.model.text.value, sample, readable=not unreadable)
        if unreadable and self._lock.holds(draft, table, sample):
            return
        self._lock.open()
        self.columns.show(draft, table, sample)
        long = bool(draft.get(table, "tag"))
        self.tags.layout.display = self._tag_head.layout.display = None if long else "none"
        if long:
            self.tags.show(draft, table, sample)
        self.time.show(draft, table, sample)
        self.asset.show(draft, table, sample)
        if unreadable:
            self._lock.close((self.columns, self.tags, self.time, self.asset), draft, table, sample)

    @property
    def _readable(self) -> MappingDraft:
        """The draft that the fields show: the last one whose text is YAML, without its errors."""
        if self.draft.data is not None or self._last is None:
            self._last = self.draft
        elif self._last.errors:
            self._last = replace(self._last, errors=())
        return self._last

    def _show_questions(self) -> None:
        mapping = self.draft.mapping
        asked = None
        if mapping is not None and not self.model.errors:
            asked = asked_questions(self._texts(), self.model.model, mapping)
        self.questions.show(asked)
        count = self.questions.count
        said = "" if count is None else f"{'⚠' if count else '✔'} {count_text(count)}"
        self.open_count.value = state(said, unsaved=bool(count))

    def _show_preview(self) -> None:
        mapping = self.draft.mapping
        if self.sample is None:
            self.preview.value = muted(tr("No sample file: name one above to see its first rows."))
            return
        if self.tables.value not in self.sample.tables:
            self.preview.value = muted(tr("{file} has no table of this name.", file=self.sample.file))
            return
        if mapping is None:
            note = message(tr("The mapping has errors; below is the last preview without any."), kind="warn")
            self.preview.value = note + (preview_html(self.table, stale=True) if self.table is not None else "")
            return
        shown = (self.draft.text, self.model.model, self.tables.value, self.sample)
        if not self._shown or any(one is not other for one, other in zip(shown, self._shown, strict=True)):
            found = self._known(self.draft)
            self.table = preview(
                mapping, self.model.model, self.sample, table=self.tables.value, rows=_ROWS, properties=found
            )
            self._shown = shown
        if self.table is not None:
            self.preview.value = preview_html(self.table)

    def _known(self, draft: MappingDraft) -> Properties:
        """Return the properties of assets that the mapping's times need, as the twin knows them; read once."""
        if "zone_of" not in draft.text:
            return {}
        if self._properties is None:
            self._properties = properties(self.folder)
        return self._properties

    def _show_state(self) -> None:
        errors = (*self.draft.errors, *self.model.errors)
        self.errors.value = messages(tr("This can't be saved yet"), errors, kind="error")
        self.save_button.disabled = not self.unsaved or bool(errors)
        said = tr("write {name}", name=self.path.name) if self.unsaved else tr("nothing to save")
        self.save_button.tooltip = tr("correct the errors first") if errors else said
        mark = tr("● unsaved changes") if self.unsaved else tr("{name} as saved", name=self.path.name)
        self.status.value = state(mark, unsaved=self.unsaved)

    # -- answers ---------------------------------------------------------------------------------------------------
    def _texts(self) -> dict[str, str]:
        return {MODEL_FILE: self.model.text.value, f"mapping/{self.draft.source}.yaml": self.draft.text}

    def _replace(self, texts: dict[str, str]) -> None:
        """Replace the texts of model and mapping by ones without errors."""
        model_text, text = texts.values()
        model = parse_model(model_text, MODEL_FILE) if model_text != self.model.text.value else self.model.model
        draft = parse_draft(text, model, source=self.draft.source, name=self.path.name)
        if draft.errors:
            raise SchemaError("\n".join(draft.errors))
        self.draft = draft
        # The field's change is an edit of the model.
        self.model.text.value = model_text

    # -- writing -----------------------------------------------------------------------------------------------------
    def _save(self) -> None:
        if self.draft.mapping is None or self.model.errors:
            msg = tr("the mapping or the model has errors, so nothing was written; correct what is listed, then save")
            raise SourceError(msg)
        if not self.unsaved:
            self._show_message(message(tr("Nothing to save."), kind="ok"))
            return
        if self.model.unsaved:
            check_others(self.folder, self.model.model, but=self.path)
            self.model.edited.check()
        self._edited.check()
        lines = [*self.model.save(), *self._edited.replace(self.draft.text)]
        done = tr("Saved. Call twin.rebuild() to build history with it. Changed:")
        self._show_message(messages(done, lines, kind="ok"))
