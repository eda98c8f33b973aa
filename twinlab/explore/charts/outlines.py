"""Outlines of the world, part of the package: clipped to an extent, in Web Mercator, without a request.

References
----------
.. [1] Natural Earth, public domain, https://www.naturalearthdata.com; by way of the npm package world-atlas
   (``datasets/outlines.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CREDIT", "EARTH_RADIUS", "Box", "Cut", "cut_outlines", "level_of", "mercator", "to_degrees"]

#: Attribution on a map.
CREDIT = "Natural Earth"
#: Metres; Web Mercator uses a sphere with the semi-major axis of WGS 84.
EARTH_RADIUS = 6_378_137.0
#: Limit of Web Mercator, in which the poles are at infinity.
_MAX_LATITUDE = 85.05
#: Extents wider than this, metres of the projection, use the coarse outlines.
_COARSE_FROM = 1.2e7

#: Half of the width of the world, metres.
_HALF = np.pi * EARTH_RADIUS
_FILE = Path(__file__).with_name("outlines.npz")
Line = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in Web Mercator, metres."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        """Width, metres."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Height, metres."""
        return self.top - self.bottom

    def expanded(self, share: float) -> Box:
        """Return the box with a share of its size added on each side."""
        dx, dy = self.width * share, self.height * share
        return Box(self.left - dx, self.bottom - dy, self.right + dx, self.top + dy)

    def contains(self, other: Box) -> bool:
        """Whether another box is inside."""
        return (
            self.left <= other.left
            and self.bottom <= other.bottom
            and self.right >= other.right
            and self.top >= other.top
        )


@dataclass(frozen=True)
class Cut:
    """Outlines in an extent; each line an array (points, 2) of x and y."""

    level: str
    # Closed rings to be filled; the ring of a lake is joined to that of the land around it.
    land: tuple[Line, ...]
    coast: tuple[Line, ...]
    borders: tuple[Line, ...]


@dataclass(frozen=True)
class _Level:
    land: tuple[Line, ...]
    land_boxes: NDArray[np.float32]
    arcs: tuple[Line, ...]
    arc_boxes: NDArray[np.float32]
    border: NDArray[np.bool_]


def mercator(
    latitude: NDArray[np.float64], longitude: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project degrees to Web Mercator (EPSG:3857), metres.

    Parameters
    ----------
    latitude, longitude : array of any shape, degrees
        Latitudes beyond ±85.05 are clipped; NaN stays NaN.

    >>> x, y = mercator(np.array([0.0, 48.0]), np.array([0.0, 180.0]))
    >>> [round(float(v)) for v in (*x, *y)]
    [0, 20037508, 0, 6106855]
    """
    inside = np.clip(np.asarray(latitude, float), -_MAX_LATITUDE, _MAX_LATITUDE)
    x = np.radians(np.asarray(longitude, float)) * EARTH_RADIUS
    return x, np.log(np.tan(np.pi / 4 + np.radians(inside) / 2)) * EARTH_RADIUS


def to_degrees(x: float, y: float) -> tuple[float, float]:
    """Return latitude and longitude of a point of the projection.

    >>> [round(v, 6) for v in to_degrees(*map(float, mercator(np.float64(48.0), np.float64(11.0))))]
    [48.0, 11.0]
    """
    latitude = 2 * np.arctan(np.exp(y / EARTH_RADIUS)) - np.pi / 2
    return float(np.degrees(latitude)), float(np.degrees(x / EARTH_RADIUS))


def level_of(view: Box) -> str:
    """Return the level of detail for an extent: fine, or coarse for a large part of the world."""
    return "110m" if view.width > _COARSE_FROM else "50m"


def cut_outlines(view: Box, *, level: str | None = None) -> Cut:
    """Return the outlines in an extent, clipped a little outside of it.

    Parameters
    ----------
    level : str, optional
        "50m" or "110m"; by default `level_of` the extent.
    """
    level = level or level_of(view)
    world = _read(level)
    box = view.expanded(0.05)
    # Land across the date line exists on both sides of the world; nothing is drawn beyond them.
    box = Box(max(box.left, -_HALF), box.bottom, min(box.right, _HALF), box.top)
    land = [_clip(world.land[k], box) for k in _touching(world.land_boxes, box)]
    lines: dict[bool, list[Line]] = {False: [], True: []}
    for k in _touching(world.arc_boxes, box):
        lines[bool(world.border[k])] += _pieces(world.arcs[k], box)
    return Cut(level, tuple(one for one in land if len(one) > 2), tuple(lines[False]), tuple(lines[True]))


@lru_cache(maxsize=2)
def _read(level: str) -> _Level:
    """Decode one level of the shipped file."""
    with np.load(_FILE) as file:
        part = {name: file[f"{level}_{name}"] for name in ("delta", "length", "first", "border", "scale", "offset")}
        ring, ring_length, of_polygon = (file[f"{level}_{n}"] for n in ("ring", "ring_length", "rings_of_polygon"))
    arcs: list[Line] = []
    start = 0
    for first, length in zip(part["first"], part["length"], strict=True):
        steps = np.vstack((first[None], part["delta"][start : start + length - 1]))
        start += length - 1
        degrees = np.cumsum(steps, axis=0, dtype="int64") * part["scale"] + part["offset"]
        arcs.append(np.column_stack(mercator(degrees[:, 1], degrees[:, 0])).astype("float32"))
    rings = [_ring(ids, arcs) for ids in np.split(ring, np.cumsum(ring_length)[:-1])]
    land: list[Line] = []
    for group in np.split(np.arange(len(rings)), np.cumsum(of_polygon)[:-1]):
        outer = rings[group[0]]
        # Holes are connected to the outer ring and back, so that one ring is filled without a seam.
        land += _around(np.vstack([outer, *(part for k in group[1:] for part in (rings[k], outer[:1]))]))
    lines = [(piece, border) for arc, border in zip(arcs, part["border"], strict=True) for piece in _drawn(arc)]
    pieces = tuple(piece for piece, _ in lines)
    return _Level(tuple(land), _boxes(land), pieces, _boxes(pieces), np.array([border for _, border in lines]))


def _around(ring: Line) -> list[Line]:
    """Return a ring; one that crosses the date line is returned once for each side."""
    x = np.unwrap(ring[:, 0].astype("float64"), period=2 * _HALF)
    if abs(x[-1] - x[0]) > 1:
        # A ring around a pole, closed along the edge of the map.
        return [ring]
    turns = {0.0, *(-2 * _HALF * np.sign(end) for end in (x.min(), x.max()) if abs(end) > _HALF + 1)}
    return [np.column_stack((x + turn, ring[:, 1])).astype("float32") for turn in sorted(turns)]


def _drawn(arc: Line) -> list[Line]:
    """Return the parts of a line without jumps across the date line and without the edge of the map."""
    x, y = np.abs(arc[:, 0]), arc[:, 1]
    edge = (x > _HALF - 1) | (y < -_HALF)
    cut = (np.abs(np.diff(arc[:, 0])) > _HALF) | (edge[1:] & edge[:-1])
    parts = np.split(arc, np.flatnonzero(cut) + 1)
    return [part for part in parts if len(part) > 1]


def _ring(ids: NDArray[np.int32], arcs: Sequence[Line]) -> Line:
    parts = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in ids]
    return np.vstack([parts[0], *(part[1:] for part in parts[1:])])


def _boxes(lines: Sequence[Line]) -> NDArray[np.float32]:
    return np.array([[*line.min(axis=0), *line.max(axis=0)] for line in lines], dtype="float32")


def _touching(boxes: NDArray[np.float32], box: Box) -> NDArray[np.int64]:
    left, bottom, right, top = boxes.T
    return np.flatnonzero((left <= box.right) & (right >= box.left) & (bottom <= box.top) & (top >= box.bottom))


def _clip(ring: Line, box: Box) -> Line:
    """Clip a ring to a box, edge by edge (Sutherland and Hodgman, 1974)."""
    points = ring.astype("float64")
    for axis, limit, sign in ((0, box.left, 1), (0, box.right, -1), (1, box.bottom, 1), (1, box.top, -1)):
        if not len(points):
            break
        after = np.roll(points, -1, axis=0)
        inside, next_inside = (sign * (p[:, axis] - limit) >= 0 for p in (points, after))
        crossing = inside != next_inside
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (limit - points[:, axis]) / (after[:, axis] - points[:, axis])
        met = points + np.where(crossing, share, 0.0)[:, None] * (after - points)
        both = np.stack((points, met), axis=1).reshape(-1, 2)
        points = both[np.stack((inside, crossing), axis=1).ravel()]
    return points.astype("float32")


def _pieces(line: Line, box: Box) -> list[Line]:
    """Return the parts of a line in a box, each with the point before and after."""
    x, y = line.T
    inside = (x >= box.left) & (x <= box.right) & (y >= box.bottom) & (y <= box.top)
    if inside.all():
        return [line]
    near = inside.copy()
    near[1:] |= inside[:-1]
    near[:-1] |= inside[1:]
    edges = np.flatnonzero(np.diff(near.astype("int8"), prepend=0, append=0)).reshape(-1, 2)
    return [line[a:b] for a, b in edges if b - a > 1]
