"""Work of the page that takes a while: run in a thread, with progress, its result or its error in one line of text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import holoviews as hv
import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.errors import TwinlabError
from twinlab.explore.kit.panes import Html
from twinlab.languages import tr

__all__ = ["TEXT", "Work", "drawn"]

TEXT: Final = "font:14px/1.5 Roboto,system-ui,sans-serif"
#: Seconds between two looks at how far a replay is.
_LOOK: Final = 0.25


class Work:
    """Runs one thing at a time; its `line` says what is done or has failed."""

    def __init__(self) -> None:
        self.line = Html("", sizing_mode="stretch_width", margin=(0, 10))
        self._buttons: list[pmui.Button] = []
        self._progress = (0, 0, "")

    def button(self, label: str, action: Callable[..., Any], *, icon: str, variant: str) -> pmui.Button:
        """Return a button that is disabled while something runs."""
        made = pmui.Button(
            label=label, icon=icon, variant=variant, size="small", margin=(4, 10), sx={"textTransform": "none"}
        )
        made.on_click(action)
        self._buttons.append(made)
        return made

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run work in a thread with the buttons disabled; None if it failed, which is shown."""
        for button in self._buttons:
            button.disabled = True
        task = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            while not task.done():
                await asyncio.wait([task], timeout=_LOOK)
                done, total, what = self._progress
                if total and not task.done():
                    self.say(
                        tr("{total:.0%} of {total2:,} cells, {what}", total=done / total, total2=total, what=what),
                        share=done / total,
                    )
            return task.result()
        except (TwinlabError, OSError) as error:
            self.say(str(error), failed=True)
            return None
        finally:
            self._progress = (0, 0, "")
            for button in self._buttons:
                button.disabled = False

    def note(self, done: int, total: int, what: str = "") -> None:
        """Take over how far the work is; called in its thread."""
        self._progress = done, total, what

    def say(self, text: str, *, failed: bool = False, share: float | None = None) -> None:
        """Show a sentence, an error, or progress."""
        self.line.object = html(
            "<div role='{{ 'alert' if failed else 'status' }}' style='{{ style }};white-space:pre-line;overflow-wrap:anywhere'>"
            "{% if failed %}<b>&#9888;</b> {% endif %}{{ text }}"
            "{% if share is not none %}<progress style='display:block;width:min(420px,100%)' value='{{ share }}' max='1' "
            "aria-label='progress'></progress>{% endif %}</div>",
            style=TEXT,
            text=text,
            failed=failed,
            share=share,
        )


def drawn(chart: hv.Dimensioned, **options: object) -> pn.pane.HoloViews:
    """Return a chart as wide as the page and as high as it says."""
    height = hv.Store.lookup_options("bokeh", chart, "plot").kwargs.get("height", 240)
    return pn.pane.HoloViews(chart, backend="bokeh", sizing_mode="stretch_width", height=height, **options)
