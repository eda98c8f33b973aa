"""Buttons for the ticked rows: acknowledge them, or write one note to all of them."""

from __future__ import annotations

from collections.abc import Callable

import panel_material_ui as pmui

__all__ = ["RowActions"]


class RowActions:
    """Widgets above the table (``pieces``).

    Parameters
    ----------
    on_acknowledge : callable
        Called without arguments to acknowledge the ticked rows.
    on_note : callable
        Called with the text of a note for the ticked rows.
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
        # Always visible, disabled without ticked rows, so that the table doesn't move when a row is ticked.
        self.pieces = [self.acknowledge, self.text, self.write]

    def ticked(self, count: int) -> None:
        """Update the widgets for a number of ticked rows."""
        self.acknowledge.param.update(disabled=count == 0, label=f"Acknowledge ({count})" if count else "Acknowledge")
        self.text.disabled = self.write.disabled = count == 0

    def _written(self) -> None:
        text = str(self.text.value or "").strip()
        if text:
            self.text.value = ""
            self._on_note(text)
