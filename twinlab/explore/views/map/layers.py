"""Layers of a map from a snapshot: plain columns, for Bokeh figures and for HoloViews objects."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import holoviews as hv
import holoviews.plotting.bokeh
import numpy as np
import pandas as pd
from bokeh.core.properties import field
from bokeh.models import HoverTool

from twinlab.explore.charts.choices import readable_name
from twinlab.explore.charts.outlines import mercator
from twinlab.explore.views.map.colors import marker_colors
from twinlab.explore.views.map.tooltips import tips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.views.map.colors import ColorScale
    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.model.twinmodel import TwinModel

__all__ = ["KIND_MARKERS", "MAP_TOOLS", "MapLayer", "asset_layers", "base_map_layers", "kind_marker", "overlay"]

#: Markers of the asset types in the order of the model: names in Bokeh and Matplotlib.
KIND_MARKERS = (
    ("square", "s"),
    ("circle", "o"),
    ("triangle", "^"),
    ("diamond", "D"),
    ("inverted_triangle", "v"),
    ("hex", "h"),
    ("star", "*"),
    ("plus", "P"),
)
MAP_TOOLS = ("pan", "wheel_zoom", "box_zoom", "save")
#: Largest number of assets of a type that are labelled.
LABELLED = 30
#: Size of a label with the counts below it, width and height in pixels.
_NAME_PIXELS = (110, 74)
_SIZES = {"": 9, "low": 10, "medium": 12, "high": 15}
_LINES = {"": 1.0, "low": 1.5, "medium": 2.0, "high": 3.0}
_GROUND: dict[str, dict[str, object]] = {
    "land": {"fill_color": "#8896a3", "fill_alpha": 0.16, "line_alpha": 0.0, "line_width": 0},
    "borders": {"color": "#8896a3", "alpha": 0.7, "line_width": 0.8, "line_dash": "dashed"},
    "coast": {"color": "#7b8b99", "alpha": 0.9, "line_width": 0.9},
}
Kind = Literal["Polygons", "Path", "Points", "Labels"]
Columns = Mapping[str, Any]


@dataclass(frozen=True)
class MapLayer:
    """One layer: its kind, the columns of its Bokeh data source, and its options."""

    kind: Kind
    name: str
    columns: Columns
    options: Mapping[str, object] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


def kind_marker(model: TwinModel, asset_type: str) -> tuple[str, str]:
    """Return the marker of an asset type: its names in Bokeh and Matplotlib."""
    placed = [name for name, spec in model.asset_types.items() if spec.position is not None]
    return KIND_MARKERS[placed.index(asset_type) % len(KIND_MARKERS)]


def base_map_layers(columns: Mapping[str, Columns]) -> list[MapLayer]:
    """Return the layers of the base map, from `twinlab.explore.charts.basemap.base_map`."""
    return [
        MapLayer("Polygons" if name == "land" else "Path", name, part, _GROUND[name]) for name, part in columns.items()
    ]


def asset_layers(
    shot: MapSnapshot,
    model: TwinModel,
    *,
    scale: ColorScale | None,
    labels: Mapping[str, Mapping[str, str]],
    chosen: tuple[str, str] | None = None,
    track: Sequence[MapLayer] = (),
    metres_a_pixel: float = 0.0,
) -> list[MapLayer]:
    """Return the layers of the assets, bottom first: track and halo of the selected one, all assets, labels.

    Parameters
    ----------
    scale : ColorScale, optional
        Colours of values, if markers are coloured by a signal.
    labels : mapping of asset type to a mapping of asset to name
    metres_a_pixel : float
        Metres of the projection. Labels that would overlap are left out, those of moving assets first.
    """
    table = shot.table
    x, y = mercator(table["latitude"].to_numpy(dtype=float), table["longitude"].to_numpy(dtype=float))
    kinds, assets = table["asset_type"].to_numpy(dtype=object), table["asset"].to_numpy(dtype=object)
    stale = table["stale"].to_numpy(dtype=bool)
    severity = table["severity"].to_numpy(dtype=object)
    points: dict[str, Any] = {
        "x": x,
        "y": y,
        "marker": np.array([kind_marker(model, str(kind))[0] for kind in kinds], dtype=object),
        "size": np.array([_SIZES[str(one)] for one in severity], dtype=float),
        "color": marker_colors(shot, model, scale=scale),
        "fill_alpha": np.where(stale, 0.0, 0.9),
        "line_width": np.where(stale, 1.8, [_LINES[str(one)] for one in severity]).astype(float),
        "tip": tips(shot, model, labels),
    }
    here = np.array([chosen == key for key in zip(kinds, assets, strict=True)], dtype=bool)
    halo = {"x": x[here], "y": y[here]}
    ring = {"marker": "circle", "size": 24, "fill_alpha": 0.0, "line_color": "#D55E00", "line_width": 3}
    few = here | np.isin(kinds, [kind for kind in set(kinds) if (kinds == kind).sum() <= LABELLED])
    fixed = np.isnat(table["time"].to_numpy(dtype="datetime64[ns]"))
    first = np.lexsort((np.arange(len(x)), ~fixed, ~here))
    named = _apart(x, y, few, order=first, metres_a_pixel=metres_a_pixel)
    return [
        *track,
        MapLayer("Points", "chosen", halo, ring),
        MapLayer("Points", "assets", points, {"line_color": "color"}),
        MapLayer("Labels", "names", _names(table, x, y, named, labels), {"text_font_size": "12px"}),
        MapLayer("Labels", "counts", _counts(table, x, y, named), {"text_font_size": "11px"}),
    ]


def _apart(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    wanted: NDArray[np.bool_],
    *,
    order: NDArray[np.int64],
    metres_a_pixel: float,
) -> NDArray[np.bool_]:
    """Return which labels fit without overlap; the first ones in ``order`` have priority."""
    placed: list[int] = []
    width, height = (size * metres_a_pixel for size in _NAME_PIXELS)
    for k in order[wanted[order]]:
        if all(abs(x[k] - x[j]) >= width or abs(y[k] - y[j]) >= height for j in placed):
            placed.append(int(k))
    out = np.zeros(len(x), dtype=bool)
    out[placed] = True
    return out


def _names(
    table: pd.DataFrame,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    named: NDArray[np.bool_],
    labels: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    rows = table[named]
    texts = [
        labels.get(kind, {}).get(asset, asset).removesuffix(f" ({asset})")
        for kind, asset in zip(rows["asset_type"], rows["asset"], strict=True)
    ]
    return {"x": x[named], "y": y[named], "text": np.array(texts, dtype=object)}


def _counts(
    table: pd.DataFrame, x: NDArray[np.float64], y: NDArray[np.float64], named: NDArray[np.bool_]
) -> dict[str, Any]:
    full = named & np.array([bool(one) for one in table["inside"]], dtype=bool)
    # One line per type: a single line would be wider than a phone.
    texts = [
        "\n".join(f"{count:,} × {readable_name(kind)}" for kind, count in one.items()) for one in table["inside"][full]
    ]
    return {"x": x[full], "y": y[full], "text": np.array(texts, dtype=object)}


def overlay(parts: Sequence[MapLayer], *, backend: Literal["bokeh", "matplotlib"] = "bokeh") -> hv.Overlay:
    """Return layers as one HoloViews Overlay, without options for an equal aspect."""
    make = _bokeh if backend == "bokeh" else _matplotlib
    return hv.Overlay([element for part in parts for element in make(part)])


def _bokeh(part: MapLayer) -> list[hv.Element]:
    options: dict[str, Any] = {**part.options, "backend": "bokeh", "default_tools": list(MAP_TOOLS)}
    columns = part.columns
    if part.kind in ("Polygons", "Path"):
        return [_bokeh_lines(part, options)]
    if part.kind == "Labels":
        style = {"text_color": "#222222", "text_baseline": "top" if part.name == "counts" else "bottom"}
        return [hv.Labels(_off_markers(part), ["x", "y"], "text").opts(**{**style, **options})]
    more = [name for name in columns if name not in ("x", "y")]
    options |= {name: name for name in more if name != "tip"}
    if "tip" in columns:
        options |= {"tools": ["hover", "tap", "box_select"], "hover_tooltips": "<div>@tip{safe}</div>"}
    return [hv.Points(tuple(columns.values()), ["x", "y"], more, label=part.name).opts(**options)]


def _off_markers(part: MapLayer) -> tuple[Any, Any, list[str]]:
    """Return labels with an empty line between text and marker: counts below, names above."""
    below = part.name == "counts"
    return part.columns["x"], part.columns["y"], [f"\n{t}" if below else f"{t}\n" for t in part.columns["text"]]


_MATPLOTLIB = {
    "fill_color": "facecolor",
    "line_color": "edgecolor",
    "line_width": "linewidth",
    "line_dash": "linestyle",
}


def _bokeh_lines(part: MapLayer, options: dict[str, Any]) -> hv.Element:
    """Return lines or areas; further columns have one value per line."""
    columns = part.columns
    more = [name for name in columns if name not in ("xs", "ys")]
    kind = hv.Polygons if part.kind == "Polygons" else hv.Path
    shapes = [np.column_stack(pair) for pair in zip(columns["xs"], columns["ys"], strict=True)]
    if not more:
        return kind(shapes, label=part.name).opts(**options)
    # HoloViews would split lines with individual colours into segments, so a hook sets them in Bokeh.
    options |= {"tools": ["tap"], "hooks": [partial(_set_line_columns, columns=columns)]}
    return kind(shapes, label=part.name).opts(**options)


def _set_line_columns(plot: Any, element: Any, *, columns: Columns) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Set individual columns of lines, and their tooltips."""
    source, glyph = plot.handles["source"], plot.handles["glyph"]
    if "tip" in source.data and len(source.data["xs"]):
        return
    source.data = dict(columns)
    glyph.update(line_color=field("color"), line_width=field("line_width"))
    hover = HoverTool(renderers=[plot.handles["glyph_renderer"]], tooltips="<div>@tip{safe}</div>", visible=False)
    plot.state.add_tools(hover)


_BY_NAME = dict(KIND_MARKERS)


def _color_land(plot: Any, element: Any) -> None:  # noqa: ARG001  (HoloViews passes both)
    """Colour the land, since HoloViews' own colours override an option."""
    plot.handles["artist"].set(facecolor="#e6eaee", edgecolor="none")


def _matplotlib(part: MapLayer) -> list[hv.Element]:
    columns = part.columns
    if not len(part):
        return []
    if part.kind == "Polygons":
        shapes = [np.column_stack(pair) for pair in zip(columns["xs"], columns["ys"], strict=True)]
        return [hv.Polygons(shapes, label=part.name).opts(hooks=[_color_land], backend="matplotlib")]
    if part.kind == "Path":
        shapes = [np.column_stack(pair) for pair in zip(columns["xs"], columns["ys"], strict=True)]
        colors = columns.get("color", [part.options.get("color", "#7b8b99")] * len(shapes))
        widths = columns.get("line_width", [part.options.get("line_width", 1.0)] * len(shapes))
        styles = sorted(set(zip(colors, widths, strict=True)))
        return [
            hv.Path(
                [s for s, *own in zip(shapes, colors, widths, strict=True) if tuple(own) == style], label=part.name
            ).opts(color=style[0], linewidth=style[1], backend="matplotlib")
            for style in styles
        ]
    if part.kind == "Labels":
        return [
            hv.Labels(_off_markers(part), ["x", "y"], "text").opts(
                size=6,
                color="#222222",
                verticalalignment="top" if part.name == "counts" else "bottom",
                backend="matplotlib",
            )
        ]
    return _matplotlib_points(part)


def _matplotlib_points(part: MapLayer) -> list[hv.Element]:
    """Return one element per style: a scatter in Matplotlib has a single marker."""
    columns = part.columns
    frame = pd.DataFrame({name: values for name, values in columns.items() if name != "tip"})
    for name, default in (("marker", "circle"), ("color", "#D55E00"), ("fill_alpha", 0.0), ("size", 12.0)):
        if name not in frame:
            frame[name] = default
    out = []
    for _, rows in frame.groupby(["marker", "color", "fill_alpha", "size"], sort=False):
        marker, color, alpha, size = rows.iloc[0][["marker", "color", "fill_alpha", "size"]]
        style = {"marker": _BY_NAME.get(str(marker), "o"), "edgecolors": color, "s": float(size) ** 2 / 3}
        style["facecolors"] = color if alpha else "none"
        out.append(hv.Points((rows["x"], rows["y"])).opts(**style, backend="matplotlib"))
    return out
