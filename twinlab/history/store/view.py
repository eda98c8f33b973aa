"""A read-only state of the history: one snapshot."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import icechunk
import pyarrow as pa

from twinlab.errors import CorruptionError
from twinlab.history.layout.grid import Group
from twinlab.history.remote.repository import object_parts
from twinlab.history.store import publish, tables
from twinlab.history.store.byte_store import ByteStore, IcechunkBytes
from twinlab.history.store.catalog import Catalog
from twinlab.history.store.cells import CellReader
from twinlab.history.store.chunk_reader import DirectBytes, UnknownFormatError
from twinlab.model.twinmodel import Signal

__all__ = ["View", "open_view"]


class View(CellReader):
    """One snapshot, unaffected by later commits. It is pickled as path and snapshot."""

    def __init__(self, path: Path, snapshot: str) -> None:
        self.path = path
        self.snapshot = snapshot
        store: ByteStore
        try:
            store = DirectBytes(path, snapshot, object_parts(path, snapshot))
        except UnknownFormatError:
            store = IcechunkBytes(self.session)
        (root,) = store.fetch([("zarr.json", None)])
        super().__init__(Catalog.from_attributes(json.loads(root or b"{}").get("attributes", {})), store)

    @cached_property
    def session(self) -> icechunk.Session:
        """Icechunk's own read-only session, for Zarr: ``zarr.open_group(view.session.store, mode="r")``."""
        return publish.open_repository(self.path).readonly_session(snapshot_id=self.snapshot)

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        """Pickle as path and snapshot; another process opens the files itself."""
        return open_view, (self.path, self.snapshot)

    @property
    def meta(self) -> dict[str, object]:
        """The historian's metadata in this snapshot."""
        return self.catalog.meta

    @property
    def origin_ns(self) -> int:
        """The origin of all time axes, nanoseconds since 1970, UTC midnight."""
        return self.catalog.origin_ns

    def groups(self) -> tuple[Group, ...]:
        """Return the groups, sorted."""
        return tuple(sorted(self.catalog.groups))

    def signals(self, group: Group) -> dict[str, Signal]:
        """Return the signals of a group as they were stored."""
        return dict(self.catalog.entry(group).signals)

    def n_assets(self, group: Group) -> int:
        """Return the number of asset columns of a group."""
        return self.catalog.entry(group).n_assets

    def extent(self, group: Group) -> tuple[int, int]:
        """Return the span ``(k0, k1)`` of all cells written so far; (0, 0) if there are none."""
        return self.catalog.entry(group).extent or (0, 0)

    def bytes(self) -> dict[str, int]:
        """Return the bytes of every array's chunks, by its path."""
        return self._store.metadata.sizes() if isinstance(self._store, DirectBytes) else {}

    def table(self, path: str) -> pa.Table:
        """Return a stored table; see `twinlab.history.store.tables`."""
        return tables.read_table(path, store=self._store)

    def table_attributes(self, path: str) -> dict[str, object]:
        """Return what is stated of a stored table; see `twinlab.history.store.tables`."""
        return tables.table_attributes(path, store=self._store)

    def tables(self, prefix: str = "") -> tuple[str, ...]:
        """Return the paths of the tables that start with ``prefix``, sorted."""
        return tuple(sorted(path for path in self.catalog.tables if path.startswith(prefix)))


def open_view(path: Path, snapshot: str | None = None, *, branch: str = publish.MAIN) -> View:
    """Open a snapshot of the repository in a directory; by default the newest one of a branch, which is the published history.

    Raises
    ------
    CorruptionError
        If it doesn't open.
    """
    try:
        chosen = snapshot or publish.tip(path, branch)
        return View(path, chosen)
    except icechunk.IcechunkError as error:
        msg = f"expected to open snapshot {snapshot or branch} in {path}, but: {error}; run `twinlab rebuild`"
        raise CorruptionError(msg) from error
