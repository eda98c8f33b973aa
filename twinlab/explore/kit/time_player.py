"""A time slider with play and step buttons and a text field for the instant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
import panel_material_ui as pmui
import param
from panel.io import hold

from twinlab.explore.charts.reading import instant_text
from twinlab.explore.kit.link import parse_instant
from twinlab.explore.kit.widgets import row, without_debounce
from twinlab.languages import mark, tr, tr_keys

if TYPE_CHECKING:
    from twinlab.explore.charts.reading import Window

__all__ = ["STEPS", "TimePlayer", "usual_step"]

#: Label -> seconds of one step.
STEPS = {
    mark("1 min"): 60,
    mark("5 min"): 300,
    mark("15 min"): 900,
    mark("1 hour"): 3_600,
    mark("6 hours"): 21_600,
    mark("1 day"): 86_400,
}
#: Label -> milliseconds between two steps while playing.
SPEEDS = {mark("1 step/s"): 1_000, mark("2 steps/s"): 500, mark("4 steps/s"): 250}
# Icons as SVG: in a notebook the icon font of the page is missing, and icon names would be shown as text.
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{}"/></svg>'
_BACK, _PLAY, _PAUSE, _FORWARD = map(
    _SVG.format,
    (
        "M6 6h2v12H6zm3.5 6 8.5 6V6z",
        "M8 5v14l11-7z",
        "M6 19h4V5H6v14zm8-14v14h4V5h-4z",
        "M6 18l8.5-6L6 6v12zM16 6v12h2V6h-2z",
    ),
)
#: Most positions of a slider; with more, a finger or an arrow key couldn't select one.
_MAX_POSITIONS = 3_000


def usual_step(span: Window) -> int:
    """Return the finest step, in seconds, with which a slider over a span has few enough positions.

    >>> day = np.datetime64("2026-01-01"), np.datetime64("2026-01-02")
    >>> usual_step(day)
    60
    """
    seconds = float((span[1] - span[0]) / np.timedelta64(1, "s"))
    return next((step for step in STEPS.values() if seconds / step <= _MAX_POSITIONS), 86_400)


class TimePlayer(param.Parameterized):
    """Widgets that select an instant.

    Parameters
    ----------
    on_move : callable
        Called with each selected instant.
    """

    step = param.Selector(default=3_600, objects=list(STEPS.values()), doc="seconds of a step")
    speed = param.Selector(default=500, objects=list(SPEEDS.values()), doc="milliseconds between steps while playing")
    playing = param.Boolean(default=False)

    def __init__(self, *, on_move: Callable[[np.datetime64], None]) -> None:
        super().__init__()
        self._on_move = on_move
        self._span: Window | None = None
        self._quiet = False
        self._at: np.datetime64 | None = None
        self._callback: Any = None
        self._slider = pmui.IntSlider(
            label=tr("Time"), start=0, end=1, value=0, show_value=False, sizing_mode="stretch_width", min_width=160
        )
        self._text = pmui.TextInput(label=tr("Instant (UTC)"), width=190, size="small")
        self._slider.param.watch(self._slider_moved, "value")
        self._text.param.watch(self._text_changed, "value")

    @property
    def span(self) -> Window | None:
        """First and last selectable instant."""
        return self._span

    @span.setter
    def span(self, span: Window | None) -> None:
        first = self._span is None
        self._span = span
        if span is not None and first:
            self.step = usual_step(span)
        self._fit()

    @property
    def at(self) -> np.datetime64 | None:
        """The shown instant."""
        return self._at

    def show(self, at: np.datetime64) -> None:
        """Show an instant without calling ``on_move``."""
        self._at = at
        position = 0 if self._span is None else round(float((at - self._span[0]) / self._width()))
        before, self._quiet = self._quiet, True
        try:
            self._slider.value = int(np.clip(position, 0, self._slider.end))
            self._text.param.update(value=instant_text(at), error_state=False)
        finally:
            self._quiet = before

    def move(self, steps: int) -> None:
        """Move forward by a number of steps, or back if negative."""
        if self._span is not None and self._at is not None:
            at = self._at + steps * self._width()
            self._go(min(max(at, self._span[0]), self._span[1]))

    def _width(self) -> np.timedelta64:
        return np.timedelta64(int(self.step), "s").astype("timedelta64[ns]")

    @param.depends("step", watch=True)
    def _fit(self) -> None:
        if self._span is None:
            return
        before, self._quiet = self._quiet, True
        try:
            # Rounded up, so that the newest instant can be selected.
            self._slider.end = max(1, int(np.ceil((self._span[1] - self._span[0]) / self._width())))
        finally:
            self._quiet = before
        if self._at is not None:
            self.show(self._at)

    def _slider_moved(self, event: Any) -> None:
        if not self._quiet and self._span is not None:
            self._go(min(self._span[0] + int(event.new) * self._width(), self._span[1]))

    def _text_changed(self, event: Any) -> None:
        if self._quiet:
            return
        found = parse_instant(str(event.new))
        if found is None:
            self._text.error_state = True
        else:
            self._go(found)

    def _go(self, at: np.datetime64) -> None:
        # All changes of a step are sent in one message and painted once.
        with hold():
            self.show(at)
            self._on_move(at)

    # -- playing ------------------------------------------------------------------------------------------------------

    @param.depends("playing", "speed", watch=True)
    def _play(self) -> None:
        if self._callback is not None:
            self._callback.stop()
            self._callback = None
        if self.playing:
            self._callback = pn.state.add_periodic_callback(self._tick, period=int(self.speed))

    def _tick(self) -> None:
        if self._span is None or self._at is None or self._at >= self._span[1]:
            self.playing = False
        else:
            self.move(1)

    def panel(self) -> pn.viewable.Viewable:
        """Return the widgets in a row."""
        back = pmui.IconButton(
            icon=_BACK, description=tr("One step back"), size="small", icon_size="1.4em", align="end"
        )
        # A button with a label, since an icon button doesn't update its icon.
        play = pmui.Button(
            icon=_PLAY, label=tr("Play"), size="small", icon_size="1.4em", variant="text", width=96, margin=(5, 0)
        )
        forward = pmui.IconButton(
            icon=_FORWARD, description=tr("One step on"), size="small", icon_size="1.4em", align="end"
        )
        back.on_click(lambda _: self.move(-1))
        forward.on_click(lambda _: self.move(1))
        play.on_click(lambda _: self.param.update(playing=not self.playing))

        def update_label(*_: object) -> None:
            play.param.update(icon=_PAUSE if self.playing else _PLAY, label=tr("Pause") if self.playing else tr("Play"))

        self.param.watch(update_label, "playing")
        step = without_debounce(
            pmui.Select.from_param(
                self.param.step, label=tr("Step"), options=tr_keys(STEPS), width=105, size="small", description=""
            )
        )
        speed = without_debounce(
            pmui.Select.from_param(
                self.param.speed, label=tr("Speed"), options=tr_keys(SPEEDS), width=125, size="small", description=""
            )
        )
        return pn.Column(
            row([back, play, forward, self._text, step, speed], margin=(0, 0, 0, 0)),
            self._slider,
            sizing_mode="stretch_width",
            margin=(0, 10),
        )
