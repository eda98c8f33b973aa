"""The mapping form: edit a drafted mapping in JupyterLab and see the first rows harmonised as you edit."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from twinlab.apps.mapping_form.clock import AssetBox, TimeBox
from twinlab.apps.mapping_form.draft import MappingDraft, draft_of
from twinlab.apps.mapping_form.files import KeptText, check_others, located, mapping_path, properties
from twinlab.apps.mapping_form.grid import ColumnGrid, Edit
from twinlab.apps.mapping_form.html import heading, message, messages, muted, preview_html, state, title
from twinlab.apps.mapping_form.model_pane import ModelPane
from twinlab.apps.mapping_form.preview import PreviewTable, Properties, Sample, preview, read_sample
from twinlab.errors import SourceError, TwinlabError

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
        The mapping as it stands in the form.
    table : PreviewTable or None
        The first rows as written and harmonised; None while there is no file.

    Raises
    ------
    SourceError
        If the folder holds no twin or no mapping of this source.
    SchemaError
        If ``twin.yaml`` breaks its schema. (A broken mapping can be mended in the form.)
    """

    def __init__(self, folder: str | Path, source: str, *, file: str | Path | None = None) -> None:
        root = Path(folder)
        if not (root / "twin.yaml").is_file():
            msg = f"expected a twin in {root}, but there is no twin.yaml; make one with twinlab.create({str(root)!r}, files=…)"
            raise SourceError(msg)
        self.folder, self.path = root, mapping_path(root, source)
        self._kept = KeptText(self.path)
        self.model = ModelPane(self, root / "twin.yaml")
        self.draft: MappingDraft = draft_of(self._kept.text, self.model.model, source=source, name=self.path.name)
        self.sample: Sample | None = None
        self.table: PreviewTable | None = None
        self.filling = False
        self._shown: tuple[Any, ...] = ()
        self._reading: Any = None
        self._properties: Properties | None = None
        self._build()
        super().__init__(children=self._layout())
        self.add_class("tl-form")
        self.layout = widgets.Layout(width="100%")
        with self._guarded():
            self._load_sample(file if file is not None else located(root, self.draft))
        self._refresh()

    # -- what a person can do, also from code ------------------------------------------------------------------------
    def edit(self, change: Edit) -> None:
        """Change the draft and show it; whatever goes wrong is told in the form, and the draft stays as it was."""
        with self._guarded():
            self.draft = change(self.draft)
            self._say("")
        self._refresh()

    def edit_model(self, text: str) -> None:
        """Take another text for ``twin.yaml``; while it has faults, the mapping keeps the words of the last good one."""
        with self._guarded():
            self._say("")
            if self.model.take(text):
                self.draft = draft_of(self.draft.text, self.model.model, source=self.draft.source, name=self.path.name)
        self._refresh()

    def save(self) -> None:
        """Write the mapping, whole or not at all. Anything that is wrong with it, or a file that somebody else changed
        meanwhile, is told in the form instead.
        """
        with self._guarded():
            self._save()
        self._refresh()

    def reload(self) -> None:
        """Forget the edits and read the mapping's file and the model again."""
        with self._guarded():
            self.model.reload()
            self.draft = draft_of(self._kept.reload(), self.model.model, source=self.draft.source, name=self.path.name)
            self._say(message(f"Read {self.path.name} and twin.yaml again.", kind="ok"))
        self._refresh()

    @property
    def unsaved(self) -> bool:
        """Whether mapping or model differ from what was read or saved last."""
        return self.draft.text != self._kept.text or self.model.unsaved

    # -- widgets -----------------------------------------------------------------------------------------------------
    def _build(self) -> None:
        wide = {"description_width": "128px"}
        self.save_button = widgets.Button(description="Save", icon="save", button_style="primary")
        self.save_button.on_click(lambda _: self.save())
        self.reload_button = widgets.Button(
            description="Reload", icon="refresh", tooltip="forget the edits, read the file again"
        )
        self.reload_button.on_click(lambda _: self.reload())
        self.status, self.said, self.errors = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.file = widgets.Text(
            description="Sample file", continuous_update=False, style=wide, layout=widgets.Layout(flex="1 1 320px")
        )
        self.file.placeholder = "path of a file of this source, to see its first rows"
        self.file.observe(self._file_changed, "value")
        self.tables = widgets.Dropdown(description="Table", style=wide, layout=widgets.Layout(flex="0 1 320px"))
        self.tables.observe(self._table_changed, "value")
        self.columns, self.tags = ColumnGrid(self), ColumnGrid(self, tags=True)
        self.time, self.asset = TimeBox(self), AssetBox(self)
        self.preview = widgets.HTML()
        self.yaml = widgets.Textarea(
            value=self._kept.text, rows=18, tooltip="the mapping as YAML", layout=widgets.Layout(width="auto")
        )
        self.yaml.add_class("tl-yaml")
        self.yaml.observe(self._text_changed, "value")

    def _layout(self) -> list[widgets.Widget]:
        head = widgets.HTML(title(self.draft.source), layout=widgets.Layout(flex="1 1 auto"))
        line = widgets.Layout(flex_flow="row wrap", align_items="center", width="100%", grid_gap="4px 8px")
        boxes = widgets.Layout(
            flex_flow="row wrap", width="100%", grid_gap="8px", align_items="stretch", margin="8px 0"
        )
        self._tag_head = widgets.HTML(heading("Tags", note="values of the tag column, and what each means"))
        return [
            widgets.HBox([head, self.status, self.save_button, self.reload_button], layout=line),
            self.said,
            self.errors,
            widgets.HBox([self.file, self.tables], layout=line),
            widgets.HTML(heading("Columns", note="what each column means; missing codes are separated by commas")),
            self.columns,
            self._tag_head,
            self.tags,
            widgets.HBox([self.time, self.asset], layout=boxes),
            widgets.HTML(heading("Preview", note="as it will be read; nothing is written before Save")),
            self.preview,
            widgets.HTML(heading("YAML", note="the same mapping as text; edit either side")),
            self.yaml,
            self.model,
        ]

    # -- events ------------------------------------------------------------------------------------------------------
    def _text_changed(self, change: dict[str, Any]) -> None:
        if not self.filling:
            self.edit(lambda draft: draft.with_text(change["new"]))

    def _table_changed(self, _: dict[str, Any]) -> None:
        if not self.filling:
            self._refresh()

    def _file_changed(self, change: dict[str, Any]) -> None:
        if self.filling:
            return
        with self._guarded():
            self._say("")
            self._load_sample(change["new"].strip() or None)
        self._refresh()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Show what goes wrong: in a notebook the traceback of a callback would vanish in a log."""
        try:
            yield
        except TwinlabError as error:
            self._say(message(str(error), kind="error", role="alert"))
        except Exception as error:  # noqa: BLE001  (a fault of ours must be seen too)
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno}). Please report this."
            self._say(message(text, kind="error", role="alert"))

    # -- showing -----------------------------------------------------------------------------------------------------
    def _say(self, html: str) -> None:
        self.said.value = html

    def _load_sample(self, file: str | Path | None) -> None:
        self.sample, self.table = None, None
        if file is None:
            return
        was, self.filling = self.filling, True
        try:
            self.file.value = str(file)
        finally:
            self.filling = was
        self._reading = (self.draft.data or {}).get("reading")
        self.sample = read_sample(file, self._reading if isinstance(self._reading, dict) else None)

    def _refresh(self) -> None:
        """Show the draft everywhere; widgets that already do aren't touched."""
        if self.filling:
            return
        self.filling = True
        try:
            with self._guarded():
                self._reread()
                self._show_tables()
                self._show_fields()
            with self._guarded():
                self._show_preview()
            self._show_state()
        finally:
            self.filling = False

    def _reread(self) -> None:
        """Read the sample again where the mapping's `reading` changed."""
        valid = self.draft.mapping
        if valid is not None and self.file.value and (valid.reading or None) != (self._reading or None):
            self._reading = valid.reading
            self._load_sample(self.file.value)

    def _show_tables(self) -> None:
        rules = (self.draft.data or {}).get("tables")
        named = (
            [str(rule.get("table", "*")) for rule in rules if isinstance(rule, dict)] if isinstance(rules, list) else []
        )
        seen = list(self.sample.tables) if self.sample is not None else []
        names = [*seen, *(name for name in named if name not in seen and not any(fnmatch(one, name) for one in seen))]
        names = names or [self.draft.source]
        if list(self.tables.options) != names:
            before = self.tables.value
            self.tables.options = names
            self.tables.value = before if before in names else names[0]
        self.tables.layout.display = None if len(names) > 1 else "none"

    def _show_fields(self) -> None:
        if self.yaml.value != self.draft.text:
            self.yaml.value = self.draft.text
        table = self.tables.value
        if self.draft.data is None and self.columns.rows:
            # The text isn't YAML just now: the fields keep what they showed, and can't be used.
            for row in (*self.columns.rows.values(), *self.tags.rows.values()):
                for widget in (row.role, row.unit, row.missing, row.states, row.asset):
                    widget.disabled = True
            return
        sample = self.sample.tables.get(table) if self.sample is not None else None
        self.columns.show(self.draft, table, sample)
        long = bool(self.draft.get(table, "tag"))
        self.tags.layout.display = self._tag_head.layout.display = None if long else "none"
        if long:
            self.tags.show(self.draft, table, sample)
        self.time.show(self.draft, table, sample)
        self.asset.show(self.draft, table, sample)

    def _show_preview(self) -> None:
        mapping = self.draft.mapping
        if self.sample is None:
            self.preview.value = muted("No sample file: name one above to see its first rows.")
            return
        if self.tables.value not in self.sample.tables:
            self.preview.value = muted(f"{self.sample.file} has no table of this name.")
            return
        if mapping is None:
            note = message("The mapping has faults; below is the last preview without any.", kind="warn")
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
        """Return the properties of assets that the mapping's times need, as the twin knows them; asked for once."""
        if "zone_of" not in draft.text:
            return {}
        if self._properties is None:
            self._properties = properties(self.folder)
        return self._properties

    def _show_state(self) -> None:
        faults = (*self.draft.errors, *self.model.errors)
        self.errors.value = messages("This can't be saved yet", faults, kind="error")
        self.save_button.disabled = not self.unsaved or bool(faults)
        if faults:
            self.save_button.tooltip = "mend what is wrong first"
        elif self.unsaved:
            self.save_button.tooltip = f"write {self.path.name}"
        else:
            self.save_button.tooltip = "nothing to save"
        mark = "● unsaved changes" if self.unsaved else f"{self.path.name} as saved"
        self.status.value = state(mark, unsaved=self.unsaved)

    # -- writing -----------------------------------------------------------------------------------------------------
    def _save(self) -> None:
        if self.draft.mapping is None or self.model.errors:
            msg = "the mapping or the model has faults, so nothing was written; mend what is listed, then save"
            raise SourceError(msg)
        if not self.unsaved:
            self._say(message("Nothing to save.", kind="ok"))
            return
        if self.model.unsaved:
            check_others(self.folder, self.model.model, but=self.path)
            self.model.kept.check()
        self._kept.check()
        lines = [*self.model.save(), *self._kept.replace(self.draft.text)]
        done = "Saved. Call twin.rebuild() to build history with it. Changed:"
        self._say(messages(done, lines, kind="ok"))
