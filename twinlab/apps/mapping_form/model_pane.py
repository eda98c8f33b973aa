"""The form's text field of ``twin.yaml``, where a unit that the draft doesn't state can be added."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import ipywidgets as widgets

from twinlab.apps.mapping_form.files import EditedFile
from twinlab.apps.mapping_form.html import heading
from twinlab.errors import TwinlabError
from twinlab.languages import tr
from twinlab.model.load import load_model, parse_model
from twinlab.model.twinmodel import TwinModel

__all__ = ["ModelPane"]


class Host(Protocol):
    """What this pane needs of the form."""

    updating: bool

    def edit_model(self, text: str) -> None:
        """Replace the text of the model."""


class ModelPane(widgets.VBox):
    """``twin.yaml`` as text.

    Parameters
    ----------
    host : Host
        The form.
    path : Path
        The ``twin.yaml``.

    Raises
    ------
    SchemaError
        If the file breaks its schema.
    """

    def __init__(self, host: Host, path: Path) -> None:
        self._host = host
        self.model: TwinModel = load_model(path)
        self.edited = EditedFile(path)
        self.errors: tuple[str, ...] = ()
        self.text = widgets.Textarea(
            value=self.edited.text, rows=14, tooltip=tr("the model as YAML"), layout=widgets.Layout(width="auto")
        )
        self.text.add_class("tl-yaml")
        self.text.observe(self._changed, "value")
        note = tr("the signals to choose from, with their units; saved along")
        super().__init__(children=[widgets.HTML(heading(tr("Model (twin.yaml)"), note=note)), self.text])

    @property
    def unsaved(self) -> bool:
        """Whether the text differs from what was read or saved last."""
        return bool(self.text.value != self.edited.text)

    def take(self, text: str) -> bool:
        """Parse another text; return whether it is a valid model."""
        try:
            self.model = parse_model(text, self.edited.path.name)
        except TwinlabError as error:
            self.errors = tuple(str(error).splitlines())
            return False
        self.errors = ()
        return True

    def reload(self) -> None:
        """Discard the edits and read the file again."""
        text = self.edited.reload()
        if self.text.value == text:
            self.take(text)
        self.text.value = text

    def save(self) -> list[str]:
        """Write the file if it was edited; return the changes."""
        return self.edited.replace(self.text.value)

    def _changed(self, change: dict[str, Any]) -> None:
        if not self._host.updating:
            self._host.edit_model(change["new"])
