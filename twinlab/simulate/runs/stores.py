"""Where results are kept: what every store does, and the store in memory; `folder_store` has the one on a disk."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab.simulate.runs.chunks import Piece, join, kpis_of

__all__ = ["MemoryStore", "Store"]


class Store(Protocol):
    """Results of a run, by scenario and replication."""

    def chunk(self, scenario: str) -> int | None:
        """Return how many replications are kept together; None before `begin`."""

    def begin(self, scenario: str, template: xr.Dataset, *, chunk: int, size: int) -> None:
        """Make room for ``size`` replications of a scenario, of which a template has one or several."""

    def keep(self, piece: Piece) -> None:
        """Keep some replications; they count as finished once this returns. Several threads may call it."""

    def finished(self, scenario: str) -> NDArray[np.int64]:
        """Return the numbers of finished replications, ascending."""

    def digests(self, scenario: str) -> dict[int, str]:
        """Return the digest of each finished replication."""

    def data(self, scenario: str, *, kpis_only: bool = False) -> xr.Dataset:
        """Return the finished replications, lazy where they are on a disk; only variables without other dims if ``kpis_only``."""

    def events(self, scenario: str, event_type: str) -> dict[int, pd.DataFrame]:
        """Return the table of an event type of each replication that has one."""

    def sessions(self) -> list[dict[str, Any]]:
        """Return what each call that computed something has noted about itself."""

    def note_session(self, about: Mapping[str, Any]) -> None:
        """Add a note about a call that computed something."""

    def unmetered(self) -> tuple[float, float]:
        """Return the seconds of processor and of clock of chunks whose call was killed before it noted its meter."""

    def disk_bytes(self, *, data_only: bool = False) -> int:
        """Return the bytes that results take; metadata and states, which don't grow with replications, unless ``data_only``."""


class MemoryStore:
    """Results in the memory of this process."""

    def __init__(self) -> None:
        self._chunks: dict[str, int] = {}
        self._pieces: dict[str, list[Piece]] = {}
        self._sessions: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def copy(self) -> MemoryStore:
        """Return a store with the same results, to which others can be added."""
        other = MemoryStore()
        other._chunks, other._sessions = dict(self._chunks), list(self._sessions)
        other._pieces = {name: list(pieces) for name, pieces in self._pieces.items()}
        return other

    def pieces(self) -> list[Piece]:
        """Return all that is kept, in the order of scenarios and replications."""
        return [piece for name in self._pieces for piece in self._sorted(name)]

    def chunk(self, scenario: str) -> int | None:  # noqa: D102  (the protocol's)
        return self._chunks.get(scenario)

    def begin(self, scenario: str, template: xr.Dataset, *, chunk: int, size: int) -> None:  # noqa: ARG002, D102
        self._chunks[scenario] = chunk

    def keep(self, piece: Piece) -> None:  # noqa: D102
        with self._lock:
            self._pieces.setdefault(piece.scenario, []).append(piece)

    def _sorted(self, scenario: str) -> list[Piece]:
        with self._lock:
            return sorted(self._pieces.get(scenario, ()), key=lambda piece: piece.first)

    def finished(self, scenario: str) -> NDArray[np.int64]:  # noqa: D102
        return np.array(sorted(self.digests(scenario)), dtype="int64")

    def digests(self, scenario: str) -> dict[int, str]:  # noqa: D102
        return {piece.first + n: one for piece in self._sorted(scenario) for n, one in enumerate(piece.digests)}

    def data(self, scenario: str, *, kpis_only: bool = False) -> xr.Dataset:  # noqa: D102
        parts = [piece.data for piece in self._sorted(scenario)]
        return join([kpis_of(part) for part in parts] if kpis_only else parts)

    def events(self, scenario: str, event_type: str) -> dict[int, pd.DataFrame]:  # noqa: D102
        every = {number: tables for piece in self._sorted(scenario) for number, tables in piece.events.items()}
        return {number: tables[event_type] for number, tables in every.items() if event_type in tables}

    def sessions(self) -> list[dict[str, Any]]:  # noqa: D102
        return self._sessions

    def note_session(self, about: Mapping[str, Any]) -> None:  # noqa: D102
        self._sessions.append(dict(about))

    def unmetered(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, 0.0

    def disk_bytes(self, *, data_only: bool = False) -> int:  # noqa: ARG002, D102
        return sum(piece.data.nbytes for pieces in self._pieces.values() for piece in pieces)
