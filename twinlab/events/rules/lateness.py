"""Events that begin or end later than planned: rules with ``late``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlab.events.rules.exception_table import duration_text, exception_rows, times
from twinlab.events.tables_as_of import called_off
from twinlab.model.extensions.rule_kind import RuleKind
from twinlab.model.twinmodel import parse_duration

if TYPE_CHECKING:
    from twinlab.model.reader import TwinReader
    from twinlab.model.rules import Rule

__all__ = ["END_ASSUMED_AFTER", "LATE", "late_spans"]

#: How long after its planned time an event without a recorded end is still reported.
END_ASSUMED_AFTER = pd.Timedelta(days=7)
_NAT = np.iinfo(np.int64).min
_OPEN = np.iinfo(np.int64).max


def late_spans(twin: TwinReader, name: str, rule: Rule, *, start_ns: int, stop_ns: int) -> pd.DataFrame:
    """Return the spans overlapping ``[start, stop)`` in which events are late.

    A span begins when the delay exceeds what is allowed and lasts until the event ends, also if only its start is late. An
    event without a recorded end is reported for a week after its planned time. Cancelled events aren't late. Only what has
    happened by ``stop`` counts.
    """
    spec = twin.model.event_types[rule.on]
    table = twin.events(rule.on)
    allowed = parse_duration(rule.late or "")
    planned, start, end = (_ns(table[column]) for column in (f"planned_{rule.at}", "start", "end"))
    actual = end if rule.at == "end" else start
    # Without a recorded end, the span ends `END_ASSUMED_AFTER` after the planned time.
    over = np.where(end == _NAT, planned + END_ASSUMED_AFTER.value, end)
    raised = planned + allowed
    keep = (planned != _NAT) & (raised < stop_ns) & (over > start_ns) & (raised < over)
    keep &= (actual == _NAT) | (actual > raised)
    rows = np.flatnonzero(keep)
    rows = rows[~_cancelled(table, rows, cancelled_unless_begun=spec.without_start == "cancelled", start=start)]
    planned, raised, actual, over = planned[rows], raised[rows], actual[rows], over[rows]
    not_over = over >= stop_ns
    now = stop_ns - 1
    happened = (actual != _NAT) & (actual <= now)
    delay = np.where(happened, actual, np.where(not_over, now, over)) - planned
    ids = table["event_id"].iloc[rows].astype("str").to_numpy(dtype=object)
    own = table["asset"].iloc[rows].fillna("").astype("str").to_numpy(dtype=object) if spec.asset is not None else ""
    title = rule.on.replace("_", " ")
    return exception_rows(
        {
            "asset_type": spec.asset or "",
            "asset": own if spec.asset is not None else np.full(len(rows), "", dtype=object),
            "event_type": rule.on,
            "event_id": ids,
            "since": times(planned),
            "raised": times(raised),
            "until": times(np.where(not_over, _NAT, over)),
            "value": delay / 60e9,
            "limit": allowed / 60e9,
            "unit": "min",
            "text": [
                _text(title, rule.at, span, plan, done=done)
                for span, plan, done in zip(delay.tolist(), times(planned), happened.tolist(), strict=True)
            ],
            "beyond": delay / allowed,
        },
        name=name,
        rule=rule,
    )


def _cancelled(
    table: pd.DataFrame, rows: NDArray[np.int64], *, cancelled_unless_begun: bool, start: NDArray[np.int64]
) -> NDArray[np.bool_]:
    off = called_off(table.iloc[rows])
    if cancelled_unless_begun:
        off |= start[rows] == _NAT
    return off


def _text(title: str, at: str, delay: float, planned: np.datetime64, *, done: bool) -> str:
    verb = {("start", True): "began", ("end", True): "ended"}.get((at, done), f"hasn't {at}ed")
    plan = str(planned.astype("datetime64[m]")).replace("T", " ")
    return f"{title} {verb}, {duration_text(delay)} after its plan ({plan})"


def _ns(column: pd.Series) -> NDArray[np.int64]:
    return column.to_numpy(dtype="datetime64[ns]").astype("int64")


LATE = RuleKind("late", late_spans, on="event type")
