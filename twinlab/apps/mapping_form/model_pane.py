"""The form's pane of the model: a drafted signal may lack the unit that its mapping should convert to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import ipywidgets as widgets

from twinlab.apps.mapping_form.files import KeptText
from twinlab.apps.mapping_form.html import heading
from twinlab.errors import TwinlabError
from twinlab.model.load import load_model, parse_model
from twinlab.model.twinmodel import TwinModel

__all__ = ["ModelPane"]


class Host(Protocol):
    """The form, as this pane sees it."""

    filling: bool

    def edit_model(self, text: str) -> None:
        """Take another text for the model."""


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
        self.kept = KeptText(path)
        self.errors: tuple[str, ...] = ()
        self.text = widgets.Textarea(
            value=self.kept.text, rows=14, tooltip="the model as YAML", layout=widgets.Layout(width="auto")
        )
        self.text.add_class("tl-yaml")
        self.text.observe(self._changed, "value")
        note = "the signals to choose from, with their units; saved along"
        super().__init__(children=[widgets.HTML(heading("Model (twin.yaml)", note=note)), self.text])

    @property
    def unsaved(self) -> bool:
        """Whether the text differs from what was read or saved last."""
        return bool(self.text.value != self.kept.text)

    def take(self, text: str) -> bool:
        """Read another text; return whether there is another model."""
        try:
            self.model = parse_model(text, self.kept.path.name)
        except TwinlabError as error:
            self.errors = tuple(str(error).splitlines())
            return False
        self.errors = ()
        return True

    def reload(self) -> None:
        """Forget the edits and read the file again."""
        text = self.kept.reload()
        if self.text.value == text:
            self.take(text)
        self.text.value = text

    def save(self) -> list[str]:
        """Write the file if it was edited; return what changed."""
        return self.kept.replace(self.text.value)

    def _changed(self, change: dict[str, Any]) -> None:
        if not self._host.filling:
            self._host.edit_model(change["new"])
