"""Introduction for first-time readers: three sentences above the page, until they are dismissed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.panes import Html
from twinlab.languages import mark, tr

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Session

__all__ = ["STEPS", "onboarding"]

#: Setting that is true once a reader has dismissed the introduction.
DONE = "hint_done"
STEPS = (
    mark(
        "The list at the left has the pages (on a phone, the button at the top). Assets and period apply to all pages."
    ),
    mark("Drag over a chart to zoom in, down to single samples. “Show all” shows everything again."),
    (
        mark(
            "The bar at the bottom exports what you see: as a table, a picture, a report, a link, or the Python "
            "that reads it."
        )
    ),
)


def onboarding(session: Session) -> pn.viewable.Viewable | None:
    """Return the introduction as a strip above the page; None if the reader has dismissed it."""
    if session.settings.get(DONE):
        return None
    step = [0]
    text = Html("", margin=(6, 8), styles={"flex": "1 1 180px"})
    forward = pmui.Button(label=tr("Next"), variant="contained", size="small", margin=(4, 4), disable_elevation=True)
    dismiss = pmui.Button(label=tr("Dismiss"), variant="text", size="small", margin=(4, 4))
    strip = pn.FlexBox(
        text,
        forward,
        dismiss,
        align_items="center",
        flex_wrap="wrap",
        sizing_mode="stretch_width",
        margin=(8, 10, 0, 10),
        styles={"background": "rgba(86,180,233,.16)", "border-radius": "6px"},
    )

    def show() -> None:
        text.object = html(
            '<p role="status" style="margin:0;font:14px/1.45 Roboto,system-ui,sans-serif">'
            "<b>{{ number }} of {{ count }}</b>&ensp;{{ text }}</p>",
            number=step[0] + 1,
            count=len(STEPS),
            text=tr(STEPS[step[0]]),
        )
        forward.label = tr("Next") if step[0] + 1 < len(STEPS) else tr("Got it")

    def hide(_: object = None) -> None:
        session.settings[DONE] = True
        strip.visible = False

    def go_on(_: object) -> None:
        if step[0] + 1 == len(STEPS):
            hide()
            return
        step[0] += 1
        show()

    forward.on_click(go_on)
    dismiss.on_click(hide)
    show()
    return strip
