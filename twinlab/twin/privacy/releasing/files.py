"""Released files: Parquet, or CSV with a file of metadata beside it; owner, purpose and terms are part of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twinlab._files import replace_file, sync_file
from twinlab.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METADATA", "publish", "read_back", "sha256_of", "sidecar", "write_draft"]

#: Key of the metadata in a Parquet file.
METADATA = b"twinlab.release"


def sidecar(path: Path) -> Path:
    """Return the file with the metadata of a CSV file."""
    return path.with_name(f"{path.name}.release.json")


def write_draft(table: pd.DataFrame, path: Path, metadata: Mapping[str, object]) -> Path:
    """Write a table beside where it is to be; return the draft, which is synced.

    Raises
    ------
    SchemaError
        If the name doesn't end with ``.parquet`` or ``.csv``.
    """
    draft = path.with_name(f".{path.name}.draft{path.suffix}")
    if path.suffix == ".parquet":
        import pyarrow as pa  # noqa: PLC0415  (only releases need them)
        import pyarrow.parquet as pq  # noqa: PLC0415

        made = pa.Table.from_pandas(table, preserve_index=False)
        said = {**(made.schema.metadata or {}), METADATA: json.dumps(metadata, ensure_ascii=False).encode()}
        pq.write_table(made.replace_schema_metadata(said), draft, compression="zstd")
    elif path.suffix == ".csv":
        table.to_csv(draft, index=False)
    else:
        msg = f"expected a file .parquet or .csv to release to, got {path.name!r}"
        raise SchemaError(msg)
    sync_file(draft)
    return draft


def read_back(draft: Path, like: pd.DataFrame) -> pd.DataFrame:
    """Return what a draft has, with the types of the table that it was written from."""
    import pandas as pd  # noqa: PLC0415  (only releases need it)

    if draft.suffix == ".parquet":
        return pd.read_parquet(draft)
    found = pd.read_csv(draft, dtype={name: "str" for name in like.columns if like[name].dtype.kind not in "fiubM"})
    for name in like.columns:
        if like[name].dtype.kind == "M":
            found[name] = pd.to_datetime(found[name])
    return found


def publish(draft: Path, path: Path, metadata: Mapping[str, object]) -> None:
    """Put a draft in its place; the metadata of a CSV file first."""
    if path.suffix == ".csv":
        beside = sidecar(path)
        beside.write_text(json.dumps(metadata, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        sync_file(beside)
    replace_file(draft, path)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
