"""Changes in words: read into a draft, shown beside the plan and on its map, and added only when the reader says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.background.run import BackgroundRun
from twinlab.explore.kit.panes import Html
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.ask.drafting.draft import ScenarioDraft

__all__ = ["ChangeText"]

_EXAMPLE = mark("close BER tomorrow from 6 to 12 o'clock")
_DRAFT = (
    '<pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:8px 12px;border-radius:6px;'
    'border:1px solid rgba(127,127,127,.5);font-size:13px;line-height:1.45">{{ text }}</pre>'
)


class ChangeText:
    """A field for changes in words, and the draft that was read (``pane``). Nothing is simulated by it.

    Parameters
    ----------
    read : callable
        Called with the text, in the background; returns a `ScenarioDraft`.
    on_shown : callable
        Called with the draft while it is shown, and with None when it is gone.
    on_add : callable
        Called with the draft that the reader adds to the plan.
    """

    def __init__(
        self,
        read: Callable[[str], ScenarioDraft],
        *,
        on_shown: Callable[[ScenarioDraft | None], None],
        on_add: Callable[[ScenarioDraft], None],
    ) -> None:
        self._read, self._on_shown, self._on_add = read, on_shown, on_add
        self.draft: ScenarioDraft | None = None
        self.field = pmui.TextInput(
            label=tr("Changes in words"),
            placeholder=tr(_EXAMPLE),
            size="small",
            sizing_mode="stretch_width",
            max_width=560,
        )
        self.button = pmui.Button(label=tr("Read"), variant="outlined", size="small", on_click=lambda _: self.read())
        self.field.param.watch(lambda _: self.read(), "enter_pressed")
        self.shown = Html("", sizing_mode="stretch_width", margin=(4, 10))
        add = pmui.Button(label=tr("Add to the plan"), size="small", on_click=lambda _: self.add())
        drop = pmui.Button(label=tr("Discard"), variant="text", size="small", on_click=lambda _: self.discard())
        self._choices = pn.Row(add, drop, visible=False)
        self.button.align = "center"
        line = pn.Row(self.field, self.button, sizing_mode="stretch_width", margin=(4, 0, 0, 0))
        self.pane = pn.Column(line, self.shown, self._choices, sizing_mode="stretch_width")

    def read(self) -> None:
        """Read the text in the field; the draft, or why there is none, is shown when it is there."""
        text = self.field.value_input.strip() or self.field.value.strip()
        if not text:
            return
        self._show(None)
        self.shown.object = html('<p role="status" style="margin:0">{{ text }}</p>', text=tr("The text is read …"))
        self.button.disabled = True
        BackgroundRun(lambda **_: self._read(text), on_progress=lambda _: None, on_end=self._ended).start()

    def _ended(self, draft: Any, fault: str | None) -> None:
        self.button.disabled = False
        if fault is not None:
            self.shown.object = html(_DRAFT, text=fault)
            return
        self._show(draft)
        self.shown.object = html(_DRAFT, text=str(draft))

    def add(self) -> None:
        """Add the draft that is shown to the plan."""
        draft = self.draft
        if draft is None:
            return
        self.discard()
        self._on_add(draft)

    def discard(self) -> None:
        """Forget the draft, and the text."""
        self._show(None)
        self.field.param.update(value="", value_input="")
        self.shown.object = ""

    def _show(self, draft: ScenarioDraft | None) -> None:
        self.draft = draft if draft is not None and draft.valid else None
        self._choices.visible = self.draft is not None
        self._on_shown(self.draft)
