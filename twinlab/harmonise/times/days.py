"""A day that no column states: a fixed one, or the one in the name of the file or sheet."""

from __future__ import annotations

import re
from datetime import date

import numpy as np

from twinlab.harmonise.cells import Rows
from twinlab.harmonise.claims import NAT, Ints
from twinlab.harmonise.times.formats import DAY_NS
from twinlab.model.mapping import TimeRule

__all__ = ["fixed_day"]

_EPOCH = date(1970, 1, 1)


def fixed_day(rule: TimeRule, rows: Rows) -> Ints:
    """Return the day of all rows as int64[n] ns on the source's clock.

    NAT, and a finding, where the table's name doesn't match ``date_pattern`` or isn't a valid day.
    """
    if isinstance(rule.date, str):
        return np.full(rows.count, _ns(date.fromisoformat(rule.date)))
    pattern = rule.date_pattern or ""
    match = re.search(pattern, rows.table)
    try:
        if match is None:
            reason = "it doesn't match"
        else:
            year, month, day = (int(match[part]) for part in ("year", "month", "day"))
            return np.full(rows.count, _ns(date(year + 2000 if year < 100 else year, month, day)))
    except (TypeError, ValueError) as error:
        reason = str(error)
    message = f"the name of the table {rows.table!r} gives no day by the date_pattern {pattern!r}: {reason}"
    rows.findings.unknown_term(f"day of {rows.table!r}", rows.count, message)
    return np.full(rows.count, NAT)


def _ns(day: date) -> int:
    return (day - _EPOCH).days * DAY_NS
