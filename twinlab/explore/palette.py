"""Colours and shapes: Okabe-Ito, and never colour alone.

References
----------
.. [1] M. Okabe, K. Ito, "Color Universal Design: How to make figures and presentations that are friendly to colorblind
   people", 2008. Black and yellow are left out: each is lost on one of the two themes.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from twinlab.model.flags import Flag

__all__ = ["ASSET_STYLES", "FLAG_STYLES", "AssetStyle", "FlagStyle", "asset_style"]


@dataclass(frozen=True)
class AssetStyle:
    """How one asset's line is drawn: a colour *and* a dash pattern."""

    color: str
    dash: str
    # The same pattern in SVG's words, for legends in HTML.
    dash_array: str


@dataclass(frozen=True)
class FlagStyle:
    """How a judged sample is drawn: a colour *and* a shape."""

    flag: Flag
    label: str
    color: str
    # Bokeh's marker name; None for what is drawn as a span.
    marker: str | None
    size: int


ASSET_STYLES: tuple[AssetStyle, ...] = (
    AssetStyle("#0072B2", "solid", ""),
    AssetStyle("#E69F00", "dashed", "6 3"),
    AssetStyle("#009E73", "dotdash", "2 3 6 3"),
    AssetStyle("#CC79A7", "dotted", "2 3"),
    AssetStyle("#56B4E9", "dashdot", "6 3 2 3"),
    AssetStyle("#D55E00", "solid", ""),
)

FLAG_STYLES: MappingProxyType[Flag, FlagStyle] = MappingProxyType(
    {
        Flag.SUSPECT: FlagStyle(Flag.SUSPECT, "suspect", "#E69F00", "triangle", 8),
        Flag.FAIL: FlagStyle(Flag.FAIL, "fail", "#D55E00", "x", 9),
        Flag.MISSING: FlagStyle(Flag.MISSING, "missing", "#8C8C8C", None, 0),
    }
)


def asset_style(place: int) -> AssetStyle:
    """Return the style of the asset at a place of the selection; styles repeat after six.

    >>> asset_style(0).color == asset_style(6).color
    True
    """
    return ASSET_STYLES[place % len(ASSET_STYLES)]
