"""Colours, markers and sizes of text: the Okabe-Ito palette, and never colour alone.

References
----------
.. [1] M. Okabe, K. Ito, "Color Universal Design: How to make figures and presentations that are friendly to colorblind
   people", 2008. Without black and yellow: each is invisible on one of the two themes.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from twinlab.languages import mark
from twinlab.model.flags import Flag

__all__ = ["ASSET_STYLES", "FLAG_STYLES", "FLAG_WORDS", "FONT_SIZES", "AssetStyle", "FlagStyle", "asset_style"]


#: Flag -> its name on a page.
FLAG_WORDS = MappingProxyType(
    {
        Flag.PASS: mark("pass"),
        Flag.NOT_EVALUATED: mark("not evaluated"),
        Flag.SUSPECT: mark("suspect"),
        Flag.FAIL: mark("fail"),
        Flag.MISSING: mark("missing"),
    }
)


@dataclass(frozen=True)
class AssetStyle:
    """Style of the line of an asset: a colour *and* a dash pattern."""

    color: str
    dash: str
    # The same pattern for SVG, in legends.
    dash_array: str
    width: float = 1.6
    alpha: float = 1.0


@dataclass(frozen=True)
class FlagStyle:
    """Style of a flagged sample: a colour *and* a marker."""

    flag: Flag
    label: str
    color: str
    # Name of the marker in Bokeh; None if drawn as a span.
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

#: Sizes of a chart's text on screens.
FONT_SIZES = MappingProxyType(
    {"labels": "10pt", "xticks": "9.5pt", "yticks": "9.5pt", "title": "11pt", "legend": "9.5pt"}
)

#: Dashes of comparison periods, for Bokeh and for SVG.
_FAINT = (("1 3", "1 3"), ("5 2 1 2", "5 2 1 2"), ("3 5", "3 5"))

FLAG_STYLES: MappingProxyType[Flag, FlagStyle] = MappingProxyType(
    {
        Flag.SUSPECT: FlagStyle(Flag.SUSPECT, "suspect", "#E69F00", "triangle", 8),
        Flag.FAIL: FlagStyle(Flag.FAIL, "fail", "#D55E00", "x", 9),
        Flag.MISSING: FlagStyle(Flag.MISSING, "missing", "#8C8C8C", None, 0),
    }
)


def asset_style(place: int, *, faint: int = 0) -> AssetStyle:
    """Return the style of the n-th curve; colours repeat after six, with other dashes.

    A comparison period (``faint`` 1, 2 …) has the colour of its curve, thinner, lighter and dashed.

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
