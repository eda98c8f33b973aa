"""Findings from the flags of the history, each named after the test that gave them.

Which cells are flagged comes from the history, and which assets and times have any from its rollups: only there are the
tests of the signal run again, one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from twinlab.model.flags import Flag
from twinlab.quality.by_test import flags_by_test
from twinlab.quality.cells import margins
from twinlab.quality.findings import Finding
from twinlab.twin.checking.channels import Channels
from twinlab.twin.checking.report_lines import duration_text, flagged_text

__all__ = ["flag_findings"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Cells of all flagged assets that are read at once.
_PIECE: Final = 4_000_000
#: Flags that no test gives: the source's own status of its values, and those of definitions that don't apply any more.
_STATUS, _UNKNOWN = "status", "flag"
_BY: Final = {
    _STATUS: "the source's own status",
    _UNKNOWN: "no test of the model (an earlier definition gave the flags)",
}
_NEVER: Final = np.datetime64("NaT", "ns")


@dataclass
class _Count:
    """The cells of one asset that one test has flagged so far."""

    fails: int = 0
    suspects: int = 0
    # Times of the first and the last one.
    first: np.datetime64 = _NEVER
    last: np.datetime64 = _NEVER
    # Values, or codes, of the piece with most of them.
    shown: npt.NDArray[np.float64] | None = None
    most: int = 0

    def add(
        self, failed: Bools, suspect: Bools, times: npt.NDArray[np.datetime64], values: npt.NDArray[np.float64]
    ) -> None:
        """Add the cells of a piece."""
        at = np.flatnonzero(failed | suspect)
        self.fails += int(failed.sum())
        self.suspects += int(suspect.sum())
        self.first = times[at[0]] if np.isnat(self.first) else self.first
        self.last = times[at[-1]]
        # Failed values say more than suspect ones.
        wanted = failed if failed.any() else suspect
        weight = int(failed.sum()) * len(failed) + int(suspect.sum())
        if weight > self.most:
            self.shown, self.most = values[wanted], weight


def flag_findings(channels: Channels, *, with_status: Collection[str] = ()) -> Iterator[Finding]:
    """Yield a finding for each asset and test that gave a flag "suspect" or "fail"; its kind is the test's name.

    Parameters
    ----------
    channels : Channels
    with_status : collection of str
        Assets whose mapping names a column of the source's own status: flags of the history that no test gives are its.
        Those of other assets are of the kind "flag": a definition that doesn't apply any more gave them.
    """
    bad = channels.count("fail") + channels.count("suspect")
    places = np.flatnonzero(bad.any(axis=0))
    if not places.size:
        return
    present = channels.valued().sum(axis=0)
    counts: dict[tuple[int, str], _Count] = {}
    for piece in _pieces(channels, bad[:, places] > 0, places):
        for (place, test), failed, suspect, times, values in _by_test(channels, piece, places, with_status):
            counts.setdefault((place, test), _Count()).add(failed, suspect, times, values)
    for place, test in sorted(counts, key=lambda key: key[0]):
        yield _finding(channels, channels.assets[place], test, counts[place, test], int(present[place]))


def _pieces(channels: Channels, bad: Bools, places: Ints) -> Iterator[tuple[xr.Dataset, int, int]]:
    """Yield the cells of the assets at ``places``, piece by piece, with the rows before and after that tests look at."""
    windows = channels.windows["time"].to_numpy().astype("datetime64[ns]")
    times = channels.around["time"].to_numpy().astype("datetime64[ns]")
    hit = windows[bad.any(axis=1)]
    size = max(1, _PIECE // len(places))
    before, after = margins(channels.signal)
    first, last = np.searchsorted(times, channels.cells["time"].to_numpy()[[0, -1]].astype("datetime64[ns]")).tolist()
    for start in range(first, last + 1, size):
        stop = min(start + size, last + 1)
        near = np.searchsorted(hit, times[start] - channels.window, side="right")
        if near < len(hit) and hit[near] <= times[stop - 1]:
            low, high = max(0, start - before), min(len(times), stop + after)
            yield channels.around.isel(time=slice(low, high), asset=places).load(), start - low, high - stop


def _by_test(
    channels: Channels, piece: tuple[xr.Dataset, int, int], places: Ints, with_status: Collection[str]
) -> Iterator[tuple[tuple[int, str], Bools, Bools, npt.NDArray[np.datetime64], npt.NDArray[np.float64]]]:
    """Yield place and test, failed and suspect cells, times and values, of each asset and test that flags any.

    A test is named where its flag is that of the history: what is only suspect to it and fails another test is the other's.
    """
    cells, before, after = piece
    name, signal = channels.name, channels.signal
    values = cells[name].transpose("time", "asset").to_numpy().astype(np.float64)
    inside = slice(before, len(values) - after)
    stored = cells[f"{name}_qc"].transpose("time", "asset").to_numpy()[inside]
    times = cells["time"].to_numpy().astype("datetime64[ns]")
    limits = None
    if signal.limits_of_assets:
        limits = channels.kind.limits(name, [channels.assets[one] for one in places.tolist()], channels.properties)
    start = int(times[0].astype(np.int64))
    found = flags_by_test(
        values, signal=signal, margin_before=before, margin_after=after, start_ns=start, limits_of_assets=limits
    )
    failed, suspect = stored == Flag.FAIL.value, stored == Flag.SUSPECT.value
    left = failed | suspect
    for test, flags in found.items():
        fails = failed & (flags == Flag.FAIL.value)
        doubts = suspect & (flags == Flag.SUSPECT.value)
        left &= ~(fails | doubts)
        for column in np.flatnonzero((fails | doubts).any(axis=0)).tolist():
            key = int(places[column]), test
            yield key, fails[:, column], doubts[:, column], times[inside], values[inside, column]
    for column in np.flatnonzero(left.any(axis=0)).tolist():
        place, mine = int(places[column]), left[:, column]
        key = place, _STATUS if channels.assets[place] in with_status else _UNKNOWN
        yield key, mine & failed[:, column], mine & suspect[:, column], times[inside], values[inside, column]


def _finding(channels: Channels, asset: str, test: str, count: _Count, present: int) -> Finding:
    texts = [flagged_text(count.fails, count.suspects, present, _BY.get(test, f"the test {test!r}"))]
    cadence = np.timedelta64(channels.signal.cadence_ns, "ns")
    end = channels.cells["time"].to_numpy()[-1].astype("datetime64[ns]") + cadence
    # What is flagged until the end, or nearly, may go on.
    until = None if count.last + channels.window >= end else count.last + cadence
    if count.fails + count.suspects > 1:
        texts.append(f"within {duration_text(count.last + cadence - count.first)}")
    example = _example(channels, asset, count, spans=test == "range")
    texts += [example] if example else []
    confidence = 1.0 if count.fails else 0.5
    return Finding(test, "", "", asset, channels.name, count.first, until, confidence, ", ".join(texts))


def _example(channels: Channels, asset: str, count: _Count, *, spans: bool) -> str:
    """Return which values were flagged and, if wanted, the span of the model that they leave."""
    signal, values = channels.signal, count.shown
    known = np.zeros(0) if values is None else values[np.isfinite(values)]
    if not known.size:
        return ""
    if signal.states is not None:
        codes = sorted({int(one) for one in known})
        return f"states {', '.join(signal.states.get(code, str(code)) for code in codes)}"
    low, high = float(known.min()), float(known.max())
    unit = "" if signal.unit == "1" else f" {signal.unit}"
    text = f"{low:.6g}{unit}" if low == high else f"{low:.6g} to {high:.6g}{unit}"
    limits = channels.kind.limits(channels.name, [asset], channels.properties)[:, 0]
    for first, what in ((0, "the sensor's span"), (2, "the expected span")) if spans else ():
        span = limits[first : first + 2]
        if np.isfinite(span).any() and (low < span[0] or high > span[1]):
            return f"such as {text} (outside {what}, {span[0]:.6g} to {span[1]:.6g})"
    return f"such as {text}"
