"""A button that computes, one that cancels, how far it is, and what is shown."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.widgets import row

__all__ = ["RunBar"]


class RunBar:
    """Two buttons, a progress bar and a sentence (``pane``).

    Parameters
    ----------
    label : str
        Of the button that computes.
    on_run, on_cancel : callable
        Called without arguments when their button is pressed.
    ready : str
        The sentence at first.
    """

    def __init__(self, label: str, *, on_run: Callable[[], None], on_cancel: Callable[[], None], ready: str) -> None:
        self.run = pmui.Button(label=label, variant="contained", size="small", on_click=lambda _: on_run())
        self._cancel = pmui.Button(
            label="Cancel", variant="outlined", size="small", disabled=True, on_click=lambda _: on_cancel()
        )
        self._bar = pmui.LinearProgress(value=0, visible=False, sizing_mode="stretch_width", margin=(2, 10))
        self.status = pmui.Typography(ready, variant="body2", margin=(2, 10), sizing_mode="stretch_width")
        buttons = row([self.run, self._cancel], margin=(4, 0, 4, 0))
        self.pane = pn.Column(buttons, self.status, self._bar, sizing_mode="stretch_width")

    def say(self, text: str, *, percent: int | None = None) -> None:
        """Show a sentence, and how far the computation is."""
        self.status.object = text
        if percent is not None:
            self._bar.value = percent

    def begin(self, text: str) -> None:
        """Show that something is computed."""
        self.say(text, percent=0)
        self._bar.visible, self.run.disabled, self._cancel.disabled = True, True, False

    def end(self, text: str) -> None:
        """Show that nothing is computed."""
        self.say(text)
        self._bar.visible, self.run.disabled, self._cancel.disabled = False, False, True
