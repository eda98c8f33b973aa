"""Connections that are probably missed: what goes from one journey to another arrives after the other has left."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

__all__ = ["missed_connections"]

#: An event before that was planned to end longer ago is no connection.
_LONGEST: Final = pd.Timedelta(days=3)


def missed_connections(table: pd.DataFrame, events: pd.DataFrame) -> dict[str, str]:
    """Return why the asset of an event probably isn't there when it begins, by event id.

    The event before is the latest one of the same asset that was planned to end by the planned start, such as the parcel's leg before. It is compared
    with the later one of the planned start and the instant from which what does the event is ready: a truck that is late itself is still caught.

    Parameters
    ----------
    table : DataFrame
        As `twinlab.predict.delay.FittedDelay.table` has it: ``event_id, asset, planned_start, phase, earliest, expected``.
    events : DataFrame
        All events that are known, with plan, start and end.
    """
    if table.empty or events.empty:
        return {}
    # In one unit, as `merge_asof` wants them.
    table, events = _nanoseconds(table), _nanoseconds(events)
    known = events[["event_id", "asset", "planned_start", "planned_end", "end"]].dropna(subset=["asset", "planned_end"])
    expected = table.set_index("event_id")["expected"]
    until = known["end"].fillna(known["event_id"].map(expected))
    before = known.assign(until=until)[["event_id", "asset", "planned_end", "until"]].sort_values("planned_end")
    waiting = (
        table[(table["phase"] != "under way").to_numpy(bool)].dropna(subset=["asset"]).sort_values("planned_start")
    )
    found = pd.merge_asof(
        waiting[["event_id", "asset", "planned_start", "earliest"]],
        before.rename(columns={"event_id": "before"}),
        left_on="planned_start", right_on="planned_end", by="asset", tolerance=_LONGEST,
    )  # fmt: skip
    leaves = found[["planned_start", "earliest"]].max(axis=1)
    missed = (found["until"] > leaves).to_numpy(bool) & (found["before"] != found["event_id"]).to_numpy(bool)
    return {
        str(
            row["event_id"]
        ): f"connection probably missed: {row['before']} ends at {row['until']:%H:%M}, after this one begins at {at:%H:%M}"
        for row, at in zip(found[missed].to_dict("records"), leaves[np.flatnonzero(missed)], strict=True)
    }


def _nanoseconds(table: pd.DataFrame) -> pd.DataFrame:
    times = [str(name) for name, kind in table.dtypes.items() if str(kind).startswith("datetime64")]
    return table.astype(dict.fromkeys(times, "datetime64[ns]"))
