"""Up to which event time the sources of signals and events are complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.reader import TwinReader

__all__ = ["last_actual", "signal_watermark", "sources_of"]


def signal_watermark(twin: TwinReader, asset_type: str, signal: str) -> int | None:
    """Return the earliest watermark of the sources of a signal, nanoseconds since 1970; None if the twin has no watermarks.

    A source's watermark is the event time up to which its rows are complete.
    """
    reader = getattr(twin, "reader", twin)
    watermarks, mappings = getattr(reader, "watermarks", None), getattr(reader, "mappings", None)
    if watermarks is None or mappings is None:
        return None
    marks: dict[str, np.datetime64] = watermarks()
    found = [marks[source] for source in sources_of(mappings, asset_type, signal) if source in marks]
    return int(min(found).astype("int64")) if found else None


def sources_of(mappings: Mapping[str, SourceMapping], asset_type: str, signal: str) -> list[str]:
    """Return the sources whose mappings may feed a signal of an asset type."""
    return sorted({source for source, one in mappings.items() if (asset_type, signal) in set(_fed(one))})


def _fed(mapping: SourceMapping) -> Iterator[tuple[str, str]]:
    for table in mapping.tables:
        row_type = table.asset.type if table.asset is not None else ""
        for tags in (table.columns, table.tags):
            for rules in tags.values():
                for rule in rules:
                    yield (rule.asset.partition("/")[0] if rule.asset else row_type), rule.signal
    for rules in mapping.stream.tags.values() if mapping.stream is not None else ():
        for rule in rules:
            yield (rule.asset or "").partition("/")[0], rule.signal


def last_actual(table: pd.DataFrame) -> int | None:
    """Return the latest actual time of an event table, nanoseconds since 1970; None if it has none."""
    times = [table[name].max() for name in ("start", "end")]
    known = [int(one.as_unit("ns").value) for one in times if one == one]  # noqa: PLR0124  (NaT isn't itself)
    return max(known, default=None)
