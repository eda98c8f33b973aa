"""The buttons of a run, how far it is, and what it said last."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui

from twinlab.explore.kit.widgets import row

__all__ = ["RunBar"]

_READY = "Add changes, or run the base alone. Nothing is computed before you press Run."


class RunBar:
    """Buttons to run, cancel, quote and extend, a progress bar, and a sentence (``pane``).

    Parameters
    ----------
    on_run, on_cancel, on_quote, on_more : callable
        Called without arguments when their button is pressed.
    """

    def __init__(
        self,
        *,
        on_run: Callable[[], None],
        on_cancel: Callable[[], None],
        on_quote: Callable[[], None],
        on_more: Callable[[], None],
    ) -> None:
        self.run = pmui.Button(label="Run", variant="contained", size="small", on_click=lambda _: on_run())
        self._cancel = _button("Cancel", on_cancel, disabled=True)
        self._quote = _button("Quote", on_quote)
        self._more = _button("More futures", on_more, disabled=True)
        self._bar = pmui.LinearProgress(value=0, visible=False, sizing_mode="stretch_width", margin=(2, 10))
        self._status = pmui.Typography(_READY, variant="body2", margin=(2, 10), sizing_mode="stretch_width")
        self.pane = pn.Column(
            row([self.run, self._quote, self._cancel, self._more], margin=(4, 0, 4, 0)),
            self._status,
            self._bar,
            sizing_mode="stretch_width",
        )

    def say(self, text: str, *, percent: int | None = None) -> None:
        """Show a sentence, and how far the run is."""
        self._status.object = text
        if percent is not None:
            self._bar.value = percent

    def begin(self, text: str) -> None:
        """Show that something is computed, which can be cancelled."""
        self._bar.param.update(visible=True, value=0)
        self.say(text)
        self._enable(running=True, extendable=False)

    def end(self, text: str, *, extendable: bool) -> None:
        """Show that nothing is computed.

        Parameters
        ----------
        text : str
        extendable : bool
            Whether there are results to which more futures can be added.
        """
        self._bar.visible = False
        self.say(text)
        self._enable(running=False, extendable=extendable)

    def _enable(self, *, running: bool, extendable: bool) -> None:
        self.run.disabled = self._quote.disabled = running
        self._cancel.disabled = not running
        self._more.disabled = running or not extendable


def _button(label: str, on_click: Callable[[], None], *, disabled: bool = False) -> pmui.Button:
    return pmui.Button(label=label, variant="outlined", size="small", disabled=disabled, on_click=lambda _: on_click())
