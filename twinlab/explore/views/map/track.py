"""Track of one asset: its good fixes over some hours, with gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.explore.charts.outlines import mercator
from twinlab.explore.views.map.layers import MapLayer
from twinlab.explore.views.map.reading import stale_after
from twinlab.history.read.direct import computed
from twinlab.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.model.reader import TwinReader

__all__ = ["Stop", "Track", "read_track", "track_layers"]

#: Number of arrows along a track.
_ARROWS = 8
_COLOR = "#D55E00"
_PLAN = "#CC79A7"


@dataclass(frozen=True)
class Stop:
    """A planned stop of an asset."""

    label: str
    asset_type: str
    asset: str
    latitude: float
    longitude: float
    # Planned time, UTC.
    planned: np.datetime64


@dataclass(frozen=True)
class Track:
    """Good fixes of one asset, oldest first, and its planned stops."""

    hours: int
    time: NDArray[np.datetime64]
    latitude: NDArray[np.float64]
    longitude: NDArray[np.float64]
    # Fixes farther apart than this aren't connected.
    gap: np.timedelta64
    stops: tuple[Stop, ...] = ()

    def pieces(self) -> NDArray[np.int64]:
        """Return ``[first, last + 1]`` of each unbroken piece, shape (n, 2)."""
        if not len(self.time):
            return np.empty((0, 2), dtype=np.int64)
        joined = np.diff(self.time) <= self.gap
        cuts = np.flatnonzero(~joined) + 1
        return np.column_stack((np.append(0, cuts), np.append(cuts, len(self.time))))


def read_track(twin: TwinReader, key: tuple[str, str], *, at: np.datetime64, hours: int) -> Track | None:
    """Return the track of an asset over the hours before an instant; None for a fixed position.

    Failed fixes are left out.
    """
    kind, asset = key
    spec = twin.model.asset_types[kind]
    limit = stale_after(twin.model, kind)
    if spec.position is None or limit is None:
        return None
    data = twin.history(
        kind, signals=list(spec.position), assets=[asset], start=at - np.timedelta64(hours, "h"), stop=at
    )
    data = computed(data)
    values = [data[name].values[:, 0].astype(float) for name in spec.position]
    flags = [data[f"{name}_qc"].values[:, 0] for name in spec.position]
    good = np.isfinite(values[0]) & np.isfinite(values[1])
    for flag in flags:
        good &= ~np.isin(flag, (Flag.FAIL, Flag.MISSING))
    gap = min(limit, np.timedelta64(30, "m"))
    return Track(hours, data["time"].values[good], values[0][good], values[1][good], gap)


def track_layers(track: Track | None) -> list[MapLayer]:
    """Return the layers of a track: line, arrows, planned route, planned stops; empty ones without a track."""
    xs: list[Any] = []
    ys: list[Any] = []
    arrows: dict[str, Any] = {name: np.empty(0) for name in ("x", "y", "angle")}
    plan: dict[str, Any] = {"xs": [], "ys": []}
    stops: dict[str, Any] = {"x": np.empty(0), "y": np.empty(0)}
    if track is not None and len(track.time):
        x, y = mercator(track.latitude, track.longitude)
        for first, last in track.pieces():
            xs.append(x[first:last])
            ys.append(y[first:last])
        arrows = _arrows(x, y, track.pieces())
        if track.stops:
            sx, sy = mercator(
                np.array([one.latitude for one in track.stops]), np.array([one.longitude for one in track.stops])
            )
            plan = {"xs": [np.append(x[-1], sx)], "ys": [np.append(y[-1], sy)]}
            stops = {"x": sx, "y": sy}
    line = {"color": _COLOR, "line_width": 2.5, "alpha": 0.9}
    head = {"marker": "triangle", "size": 9, "fill_color": _COLOR, "line_color": "#ffffff", "line_width": 0.5}
    route = {"color": _PLAN, "line_width": 2, "line_dash": "dashed"}
    ring = {"marker": "circle_cross", "size": 16, "fill_alpha": 0.0, "line_color": _PLAN, "line_width": 2}
    return [
        MapLayer("Path", "track", {"xs": xs, "ys": ys}, line),
        MapLayer("Points", "direction", arrows, head),
        MapLayer("Path", "plan", plan, route),
        MapLayer("Points", "stops", stops, ring),
    ]


def _arrows(x: NDArray[np.float64], y: NDArray[np.float64], pieces: NDArray[np.int64]) -> dict[str, Any]:
    """Return arrows at equal distances along the pieces, in the direction of travel."""
    within = np.zeros(max(len(x) - 1, 0), dtype=bool)
    for first, last in pieces:
        within[first : last - 1] = True
    length = np.where(within, np.hypot(np.diff(x), np.diff(y)), 0.0)
    total = np.cumsum(length)
    if not len(total) or total[-1] <= 0:
        return {name: np.empty(0) for name in ("x", "y", "angle")}
    wanted = (np.arange(_ARROWS) + 0.5) / _ARROWS * total[-1]
    at = np.unique(np.minimum(np.searchsorted(total, wanted), len(length) - 1))
    at = at[length[at] > 0]
    # Bokeh's triangle points up, 90 degrees from the x axis.
    angle = np.degrees(np.arctan2(np.diff(y)[at], np.diff(x)[at])) - 90
    return {"x": (x[at] + x[at + 1]) / 2, "y": (y[at] + y[at + 1]) / 2, "angle": angle}
