"""Findings of numbers whose 16-bit words are swapped; looked for in the rows, since most don't fit into a cell.

A channel is looked at if there are days on which a quarter of the cells fail or are missing and others have a value, as random bits
give; first in the rows of the worst day. A gap has at most two such days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import xarray as xr

from twinlab.harmonise.values import affine
from twinlab.quality.unit_faults.swaps import swapped_words
from twinlab.twin.checking.fixes import KeyFix

if TYPE_CHECKING:
    from twinlab.history import HistoryReader
    from twinlab.quality.findings import Finding
    from twinlab.quality.unit_faults.swaps import Swap
    from twinlab.twin.checking.channels import Channels
    from twinlab.twin.checking.origins import Origin, Origins

__all__ = ["swapped_word_findings"]

#: Fewest days, of those that there are, and cells of a day.
_DAYS, _CELLS = 3, 6
_DAY: Final = np.timedelta64(1, "D")


def swapped_word_findings(
    reader: HistoryReader,
    channels: Channels,
    origins: Origins,
    *,
    assets: Collection[str] | None = None,
    start: object = None,
    stop: object = None,
) -> Iterator[tuple[Finding, KeyFix]]:
    """Yield a finding of the kind "unit" and its fix for each channel of a signal whose numbers have swapped words.

    The sensor's or the expected span says which numbers are right, else the values of the other assets.
    """
    signal = channels.signal
    if signal.kind == "state":
        return
    windows = channels.windows["time"].to_numpy().astype("datetime64[ns]")
    days, begins = np.unique(windows.astype("datetime64[D]"), return_index=True)
    wrong, valued = (
        np.add.reduceat(counts, begins, axis=0)
        for counts in (channels.count("fail") + channels.count("missing"), channels.valued())
    )
    # A failed cell has a value, too.
    missing = np.add.reduceat(channels.count("missing"), begins, axis=0)
    suspect = (wrong >= _CELLS) & (valued > 0) & (4 * wrong > valued + missing)
    for place, asset in enumerate(channels.assets):
        at = np.flatnonzero(suspect[:, place]) if suspect[:, place].sum() >= min(_DAYS, len(days)) else np.empty(0, int)
        if not at.size or (assets is not None and asset not in assets):
            continue
        span = _span(channels, asset, place)
        worst = days[at[wrong[at, place].argmax()]].astype("datetime64[ns]")
        origin = origins.of(channels.asset_type, asset, channels.name, worst) if span is not None else None
        if origin is None or span is None or origin.rule.swapped_words is not None:
            continue
        name = f"{channels.asset_type}/{asset}"
        rows = reader.observations(name, channels.name, start=worst, stop=worst + _DAY)
        if _swaps(rows, asset, channels, origin, span):
            rows = reader.observations(name, channels.name, start=start, stop=stop)
            for one in _swaps(rows, asset, channels, origin, span):
                yield one.finding(), KeyFix(asset, "swapped_words", one.words, one.since, one.until)


def _swaps(rows: pd.DataFrame, asset: str, channels: Channels, origin: Origin, span: tuple[float, float]) -> list[Swap]:
    """Return the swaps in some rows; numbers are compared as they are written."""
    if not len(rows):
        return []
    written = pd.to_numeric(rows["written"], errors="coerce").to_numpy(np.float64)
    known = np.isfinite(written) & (rows["op"] == "observe").to_numpy()
    units = rows["written_unit"].dropna().unique()
    unit = str(units[0]) if len(units) == 1 else None
    zero, one = affine(origin.rule, channels.signal, unit=unit).apply(np.array([0.0, 1.0])).tolist()
    low, high = sorted((limit - zero) / (one - zero) for limit in span)
    times, first = np.unique(rows["time"].to_numpy()[known].astype("datetime64[ns]"), return_index=True)
    numbers = written[known][first]
    table = xr.DataArray(numbers[:, None], {"time": times, "asset": [asset]}, ("time", "asset"), channels.name)
    return swapped_words(table, span=(low, high))


def _span(channels: Channels, asset: str, place: int) -> tuple[float, float] | None:
    """Return where right values are: in the sensor's span, in the expected one, or near those of the other assets."""
    limits = channels.kind.limits(channels.name, [asset], channels.properties)[:, 0]
    for first in (2, 0):
        if np.isfinite(limits[first : first + 2]).all():
            return float(limits[first]), float(limits[first + 1])
    name = f"{channels.name}_mean"
    if name not in channels.windows or len(channels.assets) < 2:
        return None
    means = np.delete(channels.windows[name].transpose("time", "asset").to_numpy(), place, axis=1)
    known = means[np.isfinite(means)]
    if not known.size:
        return None
    low, high = np.quantile(known, [0.01, 0.99])
    reach = max(high - low, 0.1 * abs(high))
    return float(low - reach), float(high + reach)
