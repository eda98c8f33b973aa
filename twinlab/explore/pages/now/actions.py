"""What a reader does with the ticked rows: acknowledge them, and write one note to all."""

from __future__ import annotations

from collections.abc import Callable

import panel_material_ui as pmui

__all__ = ["RowActions"]


class RowActions:
    """Buttons over the table.

    Parameters
    ----------
    on_acknowledge : callable
        Called without anything when the ticked rows are acknowledged.
    on_note : callable
        Called with a text for the ticked rows.
    """

    def __init__(self, *, on_acknowledge: Callable[[], None], on_note: Callable[[str], None]) -> None:
        self._on_note = on_note
        self.acknowledge = pmui.Button(
            label="Acknowledge", icon="done_all", variant="outlined", size="small", margin=4, disabled=True
        )
        self.acknowledge.on_click(lambda _: on_acknowledge())
        self.text = pmui.TextInput(label="Note to ticked rows", size="small", width=184, margin=(4, 6), disabled=True)
        self.write = pmui.Button(label="Write", variant="outlined", size="small", margin=4, disabled=True)
        self.write.on_click(lambda _: self._written())
        # They stand always: the table mustn't move under the reader's hand.
        self.pieces = [self.acknowledge, self.text, self.write]

    def ticked(self, count: int) -> None:
        """Say how many rows are ticked."""
        self.acknowledge.param.update(disabled=count == 0, label=f"Acknowledge ({count})" if count else "Acknowledge")
        self.text.disabled = self.write.disabled = count == 0

    def _written(self) -> None:
        text = str(self.text.value or "").strip()
        if text:
            self.text.value = ""
            self._on_note(text)
