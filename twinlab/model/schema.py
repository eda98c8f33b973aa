"""The columns of ledger frames and event tables. Defined here and nowhere else."""

from __future__ import annotations

import pyarrow as pa

__all__ = [
    "ADDED_PREFIX",
    "ENCRYPTED_VERSION",
    "EVENT_COLUMNS",
    "OBSERVATIONS",
    "OBSERVE",
    "RETRACT",
    "SCHEMA_VERSION",
    "TEXT_SUFFIX",
    "TIME_BASES",
]

#: Version of the ledger's frame schema, written in every frame.
SCHEMA_VERSION = 1
#: The same, of a frame of records with encrypted columns.
ENCRYPTED_VERSION = 2

#: ``time_basis`` of an observation: how ``source_time`` was written.
TIME_BASES = ("utc", "offset", "local", "none")

#: Values of ``op``.
OBSERVE, RETRACT = 0, 1

#: One value of one tag at one event time, as it arrived. ``source_time`` is nanoseconds on the source's own clock
#: since 1970 (``time_basis`` says which clock); ``source_text`` is the text of the time if the source wrote text.
OBSERVATIONS = pa.schema(
    [
        pa.field("tag", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("source_time", pa.int64(), nullable=False),
        pa.field("source_text", pa.string()),
        pa.field("time_basis", pa.dictionary(pa.int8(), pa.string())),
        pa.field("epoch", pa.int64()),
        pa.field("sequence", pa.int64()),
        pa.field("op", pa.int8()),
        pa.field("key", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("text", pa.string()),
        pa.field("unit", pa.dictionary(pa.int32(), pa.string())),
        pa.field("status", pa.int32()),
        pa.field("origin_file", pa.dictionary(pa.int32(), pa.string())),
        pa.field("origin_row", pa.int64()),
    ]
)

#: Columns that a source adds to those of a message begin with this; a mapping may use them, and they aren't reported as unknown.
ADDED_PREFIX = "kafka."

#: Of a column ``x`` of numbers, the cells that aren't numbers are stored as text in the column ``x`` + this.
TEXT_SUFFIX = "\u241ftext"

#: Columns that every event table starts with; the event type's links and properties follow.
EVENT_COLUMNS: dict[str, str] = {
    "event_id": "string",
    "type": "string",
    "asset": "string",
    "start": "datetime64[ns]",
    "end": "datetime64[ns]",
    "planned_start": "datetime64[ns]",
    "planned_end": "datetime64[ns]",
}
