"""Colours of the markers on a map: by asset type, value of a signal, or exceptions; shapes and sizes repeat them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twinlab.explore.charts.palette import ASSET_STYLES
from twinlab.explore.charts.scale import value_range
from twinlab.explore.kit import exception_text
from twinlab.explore.views.map.reading import EXCEPTIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.explore.views.map.reading import MapSnapshot
    from twinlab.model.twinmodel import TwinModel

__all__ = ["GREY", "RAMP", "SEVERITY_COLORS", "ColorScale", "color_scale", "kind_color", "marker_colors"]

#: Colour of markers without a value, and of stale ones.
GREY = "#808080"
#: Cividis without its ends, which are invisible on one of the themes; suits all forms of colour blindness.
RAMP = ("#2b5a9c", "#4f6a8f", "#6c7a84", "#87897b", "#a4996d", "#c2aa5a", "#e0bc3c")
#: Severity -> colour; "" for assets without an exception.
SEVERITY_COLORS = {"": "#5b8fb0", **exception_text.SEVERITY_COLORS}


@dataclass(frozen=True)
class ColorScale:
    """Mapping of values to colours: along `RAMP` from ``low`` to ``high``, or by state."""

    low: float
    high: float
    # (State code, name), in the order of their colours.
    states: tuple[tuple[int, str], ...] = ()

    def colors(self, values: NDArray[np.float64]) -> NDArray[np.object_]:
        """Return the colour of each value, grey for NaN."""
        out = np.full(values.shape, GREY, dtype=object)
        known = np.isfinite(values)
        if self.states:
            for place, (code, _) in enumerate(self.states):
                out[known & (values == code)] = ASSET_STYLES[place % len(ASSET_STYLES)].color
            return out
        share = (values[known] - self.low) / ((self.high - self.low) or 1.0)
        step = np.clip((share * len(RAMP)).astype(int), 0, len(RAMP) - 1)
        out[known] = np.array(RAMP, dtype=object)[step]
        return out


def color_scale(shot: MapSnapshot, model: TwinModel, *, previous: ColorScale | None = None) -> ColorScale | None:
    """Return the scale for the values of a snapshot: the previous one, widened if necessary.

    So colours have the same meaning at all instants. A signal with one expected span for all assets uses that instead.
    """
    if shot.request.color_signal is None:
        return None
    kind, signal = shot.request.color_signal
    spec = model.asset_types[kind].signals[signal]
    if spec.states:
        return ColorScale(0, 1, tuple(spec.states.items()))
    if isinstance(spec.expected_span, tuple):
        return ColorScale(*spec.expected_span)
    values = shot.table["value"].to_numpy(dtype=float)
    if not np.isfinite(values).any():
        return previous or ColorScale(0, 1)
    low, high = value_range(values, pad=0.0)
    if previous is not None and not previous.states:
        low, high = min(low, previous.low), max(high, previous.high)
    return ColorScale(low, high)


def kind_color(model: TwinModel, asset_type: str) -> str:
    """Return the colour of an asset type."""
    placed = [name for name, spec in model.asset_types.items() if spec.position is not None]
    return ASSET_STYLES[placed.index(asset_type) % len(ASSET_STYLES)].color


def marker_colors(shot: MapSnapshot, model: TwinModel, *, scale: ColorScale | None) -> NDArray[np.object_]:
    """Return the colour of each marker."""
    table = shot.table
    kinds = table["asset_type"].to_numpy(dtype=object)
    colors: NDArray[Any]
    if scale is not None:
        colors = scale.colors(table["value"].to_numpy(dtype=float))
    elif shot.request.color == EXCEPTIONS:
        colors = np.array([SEVERITY_COLORS[str(one)] for one in table["severity"]], dtype=object)
    else:
        known = {kind: kind_color(model, str(kind)) for kind in set(kinds)}
        colors = np.array([known[kind] for kind in kinds], dtype=object)
    colors[table["stale"].to_numpy(dtype=bool)] = GREY
    return colors
