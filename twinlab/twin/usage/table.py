"""Counts of use as a table, by week or day; small counts are hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

__all__ = ["SMALL", "USAGE_COLUMNS", "usage_table"]

#: Smaller counts are shown as "< 5".
SMALL = 5
USAGE_COLUMNS = {"start": "datetime64[ns]", "kind": "str", "name": "str", "count": "Int64", "shown": "str"}


def usage_table(counts: Mapping[str, Mapping[str, int]], *, by: Literal["week", "day"] = "week") -> pd.DataFrame:
    """Return counts by week or day.

    Parameters
    ----------
    counts : mapping of day to mapping of "kind:name" to number
        As `UsageStore.read` returns them.
    by : "week" or "day"
        Weeks begin on Monday.

    Returns
    -------
    DataFrame
        ``start`` (first day, UTC), ``kind`` ("page", "task", or "answer": answers by the time that they took), ``name``, ``count``
        (NA if it is smaller than 5) and ``shown`` (a number, or "< 5"). Without a row nothing was counted.

    >>> usage_table({"2026-03-03": {"page:now": 4}, "2026-03-05": {"page:now": 3, "task:excel": 1}})["shown"].tolist()
    ['7', '< 5']
    """
    rows = [
        (pd.Timestamp(day), *key.partition(":")[::2], number)
        for day, there in counts.items()
        for key, number in there.items()
    ]
    table = pd.DataFrame(rows, columns=["start", "kind", "name", "count"])
    table["start"] = table["start"].astype("datetime64[ns]")
    if by == "week":
        table["start"] -= pd.to_timedelta(table["start"].dt.day_of_week, unit="D")
    table = table.groupby(["start", "kind", "name"], sort=True)["count"].sum().reset_index()
    large = table["count"] >= SMALL
    table["shown"] = table["count"].astype("str").where(large, f"< {SMALL}")
    table["count"] = table["count"].astype("Int64").where(large)
    return table.astype(USAGE_COLUMNS)
