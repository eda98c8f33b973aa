"""Where results are kept: in memory, or in a folder from which a run goes on after any interruption."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab._files import file_name, open_binary, write_atomically
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, SchemaError, SourceError
from twinlab.history.regions.region_store import RegionStore
from twinlab.simulate.runs.chunks import Piece, join
from twinlab.simulate.runs.digests import replication_digests
from twinlab.simulate.runs.event_files import read_events, write_events
from twinlab.simulate.states.files import load_state, save_state

__all__ = ["FolderStore", "MemoryStore", "Store"]

_RUN, _FINISHED = "run.json", "finished.jsonl"


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

    def data(self, scenario: str) -> xr.Dataset:
        """Return the finished replications, lazy where they are on a disk."""

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

    def data(self, scenario: str) -> xr.Dataset:  # noqa: D102
        return join([piece.data for piece in self._sorted(scenario)])

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


class FolderStore:
    """Results in a folder: plain Zarr a scenario, Parquet for events, and a line of JSON for each finished chunk.

    A chunk is written before its line: whoever is killed leaves finished chunks, whole. Files aren't synced, since their
    checksums detect what a power cut loses.

    Parameters
    ----------
    path : Path
        Folder of a run, with a file ``run.json``.

    Raises
    ------
    SchemaError
        If there is no run in it.
    CorruptionError
        If the list of finished chunks can't be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not (self.path / _RUN).is_file():
            msg = f"expected a stored run (a folder with {_RUN}) at {self.path}, found none; choose another path"
            raise SchemaError(msg)
        self._lock = threading.Lock()
        self._edges = threading.Lock()
        self._zarr: dict[str, RegionStore] = {}
        self._digests: dict[str, dict[int, str]] = {}
        self._sessions: list[dict[str, Any]] = []
        self._unmetered = (0.0, 0.0)
        self._torn = 0
        self.reload()

    @classmethod
    def create(cls, path: Path, about: Mapping[str, Any]) -> FolderStore:
        """Make the folder of a run.

        Raises
        ------
        SchemaError
            If there are other files in it.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            msg = f"expected an empty folder, a stored run or nothing at {path}, found other data; choose another path"
            raise SchemaError(msg)
        write_atomically(path / _RUN, lambda draft: draft.write_text(json.dumps(about, indent=1), encoding="utf-8"))
        return cls(path)

    def keep_state(self, scenario: str, state: xr.Dataset) -> None:
        """Keep the state at the start of a scenario, if it isn't there yet."""
        target = self.path / "states" / file_name(scenario)
        if not target.exists():
            write_atomically(target, lambda draft: save_state(state, draft))

    def state(self, scenario: str) -> xr.Dataset:
        """Return the state at the start of a scenario.

        Raises
        ------
        SourceError
            If it isn't there, because the run was killed before it was written.
        """
        return load_state(self.path / "states" / file_name(scenario))

    @property
    def about(self) -> dict[str, Any]:
        """What the run is a run of: the content of ``run.json``."""
        file = self.path / _RUN
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            msg = f"{file} isn't JSON: {error}; restore it from a copy"
            raise CorruptionError(msg) from error
        return found

    def change(self, **values: object) -> None:
        """Replace values of ``run.json``."""
        text = json.dumps({**self.about, **values}, indent=1)
        write_atomically(self.path / _RUN, lambda draft: draft.write_text(text, encoding="utf-8"))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the run: one process at a time computes into a folder.

        Raises
        ------
        HistoryConflictError
            If another process does.
        """
        with Lock(self.path / "lock", what=f"the run at {self.path}"):
            self.reload()
            if self._torn:
                file = self.path / _FINISHED
                os.truncate(file, file.stat().st_size - self._torn)
                self._torn = 0
            yield

    def reload(self) -> None:
        """Read anew which chunks are finished; a line that was cut by a kill doesn't count."""
        file = self.path / _FINISHED
        whole, _, torn = (file.read_bytes() if file.is_file() else b"").rpartition(b"\n")
        self._torn = len(torn)
        digests: dict[str, dict[int, str]] = {}
        self._sessions, self._unmetered = [], (0.0, 0.0)
        for place, line in enumerate(whole.split(b"\n") if whole else ()):
            try:
                entry = json.loads(line)
                if "session" in entry:
                    self._sessions.append(entry["session"])
                    self._unmetered = (0.0, 0.0)
                    continue
                self._unmetered = (self._unmetered[0] + entry["cpu"], self._unmetered[1] + entry["wall"])
                numbers = enumerate(entry["digests"], start=int(entry["first"]))
                digests.setdefault(entry["scenario"], {}).update(numbers)
            except (ValueError, KeyError, TypeError) as error:
                msg = f"line {place + 1} of {file} can't be read: {error}; remove the line, its chunk is computed again"
                raise CorruptionError(msg) from error
        self._digests = digests

    def _add_line(self, entry: Mapping[str, Any]) -> None:
        data = json.dumps(entry).encode() + b"\n"
        file = self.path / _FINISHED
        try:
            descriptor = open_binary(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            try:
                size = os.fstat(descriptor).st_size
                if os.write(descriptor, data) != len(data):
                    os.ftruncate(descriptor, size)
                    msg = f"{file} can't be written: no space left; free some space and run again with the same store"
                    raise SourceError(msg)
            finally:
                os.close(descriptor)
        except OSError as error:
            msg = f"{file} can't be written: {error.strerror}; free some space and run again with the same store"
            raise SourceError(msg) from error

    def _folder(self, scenario: str) -> Path:
        return self.path / "scenarios" / file_name(scenario)

    def _regions(self, scenario: str) -> RegionStore | None:
        with self._lock:
            if scenario not in self._zarr and self._folder(scenario).is_dir():
                self._zarr[scenario] = RegionStore(self._folder(scenario))
            return self._zarr.get(scenario)

    def chunk(self, scenario: str) -> int | None:  # noqa: D102  (the protocol's)
        regions = self._regions(scenario)
        return None if regions is None else regions.chunk

    def begin(self, scenario: str, template: xr.Dataset, *, chunk: int, size: int) -> None:  # noqa: D102
        self._zarr[scenario] = RegionStore.create(
            self._folder(scenario), template, dim="replication", size=size, chunk=chunk
        )

    def grow(self, size: int) -> None:
        """Make room for more replications of all scenarios."""
        for scenario in self.about["scenarios"]:
            regions = self._regions(scenario)
            if regions is not None and regions.size < size:
                regions.resize(size)

    def keep(self, piece: Piece) -> None:  # noqa: D102
        regions = self._regions(piece.scenario)
        assert regions is not None
        shared = piece.first % regions.chunk or (piece.first + piece.count) % regions.chunk
        if shared:
            # Chunks at the edges of pieces are read, changed and written.
            with self._edges:
                regions.write(piece.first, piece.data)
        else:
            regions.write(piece.first, piece.data)
        for number, tables in piece.events.items():
            write_events(self.path / "events" / file_name(piece.scenario), number, tables)
        entry = {"scenario": piece.scenario, "first": piece.first, "digests": piece.digests}
        entry |= {"cpu": round(piece.cpu + piece.warm_up, 6), "wall": round(piece.wall, 6)}
        with self._lock:
            self._add_line(entry)
            numbers = enumerate(piece.digests, start=piece.first)
            self._digests.setdefault(piece.scenario, {}).update(numbers)

    def finished(self, scenario: str) -> NDArray[np.int64]:  # noqa: D102
        return np.array(sorted(self.digests(scenario)), dtype="int64")

    def digests(self, scenario: str) -> dict[int, str]:  # noqa: D102
        with self._lock:
            return dict(self._digests.get(scenario, {}))

    def data(self, scenario: str) -> xr.Dataset:  # noqa: D102
        regions, finished = self._regions(scenario), self.finished(scenario)
        if regions is None:
            return xr.Dataset()
        if np.array_equal(finished, np.arange(regions.size)):
            return regions.dataset()
        return regions.dataset(complete=False).isel(replication=finished)

    def events(self, scenario: str, event_type: str) -> dict[int, pd.DataFrame]:  # noqa: D102
        folder = self.path / "events" / file_name(scenario)
        return read_events(folder, event_type, self.finished(scenario).tolist())

    def sessions(self) -> list[dict[str, Any]]:  # noqa: D102
        return self._sessions

    def note_session(self, about: Mapping[str, Any]) -> None:  # noqa: D102
        with self._lock:
            self._add_line({"session": about})
            self._sessions.append(dict(about))

    def unmetered(self) -> tuple[float, float]:  # noqa: D102
        return self._unmetered

    def disk_bytes(self, *, data_only: bool = False) -> int:  # noqa: D102
        # Chunks are in folders "c" of their variables.
        files = self.path.glob("scenarios/*/*/c/**/*") if data_only else self.path.rglob("*")
        total = 0
        for file in files:
            # Another thread may have replaced a draft by now.
            with suppress(FileNotFoundError):
                total += file.stat().st_size if file.is_file() else 0
        return total

    def verify(self) -> None:
        """Read everything and compare it with the digests that were recorded when it was computed.

        Raises
        ------
        CorruptionError
            If a chunk is missing, fails its checksum or has other values; names it.
        """
        for scenario, digests in self._digests.items():
            regions = self._regions(scenario)
            assert regions is not None
            for first in range(0, regions.size, regions.chunk):
                numbers = [n for n in range(first, min(first + regions.chunk, regions.size)) if n in digests]
                if not numbers:
                    continue
                stop = min(first + regions.chunk, regions.size)
                part = regions.read(first, stop).isel(replication=np.array(numbers) - first)
                for number, digest in zip(numbers, replication_digests(part), strict=True):
                    if digest != digests[number]:
                        msg = (
                            f"replication {number} of scenario {scenario!r} in {regions.path} has other values than "
                            "were computed; run it anew into another store"
                        )
                        raise CorruptionError(msg)
