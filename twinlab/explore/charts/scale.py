"""Pure helpers of axes: value ranges without outliers, runs of cells, and text for units, numbers and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twinlab.languages import local_number, mark, tr
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["axis_label", "compact_number", "duration_text", "pretty_unit", "runs", "value_range"]

_PRETTY = {
    "degC": "°C",
    "degF": "°F",
    "delta_degC": "°C",
    "1": "",
    "": "",
    "dimensionless": "",
    "percent": "%",
    "unknown": mark("unit unknown"),
}
_ADJECTIVES = {"1min": mark("minute"), "1h": mark("hourly"), "1d": mark("daily")}
_PARTS = ((86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"))


def value_range(
    values: NDArray[np.float64], *, keep: NDArray[np.bool_] | None = None, pad: float = 0.06
) -> tuple[float, float]:
    """Return a value range with padding.

    Parameters
    ----------
    values : array of any shape, float
        NaN is ignored.
    keep : array like ``values``, bool, optional
        Values that determine the range, such as those that didn't fail. All values if none is selected.
    pad : float
        Padding on either side, as a share of the range.

    >>> value_range(np.array([0.0, 10.0, 1048.0]), keep=np.array([True, True, False]), pad=0.1)
    (-1.0, 11.0)
    """
    finite = np.isfinite(values)
    selected = values[finite & keep] if keep is not None else values[finite]
    if selected.size == 0:
        selected = values[finite]
    if selected.size == 0:
        return (0.0, 1.0)
    low, high = float(selected.min()), float(selected.max())
    margin = (high - low) * pad or max(abs(high) * pad, 0.5)
    return low - margin, high + margin


def runs(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return ``[first, last + 1]`` of each run of True, shape (n, 2).

    >>> runs(np.array([False, True, True, False, True])).tolist()
    [[1, 3], [4, 5]]
    """
    edges = np.flatnonzero(np.diff(mask.astype("int8"), prepend=0, append=0))
    return edges.reshape(-1, 2)


def pretty_unit(unit: str) -> str:
    """Return the display form of a unit.

    >>> pretty_unit("degC"), pretty_unit("1"), pretty_unit("mph")
    ('°C', '', 'mph')
    """
    return tr(_PRETTY[unit]) if unit == "unknown" else _PRETTY.get(unit, unit)


def axis_label(name: str, unit: str) -> str:
    """Return a name with its unit in brackets.

    >>> axis_label("air temperature", "degC")
    'air temperature (°C)'
    """
    shown = pretty_unit(unit)
    return f"{name} ({shown})" if shown else name


def compact_number(value: float) -> str:
    """Return a number in at most six significant digits.

    >>> compact_number(1048.36058), compact_number(-0.25)
    ('1,048.36', '-0.25')
    """
    return local_number(f"{value:,.6g}" if 1e-4 <= abs(value) < 1e9 or value == 0 else f"{value:.4g}")


def duration_text(ns: int) -> str:
    """Return a duration as a number and a unit.

    >>> duration_text(8 * 3600 * 10**9), duration_text(90 * 60 * 10**9)
    ('8 h', '90 min')
    """
    for size, word in _PARTS:
        if ns >= size and ns % size == 0:
            return f"{ns // size} {word}"
    return f"{ns / 1e9:g} s"


def step_text(step: str) -> str:
    """Return the step of a rollup as text.

    >>> step_text("1h"), step_text("15min")
    ('hourly', '15 min')
    """
    return tr(_ADJECTIVES[step]) if step in _ADJECTIVES else duration_text(parse_duration(step))
