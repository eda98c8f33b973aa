"""Swaps: latitude for longitude, and the 16-bit words of 32-bit numbers.

A swap isn't affine, so it is judged value by value: as read it is out of the range of the others, and swapped back it is
in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.errors import SchemaError
from twinlab.harmonise.words import Words, swap_words
from twinlab.quality.findings import Finding
from twinlab.quality.labelled import times_of
from twinlab.quality.unit_faults.profiles import labelled_table
from twinlab.quality.unit_faults.suspects import UnitFix

__all__ = ["Swap", "swapped_positions", "swapped_words"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Span = tuple[float, float]

#: Most instants that are read.
_MOST: Final = 40_000
#: A position may be so far outside of the region of most assets if the other reading is so many times as far.
_BEYOND: Final = 2.0
_FARTHER: Final = 4.0
#: Fewest values that are right only if they are swapped back.
_FEWEST: Final = 6


@dataclass(frozen=True)
class Swap:
    """A channel whose values are swapped, in a period."""

    asset: str
    signal: str
    since: np.datetime64 | None
    until: np.datetime64 | None
    confidence: float
    evidence: str
    fixes: tuple[UnitFix, ...]
    """For `fix_text`, one for each column of a position; none for words."""
    words: Words | None = None
    """The type of the numbers whose words are swapped: the mapping's ``swapped_words``."""

    def finding(self, *, source: str = "", tag: str = "", fix: str = "") -> Finding:
        """Return the swap as a finding of the kind ``unit``."""
        return Finding(
            "unit", source, tag, self.asset, self.signal, self.since, self.until, self.confidence, self.evidence, fix
        )


def swapped_positions(
    latitude: xr.DataArray,
    longitude: xr.DataArray,
    *,
    latitude_span: Span | None = None,
    longitude_span: Span | None = None,
) -> list[Swap]:
    """Return the assets whose latitude and longitude are swapped, in all of their positions or from some time on.

    Parameters
    ----------
    latitude, longitude : DataArray with dimensions ``time`` and ``asset``
        In degrees, on the same coordinates.
    latitude_span, longitude_span : (low, high), optional
        Where assets can be; by default around those of most assets, if there are at least three.

    Raises
    ------
    SchemaError
        If dimensions or coordinates don't fit.

    >>> at = {"time": np.arange("2026-01-01", "2026-01-11", dtype="datetime64[D]").astype("M8[ns]"), "asset": list("ABCD")}
    >>> lat = xr.DataArray(np.full((10, 4), 50.1), at, ("time", "asset"), "latitude")
    >>> lon = xr.DataArray(np.full((10, 4), 8.7), at, ("time", "asset"), "longitude")
    >>> lat[:, 2], lon[:, 2] = 8.7, 50.1
    >>> [(one.asset, one.evidence) for one in swapped_positions(lat, lon)]
    [('C', 'median position 8.7, 50.1; most assets are near 50.1, 8.7, and 10 of 10 positions are there if swapped back')]
    """
    north, east = labelled_table(latitude), labelled_table(longitude)
    if not (
        north.indexes["time"].equals(east.indexes["time"]) and north.indexes["asset"].equals(east.indexes["asset"])
    ):
        msg = "expected latitude and longitude on the same coordinates, got different ones; select a common part first"
        raise SchemaError(msg)
    times, at = _sampled(north)
    lat, lon = (np.asarray(one.isel(time=at).to_numpy(), dtype=np.float64) for one in (north, east))
    where = _region(lat, latitude_span, 90.0), _region(lon, longitude_span, 180.0)
    seen, right = _plausible(lat, lon, where, stated=(latitude_span is not None, longitude_span is not None))
    found: list[Swap] = []
    for place, period in _periods(seen, right, np.isfinite(lat) & np.isfinite(lon)):
        name, first, stop, good, all_ = str(north["asset"].to_numpy()[place]), *period
        since, until = _instants(times, at, first, stop)
        inside = slice(first, stop)
        text = (
            f"median position {_median(lat[inside, place])}, {_median(lon[inside, place])}; most assets are near "
            f"{_middle(where[0], lat)}, {_middle(where[1], lon)}, and {good} of {all_} positions are there if swapped back"
        )
        names = (
            "latitude" if north.name is None else str(north.name),
            "longitude" if east.name is None else str(east.name),
        )
        fixes = tuple(
            UnitFix(name, one, "degree", "degree", 1.0, since, until, right_signal=other)
            for one, other in (names, names[::-1])
        )
        found.append(Swap(name, names[0], since, until, good / (all_ + 1), text, fixes))
    return found


def swapped_words(data: xr.DataArray, *, span: Span | None = None) -> list[Swap]:
    """Return the channels whose numbers have their two 16-bit words swapped, as Modbus devices may send them.

    Parameters
    ----------
    data : DataArray with dimensions ``time`` and ``asset``
        Values as written, before any conversion.
    span : (low, high), optional
        What the sensor can report; by default around the values of most assets, if there are at least three.

    Raises
    ------
    SchemaError
        If dimensions or coordinates don't fit.

    >>> at = {"time": np.arange("2026-01-01", "2026-01-09", dtype="datetime64[D]").astype("M8[ns]"), "asset": ["M1"]}
    >>> bad = xr.DataArray(swap_words(np.linspace(20.1, 22.9, 8), "float32")[:, None], at, ("time", "asset"), "temperature")
    >>> [one.evidence[:60] for one in swapped_words(bad, span=(-40, 60))]
    ['8 of 8 values are within -40 to 60 with the words of float32']
    """
    table = labelled_table(data)
    times, at = _sampled(table)
    values = np.asarray(table.isel(time=at).to_numpy(), dtype=np.float64)
    where = _region(values, span, np.inf)
    known, seen = np.isfinite(values), _sensible(values, where)
    best: dict[int, tuple[int, Words, tuple[int, int, int, int]]] = {}
    kinds: tuple[Words, ...] = ("float32", "int32", "uint32")
    for kind in kinds if np.isfinite(where).all() else ():
        swapped = swap_words(values, kind)
        right = _sensible(swapped, where)
        for place, period in _periods(seen, right, known):
            # One number again and again is a code for an error, whatever its words are.
            different = np.unique(swapped[period[0] : period[1], place][right[period[0] : period[1], place]]).size
            if different >= _FEWEST and (place not in best or period[2] > best[place][0]):
                best[place] = (period[2], kind, period)
    found = []
    for place, (_, kind, (first, stop, good, all_)) in sorted(best.items()):
        since, until = _instants(times, at, first, stop)
        low, high = (f"{limit:.4g}" for limit in where)
        text = (
            f"{good} of {all_} values are within {low} to {high} with the words of {kind} swapped, "
            f"{int((seen & known)[first:stop, place].sum())} as they are"
        )
        name, signal = str(table["asset"].to_numpy()[place]), "" if table.name is None else str(table.name)
        found.append(Swap(name, signal, since, until, good / (all_ + 1), text, (), kind))
    return found


def _sampled(table: xr.DataArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return all times, and positions of a bounded number of them."""
    times = times_of(table)
    return times, np.arange(0, len(times), max(1, -(-len(times) // _MOST)))


def _region(values: Floats, span: Span | None, limit: float) -> tuple[float, float]:
    """Return where values may be: the span, else around the medians of most assets, else anywhere."""
    if span is not None:
        return float(span[0]), float(span[1])
    medians = np.array([np.median(known) for column in values.T if (known := column[np.isfinite(column)]).size])
    if len(medians) < 3:
        return -limit, limit
    middle = float(np.median(medians))
    ranges = [
        np.abs(np.quantile(known, [0.02, 0.98]) - middle).max()
        for column in values.T
        if (known := column[np.isfinite(column)]).size
    ]
    # Twice the usual range, so that the edges of an asset's travel are inside.
    reach = 6.0 * float(np.median(np.abs(medians - middle))) + 2.0 * float(np.median(ranges)) + 0.01 * abs(middle)
    return max(-limit, middle - reach), min(limit, middle + reach)


def _plausible(lat: Floats, lon: Floats, where: tuple[Span, Span], *, stated: tuple[bool, bool]) -> tuple[Bools, Bools]:
    """Return which positions may be right as they are, and which if swapped back.

    Where no span is stated, the region is that of most assets, and one may travel beyond it: up to twice its size counts as well,
    if the other reading is at least four times as far from its middle.
    """
    seen, right = (_within(a, where[0]) & _within(b, where[1]) for a, b in ((lat, lon), (lon, lat)))
    if any(stated):
        return seen, right
    as_read, swapped = _distance(lat, lon, where), _distance(lon, lat, where)
    with np.errstate(invalid="ignore"):
        seen |= (as_read <= _BEYOND) & (swapped >= _FARTHER * np.maximum(as_read, 1.0))
        right |= (swapped <= _BEYOND) & (as_read >= _FARTHER * np.maximum(swapped, 1.0))
    return seen, right


def _distance(lat: Floats, lon: Floats, where: tuple[Span, Span]) -> Floats:
    """Return how far positions are from the middle of a region, relative to half of its size."""
    parts = [
        np.abs(values - (low + high) / 2) / max((high - low) / 2, 1e-9)
        for values, (low, high) in zip((lat, lon), where, strict=True)
    ]
    return np.asarray(np.maximum(*parts))


def _within(values: Floats, region: tuple[float, float]) -> Bools:
    return np.asarray((values >= region[0]) & (values <= region[1]))


def _sensible(values: Floats, region: tuple[float, float]) -> Bools:
    """Return which values a sensor may report; a float of random bits is often near zero, but never zero."""
    tiny = (values != 0.0) & (np.abs(values) < 1e-7 * max(map(abs, region)))
    return np.asarray(_within(values, region) & ~tiny)


def _periods(seen: Bools, right: Bools, known: Bools) -> list[tuple[int, tuple[int, int, int, int]]]:
    """Return, of each asset that seems swapped: first and stop of the period, values that are right if swapped, all known."""
    gain = (right & ~seen & known).astype(np.int64) - (seen & ~right & known).astype(np.int64)
    found: list[tuple[int, tuple[int, int, int, int]]] = []
    for place in np.flatnonzero((gain > 0).sum(axis=0) >= _FEWEST).tolist():
        total = np.concatenate([[0], np.cumsum(gain[:, place])])
        rise = total - np.minimum.accumulate(total)
        stop = int(rise.argmax())
        first = stop - int(total[stop::-1].argmin())
        # Without values that contradict it, a swap lasts to the end, and from the begin.
        stop = len(gain) if (gain[stop:, place] >= 0).all() else stop
        first = 0 if (gain[:first, place] >= 0).all() else first
        inside = known[first:stop, place]
        good = int(((right & ~seen)[first:stop, place] & inside).sum())
        if good >= max(_FEWEST, 0.8 * inside.sum()):
            found.append((place, (first, stop, good, int(inside.sum()))))
    return found


def _instants(
    times: npt.NDArray[np.int64], at: npt.NDArray[np.int64], first: int, stop: int
) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    since = np.datetime64(int(times[at[first]]), "ns") if first else None
    return since, (np.datetime64(int(times[at[stop]]), "ns") if stop < len(at) else None)


def _median(values: Floats) -> str:
    return f"{float(np.median(values[np.isfinite(values)])):.4g}"


def _middle(region: tuple[float, float], values: Floats) -> str:
    medians = [np.median(known) for column in values.T if (known := column[np.isfinite(column)]).size]
    return f"{float(np.median([one for one in medians if region[0] <= one <= region[1]] or medians)):.4g}"
