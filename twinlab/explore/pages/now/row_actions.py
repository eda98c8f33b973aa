"""Buttons for the ticked rows: acknowledge them, write one note to all of them, or snooze their alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui

from twinlab.explore.pages.now.alerts import SNOOZES
from twinlab.languages import tr

__all__ = ["RowActions"]


class RowActions:
    """Widgets above the table (``pieces``).

    Parameters
    ----------
    on_acknowledge : callable
        Called without arguments to acknowledge the ticked rows.
    on_note : callable
        Called with the text of a note for the ticked rows.
    on_snooze : callable, optional
        Called with a number of hours, to snooze the alerts of the ticked rows; None where there are no alerts.
    """

    def __init__(
        self,
        *,
        on_acknowledge: Callable[[], None],
        on_note: Callable[[str], None],
        on_snooze: Callable[[int], None] | None = None,
    ) -> None:
        self._on_note = on_note
        self.acknowledge = pmui.Button(
            label=tr("Acknowledge"), icon="done_all", variant="outlined", size="small", margin=4, disabled=True
        )
        self.acknowledge.on_click(lambda _: on_acknowledge())
        self.text = pmui.TextInput(
            label=tr("Note to ticked rows"), size="small", width=184, margin=(4, 6), disabled=True
        )
        self.write = pmui.Button(label=tr("Write"), variant="outlined", size="small", margin=4, disabled=True)
        self.write.on_click(lambda _: self._written())
        # Always visible, disabled without ticked rows, so that the table doesn't move when a row is ticked.
        self.pieces: list[Any] = [self.acknowledge, self.text, self.write]
        self.snooze: pmui.MenuButton | None = None
        if on_snooze is not None:
            self.snooze = pmui.MenuButton(
                label=tr("Snooze alert"),
                icon="snooze",
                items=[{"label": tr("for {label}", label=label), "hours": hours} for label, hours in SNOOZES.items()],
                variant="outlined",
                size="small",
                margin=4,
                disabled=True,
            )
            self.snooze.on_click(lambda item: on_snooze(int(item["hours"])))
            self.pieces.append(self.snooze)

    def ticked(self, count: int) -> None:
        """Update the widgets for a number of ticked rows."""
        self.acknowledge.param.update(
            disabled=count == 0, label=tr("Acknowledge ({count})", count=count) if count else tr("Acknowledge")
        )
        self.text.disabled = self.write.disabled = count == 0
        if self.snooze is not None:
            self.snooze.disabled = count == 0

    def _written(self) -> None:
        text = str(self.text.value or "").strip()
        if text:
            self.text.value = ""
            self._on_note(text)
