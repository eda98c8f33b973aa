"""HTML panes: updated in place, and the loading, empty and error states of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from twinlab._html import html
from twinlab.languages import tr

if TYPE_CHECKING:
    from bokeh.model import Model
    from markupsafe import Markup

__all__ = ["Html", "code_html", "empty_pane", "error_pane", "loading_pane", "verdict_heading"]

# Grey blocks in the places of controls, chart and table; without animation for users who prefer reduced motion.
_SKELETON = """
<style>
.tl-blocks{display:grid;gap:14px;padding:10px}
.tl-blocks div{border-radius:6px;background:rgba(127,127,127,.16)}
.tl-reading{font:14px/1.4 Roboto,system-ui,sans-serif;margin:14px 10px 0}
@media (prefers-reduced-motion: no-preference){
.tl-blocks div{animation:tl-breathe 1.6s ease-in-out infinite}
@keyframes tl-breathe{50%{opacity:.45}}}
</style><p class="tl-reading" role="status">Reading {{ label }} …</p>\
<div class="tl-blocks" aria-hidden="true"><div style="height:40px;max-width:560px"></div>\
<div style="height:300px"></div><div style="height:120px"></div></div>"""
_NOTHING = """\
<div role="status" style="box-sizing:border-box;min-height:{{ height }}px;display:flex;flex-direction:column;\
align-items:center;justify-content:center;gap:10px;text-align:center;padding:24px;border-radius:8px;\
border:1px dashed rgba(127,127,127,.5);font-family:Roboto,system-ui,sans-serif">\
<div style="font-size:17px;font-weight:600">{{ title }}</div>\
<div style="font-size:14px;opacity:.85;max-width:46em">{{ detail }}</div></div>"""
_VERDICT = """\
<div role="status" style="display:flex;gap:12px;align-items:center">\
<span aria-hidden="true" style="flex:none;width:30px;height:30px;border-radius:50%;border:2px solid {{ color }};\
display:inline-flex;align-items:center;justify-content:center;font:700 17px Roboto,system-ui">{{ sign }}</span>\
<div style="overflow-wrap:anywhere"><h2 style="font:600 18px/1.3 Roboto,system-ui,sans-serif;margin:0">{{ head }}</h2>\
<p style="font:14px/1.5 Roboto,system-ui,sans-serif;margin:2px 0 0">{{ detail }}</p></div></div>"""
#: Whether all is well (None: unknown) -> sign and colour; the signs differ, so that the colour isn't needed.
_SIGNS = {True: ("✓", "#009E73"), False: ("!", "#D55E00"), None: ("○", "currentColor")}
_FAILED = """\
<style>.tl-why::first-letter{text-transform:uppercase}</style>\
<div role="alert" style="font:15px/1.5 Roboto,system-ui,sans-serif;overflow-wrap:anywhere;max-width:70ch">\
<h2 style="font:500 20px/1.3 Roboto,system-ui,sans-serif;margin:0 0 6px">{{ label }} can't be shown</h2>\
<p class="tl-why" style="margin:0 0 6px">{{ why }}</p>\
<p style="margin:0;opacity:.85">Do what the message says, then try again. The other pages can be used meanwhile.</p>\
</div>"""


class Html(pn.pane.HTML):
    """A pane of HTML that makes no request in a notebook when its text changes.

    Panel's own pane sends all its properties with every text, the addresses of its style sheets on Panel's CDN among
    them. In a notebook that undoes ``pn.extension(inline=True)``, which inlines the sheets only when the model is first
    shown. The sheets don't depend on the text, so an update leaves them out.

    >>> Html("<b>45 °F</b>").object
    '<b>45 °F</b>'
    """

    # Never selected by ``pn.panel`` for an object.
    priority = 0

    def _transform_object(self, obj: Any) -> dict[str, Any]:
        # Panel escapes the text for its message with str.replace, which `Markup` would escape once more.
        return super()._transform_object(str(obj) if isinstance(obj, str) else obj)

    def _update(self, ref: str, model: Model) -> None:  # noqa: ARG002  (Panel passes both)
        properties = self._get_properties(model.document)
        properties.pop("stylesheets", None)
        model.update(**properties)


def loading_pane(label: str) -> Html:
    """Return the loading state of a page: grey blocks and what is being read."""
    return Html(
        html(_SKELETON, label=label),
        sizing_mode="stretch_width",
        min_height=540,
    )


def empty_pane(title: str, detail: str = "", *, height: int = 360) -> Html:
    """Return the empty state of a page: a sentence in a frame as high as the missing content.

    >>> "No samples yet" in empty_pane("No samples yet").object
    True
    """
    return Html(
        html(_NOTHING, title=tr(title), detail=tr(detail) if detail else "", height=height), sizing_mode="stretch_width"
    )


def error_pane(label: str, why: str, *, retry: Callable[[], None]) -> pn.viewable.Viewable:
    """Return the error state of a page: the cause, what to do, and a button to try again."""
    text = Html(html(_FAILED, label=label, why=why), sizing_mode="stretch_width", margin=(4, 10, 8, 10))
    again = pmui.Button(label=tr("Try again"), icon="refresh", variant="outlined", size="small", margin=(0, 10))
    again.on_click(lambda _: retry())
    return pn.Column(text, again, sizing_mode="stretch_width", margin=(36, 6))


def verdict_heading(head: str, detail: str, *, good: bool | None) -> Markup:
    """Return a heading and a sentence, with a sign that says whether all is well; None if that isn't known.

    >>> "✓" in verdict_heading("Everything passed", "All 12 samples", good=True)
    True
    """
    sign, color = _SIGNS[good]
    return html(_VERDICT, color=color, sign=sign, head=head, detail=detail)


def code_html(code: str) -> Markup:
    """Return code as a block with a horizontal scroll bar of its own.

    >>> "x &lt; 1" in code_html("x < 1")
    True
    """
    return html(
        '<pre tabindex="0" aria-label="Python that reproduces this view" style="font:13px/1.5 ui-monospace,monospace;'
        'overflow-x:auto;padding:12px;margin:0;border-radius:6px;background:rgba(127,127,127,.12)">{{ code }}</pre>',
        code=code,
    )
