"""Create `twinlab/explore/charts/outlines.npz` from the npm package world-atlas (Natural Earth, public domain).

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python datasets/outlines.py package twinlab/explore/charts/outlines.npz

The same package gives the same arrays: the arcs of all countries, quantised as in the package, each once; which
of them are borders between two countries; and the rings of all land as lists of arcs.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

LEVELS = ("50m", "110m")


def level_arrays(topology: dict) -> dict[str, np.ndarray]:
    """Return one level's arrays: deltas of arcs, their lengths and first points, borders, rings of land."""
    arcs = [np.array(arc, dtype="int64") for arc in topology["arcs"]]
    deltas = np.vstack([arc[1:] for arc in arcs])
    narrow = "int16" if np.abs(deltas).max() < 2**15 else "int32"
    used = Counter()
    for country in topology["objects"]["countries"]["geometries"]:
        for ring in (ring for polygon in _polygons(country) for ring in polygon):
            used.update({~arc if arc < 0 else arc for arc in ring})
    land = [polygon for one in topology["objects"]["land"]["geometries"] for polygon in _polygons(one)]
    rings = [ring for polygon in land for ring in polygon]
    return {
        "delta": deltas.astype(narrow),
        "length": np.array([len(arc) for arc in arcs], dtype="int32"),
        "first": np.array([arc[0] for arc in arcs], dtype="int32"),
        "border": np.array([used[k] > 1 for k in range(len(arcs))]),
        "ring": np.concatenate([np.array(ring, dtype="int32") for ring in rings]),
        "ring_length": np.array([len(ring) for ring in rings], dtype="int32"),
        "rings_of_polygon": np.array([len(polygon) for polygon in land], dtype="int32"),
        "scale": np.array(topology["transform"]["scale"]),
        "offset": np.array(topology["transform"]["translate"]),
    }


def _polygons(geometry: dict) -> list[list[list[int]]]:
    kind = geometry.get("type")
    if kind == "Polygon":
        return [geometry["arcs"]]
    if kind == "MultiPolygon":
        return geometry["arcs"]
    if kind == "GeometryCollection":
        return [polygon for part in geometry["geometries"] for polygon in _polygons(part)]
    return []


def main(package: str, path: str) -> None:
    """Write the file and print its size."""
    version = json.loads((Path(package) / "package.json").read_text())["version"]
    arrays = {"version": np.array(f"world-atlas {version}")}
    for level in LEVELS:
        topology = json.loads((Path(package) / f"countries-{level}.json").read_text())
        arrays |= {f"{level}_{name}": array for name, array in level_arrays(topology).items()}
        print(level, len(arrays[f"{level}_length"]), "arcs", len(arrays[f"{level}_delta"]), "points")
    np.savez_compressed(path, **arrays)
    print(path, Path(path).stat().st_size, "bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
