"""Last rows and latencies of assets, from the newest rows of live sources."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from twinlab.harmonise.claims import Context
from twinlab.harmonise.frames import harmonise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from twinlab.ledger import Ledger
    from twinlab.ledger.format.frames import Frame
    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["Arrivals", "AssetArrivals"]

#: Most rows of a source that one call reads, and most latencies that are kept.
_ROWS = 20_000
#: Nanoseconds over which latencies count, before the newest row of the source.
_SPAN = 3_600 * 10**9

Key = tuple[str, str]


@dataclass
class AssetArrivals:
    """What the newest rows of one source say of an asset; times are ns UTC."""

    last_event: int = 0
    last_arrived: int = 0
    tags: set[str] = field(default_factory=set)
    latencies: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Seconds from the event until the ledger, of the source's last hour."""


@dataclass
class _Source:
    """What was read of one source."""

    until: int = 0
    assets: dict[Key, AssetArrivals] = field(default_factory=dict)
    # Number of an asset in `assets`, when its row arrived, latency: the newest rows.
    code: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    arrived: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    latency: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


class Arrivals:
    """Last rows of the assets of live sources; each call reads the rows that are new since the call before, at most 20,000 a source.

    Parameters
    ----------
    ledger : Ledger
    model : TwinModel
    mappings : mapping of str to Mapping
        Of the twin; those with ``live:`` are read.
    """

    def __init__(self, ledger: Ledger, model: TwinModel, mappings: Mapping[str, SourceMapping]) -> None:
        self._ledger, self._model = ledger, model
        self._mappings = {name: one for name, one in mappings.items() if one.live is not None}
        self._sources = {name: _Source() for name in self._mappings}
        # Pages read in threads.
        self._lock = threading.Lock()

    def read(self) -> dict[str, dict[Key, AssetArrivals]]:
        """Return source -> (asset type, asset) -> its arrivals."""
        with self._lock:
            return {name: self._of(name, source) for name, source in self._sources.items()}

    def _of(self, name: str, source: _Source) -> dict[Key, AssetArrivals]:
        reader = self._ledger.reader(name)
        stop = reader.position()
        for frame in reader.frames(start=max(source.until, stop - _ROWS), stop=stop) if stop > source.until else ():
            if frame.kind != "retract_file":
                self._add(source, frame, self._mappings[name])
        source.until = max(stop, source.until)
        if len(source.arrived):
            newest = np.arange(len(source.arrived)) >= len(source.arrived) - _ROWS
            kept = newest & (source.arrived > source.arrived.max() - _SPAN)
            source.code, source.arrived, source.latency = source.code[kept], source.arrived[kept], source.latency[kept]
        order = np.argsort(source.code, kind="stable")
        bounds = np.searchsorted(source.code[order], np.arange(len(source.assets) + 1))
        for n, one in enumerate(source.assets.values()):
            one.latencies = source.latency[order[bounds[n] : bounds[n + 1]]]
        return source.assets

    def _add(self, source: _Source, frame: Frame, mapping: SourceMapping) -> None:
        claims = harmonise(frame, mapping, Context(self._model)).claims
        claims = claims.select(claims.op == 0)
        if not len(claims):
            return
        keys = [(one.asset_type, one.asset) for one in claims.series]
        for key in keys:
            source.assets.setdefault(key, AssetArrivals())
        places = {key: n for n, key in enumerate(source.assets)}
        code = np.array([places[key] for key in keys], dtype=np.int32)[claims.code]
        ordinals = frame.ordinals()
        order = np.argsort(ordinals, kind="stable")
        arrived = frame.ingest_times()[order[np.searchsorted(ordinals, claims.ordinal, sorter=order)]].astype(np.int64)
        found = list(source.assets.values())
        for n in np.unique(code).tolist():
            mine = code == n
            one = found[n]
            one.last_event = max(one.last_event, int(claims.event_time[mine].max()))
            one.last_arrived = max(one.last_arrived, int(arrived[mine].max()))
            one.tags.update(claims.tags[tag] for tag in np.unique(claims.tag[mine]).tolist())
        # All values of a row have one latency.
        _, first = np.unique(claims.ordinal, return_index=True)
        source.code = np.concatenate([source.code, code[first]])
        source.arrived = np.concatenate([source.arrived, arrived[first]])
        source.latency = np.concatenate([source.latency, (arrived - claims.event_time)[first] / 1e9])
