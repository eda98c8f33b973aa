"""When the rows of an asset type's signals arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.history.index.reach import NEVER
from twinlab.history.read.datasets import instant_ns

if TYPE_CHECKING:
    from twinlab.harmonise.claims import Claims
    from twinlab.history.read.reader import HistoryReader
    from twinlab.ledger.format.frames import Frame

__all__ = ["arrivals"]


def arrivals(reader: HistoryReader, asset_type: str, *, start: object = None, stop: object = None) -> pd.DataFrame:
    """Return asset, signal, event time and ingest time of each observation with an event time in ``[start, stop)``.

    Parameters
    ----------
    reader : HistoryReader
    asset_type : str
    start, stop : instant, optional
        Naive is UTC.

    Returns
    -------
    DataFrame
        ``asset, signal, time, ingest_time``, sorted by time, then by ingest time: a row for each observation in the ledger, repeated
        and superseded ones included.
    """
    low = -NEVER if start is None else instant_ns(start)
    high = NEVER if stop is None else instant_ns(stop)
    pin = reader.pinned()
    pin.sources.prepare(pin.position)
    parts: list[pd.DataFrame] = []
    for name in sorted(set(pin.position) & set(pin.sources.views)):
        view, end = pin.sources.views[name], pin.position[name]
        index = view.index
        wanted = {one: code for one, code in index.series.items() if one.asset_type == asset_type}
        if not wanted:
            continue
        groups = {index.group_of.get((asset_type, one.signal)) for one in wanted}
        near = np.unique(np.concatenate([index.covering(group, low, high, end) for group in groups]))
        for frame, harmonised in view.harmonised(near, stop=end, time=(low, high), series=tuple(wanted)):
            claims = harmonised.claims
            mine = np.array([one.asset_type == asset_type for one in claims.series], dtype=np.bool_)
            kept = (claims.event_time >= low) & (claims.event_time < high)
            if len(claims) and (kept := kept & mine[claims.code]).any():
                parts.append(_rows(frame, claims.select(kept)))
        late = index.late_within(low, high, end)
        late = view.outside(late[np.isin(index.late["code"][late], list(wanted.values()))], view.rows_of(near))
        parts += [_rows(frame, claims) for frame, claims in view.frames_of(late, stop=end)]
    if not parts:
        times = pd.Series(dtype="datetime64[ns]")
        return pd.DataFrame({"asset": pd.Series(dtype="str"), "signal": pd.Series(dtype="str"), "time": times, "ingest_time": times})  # fmt: skip
    return pd.concat(parts).sort_values(["time", "ingest_time"], ignore_index=True)


def _rows(frame: Frame, claims: Claims) -> pd.DataFrame:
    """Return the observations among some claims of a frame; retractions aren't any."""
    claims = claims.select(claims.op == 0)
    ordinals = frame.ordinals()
    # A sealed frame is sorted by tag and time.
    order = np.argsort(ordinals, kind="stable")
    at = order[np.searchsorted(ordinals, claims.ordinal, sorter=order)]
    assets, signals = (
        np.array([getattr(one, name) for one in claims.series], dtype=object) for name in ("asset", "signal")
    )
    return pd.DataFrame({
        "asset": assets[claims.code], "signal": signals[claims.code],
        "time": claims.event_time.astype("datetime64[ns]"),
        "ingest_time": frame.ingest_times()[at].astype("datetime64[ns]"),
    })  # fmt: skip
