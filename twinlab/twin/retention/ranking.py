"""Which ways of keeping less are no worse than any other, and which is the best within a budget."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["best_within_budget", "pareto"]


def best_within_budget(table: pd.DataFrame) -> int | None:
    """Return the row within the budget that misses least, then has the least errors (of KPIs first), the longest full rate, the whole
    ledger, and the codec in use, which the first row has.
    """
    fitting = table[table["fits"]]
    if fitting.empty:
        return None
    order = fitting.assign(age=[age_of(text) for text in fitting["full_rate"]], moved=fitting["ledger"] == "archive")
    order["recoded"] = fitting["codec"] != table["codec"].iloc[0]
    by = ["missed", "kpi_lost", "kpi_relative", "share_error", "age", "moved", "recoded"]
    return int(order.sort_values(by, ascending=[name != "age" for name in by]).index[0])


def pareto(table: pd.DataFrame) -> list[bool]:
    """Return which rows no other row dominates: at most its cost, errors and missed events, and younger cells no sooner gone."""
    values = table[["cost", "share_error", "kpi_relative", "kpi_lost", "missed", "false"]].to_numpy(dtype=float)
    age = np.array([age_of(text) for text in table["full_rate"]])
    out = []
    for one, years in zip(values, age, strict=True):
        as_good = (values <= one).all(axis=1) & (age >= years)
        better = (values < one).any(axis=1) | (age > years)
        out.append(not bool((as_good & better).any()))
    return out


def age_of(text: str) -> float:
    return float(text.removesuffix("d")) if text else np.inf
