"""A lineage as a drawing: boxes in columns, files at the left, what is explained at the right."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from twinlab._html import html

if TYPE_CHECKING:
    from markupsafe import Markup

    from twinlab.twin.lineage.steps import Step

__all__ = ["drawing"]

#: Pixels.
_WIDE, _GAP, _LINE, _PAD, _BETWEEN = 256, 44, 16, 8, 12
#: Characters of a line and of a title, and lines of a box.
_CHARACTERS, _TITLE, _MOST_LINES = 38, 32, 5
#: Colours of the left edge of a box, which the text beside it names, too (Okabe-Ito).
_COLORS: Final = {
    "file": "#999999", "rows": "#56B4E9", "mapping": "#CC79A7", "model": "#CC79A7", "value": "#0072B2", "flag": "#E69F00",
    "calibration": "#009E73", "event": "#D55E00", "exception": "#D55E00", "kpi": "#D55E00",
}  # fmt: skip
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{{ label }}" viewBox="0 0 {{ width }} {{ height }}" '
    'width="{{ width }}" height="{{ height }}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor">'
    '{% for x0, y0, x1, y1 in lines %}<path d="M{{ x0 }} {{ y0 }}C{{ (x0 + x1) / 2 }} {{ y0 }} {{ (x0 + x1) / 2 }} {{ y1 }} '
    '{{ x1 }} {{ y1 }}" fill="none" stroke="currentColor" stroke-opacity="0.45"/>{% endfor %}'
    "{% for box in boxes %}<g><title>{{ box.title }}</title>"
    '<rect x="{{ box.x }}" y="{{ box.y }}" width="{{ box.width }}" height="{{ box.height }}" rx="4" fill="none" '
    'stroke="currentColor" stroke-opacity="0.35"/>'
    '<rect x="{{ box.x }}" y="{{ box.y }}" width="4" height="{{ box.height }}" fill="{{ box.color }}"/>'
    "{% for y, text, weight in box.texts %}"
    '<text x="{{ box.x + 12 }}" y="{{ y }}" font-weight="{{ weight }}">{{ text }}</text>{% endfor %}</g>{% endfor %}</svg>'
)


def drawing(label: str, steps: Sequence[Step]) -> Markup:
    """Return the steps of a lineage as SVG; text that doesn't fit its box is in the tooltip.

    Parameters
    ----------
    label : str
        What the drawing shows, for screen readers.
    steps : sequence of Step
    """
    depths = _depths(steps)
    deepest = max(depths, default=0)
    columns = [[place for place, depth in enumerate(depths) if depth == column] for column in range(deepest, -1, -1)]
    texts = [_texts(one) for one in steps]
    heights = [len(lines) * _LINE + 2 * _PAD for lines in texts]
    tall = [sum(heights[place] + _BETWEEN for place in column) - _BETWEEN for column in columns]
    height = max(tall, default=0) + 2
    at: dict[int, tuple[int, int]] = {}
    for number, column in enumerate(columns):
        y = 1 + (height - tall[number]) // 2
        for place in column:
            at[place] = number * (_WIDE + _GAP) + 1, y
            y += heights[place] + _BETWEEN
    lines = [
        (at[place][0] + _WIDE, at[place][1] + heights[place] / 2, at[one.explains][0], at[one.explains][1] + heights[one.explains] / 2)
        for place, one in enumerate(steps)
        if one.explains is not None
    ]  # fmt: skip
    boxes = [
        {
            "x": at[place][0],
            "y": at[place][1],
            "width": _WIDE,
            "height": heights[place],
            "color": _COLORS[one.kind],
            "title": f"{one.kind} {one.title}: {one.text}" if one.text else f"{one.kind} {one.title}",
            "texts": [
                (at[place][1] + _PAD + 12 + n * _LINE, text, 600 if n == 1 else 400)
                for n, text in enumerate(texts[place])
            ],
        }
        for place, one in enumerate(steps)
    ]
    width = len(columns) * (_WIDE + _GAP) - _GAP + 2
    return html(_SVG, label=label, width=width, height=height, lines=lines, boxes=boxes)


def _depths(steps: Sequence[Step]) -> list[int]:
    """Return how many steps each is away from what is explained."""
    out: list[int] = []
    for one in steps:
        out.append(0 if one.explains is None else out[one.explains] + 1)
    return out


def _texts(one: Step) -> list[str]:
    """Return the lines of a box: the kind, the title, what else there is."""
    more = textwrap.wrap(one.text, _CHARACTERS) if one.text else []
    shown = more[: _MOST_LINES - 2]
    if len(more) > len(shown):
        shown[-1] = shown[-1][: _CHARACTERS - 1] + "…"
    title = one.title if len(one.title) <= _TITLE else one.title[: _TITLE - 1] + "…"
    return [one.kind, title, *shown]
