"""Sparklines: small curves without axes, as SVG in the colour of the surrounding text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from twinlab._html import html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["sparkline"]

_WIDTH, _HEIGHT, _PAD = 120.0, 30.0, 2.0
_SVG = """\
<svg class="spark" viewBox="0 0 {{ width }} {{ height }}" width="{{ width }}" height="{{ height }}" role="img" \
aria-label="{{ label }}" preserveAspectRatio="none">\
{% for shape in band %}<path d="{{ shape }}" fill="currentColor" fill-opacity="0.18"/>{% endfor %}\
{% for y in limits %}<line x1="0" x2="{{ width }}" y1="{{ y }}" y2="{{ y }}" stroke="currentColor" stroke-width="1" \
stroke-dasharray="3 3"/>{% endfor %}\
<path d="{{ line }}" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round" \
stroke-linecap="round"/></svg>"""


def sparkline(
    values: NDArray[np.float64],
    *,
    low: NDArray[np.float64] | None = None,
    high: NDArray[np.float64] | None = None,
    label: str = "",
    steps: bool = False,
    limits: Sequence[float] | NDArray[np.float64] = (),
) -> Markup:
    """Return a curve as an ``<svg>``; a gap where a value is missing.

    Parameters
    ----------
    values : array (n,), float
        Evenly spaced; NaN is a gap.
    low, high : arrays (n,), float, optional
        A band behind the curve.
    label : str
        Alternative text for screen readers.
    steps : bool
        Draw steps: each value is valid until the next.
    limits : sequence of float
        Values with a dashed line, where the curve reaches them; others would flatten it.

    Returns
    -------
    Markup
        Empty if there is no value.

    >>> sparkline(np.array([1.0, 2.0])).count("<path")
    1
    >>> sparkline(np.array([np.nan]))
    Markup('')
    """
    finite = np.isfinite(values)
    if not finite.any():
        return Markup()
    bottom = np.nanmin(values if low is None else np.where(np.isfinite(low), low, values))
    top = np.nanmax(values if high is None else np.where(np.isfinite(high), high, values))
    span = top - bottom or 1.0
    middle = top == bottom

    def height(data: NDArray[np.float64]) -> NDArray[np.float64]:
        share = np.full(data.shape, 0.5) if middle else (data - bottom) / span
        return np.asarray(_HEIGHT - _PAD - share * (_HEIGHT - 2 * _PAD))

    x = _PAD + np.arange(len(values)) / max(1, len(values) - 1) * (_WIDTH - 2 * _PAD)
    band = [] if low is None or high is None else _band(x, height(low), height(high))
    line = _line(x, height(values), finite, steps=steps)
    met = np.array([one for one in limits if bottom <= one <= top], dtype=np.float64)
    lines = [] if middle else [f"{y:.1f}" for y in height(met)]
    return html(_SVG, width=f"{_WIDTH:g}", height=f"{_HEIGHT:g}", label=label, band=band, line=line, limits=lines)


def _line(x: NDArray[np.float64], y: NDArray[np.float64], finite: NDArray[np.bool_], *, steps: bool) -> str:
    parts: list[str] = []
    before = False
    for k in np.flatnonzero(finite):
        if not (before and finite[k - 1]):
            # An isolated sample is a dot: a line of length 0 with round ends.
            parts.append(f"M{x[k]:.1f} {y[k]:.1f}h0")
        elif steps:
            parts.append(f"H{x[k]:.1f}V{y[k]:.1f}")
        else:
            parts.append(f"L{x[k]:.1f} {y[k]:.1f}")
        before = True
    return "".join(parts)


def _band(x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> list[str]:
    """Return the outline of each unbroken part of a band."""
    both = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(both.astype("int8"), prepend=0, append=0)).reshape(-1, 2)
    shapes = []
    for first, last in edges:
        upper = " ".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[first:last], high[first:last], strict=True))
        lower = " ".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[first:last][::-1], low[first:last][::-1], strict=True))
        shapes.append(f"M{upper} {lower}Z")
    return shapes
