"""Who is near an asset: what is in the same place, and how far away it is where positions are known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.events.present_state.latest_values import present
from twinlab.events.present_state.links import asset_codes, links_of, links_that_locate
from twinlab.model.units.conversions import compatible

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["Neighbour", "neighbours_of"]

_MOST = 12


@dataclass(frozen=True)
class Neighbour:
    """Another asset that is near."""

    asset: str
    """Type and name: "forklift/F03"."""
    place: str
    """What both are in: "hub/DTM"."""
    metres: float | None = None
    """How far away; None if a position isn't known."""


def neighbours_of(twin: TwinReader, asset_type: str, asset: str, *, now: np.datetime64) -> tuple[Neighbour, ...]:
    """Return the assets that are in the same place, the nearest first, at most twelve.

    Only assets with signals count: what is merely stored there isn't near in the sense of being hit. Distances come from signals
    ``x`` and ``y`` in metres, where types have them.
    """
    at = int(now.astype("M8[ns]").astype(np.int64))
    found: list[Neighbour] = []
    for mine in links_that_locate(twin, asset_type):
        here = links_of(twin, mine)
        own = int(asset_codes(twin, asset_type).get_indexer(pd.Index([asset], dtype="str"))[0])
        rows = here.valid(at)
        places = here.target[rows][here.source[rows] == own]
        if not len(places):
            continue
        place = f"{here.target_type}/{asset_codes(twin, here.target_type)[int(places[-1])]}"
        point = _points(twin, asset_type, [asset], now).get(asset)
        for name, spec in twin.model.relationships.items():
            if spec.target != here.target_type or not spec.locates or not twin.model.asset_types[spec.source].signals:
                continue
            others = links_of(twin, name)
            rows = others.valid(at)
            codes = np.unique(others.source[rows][others.target[rows] == int(places[-1])])
            names = [str(asset_codes(twin, spec.source)[code]) for code in codes]
            names = [one for one in names if (spec.source, one) != (asset_type, asset)]
            points = _points(twin, spec.source, names, now)
            found += [Neighbour(f"{spec.source}/{one}", place, _metres(point, points.get(one))) for one in names]
    found.sort(key=lambda one: (math.inf if one.metres is None else one.metres, one.asset))
    return tuple(found[:_MOST])


def _points(twin: TwinReader, asset_type: str, assets: list[str], now: np.datetime64) -> dict[str, tuple[float, float]]:
    signals = twin.model.asset_types[asset_type].signals
    if not assets or not all(name in signals and compatible(str(signals[name].unit), "m") for name in ("x", "y")):
        return {}
    table = present(twin, asset_type, at=now, signals=["x", "y"], assets=assets, within="1h").dropna(subset=["x", "y"])
    return {str(name): (float(x), float(y)) for name, x, y in zip(table.index, table["x"], table["y"], strict=True)}


def _metres(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float | None:
    return None if one is None or other is None else math.dist(one, other)
