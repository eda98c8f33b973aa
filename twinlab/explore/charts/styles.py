"""Options of layers for each backend: Bokeh on screens, Matplotlib in print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinlab.languages import tr

if TYPE_CHECKING:
    from twinlab.explore.charts.layers import Layer

__all__ = [
    "FORMATTERS",
    "MARKERS",
    "TOOLS",
    "bokeh_glyph",
    "bokeh_options",
    "hover_tips",
    "matplotlib_dash",
    "matplotlib_options",
]

TOOLS = ("xpan", "xwheel_zoom", "xbox_zoom", "save")
FORMATTERS = {"@{time}": "datetime", "@{own}": "datetime"}
_WHEN = "{%F %H:%M:%S}"
MARKERS = {"triangle": "^", "x": "x", None: "o"}
_DASHES = {
    "solid": "-",
    "dashed": (0, (6, 3)),
    "dotdash": (0, (2, 3, 6, 3)),
    "dotted": (0, (2, 3)),
    "dashdot": (0, (6, 3, 2, 3)),
}


def hover_tips(layer: Layer, *, compared: bool, counted: bool) -> list[tuple[str, str]]:
    """Return the tooltip of a layer, with both times if there is a comparison period."""
    tips = [(tr("curve"), "$name")] if layer.kind == "Curve" else [(tr("flag"), tr(layer.label))]
    tips.append((tr("time (UTC)"), f"@{{own}}{_WHEN}"))
    if counted:
        tips.append((tr("hours since start"), "@{time}{0,0.00}"))
    elif compared:
        tips.append((tr("under (UTC)"), f"@{{time}}{_WHEN}"))
    if layer.kind == "Curve":
        tips += [
            (tr("value"), "@{value}{0,0.[000]}"),
            (tr("smallest to largest"), "@{low}{0,0.[000]} to @{high}{0,0.[000]}"),
            (tr("samples"), "@{count}{0,0}"),
        ]
    else:
        tips += [(tr("value"), "@{written}{0,0.[000]}"), (tr("samples"), "@{count}{0,0}"), (tr("curve"), "@{asset}")]
    return tips


def bokeh_glyph(layer: Layer) -> dict[str, Any]:
    """Return the properties of a layer's Bokeh glyph that depend on its curve."""
    style = layer.style
    if layer.kind == "Curve":
        return {
            "line_color": style["color"],
            "line_alpha": style["alpha"],
            "line_width": style["width"],
            "line_dash": style["dash"],
        }
    if layer.kind == "Area":
        return {"fill_color": style["color"], "fill_alpha": style["alpha"]}
    if layer.kind == "Scatter" and "marker" not in style:
        return {"fill_color": style["color"], "line_color": style["color"], "fill_alpha": style["alpha"]}
    if layer.kind == "Rectangles":
        return {"fill_color": style["color"], "fill_alpha": style["alpha"]}
    return {}


def bokeh_options(layer: Layer, *, compared: bool, counted: bool) -> dict[str, Any]:
    """Return a layer's options for HoloViews' Bokeh backend."""
    style = layer.style
    options: dict[str, Any] = {"default_tools": list(TOOLS), "backend": "bokeh"}
    if layer.kind == "Labels":
        return options | {"text_color": style["color"], "text_font_size": "10pt", "text_align": "left"}
    if layer.kind == "Area":
        return options | {"color": style["color"], "fill_alpha": style["alpha"], "line_alpha": 0, "line_width": 0}
    if layer.kind == "Rectangles":
        lines = {"line_width": style["width"], "line_color": style["line"]}
        return options | {"color": style["color"], "fill_alpha": style["alpha"], **lines}
    if layer.kind == "Curve":
        options |= {
            "color": style["color"],
            "alpha": style["alpha"],
            "line_width": style["width"],
            "line_dash": style["dash"],
        }
    elif "marker" in style:
        hollow = style["marker"] == "x"
        options |= {"color": style["color"], "marker": style["marker"], "size": style["size"], "line_width": 2}
        options |= {"fill_alpha": 0.0 if hollow else style["alpha"]}
    else:
        options |= {"color": style["color"], "alpha": style["alpha"], "size": style["size"], "show_legend": False}
    if layer.tips is not None:
        tips = hover_tips(layer, compared=compared, counted=counted)
        options |= {"tools": ["hover"], "hover_tooltips": tips, "hover_formatters": FORMATTERS}
    return options


def matplotlib_dash(line: Layer | str) -> Any:
    """Return a dash pattern for Matplotlib.

    >>> matplotlib_dash("1 3")
    (0, (1.0, 3.0))
    """
    dash = line if isinstance(line, str) else line.style["dash"]
    return _DASHES.get(dash) or (0, tuple(float(n) for n in dash.split()))


def matplotlib_options(layer: Layer) -> dict[str, Any]:
    """Return a layer's options for HoloViews' Matplotlib backend."""
    style = layer.style
    options: dict[str, Any] = {"backend": "matplotlib"}
    if layer.kind == "Labels":
        return options | {"color": style["color"], "size": 8, "horizontalalignment": "left"}
    if layer.kind in ("Area", "Rectangles"):
        return options | {"color": style["color"], "alpha": style["alpha"], "linewidth": 0}
    if layer.kind == "Curve":
        return options | {"color": style["color"], "alpha": style["alpha"], "linewidth": 0.75 * style["width"]}
    marker = MARKERS[style.get("marker")]
    return options | {
        "color": style["color"],
        "marker": marker,
        "s": style["size"] ** 2 / (1.5 if "marker" in style else 3),
    }
