"""Up to which event time the sources of signals and events are complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from twinlab.model.mapping import Mapping as SourceMapping
    from twinlab.model.mapping.tags import TagRule
    from twinlab.model.reader import TwinReader

__all__ = ["last_actual", "settled_watermark", "signal_watermark", "sources_of", "window_states"]


def signal_watermark(twin: TwinReader, asset_type: str, signal: str) -> int | None:
    """Return the earliest watermark of the sources of a signal, nanoseconds since 1970; None if the twin has no watermarks.

    A source's watermark is the event time up to which its rows are complete.
    """
    found = _watermarks(twin, asset_type, signal)
    return min(mark for mark, _ in found) if found else None


def settled_watermark(twin: TwinReader, asset_type: str, signal: str) -> int | None:
    """Return the time up to which no rows of a signal are expected any more, nanoseconds since 1970; None without watermarks.

    It is the earliest of its sources' watermarks, of a live source less the ``lateness`` that its mapping states.
    """
    found = _watermarks(twin, asset_type, signal)
    return min(mark - late for mark, late in found) if found else None


def window_states(
    twin: TwinReader, stops: NDArray[np.datetime64], asset_type: str, signals: Sequence[str]
) -> NDArray[np.str_]:
    """Return for windows with these ends whether they are "open", "settling" or "settled", shape (windows,).

    A window is open until a later row of each signal has come, and settling until the time that rows may be late is over.
    Rows that come later still change it. Without watermarks a window is open.
    """
    ends = np.asarray(stops, dtype="datetime64[ns]").astype(np.int64)
    out = np.full(len(ends), "settled", dtype="U8")
    for signal in signals:
        mark, settled = signal_watermark(twin, asset_type, signal), settled_watermark(twin, asset_type, signal)
        if mark is None or settled is None:
            return np.full(len(ends), "open", dtype="U8")
        out[(ends > settled) & (out == "settled")] = "settling"
        out[ends > mark] = "open"
    return out


def _watermarks(twin: TwinReader, asset_type: str, signal: str) -> list[tuple[int, int]]:
    """Return watermark and lateness of each source of a signal, ns; of sources whose rules have ended only if there is no other."""
    reader = getattr(twin, "reader", twin)
    watermarks, mappings = getattr(reader, "watermarks", None), getattr(reader, "mappings", None)
    if watermarks is None or mappings is None:
        return []
    marks: dict[str, np.datetime64] = watermarks()
    sources = [source for source in sources_of(mappings, asset_type, signal) if source in marks]
    going_on = [source for source in sources if _expected(mappings[source], asset_type, signal)]
    return [
        (int(marks[source].astype("int64")), 0 if (live := mappings[source].live) is None else live.lateness_ns)
        for source in going_on or sources
    ]


def sources_of(mappings: Mapping[str, SourceMapping], asset_type: str, signal: str) -> list[str]:
    """Return the sources whose mappings may feed a signal of an asset type."""
    return sorted(
        {source for source, one in mappings.items() if any(key == (asset_type, signal) for key, _ in _fed(one))}
    )


def _expected(mapping: SourceMapping, asset_type: str, signal: str) -> bool:
    """Return whether more rows of a signal are expected from a source: a rule of its mapping has no end."""
    return any(key == (asset_type, signal) and rule.valid_until is None for key, rule in _fed(mapping))


def _fed(mapping: SourceMapping) -> Iterator[tuple[tuple[str, str], TagRule]]:
    """Yield each rule of a mapping with the asset type and signal that it is of."""
    for table in mapping.tables:
        row_type = table.asset.type if table.asset is not None else ""
        for tags in (table.columns, table.tags):
            for rules in tags.values():
                for rule in rules:
                    yield ((rule.asset.partition("/")[0] if rule.asset else row_type), rule.signal), rule
    for rules in mapping.stream.tags.values() if mapping.stream is not None else ():
        for rule in rules:
            yield ((rule.asset or "").partition("/")[0], rule.signal), rule


def last_actual(table: pd.DataFrame) -> int | None:
    """Return the latest actual time of an event table, nanoseconds since 1970; None if it has none."""
    times = [table[name].max() for name in ("start", "end")]
    known = [int(one.as_unit("ns").value) for one in times if one == one]  # noqa: PLR0124  (NaT isn't itself)
    return max(known, default=None)
