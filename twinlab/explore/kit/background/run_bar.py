"""A button that computes, one that cancels, how far it is, and what is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.widgets import row
from twinlab.languages import tr

__all__ = ["RunBar"]


class RunBar:
    """Buttons to compute and to cancel, others beside them, a progress bar and a sentence (``pane``).

    Parameters
    ----------
    label : str
        Of the button that computes.
    on_run, on_cancel : callable
        Called without arguments when their button is pressed.
    ready : str
        The sentence at first.
    before, after : mapping of str to callable, optional
        Labels of more buttons, and what they call: those before anything is computed, and those that need a result.
    """

    def __init__(
        self,
        label: str,
        *,
        on_run: Callable[[], None],
        on_cancel: Callable[[], None],
        ready: str,
        before: Mapping[str, Callable[[], None]] | None = None,
        after: Mapping[str, Callable[[], None]] | None = None,
    ) -> None:
        self.run = pmui.Button(label=tr(label), variant="contained", size="small", on_click=lambda _: on_run())
        self._cancel = _button(tr("Cancel"), on_cancel, disabled=True)
        self._before = [_button(name, call) for name, call in (before or {}).items()]
        self._after = [_button(name, call, disabled=True) for name, call in (after or {}).items()]
        self._bar = pmui.LinearProgress(value=0, visible=False, sizing_mode="stretch_width", margin=(2, 10))
        self.status = pmui.Typography(tr(ready), variant="body2", margin=(2, 10), sizing_mode="stretch_width")
        buttons = row([self.run, *self._before, self._cancel, *self._after], margin=(4, 0, 4, 0))
        self.pane = pn.Column(buttons, self.status, self._bar, sizing_mode="stretch_width")

    def say(self, text: str, *, percent: int | None = None) -> None:
        """Show a sentence, and how far the computation is."""
        self.status.object = text
        if percent is not None:
            self._bar.value = percent

    def begin(self, text: str) -> None:
        """Show that something is computed, which can be cancelled."""
        self.say(text, percent=0)
        self._bar.visible = True
        self._enable(running=True, result=False)

    def end(self, text: str, *, result: bool = False) -> None:
        """Show that nothing is computed.

        Parameters
        ----------
        text : str
        result : bool
            Whether there is a result for the buttons that need one.
        """
        self._bar.visible = False
        self.say(text)
        self._enable(running=False, result=result)

    def _enable(self, *, running: bool, result: bool) -> None:
        for button in (self.run, *self._before):
            button.disabled = running
        self._cancel.disabled = not running
        for button in self._after:
            button.disabled = not result


def _button(label: str, on_click: Callable[[], None], *, disabled: bool = False) -> pmui.Button:
    return pmui.Button(label=label, variant="outlined", size="small", disabled=disabled, on_click=lambda _: on_click())
