"""Indicators: what is computed of the cells of each row, such as the mean current of a day while the compressor is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from twinlab.errors import SchemaError, UnknownTermError
from twinlab.model.terms import nearest

__all__ = ["Indicator", "Statistic", "default_indicators", "indicator_values"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Statistic = Literal["mean", "high", "change"]
#: Share of the values that the statistic ``high`` is above.
_HIGH: Final = 0.9


@dataclass(frozen=True)
class Indicator:
    """A number for each asset and row of time, computed of its cells.

    Parameters
    ----------
    variable : str
        Variable of the history.
    statistic : "mean", "high" or "change"
        Mean of the cells; the value that nine tenths of them are below; mean absolute difference of cells that follow one another.
    during : (str, float, float), optional
        Variable, low, high: only cells in which the variable is from low to high, both included, such as ``("compressor", 1, 1)``.
    share : (float, float), optional
        Low, high: the share of cells in which ``variable`` is from low to high is taken in place of its values.
    title : str
        For people, such as ``"current while compressor is on"``; by default made of the others.

    Raises
    ------
    SchemaError
        If a span is empty, or the statistic is unknown.

    >>> Indicator("current", during=("compressor", 1, 1)).name
    'current while compressor is 1'
    """

    variable: str
    statistic: Statistic = "mean"
    during: tuple[str, float, float] | None = None
    share: tuple[float, float] | None = None
    title: str = ""

    def __post_init__(self) -> None:
        if self.statistic not in ("mean", "high", "change"):
            msg = f"Indicator of {self.variable!r}: expected the statistic 'mean', 'high' or 'change', got {self.statistic!r}"
            raise SchemaError(msg)
        for name, span in (
            ("during", self.during[1:] if self.during else None),
            ("share", self.share),
        ):
            if span is not None and not span[0] <= span[1]:
                msg = f"Indicator of {self.variable!r}: expected low <= high in {name}, got {span}"
                raise SchemaError(msg)

    @property
    def name(self) -> str:
        """The title, or one that is made of the parameters."""
        if self.title:
            return self.title
        text = self.variable if self.share is None else f"share of {self.variable} {_span(*self.share)}"
        text = {"mean": text, "high": f"high {text}", "change": f"change of {text}"}[self.statistic]
        return text if self.during is None else f"{text} while {self.during[0]} is {_span(*self.during[1:])}"

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables that it reads."""
        return (self.variable,) if self.during is None else (self.variable, self.during[0])


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def default_indicators(gauges: Sequence[str], states: Mapping[str, Mapping[float, str]]) -> tuple[Indicator, ...]:
    """Return indicators for signals of which nothing is known but their kind.

    Of each gauge the mean, the high values and the change; of each state its share of time, and the mean of each gauge during it.

    Parameters
    ----------
    gauges : sequence of str
        Variables that are measured.
    states : mapping of str to mapping
        Variables that are codes, with the name of each code.

    >>> [one.name for one in default_indicators(["current"], {"fan": {0: "off", 1: "on"}})][2:]
    ['change of current', 'share of fan off', 'current while fan is off', 'share of fan on', 'current while fan is on']
    """
    kinds: tuple[Statistic, ...] = ("mean", "high", "change")
    found = [Indicator(gauge, kind) for gauge in gauges for kind in kinds]
    for state, codes in states.items():
        for code, label in codes.items():
            found.append(Indicator(state, share=(code, code), title=f"share of {state} {label}"))
            found += [
                Indicator(gauge, during=(state, code, code), title=f"{gauge} while {state} is {label}")
                for gauge in gauges
            ]
    return tuple(found)


def indicator_values(history: xr.Dataset, indicators: Sequence[Indicator], bounds: NDArray[np.datetime64]) -> Floats:
    """Return indicators of rows of time.

    Parameters
    ----------
    history : Dataset (time, asset)
        Regular cells; a missing value is NaN.
    indicators : sequence of Indicator
    bounds : array (row + 1,) of datetime64
        Row k has the cells that begin from ``bounds[k]`` until before ``bounds[k + 1]``.

    Returns
    -------
    array (row, asset, indicator)
        NaN where a row has no such cell.

    Raises
    ------
    UnknownTermError
        If the history has no such variable.
    """
    for one in indicators:
        for name in one.variables:
            if name not in history:
                msg = f"indicator {one.name!r}: the history has no variable {name!r}{nearest(name, map(str, history.data_vars))}"
                raise UnknownTermError(msg)
    places = np.searchsorted(history["time"].values, bounds)
    arrays = {
        name: history[name].transpose("time", "asset").values.astype(float)
        for name in {name for one in indicators for name in one.variables}
    }
    rows, assets = len(bounds) - 1, history.sizes["asset"]
    out = np.full((rows, assets, len(indicators)), np.nan)
    for place, one in enumerate(indicators):
        values = _chosen(one, arrays)
        out[:, :, place] = _high(values, places) if one.statistic == "high" else _mean(values, places)
    return out


def _chosen(one: Indicator, arrays: Mapping[str, Floats]) -> Floats:
    """Return the values of cells (time, asset) whose statistic is taken; NaN where there is none."""
    values = arrays[one.variable]
    if one.share is not None:
        values = np.where(np.isnan(values), np.nan, (values >= one.share[0]) & (values <= one.share[1]))
    if one.statistic == "change":
        # The first cell has none before it.
        values = np.abs(np.diff(values, axis=0, prepend=np.nan))
    if one.during is None:
        return values
    name, low, high = one.during
    other = arrays[name]
    return np.where((other >= low) & (other <= high), values, np.nan)


def _mean(values: Floats, places: NDArray[np.intp]) -> Floats:
    """Return the mean of each row; sums of cells are exact to rounding whatever comes before them."""
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    total, count = (_sums(one, places) for one in (filled, known.astype(float)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan)


def _sums(values: Floats, places: NDArray[np.intp]) -> Floats:
    """Return the sums of rows (row, asset)."""
    out = np.zeros((len(places) - 1, values.shape[1]))
    full = np.flatnonzero(np.diff(places) > 0)
    if len(full):
        stop = int(places[full[-1] + 1])
        out[full] = np.add.reduceat(values[:stop], places[full], axis=0)
    return out


def _high(values: Floats, places: NDArray[np.intp]) -> Floats:
    out = np.full((len(places) - 1, values.shape[1]), np.nan)
    for row, (low, high) in enumerate(pairwise(places.tolist())):
        if high > low:
            ordered = np.sort(values[low:high], axis=0)
            count = high - low - np.isnan(ordered).sum(axis=0)
            place = np.floor(_HIGH * np.maximum(count - 1, 0)).astype(np.intp)
            # Missing values are sorted to the end.
            out[row] = np.take_along_axis(ordered, place[None], axis=0)[0]
    return out
