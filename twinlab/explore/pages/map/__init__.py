"""The Map page: where every asset is at an instant, and how it got there.

In: a twin whose assets have positions. Out: the map explorer, which is the whole page.
Never: a map in a twin without positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinlab.explore.pages.spec import PageSpec
from twinlab.languages import mark

if TYPE_CHECKING:
    from twinlab.explore.views.base import Explorer
    from twinlab.model.reader import TwinReader

__all__ = ["PAGE"]


def _load() -> type[Explorer]:
    from twinlab.explore.views.map.explorer import MapView  # noqa: PLC0415  (imported when the page is first opened)

    return MapView


def _has_positions(twin: TwinReader) -> bool:
    return any(kind.position is not None for kind in twin.model.asset_types.values())


PAGE = PageSpec(
    "map", mark("Map"), "map", _load, has=_has_positions, roles=("viewer", "dispatcher", "analyst", "steward")
)
