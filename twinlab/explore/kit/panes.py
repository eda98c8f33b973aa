"""HTML panes: updated in place, and the loading, empty and error states of a page."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import panel as pn
import panel_material_ui as pmui

if TYPE_CHECKING:
    from bokeh.model import Model

__all__ = ["Html", "failed", "nothing", "reading"]

# Grey blocks where a page's controls, chart and table will stand. They hold still for who asks for less motion.
_SKELETON = """
<style>
.tl-blocks{display:grid;gap:14px;padding:10px}
.tl-blocks div{border-radius:6px;background:rgba(127,127,127,.16)}
.tl-reading{font:14px/1.4 Roboto,system-ui,sans-serif;margin:14px 10px 0}
@media (prefers-reduced-motion: no-preference){
.tl-blocks div{animation:tl-breathe 1.6s ease-in-out infinite}
@keyframes tl-breathe{50%{opacity:.45}}}
</style>"""


class Html(pn.pane.HTML):
    """HTML that stays without a network in a notebook, however often its text changes.

    Panel's own pane states all its properties anew with every text, the addresses of its style sheets on Panel's CDN
    among them. In a notebook that undoes ``pn.extension(inline=True)``, which writes the sheets into a model only where
    the model is first shown. The sheets don't depend on the text, so those that the model has are kept.

    >>> Html("<b>45 °F</b>").object
    '<b>45 °F</b>'
    """

    # Never what ``pn.panel`` chooses for an object.
    priority = 0

    def _update(self, ref: str, model: Model) -> None:  # noqa: ARG002  (Panel passes both)
        properties = self._get_properties(model.document)
        properties.pop("stylesheets", None)
        model.update(**properties)


def reading(label: str) -> Html:
    """Return what stands where a page is being read."""
    return Html(
        f'{_SKELETON}<p class="tl-reading" role="status">Reading {escape(label)} …</p>'
        '<div class="tl-blocks" aria-hidden="true"><div style="height:40px;max-width:560px"></div>'
        '<div style="height:300px"></div><div style="height:120px"></div></div>',
        sizing_mode="stretch_width",
        min_height=540,
    )


def nothing(title: str, detail: str = "", *, height: int = 360) -> Html:
    """Return what stands where there is nothing to show: a sentence in a frame as large as what will stand there.

    >>> "No samples yet" in nothing("No samples yet").object
    True
    """
    return Html(
        f'<div role="status" style="box-sizing:border-box;min-height:{height}px;display:flex;flex-direction:column;'
        "align-items:center;justify-content:center;gap:10px;text-align:center;padding:24px;border-radius:8px;"
        'border:1px dashed rgba(127,127,127,.5);font-family:Roboto,system-ui,sans-serif">'
        f'<div style="font-size:17px;font-weight:600">{escape(title)}</div>'
        f'<div style="font-size:14px;opacity:.85;max-width:46em">{escape(detail)}</div></div>',
        sizing_mode="stretch_width",
    )


def failed(label: str, why: str, *, retry: Callable[[], None]) -> pn.viewable.Viewable:
    """Return what stands in place of a page that can't be shown: why, what to do, and a button to try again."""
    text = Html(
        "<style>.tl-why::first-letter{text-transform:uppercase}</style>"
        '<div role="alert" style="font:15px/1.5 Roboto,system-ui,sans-serif;overflow-wrap:anywhere;max-width:70ch">'
        f'<h2 style="font:500 20px/1.3 Roboto,system-ui,sans-serif;margin:0 0 6px">{escape(label)} can\'t be shown</h2>'
        f'<p class="tl-why" style="margin:0 0 6px">{escape(why)}</p>'
        '<p style="margin:0;opacity:.85">Do what the message says, then try again. '
        "The other pages can be used meanwhile.</p></div>",
        sizing_mode="stretch_width",
        margin=(4, 10, 8, 10),
    )
    again = pmui.Button(label="Try again", icon="refresh", variant="outlined", size="small", margin=(0, 10))
    again.on_click(lambda _: retry())
    return pn.Column(text, again, sizing_mode="stretch_width", margin=(36, 6))
