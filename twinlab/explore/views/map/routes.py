"""Routes on a map: lines between the places that events link, by number of events and median delay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twinlab._html import html
from twinlab.explore.charts.outlines import mercator
from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.explore.views.map.layers import MapLayer
from twinlab.languages import local_number, mark, tr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader
    from twinlab.model.twinmodel import EventType, TwinModel

    Floats = NDArray[np.float64]

__all__ = ["DELAY_STEPS", "place_links", "places_of", "route_layers", "routes"]

#: Upper limit of the delay in minutes, colour and label of each step.
DELAY_STEPS: tuple[tuple[float, str, str], ...] = (
    (5.0, "#0072B2", mark("under 5 min late")),
    (15.0, "#56B4E9", mark("5 to 15 min")),
    (60.0, "#E69F00", mark("15 to 60 min")),
    (np.inf, "#D55E00", mark("an hour and more")),
)
UNKNOWN = ("#808080", mark("no delay known"))
#: Largest number of routes; those with the most events are drawn.
MOST_ROUTES = 400
_POINTS = 14
_BEND = 0.12
_ENDS = ("origin", "destination")
_TIP = """\
<div style="font:12px/1.45 system-ui,sans-serif"><b>{{ origin }} → {{ destination }}</b><br>\
{{ count }} events<br>{{ late }}</div>"""


def place_links(model: TwinModel, spec: EventType) -> tuple[str, ...]:
    """Return the links of an event type to fixed places: asset types whose position is two properties."""
    found = []
    for name, kind in spec.links.items():
        asset_type = model.asset_types[kind]
        if asset_type.position is not None and all(part in asset_type.properties for part in asset_type.position):
            found.append(name)
    return tuple(found)


def places_of(twin: TwinReader, asset_type: str) -> pd.DataFrame:
    """Return ``latitude, longitude`` of the assets of a fixed type, without those that have no position."""
    position = twin.model.asset_types[asset_type].position
    assert position is not None
    frame = twin.assets(asset_type)
    columns = dict(zip(("latitude", "longitude"), position, strict=True))
    return pd.DataFrame(
        {name: pd.to_numeric(frame[part], errors="coerce") for name, part in columns.items()},
        index=frame.index.astype("str"),
    ).dropna()


def routes(table: pd.DataFrame, links: Sequence[str]) -> pd.DataFrame:
    """Return the number of events between each two places, and the median delay of their ends in minutes.

    Parameters
    ----------
    links : (str, str)
        Columns of origin and destination.

    >>> trips = pd.DataFrame({"a": ["X", "X"], "b": ["Y", "Y"], "end_delay": [4.0, 8.0]})
    >>> routes(trips, ("a", "b")).values.tolist()
    [['X', 'Y', 2, 6.0]]
    """
    grouped = table.groupby(list(links[:2]), observed=True, sort=False)["end_delay"]
    out = grouped.agg(["size", "median"]).reset_index()
    out.columns = pd.Index(["origin", "destination", "count", "delay"])
    out = out.astype({"origin": "object", "destination": "object"})
    out = out[(out["origin"] != "") & (out["destination"] != "") & (out["origin"] != out["destination"])]
    return out.sort_values("count", ascending=False, kind="stable").head(MOST_ROUTES).reset_index(drop=True)


def delay_color(minutes: float) -> str:
    """Return the colour of a delay.

    >>> delay_color(3.0) == DELAY_STEPS[0][1], delay_color(float("nan")) == UNKNOWN[0]
    (True, True)
    """
    return next((color for limit, color, _ in DELAY_STEPS if minutes < limit), UNKNOWN[0])


def route_layers(
    found: pd.DataFrame,
    places: Mapping[str, pd.DataFrame],
    labels: Mapping[str, Mapping[str, str]],
    *,
    chosen: tuple[str, str] | None = None,
    metres_a_pixel: float = 0.0,
) -> list[MapLayer]:
    """Return the layers of routes, bottom first: the selected route, all routes, places, labels.

    Parameters
    ----------
    found : DataFrame
        From `routes`.
    places : mapping of ``origin``, ``destination`` to a DataFrame
        From `places_of`.
    labels : mapping of ``origin``, ``destination`` to a mapping of asset to name
    chosen : (origin, destination), optional
    """
    known = found["origin"].isin(places["origin"].index) & found["destination"].isin(places["destination"].index)
    found = found[known]
    ends = list(zip(found["origin"].astype(str), found["destination"].astype(str), strict=True))
    lines = _curves(places, ends)
    most = max(float(found["count"].max()), 1.0) if len(found) else 1.0
    tips = [
        _tip(labels["origin"].get(start, start), labels["destination"].get(stop, stop), int(count), float(delay))
        for (start, stop), count, delay in zip(ends, found["count"], found["delay"], strict=True)
    ]
    columns: dict[str, Any] = {
        "xs": [line[0] for line in lines],
        "ys": [line[1] for line in lines],
        "color": [delay_color(float(delay)) for delay in found["delay"]],
        "line_width": [1.0 + 5.0 * float(count) / most for count in found["count"]],
        "tip": tips,
    }
    mark = [] if chosen is None or not _both(places, chosen) else _curves(places, [chosen])
    marked = {"xs": [line[0] for line in mark], "ys": [line[1] for line in mark]}
    style = {"color": ASSET_STYLES[3].color, "line_width": 9, "alpha": 0.55}
    return [
        MapLayer("Path", "chosen", marked, style),
        MapLayer("Path", "routes", columns, {"alpha": 0.8}),
        *_place_layers(found, places, labels, metres_a_pixel=metres_a_pixel),
    ]


def _tip(origin: str, destination: str, count: int, delay: float) -> str:
    late = tr("no delay known") if np.isnan(delay) else tr("median delay {delay:.0f} min", delay=delay)
    # Bokeh serializes plain strings only.
    return str(html(_TIP, origin=origin, destination=destination, count=local_number(f"{count:,}"), late=late))


def _both(places: Mapping[str, pd.DataFrame], ends: tuple[str, str]) -> bool:
    return ends[0] in places["origin"].index and ends[1] in places["destination"].index


def _curves(places: Mapping[str, pd.DataFrame], ends: Sequence[tuple[str, str]]) -> list[tuple[Floats, Floats]]:
    """Return curved lines, so that both directions are visible."""
    if not ends:
        return []
    x, y = np.stack([_coordinates(places[end], [pair[k] for pair in ends]) for k, end in enumerate(_ENDS)], axis=-1)
    share = np.linspace(0, 1, _POINTS)
    weights = ((1 - share) ** 2, 2 * share * (1 - share), share**2)
    middle = (x.mean(axis=1) - _BEND * (y[:, 1] - y[:, 0]), y.mean(axis=1) + _BEND * (x[:, 1] - x[:, 0]))
    bent = [
        np.outer(p[:, 0], weights[0]) + np.outer(bend, weights[1]) + np.outer(p[:, 1], weights[2])
        for p, bend in zip((x, y), middle, strict=True)
    ]
    return list(zip(*bent, strict=True))


def _coordinates(places: pd.DataFrame, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Return x and y of places on the map."""
    here = places.index.get_indexer(pd.Index(list(names)))
    latitude, longitude = (places[name].to_numpy(dtype=float)[here] for name in ("latitude", "longitude"))
    return mercator(latitude, longitude)


def _place_layers(
    found: pd.DataFrame,
    places: Mapping[str, pd.DataFrame],
    labels: Mapping[str, Mapping[str, str]],
    *,
    metres_a_pixel: float,
) -> list[MapLayer]:
    """Return the places as dots, with labels where they fit; places with more events have priority."""
    both = pd.concat([found[[end, "count"]].set_axis(["place", "count"], axis=1).assign(end=end) for end in _ENDS])
    busy = both.groupby("place", sort=False).agg({"count": "sum", "end": "last"})
    busy = busy.sort_values("count", ascending=False, kind="stable")
    x, y = np.empty(len(busy)), np.empty(len(busy))
    texts = np.empty(len(busy), dtype=object)
    for end in _ENDS:
        own = (busy["end"] == end).to_numpy()
        names = [str(name) for name in busy.index[own]]
        x[own], y[own] = _coordinates(places[end], names)
        texts[own] = [labels[end].get(name, name).removesuffix(f" ({name})") for name in names]
    labelled: list[int] = []
    for k in range(len(busy)):
        if np.all(
            (np.abs(x[labelled] - x[k]) > 100 * metres_a_pixel) | (np.abs(y[labelled] - y[k]) > 26 * metres_a_pixel)
        ):
            labelled.append(k)
    dots = {"marker": "circle", "size": 6, "fill_color": "#5a6570", "line_color": "#ffffff"}
    return [
        MapLayer("Points", "places", {"x": x, "y": y}, dots),
        MapLayer(
            "Labels", "names", {"x": x[labelled], "y": y[labelled], "text": texts[labelled]}, {"text_font_size": "11px"}
        ),
    ]
