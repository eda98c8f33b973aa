"""Results in a folder, from which a run goes on after any interruption."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from twinlab._files import file_name, open_binary, write_atomically
from twinlab._locks import Lock
from twinlab.errors import CorruptionError, SchemaError, SourceError
from twinlab.history.regions.region_store import RegionStore
from twinlab.simulate.runs.chunks import Piece, kpis_of
from twinlab.simulate.runs.digests import replication_digests
from twinlab.simulate.runs.event_files import read_events, write_events
from twinlab.simulate.states.files import load_state, save_state

__all__ = ["FolderStore"]

_RUN, _FINISHED = "run.json", "finished.jsonl"


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

    def keep_parameters(self, model_hash: str, found: xr.Dataset) -> None:
        """Keep the parameters of a model, once for all scenarios that have it."""
        target = self.path / "models" / model_hash
        if not target.exists():
            write_atomically(target, lambda draft: found.to_zarr(str(draft), consolidated=False, zarr_format=3))

    def parameters(self, model_hash: str) -> xr.Dataset:
        """Return the parameters of a model.

        Raises
        ------
        SourceError
            If they aren't there, because the run is of an earlier version, or was killed before they were written.
        """
        path = self.path / "models" / model_hash
        if not path.is_dir():
            msg = (
                f"there are no parameters of the model with hash {model_hash} in {self.path}; pass the model as models="
            )
            raise SourceError(msg)
        found: xr.Dataset = xr.open_zarr(str(path), consolidated=False, chunks=None).load()
        return found

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
                if "forgotten" in entry:
                    for number in entry["forgotten"]:
                        digests.get(entry["scenario"], {}).pop(number, None)
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

    def data(self, scenario: str, *, kpis_only: bool = False) -> xr.Dataset:  # noqa: D102
        data = self._data(scenario)
        return kpis_of(data) if kpis_only else data

    def _data(self, scenario: str) -> xr.Dataset:
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
        for _, _, _, fault in self._damaged():
            raise fault

    def forget_damaged(self) -> int:
        """Remove chunks that `verify` refuses, so that their replications count as not finished; return their number."""
        count = 0
        for scenario, first, numbers, _ in self._damaged():
            regions = self._regions(scenario)
            assert regions is not None
            with self._lock:
                # The line comes first: whoever is killed between has a chunk too many, which is computed anew.
                self._add_line({"scenario": scenario, "forgotten": numbers})
                for number in numbers:
                    self._digests[scenario].pop(number, None)
            regions.remove(first, first + 1)
            count += len(numbers)
        return count

    def _damaged(self) -> Iterator[tuple[str, int, list[int], CorruptionError]]:
        """Yield scenario, first number, finished numbers and fault of each chunk that is damaged."""
        for scenario, digests in self._digests.items():
            regions = self._regions(scenario)
            assert regions is not None
            for first in range(0, regions.size, regions.chunk):
                stop = min(first + regions.chunk, regions.size)
                numbers = [number for number in range(first, stop) if number in digests]
                fault = (
                    _fault(regions, first, stop, {number: digests[number] for number in numbers}) if numbers else None
                )
                if fault is not None:
                    yield scenario, first, numbers, fault


def _fault(regions: RegionStore, first: int, stop: int, digests: Mapping[int, str]) -> CorruptionError | None:
    try:
        part = regions.read(first, stop).isel(replication=np.array(list(digests)) - first)
    except CorruptionError as error:
        return error
    for (number, digest), found in zip(digests.items(), replication_digests(part), strict=True):
        if digest != found:
            msg = f"replication {number} in {regions.path} has other values than were computed; call results.repair()"
            return CorruptionError(msg)
    return None
