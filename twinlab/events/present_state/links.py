"""Relationships that locate, as arrays: which asset is in which, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.present_state.cached_reader import cached

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader

__all__ = ["Links", "asset_codes", "links_of", "links_that_locate"]

_ALWAYS = np.iinfo(np.int64).min
_EVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Links:
    """One relationship: places of source and target among the assets of their types, -1 if unknown; when each link is valid."""

    name: str
    source_type: str
    target_type: str
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    # Nanoseconds since 1970, [since, until).
    since: NDArray[np.int64]
    until: NDArray[np.int64]

    def valid(self, at_ns: int) -> NDArray[np.int64]:
        """Return the rows that are valid at an instant and whose two assets are known."""
        return np.flatnonzero((self.since <= at_ns) & (at_ns < self.until) & (self.source >= 0) & (self.target >= 0))


def asset_codes(twin: TwinReader, asset_type: str) -> pd.Index:
    """Return the assets of a type as an index, for their positions in arrays."""
    return cached(twin, ("codes", asset_type), lambda: pd.Index(twin.assets(asset_type).index.astype("str")))


def links_of(twin: TwinReader, relationship: str) -> Links:
    """Return one relationship as arrays."""

    def make() -> Links:
        spec = twin.model.relationships[relationship]
        frame = twin.relationships(relationship)
        return Links(
            relationship,
            spec.source,
            spec.target,
            asset_codes(twin, spec.source).get_indexer(pd.Index(frame["source"])),
            asset_codes(twin, spec.target).get_indexer(pd.Index(frame["target"])),
            _nanoseconds(frame["valid_from"], _ALWAYS),
            _nanoseconds(frame["valid_until"], _EVER),
        )

    return cached(twin, ("links", relationship), make)


def links_that_locate(twin: TwinReader, source_type: str) -> list[str]:
    """Return the relationships that say where assets of a type are."""
    return [name for name, spec in twin.model.relationships.items() if spec.locates and spec.source == source_type]


def _nanoseconds(times: pd.Series, nothing: int) -> NDArray[np.int64]:
    found = times.to_numpy(dtype="datetime64[ns]")
    return np.where(np.isnat(found), nothing, found.astype("int64"))
