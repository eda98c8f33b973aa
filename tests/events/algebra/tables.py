"""Small event tables, and a plain-Python oracle of their times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from hypothesis import settings
from hypothesis import strategies as st

#: A table takes milliseconds; what is behind it, `spans`, is tested with more examples.
EXAMPLES = settings(max_examples=30)

#: One step of time; NaT's integer is far from it.
MINUTE = 60 * 10**9
DAY = int(np.datetime64("2026-03-01", "ns").astype("int64"))
FOREVER = 10**6


class Row(NamedTuple):
    asset: str | None
    start: int | None
    end: int | None


@st.composite
def rows(draw: st.DrawFn) -> Row:
    start = draw(st.none() | st.integers(0, 12))
    length = draw(st.none() | st.integers(-1, 6))
    end = None if length is None else (0 if start is None else start) + length
    return Row(draw(st.sampled_from(["a", "b", None])), start, end)


#: Unsorted, with open, empty, repeated and impossible events; without an asset, without a start.
TABLES = st.lists(rows(), max_size=8)


def table(found: list[Row], kind: str = "warm") -> pd.DataFrame:
    def times(values: list[int | None]) -> np.ndarray:
        return np.array(
            [np.datetime64("NaT", "ns") if at is None else np.datetime64(DAY + at * MINUTE, "ns") for at in values],
            dtype="datetime64[ns]",
        )

    return pd.DataFrame(
        {
            "event_id": pd.Series([f"{kind}{place}" for place in range(len(found))], dtype="str"),
            "type": pd.Series([kind] * len(found), dtype="str"),
            "asset": pd.Series([row.asset for row in found], dtype="str"),
            "start": times([row.start for row in found]),
            "end": times([row.end for row in found]),
            "planned_start": times([None] * len(found)),
            "planned_end": times([None] * len(found)),
            "place": range(len(found)),
        }
    ).set_index(pd.Index([100 - place for place in range(len(found))]))


def minutes(column: pd.Series) -> list[float]:
    return (
        (column.to_numpy(dtype="datetime64[ns]") - np.datetime64(DAY, "ns")) / np.timedelta64(MINUTE, "ns")
    ).tolist()


def has_time(row: Row) -> bool:
    return row.asset is not None and row.start is not None and (row.end is None or row.end >= row.start)


def end_of(row: Row) -> int:
    return FOREVER if row.end is None else row.end


#: The last one is any later instant.
LAST = 40


def instants(row: Row) -> set[int]:
    """Return the minutes in which an event lasts."""
    return set(range(row.start, min(end_of(row), LAST + 1))) if has_time(row) else set()


def times_of(found: pd.DataFrame, asset: str | None = None) -> list[set[int]]:
    """Return the minutes of each row of a table."""
    rows = zip(found["asset"], minutes(found["start"]), minutes(found["end"]), strict=True)
    return [
        set(range(int(start), LAST + 1 if np.isnan(end) else int(end)))
        for one, start, end in rows
        if asset is None or one == asset
    ]
