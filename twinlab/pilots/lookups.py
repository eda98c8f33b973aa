"""How long the twin itself takes to say where something is: the part of a search that no stopwatch is needed for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from twinlab.errors import SchemaError
from twinlab.events.present_state.whereabouts import where
from twinlab.events.reading import known

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["LookupTimes", "lookup_times"]


@dataclass(frozen=True)
class LookupTimes:
    """Seconds of several lookups, timed on the machine that writes the report."""

    asset_type: str
    seconds: tuple[float, ...]
    known: int
    """Of how many the twin knew the place."""

    @property
    def median(self) -> float:
        """Median, s."""
        return float(np.median(self.seconds))


def lookup_times(twin: TwinReader, asset_type: str, *, at: pd.Timestamp, count: int = 20) -> LookupTimes:
    """Time lookups of some assets, the same ones each time.

    Parameters
    ----------
    twin : TwinReader
    asset_type : str
        What is looked for.
    at : Timestamp
        As of when; naive UTC.
    count : int
        How many assets, evenly over all.

    Raises
    ------
    UnknownTermError
        If the twin has no such asset type.
    SchemaError
        If it has no asset of the type.
    """
    known(asset_type, twin.model.asset_types, "asset type")
    ids = [str(one) for one in twin.assets(asset_type).index]
    if not ids:
        msg = f"expected assets of the type {asset_type!r} (search in pilot.yaml), the twin has none; ingest some or name another type"
        raise SchemaError(msg)
    chosen = [ids[place] for place in np.unique(np.linspace(0, len(ids) - 1, min(count, len(ids))).astype(int))]
    seconds, there = [], 0
    for one in chosen:
        began = time.perf_counter()
        place = where(twin, asset_type, one, at=at)
        seconds.append(time.perf_counter() - began)
        there += place.known
    return LookupTimes(asset_type, tuple(seconds), there)
