"""Three steps for who comes for the first time. It lies over nothing, and once put away it never comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.explore.kit.panes import Html

if TYPE_CHECKING:
    from twinlab.explore.kit.session import Session

__all__ = ["STEPS", "hint"]

#: Name of the setting that says the hint was put away.
DONE = "hint_done"
STEPS = (
    (
        "The list at the left has the pages; on a phone it opens with the button at the top. What you choose on one, assets "
        "and period, goes along to the others."
    ),
    "Drag over a chart to look closer, down to single samples. “Show all” brings everything back.",
    (
        "The bar at the bottom takes what you see elsewhere: as a table, a picture, a report, a link, or the Python "
        "that reads it."
    ),
)


def hint(session: Session) -> pn.viewable.Viewable | None:
    """Return the hint as a strip above the page; None for who has put it away."""
    if session.settings.get(DONE):
        return None
    step = [0]
    text = Html("", margin=(6, 8), styles={"flex": "1 1 260px"})
    onward = pmui.Button(label="Next", variant="contained", size="small", margin=(4, 4), disable_elevation=True)
    away = pmui.Button(label="Put away", variant="text", size="small", margin=(4, 4))
    strip = pn.FlexBox(
        text,
        onward,
        away,
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
            text=STEPS[step[0]],
        )
        onward.label = "Next" if step[0] + 1 < len(STEPS) else "Got it"

    def put_away(_: object = None) -> None:
        session.settings[DONE] = True
        strip.visible = False

    def go_on(_: object) -> None:
        if step[0] + 1 == len(STEPS):
            put_away()
            return
        step[0] += 1
        show()

    onward.on_click(go_on)
    away.on_click(put_away)
    show()
    return strip
