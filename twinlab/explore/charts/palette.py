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
    width: float = 1.6
    alpha: float = 1.0


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

#: Dashes of other periods: Bokeh's words, SVG's words.
_FAINT = (("1 3", "1 3"), ("5 2 1 2", "5 2 1 2"), ("3 5", "3 5"))

FLAG_STYLES: MappingProxyType[Flag, FlagStyle] = MappingProxyType(
    {
        Flag.SUSPECT: FlagStyle(Flag.SUSPECT, "suspect", "#E69F00", "triangle", 8),
        Flag.FAIL: FlagStyle(Flag.FAIL, "fail", "#D55E00", "x", 9),
        Flag.MISSING: FlagStyle(Flag.MISSING, "missing", "#8C8C8C", None, 0),
    }
)


def asset_style(place: int, *, faint: int = 0) -> AssetStyle:
    """Return the style of the curve at a place of the selection: colours repeat after six, with other dashes.

    Another period (``faint`` 1, 2 …) has the curve's colour, thinner, lighter and in dashes of its own.

    >>> asset_style(0).color == asset_style(6).color, asset_style(0).dash == asset_style(6).dash
    (True, False)
    """
    count = len(ASSET_STYLES)
    style = ASSET_STYLES[place % count]
    if faint:
        dash, array = _FAINT[(faint - 1) % len(_FAINT)]
        return AssetStyle(style.color, dash, array, width=1.5, alpha=0.8)
    turned = ASSET_STYLES[(place + place // count) % count]
    return AssetStyle(style.color, turned.dash, turned.dash_array)
