"""Write and read the tables of a transaction."""

from __future__ import annotations

import pyarrow as pa

from twinlab.errors import HistoryConflictError
from twinlab.history.store import tables
from twinlab.history.store.byte_store import SessionBytes
from twinlab.history.store.catalog import Catalog

__all__ = ["TableWriter"]


class TableWriter:
    """The tables of a transaction, and the groups that Zarr needs above every array."""

    def __init__(self, stored: SessionBytes, catalog: Catalog) -> None:
        self._bytes = stored
        self._catalog = catalog
        self._groups: set[str] = set()
        self._open = True

    def write_table(
        self, path: str, table: pa.Table, *, body: bytes | None = None, about: dict[str, object] | None = None
    ) -> None:
        """Store a table under a path such as ``assets/aircraft``, replacing the one that is there.

        See `twinlab.history.store.tables.write_table` for ``body`` and ``about``.
        """
        self._check_open()
        self.drop_table(path)
        self._ensure_parents(path)
        tables.write_table(path, table, store=self._bytes, body=body, about=about)
        self._catalog.tables.add(path)

    def table(self, path: str) -> pa.Table:
        """Return a stored table, with the changes of this transaction."""
        return tables.read_table(path, store=self._bytes)

    def table_attributes(self, path: str) -> dict[str, object]:
        """Return what is stated of a stored table, with the changes of this transaction."""
        return tables.table_attributes(path, store=self._bytes)

    def drop_table(self, path: str) -> None:
        """Remove a table; nothing happens if there is none."""
        if path in self._catalog.tables:
            tables.delete_table(path, store=self._bytes)
            self._catalog.tables.discard(path)

    def tables(self, prefix: str = "") -> tuple[str, ...]:
        """Return the paths of the tables that start with ``prefix``, sorted."""
        return tuple(sorted(path for path in self._catalog.tables if path.startswith(prefix)))

    def _ensure_parents(self, path: str) -> None:
        """Create the groups above an array, which Zarr needs to list it."""
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            key = "/".join([*parts[:depth], "zarr.json"])
            if key not in self._groups:
                self._groups.add(key)
                if self._bytes.fetch([(key, None)])[0] is None:
                    self._bytes.put(key, b'{"zarr_format":3,"node_type":"group","attributes":{}}')

    def _check_open(self) -> None:
        if not self._open:
            msg = "expected an open transaction, but it was committed or discarded; begin another one"
            raise HistoryConflictError(msg)
