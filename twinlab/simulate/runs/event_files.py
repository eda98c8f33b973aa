"""Event tables of single replications as Parquet files, and as one table again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from twinlab._files import file_name, write_atomically
from twinlab.errors import CorruptionError

__all__ = ["joined_events", "read_events", "write_events"]

_JSON = b"twinlab_json_columns"


def write_events(folder: Path, replication: int, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the event tables of a replication, a file a type; links and properties become JSON.

    Raises
    ------
    SourceError
        If a file can't be written.
    """
    for event_type, frame in tables.items():
        nested = [str(name) for name in frame.columns if _is_nested(frame[name])]
        flat = frame.assign(**{name: frame[name].map(_to_json) for name in nested})
        table = pa.Table.from_pandas(flat, preserve_index=False)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _JSON: json.dumps(nested).encode()})
        target = folder / file_name(event_type) / f"{replication}.parquet"
        write_atomically(target, lambda draft, table=table: pq.write_table(table, draft, compression="zstd"))  # type: ignore[misc]


def read_events(folder: Path, event_type: str, replications: Iterable[int]) -> dict[int, pd.DataFrame]:
    """Return the tables of an event type by replication, of those that have any.

    Raises
    ------
    CorruptionError
        If a file can't be read; names it.
    """
    found = {}
    for replication in replications:
        file = folder / file_name(event_type) / f"{replication}.parquet"
        if not file.is_file():
            continue
        try:
            table = pq.read_table(file, page_checksum_verification=True)
        except (OSError, pa.ArrowException) as error:
            msg = f"{file} can't be read: {error}; compute replication {replication} again"
            raise CorruptionError(msg) from error
        frame: pd.DataFrame = table.to_pandas()
        for name in json.loads((table.schema.metadata or {}).get(_JSON, b"[]")):
            frame[name] = pd.Series([_from_json(text) for text in frame[name]], dtype=object, index=frame.index)
        found[replication] = frame
    return found


def joined_events(tables: Iterable[tuple[str, int, pd.DataFrame]]) -> pd.DataFrame:
    """Return tables of (scenario, replication, table) as one, with the columns ``scenario`` and ``replication`` in front."""
    parts = []
    for scenario, replication, frame in tables:
        part = frame.copy()
        part.insert(0, "scenario", scenario)
        part.insert(1, "replication", np.int64(replication))
        parts.append(part)
    if not parts:
        return pd.DataFrame({"scenario": pd.Series(dtype="str"), "replication": pd.Series(dtype="int64")})
    return pd.concat(parts, ignore_index=True)


def _is_nested(column: pd.Series) -> bool:
    return column.dtype == object and any(isinstance(value, dict | list | tuple) for value in column)


def _to_json(value: object) -> str | None:
    return None if value is None else json.dumps(value, default=_plain)


def _from_json(text: str | None) -> object:
    return None if text is None else json.loads(text)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) and not isinstance(value, np.datetime64) else str(value)
