"""Columns that look personal and aren't declared: refused by a twin that has opted in, named in the report of others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from twinlab.errors import SchemaError
from twinlab.model.privacy.detector import SAMPLE, Suspect, suspects
from twinlab.model.privacy.personal_columns import column_uses

if TYPE_CHECKING:
    import pyarrow as pa

    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.twinmodel import TwinModel

__all__ = ["declaration", "refuse_undeclared", "undeclared"]


def undeclared(
    model: TwinModel, mappings: Mapping[str, SourceMapping], source: str, table: str, rows: pa.RecordBatch
) -> list[Suspect]:
    """Return the columns of some rows that look personal and about which ``twin.yaml`` says nothing."""
    names: Sequence[str] = rows.schema.names
    uses = column_uses(model, mappings.get(source), source, table, names)
    sample = rows.slice(0, SAMPLE)
    values = {name: sample.column(place).to_pylist() for place, name in enumerate(names)}
    return suspects(values, declared=[name for name, use in uses.items() if use.declared])


def declaration(model: TwinModel, mappings: Mapping[str, SourceMapping], source: str, table: str, column: str) -> str:
    """Return the line of ``twin.yaml`` that declares a column, with its place."""
    use = column_uses(model, mappings.get(source), source, table, [column]).get(column)
    if use is not None and use.field:
        return f"under {use.field}: `sensitivity: personal`"
    return f'under privacy.columns: `"{source}.{column}": personal`'


def refuse_undeclared(
    model: TwinModel,
    mappings: Mapping[str, SourceMapping],
    source: str,
    table: str,
    rows: pa.RecordBatch,
    *,
    file: str | None = None,
) -> None:
    """Raise an error if some columns look personal and aren't declared.

    Raises
    ------
    SchemaError
        Names the file, each column, why it looks personal, and the line that declares it.
    """
    found = undeclared(model, mappings, source, table, rows)
    if found:
        where = file if file is not None else f"source {source!r}, table {table!r}"
        lines = [
            f"  column {one.column!r} seems to have {one.what} ({one.evidence}); write in twin.yaml "
            f"{declaration(model, mappings, source, table, one.column)}"
            for one in found
        ]
        msg = "\n".join([
            f"{where}: expected each personal column to be declared, since the twin states purposes; nothing was stored",
            *lines,
            "  or `internal` instead of `personal` where a column has no data about people",
        ])  # fmt: skip
        raise SchemaError(msg)
